"""The card of an exported model: what it is, what it was made of, how good.

Markdown beside the graph, for whoever meets the files without us. What is not
known is said to be not known; nothing is left out for it.
"""

import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.inference.model_description import ModelDescription

_NO_LICENSE = (
    "Not stated. The code that made them is Apache-2.0; the weights follow the "
    "license of what they were trained on. The pictures of LIP and of "
    "PASCAL-Person-Part are for non-commercial research."
)

# Of the settings of a training, in this order, with the words of the card.
_TRAINED = {
    "records": "records",
    "initial": "went on from",
    "tasks": "tasks",
    "epochs": "epochs",
    "steps_per_epoch": "steps an epoch",
    "batch_size": "pictures of a step",
    "image_size": "size of the input",
    "learning_rate": "learning rate",
    "seed": "seed",
}

_PROTOCOL = {
    "dataset": "data set",
    "split": "split",
    "pictures": "pictures",
    "is_whole_published_split": "whole published split",
    "flip": "mirrored picture averaged in",
    "scales": "scales averaged over",
    "measured_at": "measured at",
}

_SCORES = {
    "mIoU": ("parsing", "mean_iou"),
    "pixel accuracy": ("parsing", "pixel_accuracy"),
    "PCKh@0.5": ("pose", "pckh"),
    "joints on parts that fit": ("consistency", "consistency"),
}


def read_settings(run: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Returns the settings of a training; empty where it recorded none.

    Args:
        run: Working directory; one of imported weights records nothing.

    Raises:
        UserError: The record cannot be read.
    """
    path = pathlib.Path(run, "run.json")
    if not path.exists():
        return {}
    record = json_documents.require(
        json_documents.read(path), "an object", path, "record of a run"
    )
    return json_documents.require(
        record.get("settings"), "an object", path, "settings"
    )


def read_results(
    paths: Sequence[str], weights_sha256: str
) -> list[Mapping[str, Any]]:
    """Reads results of `tools.evaluate` of one network.

    Args:
        paths: JSON files.
        weights_sha256: Hash of the weights that they must belong to.

    Raises:
        UserError: A file is no such result, or one of other weights.
    """
    results = []
    for path in paths:
        result = json_documents.opened(
            json_documents.read(path),
            path,
            "nppnet_tf.evaluation",
            None,
            noun="result of nppnet-evaluate",
        )
        protocol = json_documents.require(
            result.get("protocol"), "an object", path, "protocol"
        )
        found = protocol.get("weights_sha256")
        if found != weights_sha256:
            raise UserError(
                "result belongs to other weights",
                path,
                f"weights_sha256 {weights_sha256[:12]}",
                str(found)[:12],
            )
        results.append(result)
    return results


def text(
    description: ModelDescription,
    settings: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]] = (),
    weights_license: str | None = None,
) -> str:
    """Returns the card as Markdown.

    Args:
        description: What the graph is.
        settings: Settings of the training, as `read_settings` returns them.
        results: What `read_results` returns.
        weights_license: Who may use the weights for what.
    """
    descriptor = description.descriptor
    sections = [
        f"# {description.name}, version {description.version}",
        f"Finds {descriptor.num_classes} parts (classes of pixels) and "
        f"{descriptor.num_keypoints} joints of the person of a picture. Made "
        f"by nppnet_tf {description.software_version}; `model.json` beside "
        "this file is the same for programs.",
        "## The network",
        _table(_network_rows(description)),
        "## Trained on",
        _table(_training_rows(description, settings)),
        "## Measured",
        *(_measured(result) for result in results),
        *([] if results else [_NOT_MEASURED]),
        "## Scores of joints",
        _scores_of_joints(description),
        "## What it is not for",
        _LIMITS,
        "## License of the weights",
        _plain(weights_license or "") or _NO_LICENSE,
    ]
    return "\n\n".join(sections) + "\n"


_NOT_MEASURED = (
    "Nothing. `nppnet-evaluate` measures a run, and `nppnet-export "
    "--results=FILE` writes here what it found."
)

_LIMITS = """\
* Pictures unlike those that it was trained on: it answers for every picture,
  and knows nothing of how sure it may be there. A network of drawn people
  knows drawn people.
* Pictures of several people as a whole: each is cut out first
  (`nppnet-predict --detector` or `--boxes`).
* Telling who somebody is, and decisions about people. Whether it is as good for
  all of them was not measured."""


def _network_rows(description: ModelDescription) -> dict[str, object]:
    height, width = description.image_size
    network = description.network
    averaged = ["the mirrored picture"] * description.flip
    if description.scales != (1.0,):
        averaged.append(f"scales {_plain(description.scales)}")
    return {
        "input": f"{height} x {width} pixels, RGB",
        "C, L": f"{network.get('channels', '?')}, {network.get('cells', '?')}",
        "classes": _plain(description.descriptor.classes),
        "joints": _plain(description.descriptor.keypoints),
        "averages over": " and ".join(averaged) or "nothing",
        "weights, SHA-256": description.weights_sha256,
    }


def _training_rows(
    description: ModelDescription, settings: Mapping[str, Any]
) -> dict[str, object]:
    return {
        "names of": description.descriptor.name,
        **{
            words: settings[name]
            for name, words in _TRAINED.items()
            if settings.get(name) is not None
        },
        **({} if settings else {"how": "not recorded"}),
    }


def _measured(result: Mapping[str, Any]) -> str:
    protocol = result["protocol"]
    rows: dict[str, object] = {}
    for title, (group, name) in _SCORES.items():
        value = (result.get(group) or {}).get(name)
        if value is not None:
            rows[title] = f"{value:.4f}"
    for name, words in _PROTOCOL.items():
        if protocol.get(name) is not None:
            rows[words] = protocol[name]
    return _table(rows)


def _scores_of_joints(description: ModelDescription) -> str:
    said = (
        f"Joints of a score below {description.score_threshold:g} count as "
        "not found"
    )
    if description.calibration is None:
        return f"{said}; what scores mean was not measured."
    return (
        f"{said}: on records that was right for "
        f"{description.calibration.balanced_accuracy:.1%} of joints that "
        "pictures show and of those that they do not, on average."
    )


def _table(rows: Mapping[str, object]) -> str:
    lines = [f"| {name} | {_plain(value)} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _plain(value: object) -> str:
    """Returns a value as words of one line that no table takes apart."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(str(value).split()).replace("|", r"\|")
