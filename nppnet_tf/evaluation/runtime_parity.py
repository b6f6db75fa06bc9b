"""How far a model of another runtime is from the SavedModel, in figures."""

import math
import statistics
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.evaluation import evaluation
from nppnet_tf.inference import network_input
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.pictures import picture_files

FORMAT = "nppnet_tf.parity"

# Inputs that outputs are compared on, and passes of each that are timed.
_INPUTS = 8
_PASSES = 20

# What is compared: from one input to the outputs by their names.
Network = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def record_inputs(
    records: RecordSet, image_size: tuple[int, int], count: int
) -> list[np.ndarray]:
    """Returns inputs of the network, of pictures spread evenly over records.

    Args:
        records: The records.
        image_size: (height, width) of the network's input.
        count: How many, at most.

    Returns:
        Float32 [1, height, width, 3] each.
    """
    count = min(count, records.count)
    numbers = np.linspace(0, records.count - 1, count).astype(int)
    inputs = []
    for record in map(records.read, numbers.tolist()):
        picture = picture_files.decode(record.image_bytes, record.record_id)
        image = network_input.preprocess(tf.constant(picture), image_size)
        inputs.append(image.numpy()[np.newaxis])
    return inputs


def compare(
    reference: Network,
    network: Network,
    image_size: tuple[int, int],
    records: RecordSet | None = None,
) -> dict[str, Any]:
    """Compares what two networks answer, and how long they take.

    Args:
        reference: The form as a SavedModel runs it.
        network: The other runtime's.
        image_size: (height, width) of their input.
        records: Held-out pictures; noise where there are none.

    Returns:
        Plain values: the largest difference of each output, the share of equal
        labels, and milliseconds of both, taken in turns.
    """
    if records is None:
        shape = (_INPUTS, 1, *image_size, 3)
        inputs = list(
            np.random.default_rng(0).normal(size=shape).astype(np.float32)
        )
    else:
        inputs = record_inputs(records, image_size, _INPUTS)
    pairs = [(reference(image), network(image)) for image in inputs]
    labels = [
        [answer[keys.PARSING_LOGITS].argmax(-1) for answer in pair]
        for pair in pairs
    ]
    return {
        "compared_on": "noise" if records is None else "held-out pictures",
        "inputs": len(inputs),
        "largest_difference": {
            name: max(
                float(np.abs(ours[name] - theirs[name]).max())
                for ours, theirs in pairs
            )
            for name in pairs[0][0]
        },
        "labels_equal": float(np.mean([np.equal(*pair) for pair in labels])),
        "milliseconds": _milliseconds(
            {"saved_model": reference, "runtime": network}, inputs
        ),
    }


def scores(
    reference: Predictor,
    predictor: Predictor,
    records: RecordSet,
    limit: int | None = None,
) -> dict[str, Any]:
    """Measures two models on the same records.

    Returns:
        For mIoU and PCKh, where they can be measured, both rates and the
        change in points (hundredths).
    """
    results = [
        evaluation.evaluate_records(each, records, limit)
        for each in (reference, predictor)
    ]
    found = {}
    for name, part, entry in (
        ("mean_iou", "parsing", "mean_iou"),
        ("pckh", "pose", "pckh"),
    ):
        rates = [result[part] and result[part][entry] for result in results]
        if not any(rate is None or math.isnan(rate) for rate in rates):
            found[name] = {
                "saved_model": rates[0],
                "runtime": rates[1],
                "change_in_points": 100 * (rates[1] - rates[0]),
            }
    return {"pictures": results[0]["protocol"]["pictures"], **found}


def to_text(report: Mapping[str, Any]) -> str:
    """Returns the table of a report, lines for a screen."""
    title = f"{report['runtime']} {report['precision']}"
    times = report["milliseconds"]
    rows = [("", "SavedModel", title, "difference")]
    for name, value in report["largest_difference"].items():
        rows.append((f"largest, {name}", "", "", f"{value:.1e}"))
    rows.append(("labels equal", "", f"{report['labels_equal']:.2%}", ""))
    for name, found in report.get("scores", {}).items():
        if isinstance(found, Mapping):
            rates = (found["saved_model"], found["runtime"])
            rows.append(
                (
                    {"mean_iou": "mIoU", "pckh": "PCKh"}[name],
                    *(f"{rate:.2%}" for rate in rates),
                    f"{found['change_in_points']:+.2f} points",
                )
            )
    rows.append(
        (
            "milliseconds",
            f"{times['saved_model']:.1f}",
            f"{times['runtime']:.1f}",
            f"{times['runtime'] / times['saved_model']:.2f} x",
        )
    )
    ours, theirs = report["weights_bytes"], sum(report["bytes"].values())
    rows.append(
        (
            "megabytes",
            f"{ours / 1e6:.2f} of weights",
            f"{theirs / 1e6:.2f}",
            f"{theirs / ours:.2f} x",
        )
    )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [
                text.rjust(width)
                for text, width in zip(row[1:], widths[1:], strict=True)
            ]
        ).rstrip()
        for row in rows
    )


def _milliseconds(
    networks: Mapping[str, Network], inputs: Sequence[np.ndarray]
) -> dict[str, float]:
    """Returns the medians of calls that take turns."""
    taken: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(_PASSES):
        image = inputs[number % len(inputs)]
        for name, network in networks.items():
            started = time.perf_counter()
            network(image)
            taken[name].append(1e3 * (time.perf_counter() - started))
    return {name: statistics.median(each) for name, each in taken.items()}
