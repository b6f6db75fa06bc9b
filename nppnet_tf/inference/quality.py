"""How good an answer is, as far as it can be told without its truth.

    consistency               share of the found joints that lie on a part they
                              can belong to
    flip_disagreement_parts   share of the person's pixels to which the mirrored
                              picture gives another class
    flip_disagreement_joints  mean distance of the found joints from those of
                              the mirrored picture, in diagonals of the picture
    expected_pckh             share of the found joints that are expected within
                              half a head of their place
    expected_part_accuracy    share of the person's pixels whose class is
                              expected to be right

The last two need a model that was calibrated; see `calibration`. What cannot be
told is None.
"""

import math
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.metrics import consistency
from nppnet_tf.metrics import pck

Quality = Mapping[str, float | None]

_BACKGROUND = 0
_DIGITS = 4


class Judge:
    """Tells the quality of answers.

    Args:
        predict_one: Returns the prediction of a picture with its confidence.
            None where the network averages over mirrored pictures already,
            and so agrees with itself.
        descriptor: Names, mirror partners and what joints may lie on.
        score_threshold: Least score of a joint that was found.
        calibration: What the scores mean, if somebody measured that.
    """

    def __init__(
        self,
        predict_one: Callable[[np.ndarray], Prediction] | None,
        descriptor: DatasetDescriptor,
        score_threshold: float,
        calibration: Calibration | None,
    ) -> None:
        self._predict_one = predict_one
        self._descriptor = descriptor
        self._score_threshold = score_threshold
        self._calibration = calibration

    def judge(self, image: np.ndarray, prediction: Prediction) -> Quality:
        """Returns the quality of one answer.

        Args:
            image: Uint8 [H, W, 3], the picture of one person.
            prediction: The answer, with its confidence.
        """
        found = visibility.are_visible(
            prediction.keypoints_xy, prediction.scores, self._score_threshold
        )
        values = {
            "consistency": self._consistency(prediction, found),
            **self._disagreement(image, prediction, found),
            **self._expected(prediction, found),
        }
        return {
            name: round(value, _DIGITS) if math.isfinite(value) else None
            for name, value in values.items()
        }

    def _consistency(self, prediction: Prediction, found: np.ndarray) -> float:
        points = np.where(found[:, np.newaxis], prediction.keypoints_xy, np.nan)
        (head,) = pck.head_sizes(points[np.newaxis], self._descriptor)
        on_parts = consistency.keypoints_on_parts(
            prediction.label_map,
            points,
            consistency.TOLERANCE * float(np.nan_to_num(head)),
            self._descriptor,
        )
        return pck.mean_of_counted(on_parts)

    def _disagreement(
        self, image: np.ndarray, prediction: Prediction, found: np.ndarray
    ) -> dict[str, float]:
        parts = joints = math.nan
        if self._predict_one is not None:
            other = self._mirrored(image)
            person = (prediction.label_map != _BACKGROUND) | (
                other.label_map != _BACKGROUND
            )
            differs = prediction.label_map != other.label_map
            if person.any():
                parts = float(differs[person].mean())
            if found.any():
                away = prediction.keypoints_xy - other.keypoints_xy
                lengths = np.linalg.norm(away[found], axis=-1)
                joints = float(lengths.mean() / math.hypot(*image.shape[:2]))
        return {
            "flip_disagreement_parts": parts,
            "flip_disagreement_joints": joints,
        }

    def _mirrored(self, image: np.ndarray) -> Prediction:
        """The prediction of the mirrored picture, mirrored back."""
        other = self._predict_one(np.ascontiguousarray(image[:, ::-1]))
        classes = np.array(self._descriptor.mirrored_classes, np.uint8)
        points = other.keypoints_xy[list(self._descriptor.mirrored_keypoints)]
        x = image.shape[1] - 1 - points[:, 0]
        return Prediction(
            classes[other.label_map[:, ::-1]],
            np.stack([x, points[:, 1]], axis=1),
            other.scores,
        )

    def _expected(
        self, prediction: Prediction, found: np.ndarray
    ) -> dict[str, float]:
        hits = self._calibration and self._calibration.hits
        parts = self._calibration and self._calibration.parts
        pckh = accuracy = math.nan
        if hits is not None and found.any():
            pckh = float(hits.at(prediction.scores[found]).mean())
        seen = prediction.label_map != _BACKGROUND
        if parts is not None and seen.any():
            accuracy = float(parts.at(prediction.confidence[seen].mean()))
        return {"expected_pckh": pckh, "expected_part_accuracy": accuracy}
