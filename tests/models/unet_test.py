"""Tests of the second baseline's branch."""

import itertools
import math

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.models import unet
from tests.models import pyramids


class UNetTest(absltest.TestCase):
    def test_has_the_pyramid_of_equation_3_at_any_width(self):
        branch = unet.UNetEncoderDecoder(8, 1.3)

        pyramids.assert_equation_3(self, branch, channels=8)

    def test_has_the_weights_of_two_convolutions_a_level(self):
        branch = unet.UNetEncoderDecoder(8, 1.5)
        branch.build((None, None, None, 3))

        kernels = [
            math.prod(v.shape)
            for block in branch.blocks
            for v in block.trainable_weights
            if "kernel" in v.path
        ]

        # Input, inside and output of every level, by hand.
        widths = [
            (8, 12, 8),
            (8, 24, 16),
            (16, 48, 32),
            (32, 96, 64),
            (64 + 32, 48, 32),
            (32 + 16, 24, 16),
            (16 + 8, 12, 8),
        ]
        expected = [9 * a * b for w in widths for a, b in itertools.pairwise(w)]
        self.assertEqual(kernels, expected)

    def test_decoder_sees_the_skip_and_the_level_before(self):
        branch = unet.UNetEncoderDecoder(8)
        branch.build((None, None, None, 3))
        low, skip = tf.ones([1, 2, 2, 64]), tf.ones([1, 4, 4, 32])

        output = branch.decode(4, low, skip, training=True)

        generator = tf.random.Generator.from_seed(1)
        for changed in (
            (low + generator.normal(low.shape), skip),
            (low, skip + generator.normal(skip.shape)),
        ):
            self.assertNotAllClose(
                output, branch.decode(4, *changed, training=True)
            )

    def assertNotAllClose(self, first, second):
        self.assertGreater(tf.reduce_max(tf.abs(first - second)), 1e-3)

    def test_config_makes_the_same_layer(self):
        layer = unet.UNetEncoderDecoder(8, 0.7)

        copy = unet.UNetEncoderDecoder.from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())


if __name__ == "__main__":
    absltest.main()
