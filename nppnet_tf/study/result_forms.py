"""What a study reads of its results, held against lines from a file.

Whatever else a line holds is for people, and is not looked at.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.search_space.genotype import Genotype

GENOTYPE = "a genotype"
POSITIVE = "a positive number"
SHARE = "a share"


@dataclasses.dataclass(frozen=True)
class Each:
    """A list or an object, of entries that are alike.

    Attributes:
        form: Form of every entry.
        kind: "a list" or "an object".
        may_be_empty: Whether there may be none.
    """

    form: "Form"
    kind: str = "a list"
    may_be_empty: bool = False


# A kind of `json_documents.require`, `GENOTYPE`, `POSITIVE` or `SHARE`; entries
# that are alike; or an object, by the names of its parts.
Form = str | Each | Mapping[str, "Form"]

_SCORES = {"mean_iou": SHARE, "pckh": SHARE}

UNIT = {
    "kind": "a text",
    "system": "a text",
    "seed": "an integer",
    "budget": "a text",
    "learning_rate": "a number",
}

SETTINGS = {
    "command": "a text",
    "versions": Each("a text", "an object"),
    "processors": "an integer",
}

SEARCH = {
    "genotype": GENOTYPE,
    "stages": Each(
        {"largest_skip_share": "a number", "entropy": Each("a number")},
        "an object",
    ),
    "seconds": "a number",
    "seconds_in_all": "a number",
}

NETWORK = {
    "genotype": GENOTYPE,
    "channels": "an integer",
    "baseline_width": POSITIVE,
    "parameters": POSITIVE,
    "macs": POSITIVE,
}

SPEED = {
    "seconds_per_step": POSITIVE,
    "reference_seconds_per_step": POSITIVE,
    "share": POSITIVE,
    "quartiles": Each("a number"),
}

SUPERNET = {"scores": Each(_SCORES)}

TRAINING = {
    "steps": "an integer",
    # A training whose first loss is not finite has none.
    "curve": Each({"step": "an integer", **_SCORES}, may_be_empty=True),
    "selection_score": "a number",
    "test": _SCORES,
    "seconds": "a number",
    "seconds_in_all": "a number",
}


def check(value: Any, form: Form, where: object, name: str) -> None:
    """Refuses a value of another form.

    Args:
        value: Part of a line.
        form: What it has to be.
        where: File and line.
        name: Name of the part, "result.test".

    Raises:
        UserError: Names the first part that is something else.
    """
    if form == GENOTYPE:
        Genotype.from_values(value, f"{where}, {name}")
    elif form == POSITIVE:
        # What is no number at all, NaN, is not above 0 either.
        if not json_documents.require(value, "a number", where, name) > 0:
            raise UserError(f"{name} is not {form}", where, form, value)
    elif form == SHARE:
        if not 0 <= json_documents.require(value, "a number", where, name) <= 1:
            raise UserError(f"{name} is not {form}", where, "0 to 1", value)
    elif isinstance(form, str):
        json_documents.require(value, form, where, name)
    elif isinstance(form, Each):
        json_documents.require(value, form.kind, where, name)
        if not value and not form.may_be_empty:
            raise UserError(f"{name} is empty", where, "one entry or more", 0)
        is_list = isinstance(value, list)
        for key, part in enumerate(value) if is_list else value.items():
            check(part, form.form, where, f"{name}[{key}]")
    else:
        json_documents.require(value, "an object", where, name)
        for key, part in form.items():
            check(value.get(key), part, where, f"{name}.{key}")
