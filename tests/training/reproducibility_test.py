"""Tests of nppnet_tf.training.reproducibility."""

import json
import os
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.training import reproducibility


class CircumstancesTest(absltest.TestCase):
    def test_they_survive_json(self):
        found = reproducibility.circumstances(tf.distribute.get_strategy())

        self.assertEqual(json.loads(json.dumps(found)), found)
        self.assertEqual((found["replicas"], found["machines"]), (1, 1))
        self.assertEqual(found["TensorFlow"], tf.__version__)

    def test_only_threads_within_an_operation_are_told(
        self,
    ):
        def found(**variables):
            with mock.patch.dict(os.environ, variables):
                return reproducibility.circumstances(
                    tf.distribute.get_strategy()
                )

        with mock.patch.object(
            tf.config.threading,
            "get_intra_op_parallelism_threads",
            return_value=0,
        ):
            three = found(TF_NUM_INTRAOP_THREADS="3")
            five = found(TF_NUM_INTRAOP_THREADS="5")
            beside = found(
                TF_NUM_INTRAOP_THREADS="3", TF_NUM_INTEROP_THREADS="8"
            )

        self.assertEqual(
            reproducibility.differences(three, five),
            ["threads of an operation 5 in place of 3"],
        )
        self.assertEmpty(reproducibility.differences(three, beside))


class DifferencesTest(absltest.TestCase):
    def test_what_an_older_run_does_not_tell_is_no_difference(self):
        now = {"replicas": 2, "TensorFlow": "2.20.0"}

        self.assertEmpty(reproducibility.differences({}, now))
        self.assertEqual(
            reproducibility.differences({"replicas": 1}, now),
            ["replicas 2 in place of 1"],
        )


if __name__ == "__main__":
    absltest.main()
