"""What entries of JSON of COCO say, one rule for all who read some.

Scripts write numbers as texts and whole numbers with a fraction.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents


def identity(value: Any, where: str, key: str) -> str:
    """Returns what a number and the same number as a text share.

    Args:
        value: An id.
        where: Place of it, for the message.
        key: Name of it.

    Raises:
        UserError: It is neither, or larger than any id.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise UserError(
            f"{key} is no id",
            where,
            "a number or a text",
            json_documents.described(value),
        )
    if isinstance(value, int) and abs(value) >= 1 << 64:
        raise UserError(f"{key} is no id", where, "64 bits", "a larger number")
    return str(value).strip()


def different_ids(
    entries: Sequence[tuple[Mapping[str, Any], str]],
) -> list[str]:
    """Returns the ids of categories.

    Args:
        entries: Categories, each with its place for messages.

    Raises:
        UserError: One has no id, or two have the same.
    """
    ids: list[str] = []
    for entry, where in entries:
        key = identity(entry.get("id"), where, "id")
        if key in ids:
            raise UserError(
                "two categories of one id", where, "different ids", key
            )
        ids.append(key)
    return ids


def is_crowd(entry: Mapping[str, Any], where: str) -> bool:
    """Whether an annotation is one region of many people.

    Args:
        entry: The annotation.
        where: Place of it, for the message.

    Raises:
        UserError: `iscrowd` is neither 0 nor 1, as numbers or as texts.
    """
    value = entry.get("iscrowd")
    if value in (None, 0, 1, "0", "1"):
        return value in (1, "1")
    raise UserError(
        "iscrowd is of another kind",
        where,
        "0 or 1",
        json_documents.described(value),
    )


def stated_size(entry: Mapping[str, Any]) -> tuple[int, int] | None:
    """Returns height and width of an image; None where it says nothing.

    Args:
        entry: The image; its sides may be numbers or the same as texts.
    """
    sides = []
    for name in ("height", "width"):
        try:
            side = float(entry[name])
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if not (side > 0 and side.is_integer()):
            return None
        sides.append(int(side))
    return sides[0], sides[1]
