"""Forms of a study's results, for `json_documents.require_form`.

Whatever else a line holds is for people, and is not looked at.
"""

from collections.abc import Callable
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.search_space.genotype import Genotype


def genotype(value: Any, where: object, name: str) -> None:
    """Refuses what is no genotype."""
    Genotype.from_values(value, f"{where}, {name}")


def positive(value: Any, where: object, name: str) -> None:
    """Refuses what is no number above 0."""
    # What is no number at all, NaN, is not above 0 either.
    if not json_documents.require(value, "a number", where, name) > 0:
        raise UserError(
            f"{name} is not a positive number", where, "above 0", value
        )


def share(value: Any, where: object, name: str) -> None:
    """Refuses what is no number of 0 to 1."""
    if not 0 <= json_documents.require(value, "a number", where, name) <= 1:
        raise UserError(f"{name} is not a share", where, "0 to 1", value)


def some(form: Any) -> Callable[[Any, object, str], None]:
    """Returns the form of a list or an object that has entries."""

    def check(value: Any, where: object, name: str) -> None:
        if not json_documents.require_form(value, form, where, name):
            raise UserError(f"{name} is empty", where, "one entry or more", 0)

    return check


_SCORES = {"mean_iou": share, "pckh": share}

UNIT = {
    "kind": "a text",
    "system": "a text",
    "seed": "an integer",
    "budget": "a text",
    "learning_rate": "a number",
}

SETTINGS = {
    "command": "a text",
    "versions": some({"": "a text"}),
    "processors": "an integer",
}

SEARCH = {
    "genotype": genotype,
    "stages": some(
        {"": {"largest_skip_share": "a number", "entropy": some(["a number"])}}
    ),
    "seconds": "a number",
    "seconds_in_all": "a number",
}

NETWORK = {
    "genotype": genotype,
    "channels": "an integer",
    "baseline_width": positive,
    "parameters": positive,
    "macs": positive,
}

SPEED = {
    "seconds_per_step": positive,
    "reference_seconds_per_step": positive,
    "share": positive,
    "quartiles": some(["a number"]),
}

SUPERNET = {"scores": some([_SCORES])}

TRAINING = {
    "steps": "an integer",
    # A training whose first loss is not finite has none.
    "curve": [{"step": "an integer", **_SCORES}],
    "selection_score": "a number",
    "test": _SCORES,
    "seconds": "a number",
    "seconds_in_all": "a number",
}
