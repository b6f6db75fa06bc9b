"""What stands in for tensorflow-addons gives what tensorflow-addons gave.

The reference arrays are outputs of tensorflow-addons 0.23 under TensorFlow
2.15. docs/dependencies.md has the table of what replaces what.
"""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import geometry
from tests import reference_arrays

# Of the reference arrays, where no mode says otherwise.
_FILL = 7.0
_FILL_MODES = ("constant", "reflect", "wrap", "nearest")


class ImageTest(parameterized.TestCase):
    """`tfa.image`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrays = reference_arrays.load("tfa_transform.npz")
        cls.filters = reference_arrays.load("tfa_filters.npz")
        cls.warps = reference_arrays.load("tfa_misc_image.npz")

    @parameterized.product(
        mapping=("affine", "projective"),
        interpolation=("nearest", "bilinear"),
        fill_mode=_FILL_MODES,
    )
    def test_transform_is_the_operation_of_tensorflow(
        self, mapping, interpolation, fill_mode
    ):
        expected = self.arrays[
            f"transform_f32_{mapping}_{interpolation}_{fill_mode}"
        ]

        found = _transformed(
            self.arrays["imgf"],
            self.arrays[mapping],
            interpolation,
            fill_mode,
        )

        np.testing.assert_array_equal(found, expected)

    @parameterized.product(
        interpolation=("nearest", "bilinear"), fill_mode=_FILL_MODES
    )
    def test_rotate_is_the_same_operation(self, interpolation, fill_mode):
        image = self.arrays["imgf"]
        rotations = _rotations(self.arrays["angles"], image.shape[1:3])

        found = _transformed(image, rotations, interpolation, fill_mode)

        np.testing.assert_array_equal(
            found, self.arrays[f"rotate_f32_{interpolation}_{fill_mode}"]
        )

    @parameterized.parameters("transform_lab_affine", "rotate_lab")
    def test_label_maps_are_those_of_our_warp(self, name):
        labels = self.arrays["lab"][..., 0]
        expected = self.arrays[f"{name}_nearest_255"][..., 0]

        for number, matrix in enumerate(self._matrices(name)):
            found = geometry.warp_label_map(
                labels[number], matrix, labels.shape[1:], 255
            )
            # Between two pixels either is the nearest.
            self.assertGreater((found == expected[number]).mean(), 0.995)

    def test_pictures_are_those_of_our_warp(self):
        images = self.arrays["imgu"]
        expected = self.arrays["transform_u8_affine_bilinear_constant"]

        for number, matrix in enumerate(self._matrices("transform_u8_affine")):
            found = geometry.warp_image(
                images[number], matrix, images.shape[1:3]
            )
            # Outside the middles of the outermost pixels the two differ: half
            # a pixel of fill there, the outermost pixel here.
            inside = _is_inside(matrix, images.shape[1:3])
            self.assertGreater(inside.mean(), 0.3)
            difference = np.abs(found.astype(int) - expected[number])[inside]
            self.assertLessEqual(difference.max(), 1)

    @parameterized.product(
        padding=("REFLECT", "CONSTANT", "SYMMETRIC"),
        kernel=(
            ((3, 3), (0.8, 0.8)),
            ((5, 5), (1.0, 1.0)),
            ((3, 5), (1.0, 1.5)),
            ((11, 11), (3.0, 3.0)),
        ),
    )
    def test_gaussian_filter_is_a_padded_convolution(self, padding, kernel):
        (height, width), (sigma_y, sigma_x) = kernel
        name = f"{padding}_{height}x{width}_s{sigma_y}_{sigma_x}"
        image = self.filters["imgf"]
        weights = np.outer(
            _gaussian(height, sigma_y), _gaussian(width, sigma_x)
        )
        rows, columns = (height - 1) // 2, (width - 1) // 2
        padded = tf.pad(
            image, [(0, 0), (rows, rows), (columns, columns), (0, 0)], padding
        )

        found = tf.nn.depthwise_conv2d(
            padded,
            np.repeat(weights[..., np.newaxis, np.newaxis], 3, 2),
            (1, 1, 1, 1),
            "VALID",
        )

        np.testing.assert_allclose(
            found, self.filters[f"gaussian_f32_{name}"], atol=2e-4
        )

    def test_warps_are_map_coordinates(self):
        image, flow = self.warps["imgf"], self.warps["flow"]
        rows, columns = np.indices(image.shape[1:3], np.float32)

        for number in range(len(image)):
            places = [
                rows - flow[number, ..., 0],
                columns - flow[number, ..., 1],
            ]
            np.testing.assert_allclose(
                _sampled(image[number], places),
                self.warps["dense_image_warp"][number],
                atol=2e-4,
            )
            np.testing.assert_allclose(
                _sampled(image[number], self.warps["query"][number].T),
                self.warps["interpolate_bilinear_ij"][number],
                atol=2e-4,
            )

    def _matrices(self, name):
        """From the source to the result, as our warp takes them."""
        if name.startswith("rotate"):
            rows = _rotations(
                self.arrays["angles"], self.arrays["lab"].shape[1:3]
            )
        else:
            rows = self.arrays["affine"]
        to_source = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
        return np.linalg.inv(to_source.reshape(-1, 3, 3))


class OptimizerTest(parameterized.TestCase):
    """`tfa.optimizers`, twelve steps of given gradients."""

    @parameterized.named_parameters(
        # Addons takes the decay as it is, Keras times the learning rate.
        (
            "adamw",
            lambda: keras.optimizers.AdamW(1e-2, weight_decay=1e-3 / 1e-2),
            "AdamW_lr1e-2_wd1e-3",
        ),
        (
            "sgdw",
            lambda: keras.optimizers.SGD(
                0.05, momentum=0.9, weight_decay=5e-4 / 0.05
            ),
            "SGDW_lr.05_m.9_wd5e-4",
        ),
    )
    def test_decay_of_weights_is_that_of_keras(self, make, name):
        arrays = reference_arrays.load("tfa_optimizers.npz")
        weights = [keras.Variable(arrays[key]) for key in ("w0", "b0")]
        optimizer = make()

        for step in range(12):
            optimizer.apply(
                [tf.constant(arrays[key][step]) for key in ("gw", "gb")],
                weights,
            )
            for variable, key in zip(weights, "wb", strict=True):
                np.testing.assert_allclose(
                    variable.numpy(),
                    arrays[f"{name}_{key}"][step],
                    atol=2e-6,
                )


class LayerTest(parameterized.TestCase):
    """`tfa.layers`, `tfa.activations` and `tfa.losses`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrays = reference_arrays.load("tfa_losses_layers.npz")

    @parameterized.named_parameters(
        (
            "group_normalization",
            lambda: keras.layers.GroupNormalization(4),
            "GroupNorm4",
        ),
        (
            "average_pooling",
            lambda: keras.layers.AdaptiveAveragePooling2D((4, 3)),
            "AdaptiveAvgPool_4x3",
        ),
        (
            "max_pooling",
            lambda: keras.layers.AdaptiveMaxPooling2D((4, 3)),
            "AdaptiveMaxPool_4x3",
        ),
        (
            "gelu",
            lambda: lambda x: keras.activations.gelu(x, approximate=True),
            "gelu",
        ),
        ("mish", lambda: keras.activations.mish, "mish"),
    )
    def test_layers_are_those_of_keras(self, make, name):
        found = make()(self.arrays["x"])

        np.testing.assert_allclose(found, self.arrays[name], atol=2e-6)

    def test_focal_loss_is_that_of_keras(self):
        loss = keras.losses.BinaryFocalCrossentropy(
            apply_class_balancing=True, reduction="none"
        )
        truth, predictions = self.arrays["y"], self.arrays["p"]

        # Of every element by itself: Addons sums where Keras averages.
        found = loss(truth[..., np.newaxis], predictions[..., np.newaxis])

        np.testing.assert_allclose(
            np.sum(found, axis=-1), self.arrays["SigmoidFocal_a.25_g2"], 1e-4
        )


def _transformed(image, transforms, interpolation, fill_mode):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image,
        transforms=transforms,
        output_shape=image.shape[1:3],
        fill_value=_FILL,
        interpolation=interpolation.upper(),
        fill_mode=fill_mode.upper(),
    )


def _rotations(angles, size):
    """Rows of the operation: counter-clockwise, around the middle."""
    height, width = (np.float32(length - 1) for length in size)
    cosine, sine = tf.cos(angles), tf.sin(angles)
    x = (width - (cosine * width - sine * height)) / 2
    y = (height - (sine * width + cosine * height)) / 2
    nothing = tf.zeros_like(angles)
    return np.stack(
        [cosine, -sine, x, sine, cosine, y, nothing, nothing], axis=1
    )


def _is_inside(matrix, size):
    """Pixels of the result whose place in the source has four neighbors."""
    rows, columns = np.indices(size)
    places = geometry.transform_points(
        np.linalg.inv(matrix), np.stack([columns, rows], axis=-1)
    )
    limit = np.array([size[1] - 1, size[0] - 1])
    return ((places >= 0) & (places <= limit)).all(axis=-1)


def _gaussian(length, sigma):
    places = np.arange(length) - (length - 1) // 2
    weights = np.exp(-(places**2) / (2 * sigma**2))
    return (weights / weights.sum()).astype(np.float32)


def _sampled(image, places):
    """Values of [height, width, channels] at rows and columns."""
    return np.stack(
        [
            keras.ops.image.map_coordinates(
                image[..., channel], places, order=1, fill_mode="nearest"
            )
            for channel in range(image.shape[-1])
        ],
        axis=-1,
    )


if __name__ == "__main__":
    absltest.main()
