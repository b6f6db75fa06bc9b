"""A run as a model of another runtime, with a report of how alike they are."""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import nppnet_tf
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import evaluation
from nppnet_tf.evaluation import result_file
from nppnet_tf.evaluation import runtime_parity
from nppnet_tf.files import atomic
from nppnet_tf.inference import model_description
from nppnet_tf.inference import model_folders
from nppnet_tf.inference import predictor as predictors
from nppnet_tf.inference import runtime_models
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import runtime as runtimes
from nppnet_tf.runtimes.runtime import Runtime

PARITY_FILE = "parity.json"


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be written.

    Attributes:
        runtime: Whose files.
        precision: One of `runtimes.PRECISIONS`.
        calibration: Records whose pictures activations are measured on.
        calibration_pictures: How many of them.
        records: Held-out records that mIoU and PCKh are measured on.
        limit: Only the first so many of those.
    """

    runtime: Runtime
    precision: str = runtimes.FLOAT32
    calibration: RecordSet | None = None
    calibration_pictures: int = 64
    records: RecordSet | None = None
    limit: int | None = None


def request(
    runtime: Runtime,
    precision: str,
    calibration: str | os.PathLike[str] | None,
    calibration_pictures: int,
    records: str | os.PathLike[str] | None,
    limit: int | None,
) -> Request:
    """Returns what is to be written, known to be possible; opens records.

    Raises:
        UserError: Something is not installed, missing, or cannot be read.
    """
    runtime.require_packages(for_writing=True)
    is_calibrated = precision in runtime.calibrated
    if is_calibrated and not calibration:
        raise UserError(
            f"{runtime.name} is quantized on pictures",
            "`calibration_records`",
            "a folder of records",
            "nothing",
        )
    return Request(
        runtime,
        precision,
        RecordSet.open(calibration) if is_calibrated else None,
        calibration_pictures,
        RecordSet.open(records) if records else None,
        limit,
    )


def export(
    network: Any,
    description: ModelDescription,
    wanted: Request,
    models_folder: str | os.PathLike[str],
    make_card: Callable[[ModelDescription], str] | None = None,
) -> tuple[pathlib.Path, dict[str, Any]]:
    """Writes a model with its description and its report, or nothing.

    Args:
        network: A derived NPPNet.
        description: What the network is.
        wanted: What is to be written.
        models_folder: Folder of all models.
        make_card: Returns Markdown for people beside the description, for
            programs; nothing is written where None.

    Returns:
        The folder, and the report.

    Raises:
        UserError: It cannot be written, or records are of other people.
    """
    runtime, size = wanted.runtime, description.image_size
    folder = model_folders.new_package(
        models_folder, description.name, runtime.name, wanted.precision
    )
    for records in filter(None, (wanted.calibration, wanted.records)):
        evaluation.require_same_names(description.descriptor, records)
    calibration = []
    if wanted.calibration is not None:
        calibration = runtime_parity.record_inputs(
            wanted.calibration, size, wanted.calibration_pictures
        )
    with atomic.atomic_path(folder) as temporary:
        temporary.mkdir()
        runtime_models.write(
            network,
            description,
            runtime,
            wanted.precision,
            temporary,
            calibration,
        )
        report = _report(network, temporary, wanted)
        (temporary / PARITY_FILE).write_text(
            result_file.to_json(report), encoding="utf-8"
        )
        if make_card is not None:
            (temporary / model_description.CARD_NAME).write_text(
                make_card(description), encoding="utf-8"
            )
    return folder, report


def _report(
    network: Any, folder: pathlib.Path, wanted: Request
) -> dict[str, Any]:
    """Compares what lies in a folder with the graph of a SavedModel."""
    package = packages.find(folder)
    description = ModelDescription.load(package.description_file)
    facts = (description.descriptor, description.image_size, description.flip)
    graph = predictors.graph_of(network, *facts)

    def reference(image: np.ndarray) -> dict[str, np.ndarray]:
        answer = graph.network(tf.constant(image))
        return {name: value.numpy() for name, value in answer.items()}

    entry = description.runtime
    report = {
        "format": runtime_parity.FORMAT,
        "software_version": nppnet_tf.__version__,
        "runtime": wanted.runtime.name,
        "precision": wanted.precision,
        "calibration_pictures": wanted.calibration
        and min(wanted.calibration_pictures, wanted.calibration.count),
        "bytes": {
            name: (folder / name).stat().st_size for name in entry["files"]
        },
        "weights_bytes": sum(
            4 * int(np.prod(variable.shape)) for variable in network.variables
        ),
        **runtime_parity.compare(
            reference,
            packages.load(package, entry),
            description.image_size,
            wanted.records,
        ),
    }
    if wanted.records is not None:
        report["scores"] = runtime_parity.scores(
            Predictor(
                graph.predict_tensor.get_concrete_function(),
                description,
                lambda: graph,
            ),
            Predictor.from_directory(folder),
            wanted.records,
            wanted.limit,
        )
    return report
