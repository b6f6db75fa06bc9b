"""Tests of nppnet_tf.data.samples.geometry."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.samples import geometry
from nppnet_tf.pictures import picture_files
from tests.data.sample_records import reference_arrays
from tests.shared import shared_path

# Joints of LIP in the order of the reference arrays.
_REFERENCE_ORDER = [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 7, 6]


class AffineMatrixTest(parameterized.TestCase):
    def test_letterbox_by_hand(self):
        # 20 x 10 fits 60 x 60 at three times its size, 15 columns beside it.
        matrix = geometry.affine_matrix((20, 10), (60, 60))

        np.testing.assert_allclose(
            matrix, [[3, 0, 16], [0, 3, 1], [0, 0, 1]], atol=1e-12
        )

    @parameterized.parameters(False, True)
    def test_center_lands_on_the_shifted_center(self, is_mirrored):
        matrix = geometry.affine_matrix(
            (21, 11), (64, 32), 0.7, 33.0, (4, -6), is_mirrored
        )

        center = geometry.transform_points(matrix, np.array([5, 10]))

        x = 15.5 - 4 if is_mirrored else 15.5 + 4
        np.testing.assert_allclose(center, [x, 31.5 - 6])

    def test_quarter_turn_is_counter_clockwise(self):
        matrix = geometry.affine_matrix((9, 9), (9, 9), rotation_degrees=90)

        right_of_center = geometry.transform_points(matrix, np.array([6, 4]))

        np.testing.assert_allclose(right_of_center, [4, 2], atol=1e-12)

    def test_scale_counts_from_the_fit(self):
        matrix = geometry.affine_matrix((100, 50), (50, 50), scale=1.5)

        self.assertAlmostEqual(np.linalg.det(matrix), (0.5 * 1.5) ** 2)

    def test_mirroring_twice_is_the_identity(self):
        mirror = geometry.affine_matrix((20, 30), (20, 30), is_mirrored=True)

        np.testing.assert_allclose(mirror @ mirror, np.eye(3), atol=1e-12)


class FitTest(parameterized.TestCase):
    """A fitted mirror image is the mirror image of what is fitted."""

    @parameterized.named_parameters(
        ("odd_width", (64, 77), (64, 96)),
        ("odd_height", (77, 64), (96, 64)),
        ("odd_both", (33, 47), (96, 96)),
        ("larger", (451, 301), (96, 64)),
        ("much_larger", (1207, 803), (96, 64)),
        ("one_pixel", (1, 1), (32, 64)),
        ("even", (40, 30), (64, 64)),
    )
    def test_fitting_commutes_with_mirroring(self, source_size, target_size):
        random = np.random.default_rng(0)
        image = random.integers(0, 256, (*source_size, 3), np.uint8)
        self._assert_symmetric(image, target_size)

    def test_fitting_commutes_with_mirroring_at_any_size(self):
        random = np.random.default_rng(1)
        for _ in range(60):
            source_size = tuple(random.integers(1, 130, 2).tolist())
            target_size = tuple((32 * random.integers(1, 4, 2)).tolist())
            image = random.integers(0, 256, (*source_size, 3), np.uint8)

            with self.subTest(source=source_size, target=target_size):
                self._assert_symmetric(image, target_size)

    def test_a_quarter_is_as_pillow_fits_it(self):
        image = np.random.default_rng(0).integers(0, 256, (51, 37, 3), np.uint8)
        matrix = geometry.affine_matrix((51, 37), (64, 64))

        fitted = geometry.warp_image(image, matrix, (64, 64))

        # Too small a turn to move anything: the road of all other warps.
        matrix[0, 1] = 1e-15
        warped = geometry.warp_image(image, matrix, (64, 64))
        np.testing.assert_array_equal(fitted[:32, :32], warped[:32, :32])
        # Beyond, fractions of a level are cut off from the other end.
        difference = np.abs(fitted.astype(int) - warped)
        self.assertLessEqual(np.quantile(difference, 0.99), 1)

    @parameterized.parameters((191, 120), (190, 191), (64, 10))
    def test_a_picture_below_twice_the_size_is_read_at_few_places(self, *size):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        for scale in (0.3, 1.0):
            matrix = geometry.affine_matrix(size, (96, 96), scale, 3.0)

            found = geometry.warp_image(image, matrix, (96, 96))

            inverse = np.linalg.inv(matrix)[:2]
            inverse[:, 2] += 0.5 - inverse[:, :2].sum(axis=1) * 0.5
            expected = Image.fromarray(image).transform(
                (96, 96),
                Image.Transform.AFFINE,
                tuple(inverse.ravel()),
                Image.Resampling.BILINEAR,
                fillcolor=(128,) * 3,
            )
            np.testing.assert_array_equal(found, np.asarray(expected))

    @parameterized.parameters((1.0, 0.0), (0.6, 31.0), (1.4, -17.0))
    def test_a_much_larger_picture_is_not_its_noise(self, scale, rotation):
        random = np.random.default_rng(0)
        noise = random.integers(0, 256, (1203, 900, 3), np.uint8)
        matrix = geometry.affine_matrix((1203, 900), (96, 96), scale, rotation)

        found = geometry.warp_image(noise, matrix, (96, 96))

        # The middle, where the picture reaches in every transform. A level has
        # a standard deviation of 74, the mean of b x b of them 74 / b.
        block = int(1203 / 96 / scale)
        self.assertLess(found[30:66, 36:60].std(), 1.05 * 74 / block)

    def test_a_slope_of_a_much_larger_picture_stays_in_its_place(self):
        size, target = (1003, 771), (96, 96)
        y, x = np.indices(size)
        slope = np.stack([y / 4, x / 4, (x + y) / 8], -1).astype(np.uint8)
        for scale, rotation in ((1.0, 0.0), (0.7, 20.0), (1.3, -35.0)):
            matrix = geometry.affine_matrix(size, target, scale, rotation)

            found = geometry.warp_image(slope, matrix, target)

            middle = np.indices((24, 24)).reshape(2, -1).T[:, ::-1] + 36
            xy = geometry.transform_points(np.linalg.inv(matrix), middle)
            expected = np.stack([xy[:, 1] / 4, xy[:, 0] / 4, xy.sum(1) / 8], -1)
            seen = found[36:60, 36:60].reshape(-1, 3)
            # Levels and the result are cut off: 3/8 and half a level.
            np.testing.assert_allclose(seen + 0.875, expected, atol=1.1)
            # A pixel of the input is about two levels.
            self.assertLess(abs(np.mean(seen + 0.875 - expected)), 0.2)

    def test_mirrored_letterbox_is_the_mirror_image(self):
        image = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
        plain, mirrored = (
            geometry.affine_matrix((33, 47), (64, 96), is_mirrored=is_mirrored)
            for is_mirrored in (False, True)
        )

        np.testing.assert_array_equal(
            geometry.warp_image(image, mirrored, (64, 96)),
            geometry.warp_image(image, plain, (64, 96))[:, ::-1],
        )

    def _assert_symmetric(self, image, target_size):
        matrix = geometry.affine_matrix(image.shape[:2], target_size)

        def fit(pixels):
            labels = np.ascontiguousarray(pixels[..., 0])
            return (
                geometry.warp_image(pixels, matrix, target_size),
                geometry.warp_label_map(labels, matrix, target_size, 255),
            )

        for axis in (0, 1):
            mirrored = np.ascontiguousarray(np.flip(image, axis))
            for found, expected in zip(fit(mirrored), fit(image), strict=True):
                np.testing.assert_array_equal(found, np.flip(expected, axis))


class WarpTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.image = random.integers(0, 256, (40, 30, 3), np.uint8)
        self.labels = random.choice(np.array([0, 7], np.uint8), (40, 30))
        self.matrix = geometry.affine_matrix(
            (40, 30), (64, 64), 1.2, 25.0, (3, 2), True
        )

    def test_identity_moves_nothing(self):
        identity = np.eye(3)

        image = geometry.warp_image(self.image, identity, (40, 30))
        labels = geometry.warp_label_map(self.labels, identity, (40, 30), 255)

        np.testing.assert_array_equal(image, self.image)
        np.testing.assert_array_equal(labels, self.labels)

    def test_mirroring_is_exact(self):
        mirror = geometry.affine_matrix((40, 30), (40, 30), is_mirrored=True)

        image = geometry.warp_image(self.image, mirror, (40, 30))
        labels = geometry.warp_label_map(self.labels, mirror, (40, 30), 255)

        np.testing.assert_array_equal(image, self.image[:, ::-1])
        np.testing.assert_array_equal(labels, self.labels[:, ::-1])

    def test_enlarging_keeps_pixel_centers(self):
        image = np.zeros((8, 8, 3), np.uint8)
        image[2, 5] = 255

        warped = geometry.warp_image(
            image, geometry.affine_matrix((8, 8), (40, 40)), (40, 40)
        )

        # Pixel (x, y) = (5, 2) covers 5 * [5, 6) x 5 * [2, 3).
        y, x = np.unravel_index(warped[..., 0].argmax(), (40, 40))
        self.assertEqual((y, x), (12, 27))

    def test_labels_are_never_interpolated(self):
        labels = geometry.warp_label_map(
            self.labels, self.matrix, (64, 64), 255
        )

        self.assertEqual(set(np.unique(labels)), {0, 7, 255})

    def test_fill_surrounds_the_source(self):
        image = geometry.warp_image(self.image, self.matrix, (64, 64))
        labels = geometry.warp_label_map(
            self.labels, self.matrix, (64, 64), 255
        )

        self.assertEqual(labels[0, 0], 255)
        np.testing.assert_array_equal(image[0, 0], [128, 128, 128])
        # Both warps end at the same pixels.
        is_filled = (image == 128).all(axis=-1)
        self.assertGreater(np.mean(is_filled == (labels == 255)), 0.995)

    def test_equals_the_warp_of_tensorflow(self):
        inverse = np.linalg.inv(self.matrix)

        def warp(pixels, interpolation, fill):
            return tf.raw_ops.ImageProjectiveTransformV3(
                images=pixels[None].astype(np.float32),
                transforms=inverse.ravel()[None, :8].astype(np.float32),
                output_shape=[64, 64],
                fill_value=fill,
                interpolation=interpolation,
                fill_mode="CONSTANT",
            ).numpy()[0]

        image = geometry.warp_image(self.image, self.matrix, (64, 64))
        labels = geometry.warp_label_map(
            self.labels, self.matrix, (64, 64), 255
        )
        expected_image = warp(self.image, "BILINEAR", 128.0)
        expected_labels = warp(self.labels[..., None], "NEAREST", 255.0)[..., 0]

        # At the rim of the source TensorFlow blends with the fill.
        weight = warp(np.ones((40, 30, 1)), "BILINEAR", 0.0)[..., 0]
        inside = weight > 0.9999
        self.assertGreater(inside.sum(), 1000)
        # PIL cuts the fraction of a gray level off.
        difference = expected_image[inside] - image[inside]
        self.assertBetween(difference.min(), -0.01, 1.01)
        self.assertBetween(difference.max(), -0.01, 1.01)
        self.assertGreater(np.mean(labels == expected_labels), 0.999)

    def test_equals_the_reference_on_a_real_picture(self):
        arrays = reference_arrays("ref_samples.npz")
        name = f"samples/lip_mmseg/{arrays['name']}"
        image = picture_files.decode(shared_path(f"{name}.jpg").read_bytes())
        labels = picture_files.decode_label_map(
            shared_path(f"{name}.png").read_bytes()
        )
        # What the reference does for validation: resize, which keeps corners,
        # then paste at whole pixels; the last row and column are lost.
        scale = float(arrays["val_scale"])
        _, _, x, y, _, _, right, lower = arrays["val_crop"][0]
        resize = (scale - 1) / 2
        inside = np.s_[y + 1 : lower - 1, x + 1 : right - 1]
        expected = arrays["val_image"][inside].astype(np.float64)

        def matrix(shift):
            return np.array(
                [
                    [scale, 0, resize + x + shift],
                    [0, scale, resize + y],
                    [0, 0, 1],
                ]
            )

        def difference(shift):
            warped = geometry.warp_image(image, matrix(shift), (384, 384))
            return np.abs(warped[inside] - expected).mean()

        # It resamples by cubics, which sharpen; a quarter of a pixel tells.
        self.assertLess(difference(0), 3)
        self.assertGreater(difference(-0.25), 4)
        self.assertGreater(difference(0.25), 4)
        # It rounds down where a label map is enlarged, not to the nearest.
        labels = geometry.warp_label_map(labels, matrix(0), (384, 384), 255)
        same = labels[inside] == arrays["val_parsing"][inside]
        self.assertGreater(same.mean(), 0.98)

    def test_letterbox_puts_keypoints_where_the_reference_has_them(self):
        arrays = reference_arrays("ref_samples.npz")
        matrix = geometry.affine_matrix(tuple(arrays["hw"]), (384, 384))
        joints = arrays["joint_self"][_REFERENCE_ORDER, :2]
        is_present = joints.sum(axis=1) > 0

        moved = geometry.transform_points(matrix, joints)

        # Its center is cut to whole pixels.
        difference = (moved - arrays["val_joints"])[is_present]
        self.assertLess(np.abs(difference).max(), 1)


if __name__ == "__main__":
    absltest.main()
