"""Tests of shares: what replicas return adds up to the global loss."""

from tests import two_replicas  # isort: skip  (before any operation)

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.losses import reduction


class ReductionTest(absltest.TestCase):
    def test_share_of_nothing_is_zero(self):
        self.assertEqual(
            float(reduction.share(tf.constant(0.0), tf.constant(0.0))), 0.0
        )

    def test_share_keeps_a_numerator_that_is_not_finite(self):
        shares = reduction.share(
            tf.constant([np.nan, np.inf]), tf.constant([0.0, 2.0])
        )

        self.assertTrue(np.isnan(shares[0]))
        self.assertTrue(np.isinf(shares[1]))

    def test_alone_the_global_sum_is_the_value(self):
        self.assertEqual(float(reduction.global_sum(tf.constant(3.0))), 3.0)

    def test_replicas_sum_and_no_gradient_flows(self):
        strategy = two_replicas.strategy()
        values = two_replicas.split(strategy, np.float32([1, 5]))

        @tf.function
        def run():
            def replica(value):
                with tf.GradientTape() as tape:
                    tape.watch(value)
                    total = value * reduction.global_sum(value)
                return total, tape.gradient(total, value)

            return strategy.run(replica, args=(values,))

        totals, gradients = run()

        np.testing.assert_array_equal(totals.values, [[6.0], [30.0]])
        np.testing.assert_array_equal(gradients.values, [[6.0], [6.0]])

    def test_upsampling_aligns_the_corners(self):
        inputs = np.arange(6.0).reshape(1, 2, 3, 1)

        outputs = reduction.upsample(inputs, (3, 5))

        expected = np.add.outer([0, 1.5, 3], [0, 0.5, 1, 1.5, 2])
        np.testing.assert_allclose(outputs[0, ..., 0], expected)

    def test_upsampling_can_align_the_outlines(self):
        inputs = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)

        outputs = reduction.upsample(inputs, (1, 4), align_corners=False)

        np.testing.assert_allclose(outputs[0, 0, :, 0], [0, 1, 3, 4])


if __name__ == "__main__":
    absltest.main()
