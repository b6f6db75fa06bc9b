"""A network with what finds people: pictures in, answers about people out."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from nppnet_tf.data.people.box_files import BoxFiles
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.data.people.person_detector import PersonDetector
from nppnet_tf.inference import several_people
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.inference.quality import Judge
from nppnet_tf.inference.quality import Quality

# Path, bytes and pixels of a picture to its people; of a frame, the path of its
# video, no bytes, and its number.
Find = Callable[[pathlib.Path, bytes, np.ndarray, int | None], Detections]
Boxes = tuple[tuple[float, ...], ...]


def detecting(detector: PersonDetector, min_score: float) -> Find:
    """Returns what finds people by a detector.

    Args:
        detector: A loaded one.
        min_score: Less certain people are left out.
    """

    def find(
        path: pathlib.Path, data: bytes, image: np.ndarray, frame: int | None
    ) -> Detections:
        del path, data, frame
        (found,) = detector.detect([image], min_score)
        return found

    return find


def listed(files: BoxFiles) -> Find:
    """Returns what finds people by their boxes in files."""

    def find(
        path: pathlib.Path, data: bytes, image: np.ndarray, frame: int | None
    ) -> Detections:
        if frame is not None:
            return files.find_in_frame(path, frame, image.shape[:2])
        return files.find(path, data)

    return find


class PeopleModel:
    """Answers about the one person of a picture, or about all it shows.

    Args:
        predictor: A loaded network.
        find: Finds the people; where None, a picture is one person's.
        padding: Share of the sides of a box by which a person is cut out
            larger.
        judge: Tells the quality of answers; nobody asks where None.
    """

    def __init__(
        self,
        predictor: Predictor,
        find: Find | None = None,
        padding: float = several_people.PADDING,
        judge: Judge | None = None,
    ) -> None:
        self._predictor = predictor
        self._find = find
        self._padding = padding
        self._judge = None if judge is None else judge.judge

    @property
    def finds_people(self) -> bool:
        """Whether people are looked for in pictures."""
        return self._find is not None

    @property
    def facts(self) -> dict[str, Any]:
        """What answers depend on besides the people: the network's own."""
        description = self._predictor.description
        return {
            "weights_sha256": description.weights_sha256,
            "flip": description.flip,
            "scales": list(description.scales),
        }

    def answer(
        self,
        path: pathlib.Path,
        data: bytes,
        image: np.ndarray,
        frame: int | None = None,
    ) -> tuple[PictureAnswer, Boxes]:
        """Returns the answer, and boxes that show nothing of the picture.

        Args:
            path: Path of the picture, or of the video.
            data: Bytes of its file; none of a video.
            image: Uint8 [H, W, 3], RGB, upright.
            frame: Number of the frame, where it is of a video.

        Raises:
            UserError: If the people cannot be found, or are too many.
        """
        if self._find is None:
            prediction, quality = self._predict_alone(image)
            person = PersonAnswer(
                prediction.keypoints_xy, prediction.scores, quality=quality
            )
            return PictureAnswer(prediction.label_map, (person,)), ()
        people = several_people.cut(
            self._find(path, data, image, frame),
            image.shape[:2],
            self._padding,
            path.name,
        )
        answer = several_people.predict(
            self._predictor.predict_confidence, image, people, self._judge
        )
        return answer, people.outside

    def _predict_alone(
        self, image: np.ndarray
    ) -> tuple[Prediction, Quality | None]:
        if self._judge is None:
            (prediction,) = self._predictor.predict([image])
            return prediction, None
        prediction = self._predictor.predict_confidence(image)
        return prediction, self._judge(image, prediction)


def judge_of(predictor: Predictor, score_threshold: float) -> Judge:
    """Returns what tells the quality of a network's answers.

    Args:
        predictor: The network.
        score_threshold: Least score of a joint that was found.
    """
    description = predictor.description
    return Judge(
        None if description.flip else predictor.predict_confidence,
        predictor.descriptor,
        score_threshold,
        description.calibration,
    )
