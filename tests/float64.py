"""Networks in float64, to tell what rounding explains from what it does not."""

import contextlib
from collections.abc import Iterator
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.layers import normalization


@contextlib.contextmanager
def computation() -> Iterator[None]:
    """Builds and runs networks in float64, by the definitions of two layers.

    TensorFlow's fused normalization and its resizing know float32 only.
    """

    def normalize(layer, inputs, gain, offset):
        del layer
        mean, variance = tf.nn.moments(inputs, [0, 1, 2])
        return normalized(inputs, gain, offset, mean, variance)

    def normalized(inputs, gain, offset, mean, variance):
        return tf.nn.batch_normalization(
            inputs,
            mean,
            variance,
            tf.cast(offset, inputs.dtype),
            tf.cast(gain, inputs.dtype),
            normalization.EPSILON,
        )

    def gradients(upstream, inputs, *others):
        gain, mean, variance = (tf.cast(x, inputs.dtype) for x in others)
        inverse = tf.math.rsqrt(variance + normalization.EPSILON)
        axes = [0, 1, 2]
        return (
            upstream * gain * inverse,
            tf.reduce_sum(upstream * (inputs - mean) * inverse, axes),
            tf.reduce_sum(upstream, axes),
        )

    def resize_bilinear(inputs, size, align_corners=True):
        # Losses resize in float32, whatever the network computes in.
        if inputs.dtype != tf.float64:
            return in_float32(inputs, size, align_corners)
        rows, columns = (
            _interpolation(source, int(target))
            for source, target in zip(inputs.shape[1:3], size, strict=True)
        )
        return tf.einsum("ph,bhwc,qw->bpqc", rows, inputs, columns)

    in_float32 = resampling.resize_bilinear
    before = keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        with (
            mock.patch.object(
                normalization.BatchNormalization, "_normalize_batch", normalize
            ),
            mock.patch.object(normalization, "_normalized", normalized),
            mock.patch.object(normalization, "_gradients", gradients),
            mock.patch.object(resampling, "resize_bilinear", resize_bilinear),
        ):
            yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(before)


def _interpolation(source: int, target: int) -> np.ndarray:
    """Matrix [target, source] of linear interpolation, corners aligned."""
    places = np.linspace(0, source - 1, target)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(source)), 0)
