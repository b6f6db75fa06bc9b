"""Tests of nppnet_tf.inference.calibration."""

import dataclasses
import json

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.calibration import Curve

CALIBRATION = Calibration(
    3, 48, 0.875, Curve((0.25, 0.5), (0.5, 1.0), 0.0625), None
)


class CalibrationTest(parameterized.TestCase):
    def test_values_are_read_again(self):
        values = json.loads(json.dumps(dataclasses.asdict(CALIBRATION)))

        self.assertEqual(Calibration.from_values(values, "here"), CALIBRATION)

    def test_share_is_straight_between_points_and_even_beyond(self):
        np.testing.assert_allclose(
            CALIBRATION.hits.at(np.array([0.1, 0.25, 0.375, 0.9])),
            [0.5, 0.5, 0.75, 1.0],
        )

    @parameterized.parameters(
        ({"pictures": "3"},),
        ({"hits": 3},),
        ({"hits": {"scores": [], "shares": [], "error": 0}},),
        ({"hits": {"scores": [1], "shares": [1, 2], "error": 0}},),
        ({"hits": {"scores": ["1"], "shares": [1], "error": 0}},),
        ({"balanced_accuracy": None},),
    )
    def test_other_values_are_refused(self, change):
        values = dataclasses.asdict(CALIBRATION) | change

        with self.assertRaises((UserError, ValueError)):
            Calibration.from_values(values, "here")


if __name__ == "__main__":
    absltest.main()
