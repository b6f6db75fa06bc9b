"""An evaluation's result as a JSON file and as a table for the screen."""

import json
import math
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents

_ABSENT = "-"


def write(path: str | os.PathLike[str], result: Mapping[str, Any]) -> None:
    """Writes a result of `evaluation`; what was not measured is null."""
    atomic.write_text(path, to_json(result))


def is_result(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds what `write` writes."""
    try:
        document = json_documents.read(path)
    except UserError:
        return False
    return isinstance(document, dict) and "protocol" in document


def to_json(result: Mapping[str, Any]) -> str:
    """Returns the JSON document that `write` writes."""
    return json.dumps(_without_nan(result), indent=1, allow_nan=False) + "\n"


def to_text(result: Mapping[str, Any]) -> str:
    """Returns the tables and the protocol, lines for a screen."""
    lines = []
    if parsing := result.get("parsing"):
        lines += _parsing_lines(parsing)
    if pose := result.get("pose"):
        lines += [""] * bool(lines) + _pose_lines(pose)
    if precision := result.get("average_precision"):
        lines += [""] * bool(lines) + _precision_lines(precision)
        recall = result["oks_recall"]["oks_recall"]
        lines.append(
            f"OKS recall {_percent(recall)}   (what the release calls mAP)"
        )
    if agreement := result.get("consistency"):
        lines += ["", _rate_line("Keypoints on parts that fit", agreement)]
    return "\n".join([*lines, "", *_protocol_lines(result["protocol"])])


def _parsing_lines(parsing: Mapping[str, Any]) -> list[str]:
    rows = [
        (name, parsing["iou"][name], parsing["accuracy"][name])
        for name in parsing["iou"]
    ]
    num_classes = len(rows)
    num_present = num_classes - len(parsing["absent_classes"])
    return [
        *_table(("class", "IoU", "accuracy"), rows),
        f"mIoU {_percent(parsing['mean_iou'])}   ({num_present} of "
        f"{num_classes} classes occur; the others are skipped)",
        f"pixel accuracy {_percent(parsing['pixel_accuracy'])}   "
        f"mean accuracy {_percent(parsing['mean_accuracy'])}",
    ]


def _pose_lines(pose: Mapping[str, Any]) -> list[str]:
    title = f"PCKh@{pose['threshold']:g}"
    keypoints = [
        (name, rate, pose["counts"][name])
        for name, rate in pose["keypoints"].items()
    ]
    groups = [(name, rate) for name, rate in pose["groups"].items()]
    return [
        *_table(("keypoint", title, "counted"), keypoints),
        "",
        *_table(("group", title), groups),
        f"{title} {_percent(pose['pckh'])}   upper body "
        f"{_percent(pose['upper_body'])}   ({pose['num_pictures_with_head']} "
        f"of {pose['num_pictures']} poses have a head size)",
    ]


def _precision_lines(precision: Mapping[str, Any]) -> list[str]:
    title = f"AP@{precision['threshold']:g}"
    keypoints = [
        (name, rate, precision["counts"][name])
        for name, rate in precision["keypoints"].items()
    ]
    groups = [(name, rate) for name, rate in precision["groups"].items()]
    return [
        *_table(("keypoint", title, "annotated"), keypoints),
        "",
        *_table(("group", title), groups),
        f"mean {title} {_percent(precision['pckh_average_precision'])}   "
        f"({precision['num_people']} people in {precision['num_pictures']} "
        "pictures)",
    ]


def _rate_line(title: str, agreement: Mapping[str, Any]) -> str:
    return (
        f"{title} {_percent(agreement['consistency'])}   "
        f"(of {agreement['num_keypoints']})"
    )


def _protocol_lines(protocol: Mapping[str, Any]) -> list[str]:
    lines = ["protocol"]
    for name, value in protocol.items():
        if isinstance(value, Mapping):
            lines += [f"  {name}:"]
            lines += [f"    {key}: {_plain(value[key])}" for key in value]
        else:
            lines.append(f"  {name}: {_plain(value)}")
    if protocol.get("is_whole_published_split") is False:
        lines.append(
            "  Not the whole published split: no number to compare with "
            "published ones."
        )
    return lines


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max(len(row[column]) for row in [titles, *cells])
        for column in range(len(titles))
    ]
    return [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in [titles, *cells]
    ]


def _cell(value: Any) -> str:
    return _percent(value) if isinstance(value, float) else str(value)


def _percent(rate: float | None) -> str:
    if rate is None or math.isnan(rate):
        return _ABSENT
    return f"{100 * rate:.2f}"


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or _ABSENT
    return _ABSENT if value is None else str(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
