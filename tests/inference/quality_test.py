"""Tests of nppnet_tf.inference.quality."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import ABSENT
from nppnet_tf.drawn_people import person
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.calibration import Curve
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.quality import Judge
from tests import schemas

_CURVE = Curve((0.0, 1.0), (0.0, 0.5), 0.0)


def _truth(drawn):
    return Prediction(
        drawn.label_map,
        drawn.keypoints_xy,
        np.where(drawn.visibility == ABSENT, 0, 0.8).astype(np.float32),
        np.full(drawn.label_map.shape, 0.5, np.float32),
    )


def _mirrored(prediction):
    """What a network that is fair to both sides says of the mirrored one."""
    width = prediction.label_map.shape[1]
    order = list(LIP.mirrored_keypoints)
    points = prediction.keypoints_xy[order].copy()
    points[:, 0] = width - 1 - points[:, 0]
    classes = np.array(LIP.mirrored_classes, np.uint8)
    return Prediction(
        classes[prediction.label_map[:, ::-1]],
        points,
        prediction.scores[order],
    )


class JudgeTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.drawn = person.draw_person(5, 2, height_width=(96, 72))
        self.truth = _truth(self.drawn)

    def _judge(self, answer, other, calibration=None):
        judge = Judge(lambda image: other, LIP, 0.1, calibration)
        quality = judge.judge(self.drawn.image, answer)
        self.assertEmpty(schemas.faults(quality, "quality"))
        return quality

    def test_truth_agrees_with_itself(self):
        quality = self._judge(
            self.truth,
            _mirrored(self.truth),
            Calibration(1, 16, 1.0, _CURVE, _CURVE),
        )

        self.assertGreater(quality["consistency"], 0.8)
        self.assertEqual(quality["flip_disagreement_parts"], 0)
        self.assertAlmostEqual(quality["flip_disagreement_joints"], 0, places=4)
        self.assertAlmostEqual(quality["expected_pckh"], 0.4)
        self.assertAlmostEqual(quality["expected_part_accuracy"], 0.25)

    def test_worse_answers_are_told(self):
        rng = np.random.default_rng(0)
        points = rng.uniform(0, 72, (16, 2))
        bad = Prediction(
            np.roll(self.truth.label_map, 30, axis=1),
            points,
            self.truth.scores,
            self.truth.confidence,
        )

        good = self._judge(self.truth, _mirrored(self.truth))
        quality = self._judge(bad, _mirrored(self.truth))

        self.assertLess(quality["consistency"], good["consistency"] - 0.2)
        self.assertGreater(quality["flip_disagreement_parts"], 0.5)
        self.assertGreater(quality["flip_disagreement_joints"], 0.1)
        self.assertIsNone(quality["expected_pckh"])

    def test_what_cannot_be_told_is_none(self):
        nothing = Prediction(
            np.zeros((96, 72), np.uint8),
            np.full((16, 2), np.nan),
            np.zeros(16, np.float32),
            np.ones((96, 72), np.float32),
        )

        quality = self._judge(
            nothing, nothing, Calibration(1, 16, 1.0, _CURVE, None)
        )

        self.assertEqual(set(quality.values()), {None})


if __name__ == "__main__":
    absltest.main()
