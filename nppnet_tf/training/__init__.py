"""Search and retraining: models that train, what they record, how they resume.

Begin with `run`, by which Python and the tools start both. `search` and
`retrain` hold the steps of the paper, `loop` the epochs, `checkpoints` and
`recording` what is left on disk. Training knows models, losses, metrics and
data, but nothing that answers: `inference` does not import it, nor it
`inference`.
"""
