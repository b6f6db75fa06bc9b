"""Strategies by name, and the batches that fit them."""

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.training import distribution
from tests import two_replicas


class MakeStrategyTest(absltest.TestCase):
    def test_default_has_one_replica(self):
        strategy = distribution.make_strategy("default")

        self.assertEqual(strategy.num_replicas_in_sync, 1)

    def test_mirrored_splits_the_cpu(self):
        if tf.config.list_physical_devices("GPU"):
            self.skipTest("takes the accelerators where there are any")

        strategy = distribution.make_strategy("mirrored", 2)

        self.assertIsInstance(strategy, tf.distribute.MirroredStrategy)
        self.assertEqual(strategy.num_replicas_in_sync, 2)

    def test_unknown_name_is_named(self):
        with self.assertRaisesRegex(UserError, "default or mirrored.*tpu"):
            distribution.make_strategy("tpu")

    def test_negative_number_is_an_error(self):
        with self.assertRaisesRegex(UserError, "--num_replicas.*-1"):
            distribution.make_strategy("mirrored", -1)

    def test_default_refuses_several_replicas(self):
        with self.assertRaisesRegex(UserError, "--strategy=mirrored.*found: 2"):
            distribution.make_strategy("default", 2)


class CheckBatchSizeTest(absltest.TestCase):
    def test_even_batch_fits(self):
        distribution.check_batch_size(4, two_replicas.strategy())

    def test_odd_batch_is_an_error(self):
        with self.assertRaisesRegex(UserError, "multiple of 2; found: 3"):
            distribution.check_batch_size(3, two_replicas.strategy())


if __name__ == "__main__":
    absltest.main()
