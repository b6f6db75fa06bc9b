"""Predictions as Beam runs them: one model for each process.

Needs the extra `beam`.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from nppnet_tf.bulk.job import Model
from nppnet_tf.bulk.pictures import Picture
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import file_names
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.pictures import picture_files

# Pictures of a batch.
_MOST_PICTURES = 16


@dataclasses.dataclass(frozen=True)
class Answer:
    """A picture with what `predict` writes of it, or why there is nothing.

    Attributes:
        number: Number of the picture, see `Picture`.
        source: Path of the picture, see `Picture`.
        document: Content of `<stem>.json`, as text.
        label_map: Content of `<stem>.png`.
        error: Why there are neither.
    """

    number: int
    source: str
    document: str = ""
    label_map: bytes = b""
    error: str | None = None


class PictureHandler(ModelHandler[Picture, Answer, Predictor]):
    """Lets RunInference predict pictures.

    They come in batches, and are predicted one by one as `predict` does: on a
    CPU a convolution of several pictures rounds otherwise, and an answer would
    depend on its neighbors.

    Args:
        model: What predicts.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(min_batch_size=1, max_batch_size=_MOST_PICTURES)
        self._model = model

    def load_model(self) -> Predictor:
        """Loads the model, once in the life of a process."""
        return load(self._model)

    def run_inference(
        self,
        batch: Sequence[Picture],
        model: Predictor,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Answer]:
        """Yields an answer for each picture, in the same order."""
        del inference_args
        threshold = threshold_of(self._model, model)
        for picture in batch:
            yield answer(model, picture, threshold)

    def get_num_bytes(self, batch: Sequence[Picture]) -> int:
        """Returns the bytes of a batch, for Beam's counters."""
        return sum(len(picture.data) for picture in batch)

    def get_metrics_namespace(self) -> str:
        """Returns what Beam's own counters are called by."""
        return "nppnet_tf"


@functools.lru_cache(maxsize=1)
def load(model: Model) -> Predictor:
    """Returns a predictor, the same one in one process."""
    return Predictor.from_directory(model.path, model.flip, model.scales)


def threshold_of(model: Model, predictor: Predictor) -> float:
    """Returns the least score of a joint that was found."""
    if model.score_threshold is not None:
        return model.score_threshold
    return predictor.description.score_threshold


def answer(predictor: Predictor, picture: Picture, threshold: float) -> Answer:
    """Predicts one picture.

    Args:
        predictor: The model.
        picture: A picture with bytes.
        threshold: Least score of a joint that was found.
    """
    try:
        image = picture_files.decode(picture.data, picture.source)
        prediction = predictor.predict([image])[0]
    except UserError as error:
        return Answer(picture.number, picture.source, error=str(error))
    document = prediction_files.prediction_document(
        prediction.label_map,
        prediction.keypoints_xy,
        prediction.scores,
        file_names.as_text(picture.name),
        predictor.descriptor,
        threshold,
    )
    return Answer(
        picture.number,
        picture.source,
        json.dumps(document, allow_nan=False),
        prediction_files.label_map_png(
            prediction.label_map, predictor.descriptor
        ),
    )
