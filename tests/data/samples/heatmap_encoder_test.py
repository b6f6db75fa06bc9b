"""Tests of nppnet_tf.data.samples.heatmap_encoder."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import heatmap_encoder
from tests.data.sample_records import reference_arrays

# Place in LIP's order of every joint in the order of the reference.
_LIP_OF_REFERENCE = [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 7, 6]


class EncodeTest(parameterized.TestCase):
    def test_gaussian_by_hand(self):
        keypoints_xy = np.array([[13.5, 9.5]], np.float32)

        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.array([2]), (32, 32), 4, 7.0
        )

        # (13.5, 9.5) is the center of heatmap pixel x = 3, y = 2.
        self.assertEqual(heatmaps.shape, (8, 8, 1))
        self.assertEqual(heatmaps[2, 3, 0], 1)
        self.assertAlmostEqual(
            float(heatmaps[3, 5, 0]),
            float(np.exp(-(4**2 + 8**2) / (2 * 7**2))),
            places=6,
        )
        # 24 pixels are 3.4 sigma, beyond the cut at 3.03.
        self.assertEqual(heatmaps[2 + 4, 3 + 4, 0], 0)

    @parameterized.parameters("lip", "pas", "rect", "s6")
    def test_equals_the_reference(self, case):
        arrays = reference_arrays("ref_targets.npz")
        stride, width, height, sigma = (int(v) for v in arrays[f"{case}_par"])
        keypoints_xy = arrays[f"{case}_joints"].astype(np.float32)
        visibility = 2 * arrays[f"{case}_vis"].astype(np.int32)
        size = (height * stride, width * stride)

        for name, factor in (("main", 1), ("aux", 2)):
            expected = arrays[f"{case}_{name}"][: len(visibility)]
            heatmaps = heatmap_encoder.encode(
                keypoints_xy, visibility, size, stride, factor * sigma
            )
            np.testing.assert_allclose(
                heatmaps.transpose(2, 0, 1), expected, atol=1e-5
            )

    @parameterized.parameters("t0", "t1", "t2", "t3", "val")
    def test_equals_the_reference_on_real_samples(self, sample):
        arrays = reference_arrays("ref_samples.npz")
        keypoints_xy = np.empty((16, 2), np.float32)
        visibility = np.empty(16, np.int32)
        keypoints_xy[_LIP_OF_REFERENCE] = arrays[f"{sample}_joints"]
        visibility[_LIP_OF_REFERENCE] = 2 * arrays[f"{sample}_vis"]

        for name, sigma in (("pose", 7.0), ("pose_aux", 14.0)):
            heatmaps = heatmap_encoder.encode(
                keypoints_xy, visibility, (384, 384), 4, sigma
            )
            expected = arrays[f"{sample}_{name}"][:16].transpose(1, 2, 0)
            np.testing.assert_allclose(
                heatmaps[..., _LIP_OF_REFERENCE], expected, atol=1e-5
            )

    def test_absent_keypoint_has_an_empty_map(self):
        keypoints_xy = np.full((2, 2), 16, np.float32)

        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.array([0, 1]), (32, 32), 4, 7.0
        )

        self.assertEqual(heatmaps[..., 0].max(), 0)
        self.assertGreater(heatmaps[..., 1].max(), 0.9)

    def test_keypoint_outside_has_what_reaches_in(self):
        keypoints_xy = np.array([[-6, 16], [-500, 16]], np.float32)

        heatmaps = heatmap_encoder.encode(
            keypoints_xy, np.array([2, 2]), (32, 32), 4, 7.0
        )

        self.assertBetween(heatmaps[..., 0].max(), 0.3, 0.7)
        self.assertEqual(heatmaps[..., 1].max(), 0)


if __name__ == "__main__":
    absltest.main()
