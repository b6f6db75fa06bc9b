"""Batch normalisation: every constant of it, and its one implementation."""

import contextlib
import threading
from collections.abc import Iterator

import keras
import tensorflow as tf

from nppnet_tf.layers import replicas

# PyTorch's defaults, which the release uses; its momentum 0.1 is Keras' 0.9.
EPSILON = 1e-5
MOMENTUM = 0.9

_state = threading.local()


@contextlib.contextmanager
def frozen_statistics() -> Iterator[None]:
    """Traces training passes that leave moving statistics as they are.

    The architecture descent of Eq. 7 normalises with its batch like any
    training pass; updating the moving statistics once a step, in the weight
    descent, is enough and spares two assignments per layer in the graph.
    """
    before = getattr(_state, "frozen", False)
    _state.frozen = True
    try:
        yield
    finally:
        _state.frozen = before


@keras.saving.register_keras_serializable(package="nppnet_tf")
class BatchNormalization(keras.layers.Layer):
    """Normalises channels with the statistics of the global batch.

    One fused operation where one replica holds the whole batch; where several
    do, their moments are averaged first, so that any number of replicas gives
    the same result. Moving variances are unbiased, as in PyTorch.

    Args:
        affine: Whether gain and offset are learned. Searched operations have
            neither, so that their mixture weight alone sets their size.

    Call arguments:
        inputs: Float tensor [batch, height, width, channels].
        gain: Tensor [channels] to multiply by instead of a learned one.
        training: Whether to normalise with the batch.
    """

    def __init__(self, affine: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.affine = affine

    def build(self, input_shape) -> None:
        shape = (input_shape[-1],)
        if self.affine:
            self.gain = self.add_weight(
                shape=shape, initializer="ones", name="gain"
            )
            self.offset = self.add_weight(
                shape=shape, initializer="zeros", name="offset"
            )
        self.moving_mean = self.add_weight(
            shape=shape,
            initializer="zeros",
            trainable=False,
            name="moving_mean",
        )
        self.moving_variance = self.add_weight(
            shape=shape,
            initializer="ones",
            trainable=False,
            name="moving_variance",
        )
        self.built = True

    def call(self, inputs, gain=None, training=None):
        channels = inputs.shape[-1]
        offset = tf.zeros([channels], inputs.dtype)
        if self.affine:
            gain, offset = self.gain.value, self.offset.value
        elif gain is None:
            gain = tf.ones([channels], inputs.dtype)
        if not training:
            return self._normalise(inputs, gain, offset)
        if _num_replicas() > 1:
            return self._normalise_over_replicas(inputs, gain, offset)
        return self._normalise_batch(inputs, gain, offset)

    def _normalise_batch(self, inputs, gain, offset):
        """Normalises with the batch; the operation also moves statistics."""
        moves = not _is_frozen()
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

    def _normalise(self, inputs, gain, offset):
        """Normalises with the moving statistics."""
        return tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=gain,
            offset=offset,
            mean=self.moving_mean.value,
            variance=self.moving_variance.value,
            epsilon=EPSILON,
            is_training=False,
        ).y

    def _normalise_over_replicas(self, inputs, gain, offset):
        """Normalises with the batches of all replicas."""
        mean, variance, unbiased = _global_moments(inputs)
        if not _is_frozen():
            for variable, value in (
                (self.moving_mean, mean),
                (self.moving_variance, unbiased),
            ):
                moved = MOMENTUM * variable.value + (1 - MOMENTUM) * value
                variable.assign(tf.stop_gradient(moved))
        return tf.nn.batch_normalization(
            inputs, mean, variance, offset, gain, EPSILON
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "affine": self.affine}


def _num_replicas() -> int:
    if not tf.distribute.in_cross_replica_context():
        return tf.distribute.get_replica_context().num_replicas_in_sync
    return 1


def _is_frozen() -> bool:
    return getattr(_state, "frozen", False)


def _global_moments(inputs):
    """Mean, variance and unbiased variance over all replicas, [channels].

    Sums of values, squares and counts travel in one reduction.
    """
    channels = inputs.shape[-1]
    count = tf.cast(tf.size(inputs) // channels, inputs.dtype)
    packed = tf.concat(
        [
            tf.reduce_sum(inputs, [0, 1, 2]),
            tf.reduce_sum(tf.square(inputs), [0, 1, 2]),
            count[None],
        ],
        0,
    )
    packed = replicas.sum_over_replicas(packed)
    total = packed[-1]
    mean = packed[:channels] / total
    variance = packed[channels:-1] / total - tf.square(mean)
    variance = tf.maximum(variance, 0.0)
    return mean, variance, variance * total / tf.maximum(total - 1.0, 1.0)
