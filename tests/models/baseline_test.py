"""Tests of the baseline's branch."""

import math

from absl.testing import absltest

from nppnet_tf.models import baseline
from tests.models import pyramids


class BaselineTest(absltest.TestCase):
    def test_has_the_pyramid_of_equation_3(self):
        branch = baseline.BaselineEncoderDecoder(8)

        pyramids.assert_equation_3(self, branch, channels=8)

    def test_bottlenecks_are_those_of_resnet_50(self):
        branch = baseline.BaselineEncoderDecoder(128)

        widths = [block.filters for block in branch.bottlenecks]

        self.assertEqual(widths, [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3)

    def test_width_scales_the_bottlenecks_and_not_the_pyramid(self):
        branch = baseline.BaselineEncoderDecoder(8, 1.3)
        branch.build((None, None, None, 3))

        self.assertEqual(
            [branch.stage(level)[0].filters for level in range(4)],
            [5, 10, 21, 42],
        )
        self.assertEqual(
            [neck.filters for neck in branch.necks], [8, 16, 32, 64]
        )

    def test_one_bottleneck_has_the_weights_of_its_convolutions(self):
        block = baseline.Bottleneck(4)
        block.build((None, None, None, 16))

        kernels = [v for v in block.trainable_weights if "kernel" in v.path]

        self.assertEqual(
            [math.prod(kernel.shape) for kernel in kernels], [64, 144, 64]
        )

    def test_config_makes_the_same_layer(self):
        for layer in (
            baseline.Bottleneck(4, 2, True),
            baseline.BaselineEncoderDecoder(8, 1.3),
        ):
            copy = type(layer).from_config(layer.get_config())

            self.assertEqual(copy.get_config(), layer.get_config())


if __name__ == "__main__":
    absltest.main()
