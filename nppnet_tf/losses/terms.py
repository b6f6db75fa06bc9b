"""The terms of the joint loss, in one table: no TensorFlow.

A further loss is a row here and a function in `joint.FUNCTIONS`; metrics of a
run, records and charts follow.
"""

from typing import NamedTuple

from nppnet_tf import keys


class Term(NamedTuple):
    """One loss of every stage.

    Attributes:
        name: Key of the loss, in logs and records.
        task: Branch whose learned weight multiplies it.
        prediction: Key of the predictions that it measures.
        title: What charts call it.
        is_logarithmic: Whether charts show its logarithm: errors of heatmaps
            fall over orders of magnitude.
    """

    name: str
    task: str
    prediction: str
    title: str
    is_logarithmic: bool = False


TERMS = (
    Term(keys.POSE_LOSS, keys.POSE, keys.HEATMAPS, "Pose loss", True),
    Term(
        keys.AUXILIARY_POSE_LOSS,
        keys.POSE,
        keys.AUXILIARY_HEATMAPS,
        "Auxiliary pose loss",
        True,
    ),
    Term(keys.PARSING_LOSS, keys.PARSING, keys.PARSING_LOGITS, "Parsing loss"),
    Term(
        keys.BOUNDARY_LOSS, keys.PARSING, keys.BOUNDARY_LOGITS, "Boundary loss"
    ),
)
TOTAL_TITLE = "Total loss (weighted by the learned task weights)"

# What `JointLoss` returns.
NAMES = (keys.TOTAL_LOSS, *(term.name for term in TERMS))
