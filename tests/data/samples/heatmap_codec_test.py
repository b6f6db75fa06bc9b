"""Tests of nppnet_tf.data.samples.heatmap_codec."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.samples import heatmap_codec
from nppnet_tf.data.samples import heatmap_encoder
from tests.data.sample_records import reference_arrays
from tests.data.samples import plain_decoding


def _random_points(count, size, margin=8):
    random = np.random.default_rng(3)
    return random.uniform(margin, size - margin, (count, 2)).astype(np.float32)


def _decode(heatmaps, smoothing=0.0):
    """Places and scores of one sample at stride 4."""
    keypoints_xy, scores = heatmap_codec.decode_heatmaps(
        heatmaps[np.newaxis], 4, smoothing
    )
    return keypoints_xy[0].numpy(), scores[0].numpy()


class DecodeTest(parameterized.TestCase):
    def test_joints_lie_where_the_release_finds_them(self):
        arrays = reference_arrays("ref_inference.npz")
        # Left and right of the release's order, for its mirrored maps.
        partners = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 14, 15]
        maps, mirrored = (
            arrays[name].transpose(0, 2, 3, 1)
            for name in ("val_maps", "val_maps_flip")
        )
        averaged = (maps + mirrored[:, :, ::-1][..., partners]) / 2

        input_xy, _ = heatmap_codec.decode_heatmaps(averaged, 4, 3.0)

        crop, scale = arrays["val_crop"], arrays["val_scale"][:, None, None]
        picture_xy = (input_xy - crop[..., 2:4] + crop[..., :2]) / scale
        # It takes whole pixels of the input.
        difference = (picture_xy - arrays["val_pose"][..., :2]) * scale
        self.assertLess(np.quantile(np.abs(difference), 0.95), 1.0)
        self.assertLess(np.median(np.abs(difference)), 0.6)

    def test_round_trip_to_a_hundredth_of_a_pixel(self):
        keypoints_xy = _random_points(LIP.num_keypoints, 96)

        for sigma in (7.0, 14.0):
            heatmaps = heatmap_encoder.encode(
                keypoints_xy, np.full(16, 2), (96, 96), 4, sigma
            )
            decoded_xy, scores = _decode(heatmaps)
            np.testing.assert_allclose(decoded_xy, keypoints_xy, atol=0.01)
            np.testing.assert_array_equal(scores, heatmaps.max(axis=(0, 1)))

    @parameterized.product(
        smoothing=(0.0, 3.0), size=((96, 96), (64, 128)), sigma=(7.0, 14.0)
    )
    def test_round_trip_up_to_the_rim(self, smoothing, size, sigma):
        height, width = size
        random = np.random.default_rng(4)
        # Along every border, from half a pixel outside on, and in corners.
        near = np.concatenate([np.linspace(-0.5, 12, 26), np.zeros(4)])
        x, y = random.uniform(20, np.array([[width], [height]]) - 20, (2, 30))
        keypoints_xy = np.concatenate(
            [
                np.stack([near, y], 1),
                np.stack([width - 1 - near, y], 1),
                np.stack([x, near], 1),
                np.stack([x, height - 1 - near], 1),
                np.stack([near, height - 1 - near], 1),
            ]
        ).astype(np.float32)

        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.full(len(keypoints_xy), 2), size, 4, sigma
        )
        decoded_xy, _ = _decode(heatmaps, smoothing)

        np.testing.assert_allclose(
            decoded_xy, keypoints_xy, atol=0.3 if smoothing else 0.01
        )

    def test_narrow_gaussian_at_the_rim_is_found_in_its_pixel(self):
        keypoints_xy = np.array([[0, 0], [63, 40], [20, 63]], np.float32)
        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.full(3, 2), (64, 64), 4, 3.0
        )

        decoded_xy, _ = _decode(heatmaps)

        np.testing.assert_allclose(decoded_xy, keypoints_xy, atol=2)

    def test_smoothing_finds_the_place_in_noise(self):
        keypoints_xy = _random_points(16, 96, margin=16)
        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.full(16, 2), (96, 96), 4, 7.0
        )
        noise = np.random.default_rng(0).normal(0, 0.1, heatmaps.shape)

        def error(smoothing):
            decoded_xy, _ = _decode(heatmaps + noise, smoothing)
            return np.linalg.norm(decoded_xy - keypoints_xy, axis=1).mean()

        self.assertLess(error(3.0), 0.7 * error(0.0))

    def test_empty_map_has_score_zero_and_a_place_inside(self):
        decoded_xy, scores = _decode(np.zeros((8, 8, 2)))

        np.testing.assert_array_equal(scores, [0, 0])
        np.testing.assert_array_equal(decoded_xy, np.full((2, 2), 1.5))

    @parameterized.parameters(0.0, 3.0)
    def test_mirrored_maps_have_mirrored_places(self, smoothing):
        random = np.random.default_rng(2)
        heatmaps = random.normal(size=(3, 24, 16, 5)).astype(np.float32)
        # Equal peaks: side by side, apart, and three in a row.
        heatmaps[0, 7, 4:6, 0] = 9
        heatmaps[0, [3, 20], [2, 11], 1] = 9
        heatmaps[1, 9:12, 13, 2] = 9
        heatmaps[2, [3, 3, 8], [2, 7, 5], 3] = 9

        plain, scores = heatmap_codec.decode_heatmaps(heatmaps, 4, smoothing)

        for axis, place, last in ((2, 0, 63), (1, 1, 95)):
            mirrored, same = heatmap_codec.decode_heatmaps(
                np.flip(heatmaps, axis), 4, smoothing
            )
            expected = np.array(plain)
            expected[..., place] = last - expected[..., place]
            np.testing.assert_array_equal(mirrored, expected)
            np.testing.assert_array_equal(same, scores)

    def test_equal_peaks_are_found_between_them(self):
        heatmaps = np.zeros((1, 9, 9, 2), np.float32)
        heatmaps[0, 4, 3:5, 0] = 1
        heatmaps[0, 2:5, 4, 1] = 1

        keypoints_xy, _ = heatmap_codec.decode_heatmaps(heatmaps, 4)

        np.testing.assert_array_equal(
            keypoints_xy[0], [[3.5 * 4 + 1.5, 17.5], [17.5, 3 * 4 + 1.5]]
        )

    @parameterized.parameters(0.0, 3.0)
    def test_graph_equals_numpy(self, smoothing):
        random = np.random.default_rng(1)
        heatmaps = random.normal(size=(3, 9, 7, 5)).astype(np.float32)
        heatmaps[0, ..., 0] = 0
        heatmaps[1, ..., 1] = -1

        @tf.function(
            input_signature=[tf.TensorSpec([None] * 4)], jit_compile=False
        )
        def decode(maps):
            return heatmap_codec.decode_heatmaps(maps, 4, smoothing)

        decoded_xy, scores = decode(heatmaps)

        self.assertEqual(decoded_xy.shape, (3, 5, 2))
        for sample in range(3):
            expected_xy, expected_scores = plain_decoding.decode(
                heatmaps[sample], 4, smoothing
            )
            np.testing.assert_allclose(
                decoded_xy[sample], expected_xy, atol=1e-4
            )
            np.testing.assert_allclose(
                scores[sample], expected_scores, atol=1e-6
            )


if __name__ == "__main__":
    absltest.main()
