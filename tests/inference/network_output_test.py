"""Tests of inference.network_output."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import geometry
from nppnet_tf.data.samples import heatmap_codec
from nppnet_tf.inference import network_output
from tests.inference import stand_in

_SIZE = (64, 96)


class LabelMapTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tall", 150, 60), ("wide", 30, 90), ("small", 9, 7)
    )
    def test_label_map_is_the_inverse_warp_of_the_logits(self, height, width):
        rng = np.random.default_rng(2)
        logits = rng.normal(size=(16, 24, 4)).astype(np.float32)

        label_map = network_output.label_map_at(
            tf.constant(logits), tf.constant([height, width]), _SIZE
        )

        full = tf.raw_ops.ResizeBilinear(
            images=logits[np.newaxis], size=_SIZE, align_corners=True
        )[0].numpy()
        matrix = geometry.affine_matrix((height, width), _SIZE)
        rows, columns = np.mgrid[0:height, 0:width]
        points = geometry.transform_points(
            matrix, np.stack([columns, rows], -1).astype(float)
        )
        expected = _bilinear(full, points).argmax(-1)
        self.assertGreater(np.mean(label_map.numpy() == expected), 0.999)

    def test_confidence_is_the_probability_of_the_chosen_class(self):
        rng = np.random.default_rng(2)
        logits = rng.normal(size=(16, 24, 4), scale=3).astype(np.float32)

        confidence = network_output.confidence_at(
            tf.constant(logits), tf.constant(_SIZE), _SIZE
        )

        # A picture of the input's size is read at the input's pixels.
        full = tf.raw_ops.ResizeBilinear(
            images=logits[np.newaxis], size=_SIZE, align_corners=True
        )[0].numpy()
        odds = np.exp(full.astype(np.float64))
        expected = odds.max(-1) / odds.sum(-1)
        np.testing.assert_allclose(confidence, expected, atol=1e-5)

    def test_bands_of_a_large_picture_fit_together(self):
        logits = tf.random.stateless_normal((16, 24, 3), (4, 5))
        size = tf.constant([301, 203])
        whole = network_output.label_map_at(logits, size, _SIZE)

        with absltest.mock.patch.object(network_output, "_BAND_SCORES", 15000):
            in_bands = network_output.label_map_at(logits, size, _SIZE)

        np.testing.assert_array_equal(in_bands, whole)


class KeypointsTest(absltest.TestCase):
    def test_keypoints_come_back_to_the_pixels_they_came_from(self):
        truth_xy = np.array([[0.0, 0.0], [40.25, 12.5], [58.0, 149.0]])
        matrix = geometry.affine_matrix((150, 59), _SIZE)
        input_xy = geometry.transform_points(matrix, truth_xy)

        keypoints_xy = network_output.keypoints_at(
            tf.constant(input_xy, tf.float32), tf.constant([150, 59]), _SIZE
        )

        np.testing.assert_allclose(keypoints_xy, truth_xy, atol=1e-3)

    def test_keypoints_in_the_gray_are_moved_to_the_border(self):
        keypoints_xy = network_output.keypoints_at(
            tf.constant([[0.0, 30.0], [95.0, 30.0]]),
            tf.constant([64, 20]),
            _SIZE,
        )

        np.testing.assert_allclose(keypoints_xy[:, 0], [0.0, 19.0])

    def test_keypoints_are_peaks_and_zeros_of_what_was_not_read(self):
        heatmaps = np.zeros((2, 16, 24, 1), np.float32)
        heatmaps[:, 5, 7] = 0.75

        keypoints_xy, scores = network_output.keypoints_of(
            tf.constant(heatmaps), tf.constant([_SIZE, (0, 0)]), _SIZE
        )

        # The middle of four pixels of the input a side.
        np.testing.assert_allclose(keypoints_xy[0], [[29.5, 21.5]], atol=1e-3)
        np.testing.assert_array_equal(scores, [[0.75], [0]])
        np.testing.assert_array_equal(keypoints_xy[1], [[0, 0]])


class MirrorTest(absltest.TestCase):
    """What is read of mirrored maps is the mirror image, bit by bit."""

    def test_answer_of_any_size(self):
        random = np.random.default_rng(3)
        logits = random.normal(size=(16, 24, 4)).astype(np.float32)
        places = random.uniform(0, (95, 63), (5, 2)).astype(np.float32)
        for size in ((64, 77), (41, 96), *stand_in.sizes(random, 25, 200)):
            image_size = tf.constant(size)
            for axis in (0, 1):
                for read in (
                    network_output.label_map_at,
                    network_output.confidence_at,
                ):
                    plain = read(logits, image_size, _SIZE)
                    mirrored = read(np.flip(logits, axis), image_size, _SIZE)
                    np.testing.assert_array_equal(
                        mirrored, np.flip(plain, axis), f"{size}, {axis}"
                    )
                # As a decoded place and its mirror image are.
                center = np.float32(_SIZE[axis] - 1) / 2
                offsets = places[:, 1 - axis] - center
                exact = places.copy()
                exact[:, 1 - axis] = heatmap_codec.beside(center, offsets)
                np.testing.assert_array_equal(
                    network_output.keypoints_at(
                        stand_in.mirrored_xy(exact, _SIZE, axis),
                        image_size,
                        _SIZE,
                    ),
                    stand_in.mirrored_xy(
                        network_output.keypoints_at(exact, image_size, _SIZE),
                        size,
                        axis,
                    ),
                )


def _bilinear(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Reads [H, W, C] at points [h, w, 2], the nearest pixel outside."""
    height, width = image.shape[:2]
    x = points[..., 0].clip(0, width - 1)
    y = points[..., 1].clip(0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right = np.minimum(left + 1, width - 1)
    bottom = np.minimum(top + 1, height - 1)
    u, v = (x - left)[..., np.newaxis], (y - top)[..., np.newaxis]
    return (
        image[top, left] * (1 - u) * (1 - v)
        + image[top, right] * u * (1 - v)
        + image[bottom, left] * (1 - u) * v
        + image[bottom, right] * u * v
    )


if __name__ == "__main__":
    absltest.main()
