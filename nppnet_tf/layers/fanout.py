"""All edges that leave one state of a search graph: THE switch.

Cells and the interaction hand each state to its fan-out and get one tensor for
every target. A supernet's topology is filled with `MixedFanout`, which weighs
every primitive; a derived network's with `SelectedFanout`, which holds the
kept ones. Nothing else knows about search.

An edge applies its operations, then one resize, then one 1x1 projection. Both
are linear, so a supernet resizes and projects once per edge after mixing, and
a derived network projects before it upsamples, on fewer pixels.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from nppnet_tf.layers import primitives as operations
from nppnet_tf.layers import resize
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.search_space import primitives as names


class Target(NamedTuple):
    """Where an edge leads.

    Attributes:
        node: The node that sums it.
        scale: Factor from the state's height and width to the node's, after
            the stride of the operations; a power of two.
        filters: Channels of the node, where they differ from the state's.
    """

    node: int
    scale: float = 1
    filters: int | None = None


class EdgeMixture(NamedTuple):
    """Weights of the edges of one fan-out, one column per target.

    Attributes:
        shares: gamma of Eq. 2, [primitives, targets, 1]: an operation's weight
            times its edge's.
        edges: Softmax of beta over the edges of each node, [targets, 1].
    """

    shares: tf.Tensor
    edges: tf.Tensor


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SelectedFanout(keras.layers.Layer):
    """The kept operations that leave one state.

    Args:
        channels: Of the state.
        targets: One per kept operation; a node may occur several times.
        primitives: The kept operations, parallel to `targets`.
        stride: Of every operation.

    Call arguments:
        inputs: The state, [batch, height, width, channels].
        mixture: Ignored; a derived network's edges weigh the same.

    Returns:
        One tensor per target.
    """

    def __init__(
        self,
        channels: int,
        targets: Sequence[Target],
        primitives: Sequence[str],
        stride: int = 1,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.targets = tuple(Target(*target) for target in targets)
        self.primitives = tuple(primitives)
        self.stride = stride
        self.operations = [
            operations.build_primitive(
                primitive, channels, stride, f"{number}_{primitive}"
            )
            for number, primitive in enumerate(self.primitives)
        ]
        self.projections = _projections(self.targets, "projection")

    def build(self, input_shape) -> None:
        for operation in self.operations:
            operation.build(input_shape)
        for projection in self.projections:
            if projection is not None:
                projection.build((None, None, None, self.channels))
        self.built = True

    def call(self, inputs, mixture=None, training=None):
        return [
            self._finish(operation(inputs, training=training), number)
            for number, operation in enumerate(self.operations)
        ]

    def _finish(self, outputs, number: int):
        """Resizes and projects, whichever order costs less; both are exact."""
        scale = self.targets[number].scale
        projection = self.projections[number]
        if projection is None:
            return resize.rescale(outputs, scale)
        if scale > 1:
            return resize.rescale(projection(outputs), scale)
        return projection(resize.rescale(outputs, scale))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "targets": [list(target) for target in self.targets],
            "primitives": list(self.primitives),
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class MixedFanout(keras.layers.Layer):
    """Every operation on every edge that leaves one state (Eq. 1).

    One channel in `channel_proportion` goes through all primitives, whose
    outputs are summed with weights; the others bypass them. A channel shuffle
    lets the next edge see both parts.

    What depends on the state alone is computed once for all targets: the
    rectification, both poolings; each kind of convolution is one wider
    convolution over all targets. A dilated convolution is one with the dense
    kernel that its depthwise and pointwise factors make, which is exact and,
    for many targets, faster. Searched operations are normalised without gain
    and offset, so the weight of an operation is the gain of its
    normalisation: one normalisation over all, then a sum.

    The pooled convolution is normalised apart, at its own resolution.

    Departs from the release: max pooling is normalised once; there it is
    normalised twice in a row, which is the same up to the epsilon.

    Reference:
        Xu et al., PC-DARTS, https://arxiv.org/abs/1907.05737, Sec. 3.2.

    Args:
        channels: Of the state; divisible by `channel_proportion`.
        targets: One per edge.
        stride: Of every operation.
        channel_proportion: k of Eq. 1. With 1, every channel is searched.
        primitives: Names in the order of alpha.

    Call arguments:
        inputs: The state, [batch, height, width, channels].
        mixture: `EdgeMixture` with one row per target.

    Returns:
        One tensor per target, weighted by its edge.
    """

    def __init__(
        self,
        channels: int,
        targets: Sequence[Target],
        stride: int = 1,
        channel_proportion: int = 2,
        primitives: Sequence[str] = names.PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if channels % (2 * channel_proportion):
            raise ValueError(
                "channels must be divisible by twice the channel proportion. "
                f"Received: {channels=}, {channel_proportion=}"
            )
        self.channels = channels
        self.targets = tuple(Target(*target) for target in targets)
        self.stride = stride
        self.channel_proportion = channel_proportion
        self.primitives = tuple(primitives)
        self.searched = channels // channel_proportion
        self.normalized = tuple(
            name for name in self.primitives if self._is_normalized(name)
        )
        self.dilated = tuple(name for name in self.primitives if name in _RATES)
        self.normalization = BatchNormalization(
            affine=False, name="normalization"
        )
        self.pooled_normalization = None
        if names.POOLED_CONV in self.primitives:
            self.pooled_normalization = BatchNormalization(
                affine=False, name="pooled_normalization"
            )
        self.projections = _projections(self.targets, "projection")

    def _is_normalized(self, name: str) -> bool:
        """Whether an operation is part of the one normalisation."""
        if name in (names.SKIP_CONNECT, names.SE_CONNECT):
            # At stride 1 both leave their input's scale.
            return self.stride == 2
        return name != names.POOLED_CONV

    def build(self, input_shape) -> None:
        count, width = len(self.targets), self.searched
        if names.STD_CONV_3X3 in self.primitives:
            self.standard = self._kernel((3, 3), "standard")
        if names.STD_CONV_1X1 in self.primitives:
            self.pointwise = self._kernel((1, 1), "pointwise")
        if names.POOLED_CONV in self.primitives:
            self.pooled = self._kernel((3, 3), "pooled")
            self.pooled_normalization.build((None, None, None, count * width))
        if self.dilated:
            self.depthwise_factors = self.add_weight(
                shape=(len(self.dilated), 3, 3, width, count, 1),
                initializer=_normal(9 * width, 9),
                name="depthwise_factors",
            )
            self.pointwise_factors = self.add_weight(
                shape=(len(self.dilated), 1, 1, width, count, width),
                initializer=_normal(width, width),
                name="pointwise_factors",
            )
        if names.SE_CONNECT in self.primitives:
            self._build_excitation(count, width)
        if self.stride == 2 and names.SKIP_CONNECT in self.primitives:
            self.reduction = self.add_weight(
                shape=(2, 1, 1, width, count * width // 2),
                initializer=_normal(width, width // 2),
                name="reduction",
            )
        if self.normalized:
            channels = len(self.normalized) * count * width
            self.normalization.build((None, None, None, channels))
        for projection in self.projections:
            if projection is not None:
                projection.build((None, None, None, self.channels))
        self.built = True

    def _kernel(self, size: tuple[int, int], name: str):
        width = self.searched
        taps = math.prod(size)
        return self.add_weight(
            shape=(*size, width, len(self.targets) * width),
            initializer=_normal(taps * width, taps * width),
            name=name,
        )

    def _build_excitation(self, count: int, width: int) -> None:
        half = width // 2
        self.squeeze = self.add_weight(
            shape=(width, count * half),
            initializer=_normal(width, half),
            name="squeeze",
        )
        self.squeeze_bias = self.add_weight(
            shape=(count * half,), initializer="zeros", name="squeeze_bias"
        )
        self.excite = self.add_weight(
            shape=(count, half, width),
            initializer=_normal(half, width),
            name="excite",
        )
        self.excite_bias = self.add_weight(
            shape=(count * width,), initializer="zeros", name="excite_bias"
        )

    def call(self, inputs, mixture, training=None):
        searched, bypass = inputs, None
        if self.channel_proportion > 1:
            sizes = [self.searched, self.channels - self.searched]
            searched, bypass = tf.split(inputs, sizes, -1)
            if self.stride == 2:
                bypass = tf.nn.max_pool2d(bypass, 2, 2, "VALID")
        mixed = self._mix(searched, mixture.shares, training)
        if any(target[1:] != (1, None) for target in self.targets):
            return self._lead_away(mixed, bypass, mixture.edges)
        if bypass is not None:
            weighted = tf.expand_dims(bypass, 3) * mixture.edges
            mixed = _join(mixed, weighted)
        return tf.unstack(mixed, axis=3)

    def _mix(self, inputs, shares, training):
        """Returns [batch, height, width, targets, searched channels]."""
        weights = dict(zip(self.primitives, tf.unstack(shares), strict=True))
        outputs = []
        if self.normalized:
            outputs.append(self._normalized_sum(inputs, weights, training))
        if names.POOLED_CONV in weights:
            weight = weights[names.POOLED_CONV]
            outputs.append(self._convolve_pooled(inputs, weight, training))
        factor = self._unscaled_factor(inputs, weights)
        if factor is not None:
            outputs.append(tf.expand_dims(inputs, 3) * factor)
        return functools.reduce(tf.add, outputs)

    def _normalized_sum(self, inputs, weights, training):
        rectified = tf.nn.relu(inputs)
        kernels = self._dilated_kernels()
        features = []
        for name in self.normalized:
            features += self._features(name, inputs, rectified, kernels)
        # One normalisation over all operations, their weights as its gain.
        gain = tf.stack([weights[name] for name in self.normalized])
        outputs = self.normalization(
            tf.concat(features, -1), gain=self._gain(gain), training=training
        )
        sizes = [len(self.normalized), len(self.targets), self.searched]
        return tf.reduce_sum(_split_last(outputs, sizes), 3)

    def _gain(self, weights):
        """Repeats weights [..., targets, 1] for every channel."""
        return tf.reshape(
            weights * tf.ones([self.searched], weights.dtype), [-1]
        )

    def _convolve_pooled(self, inputs, weight, training):
        """The pooled convolution of every target, weighted."""
        # Average pooling first: a mean of rectified values is another.
        outputs = tf.nn.relu(operations.average_pool(inputs))
        outputs = convolve(outputs, self.pooled.value, self.stride)
        outputs = self.pooled_normalization(
            outputs, gain=self._gain(weight), training=training
        )
        size = resize.scaled_size(inputs, 1 / self.stride)
        outputs = resize.resize_bilinear(outputs, size)
        return _split_last(outputs, [len(self.targets), self.searched])

    def _unscaled_factor(self, inputs, weights):
        """What skip and excitation multiply the state by, or None.

        Broadcasts to [batch, 1, 1, targets, searched channels].
        """
        factor = None
        if self.stride == 2:
            return None
        if names.SE_CONNECT in weights:
            factor = weights[names.SE_CONNECT] * self._excitation(inputs)
        if names.SKIP_CONNECT in weights:
            skip = weights[names.SKIP_CONNECT]
            factor = skip if factor is None else factor + skip
        return factor

    def _features(self, name: str, inputs, rectified, kernels) -> list:
        """One operation of every target, together targets * c channels."""
        if name == names.STD_CONV_3X3:
            return [convolve(rectified, self.standard.value, self.stride)]
        if name == names.STD_CONV_1X1:
            return [convolve(rectified, self.pointwise.value, self.stride)]
        if name == names.MAX_POOL_3X3:
            pooled = operations.max_pool(inputs, self.stride)
            return [pooled] * len(self.targets)
        if name == names.SKIP_CONNECT:
            return [self._reduce(rectified)]
        if name == names.SE_CONNECT:
            # The mean of 2x2 pixels commutes with a factor per channel.
            pooled = tf.expand_dims(operations.average_pool(inputs), 3)
            return [_merge_last(pooled * self._excitation(inputs), 2)]
        inputs, rate = operations.thin_out(rectified, self.stride, _RATES[name])
        return [convolve(inputs, kernels[name], dilation=rate)]

    def _dilated_kernels(self) -> dict:
        """Dense kernels [3, 3, c, targets * c] of the dilated convolutions."""
        if not self.dilated:
            return {}
        kernels = self.depthwise_factors.value * self.pointwise_factors.value
        shape = [len(self.dilated), 3, 3, self.searched, -1]
        kernels = tf.unstack(tf.reshape(kernels, shape))
        return dict(zip(self.dilated, kernels, strict=True))

    def _reduce(self, rectified):
        """Factorized reduction: even and odd pixels, half the channels each."""
        half = [len(self.targets), self.searched // 2]
        kernels = tf.unstack(self.reduction.value)
        even = convolve(rectified, kernels[0], 2)
        odd = convolve(rectified[:, 1:, 1:], kernels[1], 2)
        both = tf.concat([_split_last(even, half), _split_last(odd, half)], -1)
        return _merge_last(both, 2)

    def _excitation(self, inputs):
        """Returns [batch, 1, 1, targets, c], each in (0, 1)."""
        count, width = len(self.targets), self.searched
        mean = tf.reduce_mean(inputs, [1, 2])
        squeezed = tf.nn.bias_add(
            tf.matmul(mean, self.squeeze.value), self.squeeze_bias.value
        )
        squeezed = tf.reshape(tf.nn.relu(squeezed), [-1, count, width // 2])
        excited = tf.einsum("nth,thc->ntc", squeezed, self.excite.value)
        excited = tf.nn.bias_add(
            tf.reshape(excited, [-1, count * width]), self.excite_bias.value
        )
        return tf.reshape(tf.sigmoid(excited), [-1, 1, 1, count, width])

    def _lead_away(self, mixed, bypass, edge_weights):
        """Resizes and projects edge by edge."""
        outputs = []
        edge_weights = tf.unstack(edge_weights)
        for number, output in enumerate(tf.unstack(mixed, axis=3)):
            scale = self.targets[number].scale
            output = resize.rescale(output, scale)
            if bypass is not None:
                rest = bypass * edge_weights[number]
                if scale != 1:
                    size = resize.scaled_size(rest, scale)
                    rest = resize.resize_nearest(rest, size)
                output = _join(output, rest)
            projection = self.projections[number]
            if projection is not None:
                # Eq. 4: beta weighs the edge with its bias.
                bias = projection.bias.value * edge_weights[number]
                output = convolve(output, projection.kernel.value)
                output = tf.nn.bias_add(output, bias)
            outputs.append(output)
        return outputs

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "targets": [list(target) for target in self.targets],
            "stride": self.stride,
            "channel_proportion": self.channel_proportion,
            "primitives": list(self.primitives),
        }


_RATES = {names.DIL_CONV_3X3_2: 2, names.DIL_CONV_3X3_4: 4}


def _normal(fan_in: int, fan_out: int) -> keras.initializers.Initializer:
    """Xavier's initialisation of one edge, whatever it is stored with."""
    deviation = math.sqrt(2.0 / (fan_in + fan_out))
    return keras.initializers.RandomNormal(stddev=deviation)


def _projections(
    targets: Sequence[Target], name: str
) -> list[Convolution | None]:
    return [
        None
        if target.filters is None
        else Convolution(
            target.filters, 1, use_bias=True, name=f"{name}_{number}"
        )
        for number, target in enumerate(targets)
    ]


def _join(mixed, bypass):
    """Concatenates on the last axis and shuffles (Eq. 1).

    With c searched channels out of k * c, the shuffle of k groups puts after
    each searched channel one of each bypassing group.
    """
    searched = mixed.shape[-1]
    others = bypass.shape[-1] // searched
    if others > 1:
        bypass = _split_last(bypass, [others, searched])
        bypass = tf.linalg.matrix_transpose(bypass)
        return _merge_last(tf.concat([mixed[..., None], bypass], -1), 2)
    return _merge_last(tf.stack([mixed, bypass], -1), 2)


def _split_last(inputs, sizes: Sequence[int]):
    """Reshapes the last axis into several."""
    return tf.reshape(inputs, [*_leading(inputs, 1), *sizes])


def _merge_last(inputs, count: int):
    """Reshapes the last `count` axes into one."""
    merged = math.prod(inputs.shape[-count:])
    return tf.reshape(inputs, [*_leading(inputs, count), merged])


def _leading(inputs, dropped: int) -> list:
    """Sizes of the axes before the last `dropped`, static but for the batch."""
    static = inputs.shape[:-dropped].as_list()
    if all(size is not None for size in static[1:]):
        return [-1, *static[1:]]
    dynamic = tf.shape(inputs)
    return [
        dynamic[axis] if size is None else size
        for axis, size in enumerate(static)
    ]
