"""Tests of inference.test_time."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.errors import UserError
from nppnet_tf.form import answering
from nppnet_tf.inference import test_time
from nppnet_tf.inference.test_time import AveragedNetwork
from nppnet_tf.pictures import pixels
from tests.inference import stand_in


def _inputs(height: int = 64, width: int = 96) -> tf.Tensor:
    rng = np.random.default_rng(5)
    return tf.constant(rng.normal(size=(2, height, width, 3)), tf.float32)


def _ramp_network(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Answers with what its input shows at the places of its outputs.

    Its heatmap pixels stand at 4 g + 1.5, its logits at aligned corners.
    """
    shape = tf.shape(image)
    height, width = shape[1] // 4, shape[2] // 4
    heatmaps = tf.nn.avg_pool2d(image, 4, 4, "VALID")
    logits = tf.raw_ops.ResizeBilinear(
        images=image, size=tf.stack([height, width]), align_corners=True
    )
    return {
        keys.HEATMAPS: tf.repeat(heatmaps[..., :1], 16, axis=3),
        keys.PARSING_LOGITS: tf.repeat(logits[..., :1], 20, axis=3),
    }


class AveragedNetworkTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.network = answering.last_stage(stand_in.StandIn())

    def test_last_stage_is_the_last(self):
        network = stand_in.StandIn()
        inputs = _inputs()

        answer = answering.last_stage(network)(inputs)

        expected = network(inputs, training=False)[keys.HEATMAPS][1]
        np.testing.assert_array_equal(answer[keys.HEATMAPS], expected)

    def test_without_averaging_the_answer_is_the_networks(self):
        inputs = _inputs()

        averaged = AveragedNetwork(self.network, LIP)(inputs)

        plain = self.network(inputs)
        for name, values in averaged.items():
            np.testing.assert_array_equal(values, plain[name])

    @parameterized.parameters((1.0,), (0.5, 1.0, 1.25), (0.75, 1.0))
    def test_flip_averaging_sees_a_mirrored_picture_as_the_mirror_image(
        self, *scales
    ):
        averaged = AveragedNetwork(self.network, LIP, flip=True, scales=scales)
        inputs = _inputs()

        plain = averaged.mirror(averaged(inputs))
        mirrored = averaged(tf.reverse(inputs, [2]))

        for name, values in mirrored.items():
            np.testing.assert_array_equal(values, plain[name])

    def test_mirroring_twice_is_the_identity(self):
        averaged = AveragedNetwork(self.network, LIP)
        plain = self.network(_inputs())

        twice = averaged.mirror(averaged.mirror(plain))

        for name, values in twice.items():
            np.testing.assert_array_equal(values, plain[name])

    def test_mirror_swaps_every_partner_and_nothing_else(self):
        # The release's swap wrote left over right and then right over right.
        one_hot = {
            keys.HEATMAPS: tf.eye(16)[:, tf.newaxis, tf.newaxis],
            keys.PARSING_LOGITS: tf.eye(20)[:, tf.newaxis, tf.newaxis],
        }

        mirrored = AveragedNetwork(self.network, LIP).mirror(one_hot)

        joints = np.argmax(mirrored[keys.HEATMAPS], -1).ravel()
        classes = np.argmax(mirrored[keys.PARSING_LOGITS], -1).ravel()
        np.testing.assert_array_equal(
            joints, [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]
        )
        np.testing.assert_array_equal(
            classes, [*range(14), 15, 14, 17, 16, 19, 18]
        )

    @parameterized.named_parameters(
        ("lip", LIP), ("pascal", PASCAL_PERSON_PART)
    )
    def test_mirrored_input_gets_exactly_the_mirrored_answer(self, descriptor):
        network = answering.last_stage(stand_in.StandIn(descriptor))
        averaged = AveragedNetwork(network, descriptor, flip=True)
        inputs = _inputs()

        answer = averaged.mirror(averaged(inputs))

        of_mirrored = averaged(tf.reverse(inputs, axis=[2]))
        for name, values in of_mirrored.items():
            np.testing.assert_array_equal(values, answer[name])

    def test_flip_average_is_the_mean_of_both_views(self):
        inputs = _inputs()
        averaged = AveragedNetwork(self.network, LIP, flip=True)

        answer = averaged(inputs)[keys.PARSING_LOGITS].numpy()

        plain = self.network(inputs)[keys.PARSING_LOGITS].numpy()
        seen = self.network(inputs[:, :, ::-1])[keys.PARSING_LOGITS].numpy()
        order = [*range(14), 15, 14, 17, 16, 19, 18]
        np.testing.assert_allclose(
            answer, (plain + seen[:, :, ::-1][..., order]) / 2, atol=1e-6
        )

    def test_scales_are_brought_back_to_the_same_places(self):
        columns = np.linspace(-1.0, 1.0, 96, dtype=np.float32)
        ramp = np.broadcast_to(columns[:, np.newaxis], (1, 64, 96, 3))
        averaged = AveragedNetwork(_ramp_network, LIP, scales=(0.5, 1.0, 1.5))

        answer = averaged(tf.constant(ramp))

        plain = _ramp_network(tf.constant(ramp))
        # The rim of a smaller input is clamped or meets gray: its pixels reach
        # less far.
        for name, values in plain.items():
            np.testing.assert_allclose(
                answer[name][:, :, 1:-1], values[:, :, 1:-1], atol=1e-5
            )

    def test_scaled_inputs_have_sides_of_multiples_of_32(self):
        sizes = []

        def network(image: tf.Tensor) -> dict[str, tf.Tensor]:
            sizes.append(tuple(image.shape[1:3]))
            return self.network(image)

        AveragedNetwork(network, LIP, scales=(0.1, 0.5, 0.75, 1.25))(_inputs())

        self.assertEqual(sizes, [(32, 32), (32, 64), (64, 96), (96, 128)])

    def test_every_size_keeps_its_factor_and_proportions(self):
        for height in range(32, 641, 32):
            for width in range(32, 641, 32):
                for scale in (0.25, 0.5, 0.75, 0.9, 1.25, 1.5, 2.0):
                    scaled, whole = test_time._scaled_size(
                        (height, width), scale
                    )

                    for side, found, around in zip(
                        (height, width), scaled, whole, strict=True
                    ):
                        self.assertAlmostEqual(
                            found / (side * scale), 1, delta=0.0701
                        )
                        self.assertEqual(around % 32, 0)
                        self.assertBetween(around - found, 0, 31)
                        self.assertEqual((around - found) % 2, 0)

    @parameterized.parameters(384, 473, 480)
    def test_sizes_of_the_paper_are_multiples_of_32_without_gray(self, side):
        for scale in (0.5, 0.75, 1.25, 1.5):
            multiple = round(side * scale / 32) * 32

            found = test_time._scaled_size((side, side), scale)

            self.assertEqual(found, ((multiple, multiple),) * 2)

    @parameterized.parameters(0.5, 0.75, 1.25, 1.5)
    def test_a_small_input_is_brought_back_to_the_same_places(self, scale):
        rows, columns = np.meshgrid(
            np.linspace(-1, 1, 64), np.linspace(-1, 1, 96), indexing="ij"
        )
        for ramp in (rows, columns):
            ramp = np.repeat(ramp[np.newaxis, ..., np.newaxis], 3, -1)
            image = tf.constant(ramp, tf.float32)

            answer = AveragedNetwork(_ramp_network, LIP, scales=(scale,))(image)

            # At the rim a cell of a heatmap holds gray, too.
            for name, values in _ramp_network(image).items():
                np.testing.assert_allclose(
                    answer[name][:, 2:-2, 2:-2],
                    values[:, 2:-2, 2:-2],
                    atol=1e-5,
                )

    def test_gray_is_that_of_a_letterbox(self):
        seen = []

        def network(image: tf.Tensor) -> dict[str, tf.Tensor]:
            seen.append(image.numpy())
            return self.network(image)

        AveragedNetwork(network, LIP, scales=(0.75,))(_inputs())

        gray = pixels.normalize(np.full((1, 1, 3), 128, np.uint8))
        (image,) = seen
        for rim in (image[:, :8], image[:, -8:], image[:, :, :12]):
            np.testing.assert_allclose(rim - gray, 0, atol=1e-6)
        self.assertGreater(np.abs(image[:, 8:-8, 12:-12] - gray).min(), 0)

    def test_no_scale_is_refused(self):
        with self.assertRaisesRegex(UserError, "wrong scales"):
            AveragedNetwork(self.network, LIP, scales=())


if __name__ == "__main__":
    absltest.main()
