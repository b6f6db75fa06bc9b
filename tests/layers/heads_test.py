"""Tests of stem, high-level features and heads."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers import heads
from nppnet_tf.search_space import topology


class HeadsTest(parameterized.TestCase):
    def test_stem_comes_to_a_quarter(self):
        stem = heads.Stem(8)
        stem.build((None, None, None, 3))

        quarter, last = stem(tf.ones([1, 32, 64, 3]))

        self.assertEqual(quarter.shape, (1, 8, 16, 8))
        self.assertEqual(last.shape, (1, 8, 16, 8))
        # The second is rectified, the third is not.
        self.assertGreaterEqual(float(tf.reduce_min(quarter)), 0)
        self.assertLess(float(tf.reduce_min(last)), 0)

    @parameterized.parameters(((6, 5, 4),), ((0, 6, 5, 4),))
    def test_four_features_have_the_size_of_the_last_level(self, levels):
        pyramid = [
            tf.ones(
                [
                    1,
                    16 // topology.level_stride(level),
                    8 // topology.level_stride(level),
                    topology.level_channels(level, 8),
                ]
            )
            for level in range(topology.NUM_LEVELS)
        ]
        layer = heads.HighLevelFeatures(8, levels)
        layer.build()

        main, auxiliary = layer(pyramid)

        self.assertEqual(main.shape, (1, 16, 8, 32))
        self.assertEqual(auxiliary.shape, (1, 16, 8, 24))

    def test_low_levels_reach_the_feature(self):
        pyramid = [
            tf.zeros([1, 16 // s, 16 // s, topology.level_channels(i, 8)])
            for i in range(topology.NUM_LEVELS)
            for s in [topology.level_stride(i)]
        ]
        layer = heads.HighLevelFeatures(8)
        layer.build()
        silent, _ = layer(pyramid)
        pyramid[4] = tf.ones_like(pyramid[4])

        heard, _ = layer(pyramid)

        self.assertGreater(float(tf.reduce_max(tf.abs(heard - silent))), 0.01)

    def test_head_gives_its_channels(self):
        head = heads.PredictionHead(6, 2, kernel_size=3, use_bias=False)
        head.build((None, None, None, 12))

        self.assertEqual(head(tf.ones([1, 4, 4, 12])).shape, (1, 4, 4, 2))
        self.assertLen(head.trainable_weights, 5)

    @parameterized.parameters(
        heads.Stem(8),
        heads.HighLevelFeatures(8, (0, 6)),
        heads.PredictionHead(6, 2, kernel_size=3, use_bias=False),
    )
    def test_config_makes_the_same_layer(self, layer):
        copy = type(layer).from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())
        np.testing.assert_equal(type(copy), type(layer))


if __name__ == "__main__":
    absltest.main()
