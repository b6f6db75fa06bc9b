"""A saved model measured on records, from folders to a result."""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from nppnet_tf.data import absence
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.evaluation import evaluation
from nppnet_tf.evaluation import whole_pictures
from nppnet_tf.inference import predictor as predictors


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a model is measured.

    Attributes:
        flip: Average over the mirrored picture.
        scales: Factors of the network's input to average over.
        limit: Only the first so many records, or whole pictures; all if None.
        max_bad_records: Damaged records to skip before stopping.
        head_factor: Head size in distances of the head's joints, for the
            average precision of whole pictures.
    """

    flip: bool = False
    scales: Sequence[float] = (1.0,)
    limit: int | None = None
    max_bad_records: int = 0
    head_factor: float = 1.0


def evaluate_model(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    protocol: Protocol,
    root: str | os.PathLike[str] | None = None,
    progress: Callable[[int], evaluation.ProgressBar] = lambda total: iter,
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Measures a model on records, or on the pictures they were cut from.

    Args:
        model: Working directory of a run, or a SavedModel.
        folder: Records.
        protocol: How they are measured.
        root: Data set that the records were cut from; its whole pictures are
            measured instead of the records.
        progress: Takes the number of records or pictures, returns what wraps
            the iteration over them.
        say: Takes a line for each task that cannot be measured.

    Returns:
        The result, as of `evaluation.evaluate_records`.

    Raises:
        UserError: Model or records cannot be read, do not speak of the same
            classes and joints, or nothing is annotated.
    """
    records = RecordSet.open(folder, protocol.max_bad_records)
    for line in absence.lines(records.annotations):
        say(f"not measured: {line}")
    if root is None:
        # Before the model is loaded and traced.
        evaluation.require_same_names(
            predictors.read_descriptor(model), records
        )
    predictor = predictors.Predictor.from_directory(
        model, protocol.flip, protocol.scales
    )
    if root is None:
        count = min(records.count, protocol.limit or records.count)
        return evaluation.evaluate_records(
            predictor, records, protocol.limit, progress(count)
        )
    pictures = _whole_pictures(records, root)
    count = min(len(pictures), protocol.limit or len(pictures))
    return whole_pictures.evaluate_pictures(
        predictor,
        records,
        pictures,
        protocol.limit,
        protocol.head_factor,
        progress(count),
    )


def _whole_pictures(
    records: RecordSet, root: str | os.PathLike[str]
) -> Sequence[WholePicture]:
    """Reads the pictures that the records were cut from."""
    facts = records.manifest
    return datasets.read_pictures(
        facts.get("dataset", "unknown"),
        root,
        facts.get("split"),
        records.descriptor,
    )
