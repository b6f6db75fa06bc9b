"""Search and retraining: models that train, what they record, how they resume.

Begin with `run`, by which Python and the tools start both: `opening` holds how
a run begins, `epochs` what happens until it ends, `report` what is said.
`search` and `retrain` hold the steps of the paper, `loop` the order of an
epoch, `checkpoints` and `recording` what is left on disk. Training knows
models, losses, metrics and data, but nothing that answers: `inference` does not
import it, nor it `inference`.
"""
