"""Batch normalization: every constant of it, and its one implementation."""

import functools
from contextlib import AbstractContextManager

import keras
import tensorflow as tf

from nppnet_tf import replicas

# PyTorch's defaults, which the release uses; its momentum 0.1 is Keras' 0.9.
EPSILON = 1e-5
MOMENTUM = 0.9

_is_frozen = replicas.Setting(False)


def frozen_statistics() -> AbstractContextManager[None]:
    """Traces training passes that leave moving statistics as they are.

    A supernet always normalizes with its batch, in both descents of Eq. 7 and
    in pictures of its predictions; statistics that nobody reads need no
    assignments, two of them per layer.
    """
    return _is_frozen.within(True)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class BatchNormalization(keras.layers.Layer):
    """Normalizes channels with the statistics of the global batch.

    One fused operation where one replica holds the whole batch; where several
    do, their moments are averaged first, so that any number of replicas gives
    the same result. Moving variances are unbiased, as in PyTorch.

    Keras's own, `synchronized=True`, gives the same outputs from graphs twice
    as large: 80 convolutions with a normalization each, forwards and backwards
    on two replicas, are 31,864 nodes with it and take 13.9 s of processor time
    to trace; 15,539 nodes and 7.6 s with this one. Nor does it take a gain from
    outside, by which a mixture weight becomes part of it.

    Args:
        affine: Whether gain and offset are learned. Searched operations have
            neither, so that their mixture weight alone sets their size.

    Call arguments:
        inputs: Float tensor [batch, height, width, channels].
        gain: Tensor [channels] to multiply by instead of a learned one.
        training: Whether to normalize with the batch.
    """

    def __init__(self, affine: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.affine = affine

    def build(self, input_shape) -> None:
        shape = (input_shape[-1],)
        if self.affine:
            self.gain = self._weight("gain", shape, "ones")
            self.offset = self._weight("offset", shape, "zeros")
        self.moving_mean = self._weight("moving_mean", shape, "zeros", False)
        self.moving_variance = self._weight(
            "moving_variance", shape, "ones", False
        )
        self.built = True

    def _weight(self, name: str, shape, initializer, trainable: bool = True):
        """Makes a weight that no policy narrows: moments need float32."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            trainable=trainable,
            autocast=False,
            name=name,
        )

    def call(self, inputs, gain=None, training=None):
        channels = inputs.shape[-1]
        dtype = self.variable_dtype
        offset = tf.zeros([channels], dtype)
        if self.affine:
            gain, offset = self.gain.value, self.offset.value
        elif gain is None:
            gain = tf.ones([channels], dtype)
        else:
            gain = tf.cast(gain, dtype)
        if not training:
            return self._normalize(inputs, gain, offset)
        if replicas.num_replicas() > 1:
            return self._normalize_over_replicas(inputs, gain, offset)
        return self._normalize_batch(inputs, gain, offset)

    def sums_parts(self, training) -> bool:
        """Returns whether `sum_of_parts` may take the place of a call."""
        is_alone = replicas.num_replicas() == 1
        return bool(training) and _is_frozen.value and is_alone

    def sum_of_parts(self, parts, gains):
        """Normalizes parts of the channels and adds them.

        Equals a call with all parts joined, and the sum of what comes of each;
        but nothing is joined, or taken apart for the gradient. Three times as
        fast for five parts of 128 channels.

        Args:
            parts: Float tensors [batch, height, width, channels / parts].
            gains: Tensor [parts, channels / parts].

        Returns:
            Tensor of the shape of one part.
        """
        return _normalized_sum(tf.cast(gains, self.variable_dtype), *parts)

    def _normalize_batch(self, inputs, gain, offset):
        """Normalizes with the batch; the operation also moves statistics."""
        moves = not _is_frozen.value
        moving = (self.moving_mean, self.moving_variance)
        before = [m.value if moves else tf.zeros([0]) for m in moving]
        outputs, *after = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=gain,
            offset=offset,
            mean=before[0],
            variance=before[1],
            epsilon=EPSILON,
            exponential_avg_factor=1 - MOMENTUM if moves else 1.0,
            is_training=True,
        )[:3]
        if moves:
            for variable, value in zip(moving, after, strict=True):
                variable.assign(value)
        return outputs

    def _normalize(self, inputs, gain, offset):
        """Normalizes with the moving statistics."""
        return _normalized(
            inputs,
            gain,
            offset,
            self.moving_mean.value,
            self.moving_variance.value,
        )

    def _normalize_over_replicas(self, inputs, gain, offset):
        """Normalizes with the batches of all replicas."""
        mean, variance, count = _global_moments(inputs)
        if not _is_frozen.value:
            unbiased = count / _at_least(count - 1.0, 1.0)
            for variable, value, factor in (
                (self.moving_mean, mean, 1.0),
                (self.moving_variance, variance, unbiased),
            ):
                variable.assign(
                    MOMENTUM * variable.value
                    + value * (factor * (1 - MOMENTUM))
                )
        return _normalized_over_replicas(
            inputs,
            tf.convert_to_tensor(gain),
            tf.convert_to_tensor(offset),
            mean,
            variance,
            tf.convert_to_tensor(count, mean.dtype),
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "affine": self.affine}


def _at_least_float32(inputs):
    narrow = inputs.dtype in (tf.bfloat16, tf.float16)
    return tf.cast(inputs, tf.float32) if narrow else inputs


def _count(inputs):
    """Values of each channel on this replica; a number if sizes are known."""
    shape = inputs.shape[:-1]
    if shape.is_fully_defined():
        return float(shape.num_elements())
    return tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), inputs.dtype)


def _at_least(value, least: float):
    """The larger of two, of numbers as of tensors."""
    if tf.is_tensor(value):
        return tf.maximum(value, least)
    return max(value, least)


def _global_moments(inputs):
    """Mean and variance over all replicas, [channels], and of how many values.

    Batches of replicas are of one size (`distribution.check_batch_size`). Sums
    of values and squares travel in one reduction. They have no gradient of
    their own, see `_normalized_over_replicas`.
    """
    inputs = tf.stop_gradient(_at_least_float32(inputs))
    count = _count(inputs) * replicas.num_replicas()
    axes = tf.constant([0, 1, 2])
    own = [
        tf.reduce_sum(values, axes) for values in (inputs, tf.square(inputs))
    ]
    (total,) = replicas.sums([tf.stack(own)])
    mean, square = tf.unstack(total / count)
    variance = tf.maximum(square - tf.square(mean), 0.0)
    return mean, variance, count


@tf.custom_gradient
def _normalized_over_replicas(inputs, gain, offset, mean, variance, count):
    """Normalizes with moments of all replicas, and differentiates them, too.

    An input moves the moments, and these move the outputs of every replica:
    what they send back is summed over the replicas once, for both moments. The
    same by single operations made three in four nodes of a step's graph, and
    most of the time that its tracing took.
    """
    normalized = _normalized(inputs, gain, offset, mean, variance)

    def gradient(upstream):
        # As if the moments were constants; sums over this replica's batch.
        of_inputs, of_gain, of_offset = _gradients(
            upstream, inputs, gain, mean, variance
        )
        (total,) = replicas.sums([tf.stack([of_gain, of_offset])])
        total *= gain * tf.math.rsqrt(variance + EPSILON) / count
        by_variance, by_mean = tf.unstack(total)
        of_inputs -= _normalized(inputs, by_variance, by_mean, mean, variance)
        return of_inputs, of_gain, of_offset, None, None, None

    return normalized, gradient


@tf.custom_gradient
def _normalized_sum(gains, *parts):
    """Sum of parts that are each normalized with the batch.

    All have the same upstream gradient, that of the sum.
    """
    gains = tf.unstack(gains, num=len(parts))
    settings = {"epsilon": EPSILON, "is_training": True}
    offset, absent = tf.zeros(gains[0].shape, gains[0].dtype), tf.zeros([0])
    normalized = [
        tf.raw_ops.FusedBatchNormV3(
            x=part,
            scale=gain,
            offset=offset,
            mean=absent,
            variance=absent,
            **settings,
        )
        for part, gain in zip(parts, gains, strict=True)
    ]

    def gradient(upstream):
        found = [
            tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=upstream,
                x=part,
                scale=gain,
                reserve_space_1=of_part.reserve_space_1,
                reserve_space_2=of_part.reserve_space_2,
                reserve_space_3=of_part.reserve_space_3,
                **settings,
            )
            for part, gain, of_part in zip(
                parts, gains, normalized, strict=True
            )
        ]
        of_gains = tf.stack([each.scale_backprop for each in found])
        return of_gains, *(each.x_backprop for each in found)

    total = functools.reduce(tf.add, [of_part.y for of_part in normalized])
    return total, gradient


def _normalized(inputs, gain, offset, mean, variance):
    """Normalizes with given moments."""
    return tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=gain,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=EPSILON,
        is_training=False,
    ).y


def _gradients(upstream, inputs, gain, mean, variance):
    """Gradients of `_normalized` by inputs, gain and offset."""
    return tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=upstream,
        x=inputs,
        scale=gain,
        reserve_space_1=mean,
        reserve_space_2=variance,
        reserve_space_3=tf.zeros([0]),
        epsilon=EPSILON,
        is_training=False,
    )[:3]
