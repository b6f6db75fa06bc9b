"""All edges that leave one state of a search graph: THE switch.

Cells and the interaction hand each state to its fan-out and get one tensor for
every target. `make_fanout` fills a supernet's topology with `MixedFanout`,
which weighs every primitive, and a derived network's with `SelectedFanout`,
which holds the kept ones. No other layer knows about search.

An edge applies its operations, then one resize, then one 1x1 projection. Both
are linear, so a supernet resizes and projects once per edge after mixing, and
both networks project before they upsample, on fewer pixels.
"""

import functools
import types
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from nppnet_tf import resampling
from nppnet_tf.layers import resize
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import convolve
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives import table
from nppnet_tf.layers.primitives.operation import Entry
from nppnet_tf.layers.primitives.operation import gain_of
from nppnet_tf.layers.primitives.operation import merge_last
from nppnet_tf.layers.primitives.operation import split_last
from nppnet_tf.search_space.genotype import Choice
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace


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
        edges: Weight of each edge in its node (Eq. 2), [targets, 1].
    """

    shares: tf.Tensor
    edges: tf.Tensor


@keras.saving.register_keras_serializable(package="nppnet_tf")
class SelectedFanout(keras.layers.Layer):
    """The kept operations that leave one state.

    Args:
        channels: Channels of the state.
        targets: One per kept operation; a node may occur several times.
        primitives: The kept operations, parallel to `targets`.
        stride: Stride of every operation.

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
            table.make_layer(
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

    One channel in k goes through all primitives, whose outputs are summed with
    weights; the others bypass them. A channel shuffle lets the next edge see
    both parts.

    What is mixed has shape [batch, h, w, targets, searched] everywhere: one row
    of `searched` = `channels` / k channels for each edge. Where operations of
    one form are joined, [..., operations, targets, searched] lies flat in the
    channels of one tensor.

    Each kind of operation is computed for all targets at once, see
    `layers.primitives`. Searched operations are normalized without gain and
    offset, so the weight of an operation is the gain of its normalization: one
    normalization over all, then a sum.

    Reference:
        Xu et al., PC-DARTS, https://arxiv.org/abs/1907.05737, Sec. 3.2.

    Args:
        channels: Channels of the state; divisible by 2k.
        targets: One per edge.
        stride: Stride of every operation.
        space: The operations, and k of Eq. 1.

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
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if channels % (2 * space.channel_proportion):
            raise ValueError(
                "channels must be divisible by twice the channel proportion. "
                f"Received: {channels=}, {space.channel_proportion=}"
            )
        self.channels = channels
        self.targets = tuple(Target(*target) for target in targets)
        self.stride = stride
        self.space = space
        self.searched = channels // space.channel_proportion
        self.normalization = BatchNormalization(
            affine=False, name="normalization"
        )
        # Keras would wrap a dictionary.
        self.operations = types.MappingProxyType(
            table.wide_operations(self, space.primitives)
        )
        self.projections = _projections(self.targets, "projection")

    def of_entry(self, entry: Entry) -> tuple[str, ...]:
        """Returns the operations of one entry, in the order of alpha."""
        return tuple(
            name
            for name in self.space.primitives
            if self.operations[name].entry is entry
        )

    def build(self, input_shape) -> None:
        for operation in dict.fromkeys(self.operations.values()):
            operation.build()
        features = len(self.of_entry(Entry.FEATURES))
        if features:
            channels = features * len(self.targets) * self.searched
            self.normalization.build((None, None, None, channels))
        for projection in self.projections:
            if projection is not None:
                projection.build((None, None, None, self.channels))
        self.built = True

    @property
    def operation_weights(self) -> list[keras.Variable]:
        """What operations learn; not the projections."""
        projected = {
            id(weight)
            for projection in self.projections
            if projection is not None
            for weight in projection.trainable_weights
        }
        return [w for w in self.trainable_weights if id(w) not in projected]

    def call(self, inputs, mixture, training=None):
        searched, bypass = inputs, None
        if self.searched < self.channels:
            sizes = [self.searched, self.channels - self.searched]
            searched, bypass = tf.split(inputs, sizes, -1)
            if self.stride == 2:
                bypass = tf.nn.max_pool2d(bypass, 2, 2, "VALID")
        mixed = self._mix(searched, mixture.shares, training)
        if any(target[1:] != (1, None) for target in self.targets):
            return self._resize_and_project(mixed, bypass, mixture.edges)
        if bypass is not None:
            weighted = tf.expand_dims(bypass, 3) * mixture.edges
            mixed = _join(mixed, weighted)
        return tf.unstack(mixed, axis=3)

    def _mix(self, inputs, shares, training):
        """Returns [batch, height, width, targets, searched channels]."""
        weights = dict(
            zip(self.space.primitives, tf.unstack(shares), strict=True)
        )
        terms = []
        if self.of_entry(Entry.FEATURES):
            terms.append(self._normalized_sum(inputs, weights, training))
        for name in self.of_entry(Entry.TERM):
            operation = self.operations[name]
            terms.append(operation.term(name, inputs, weights[name], training))
        factors = [
            weights[name] * self.operations[name].factor(name, inputs)
            for name in self.of_entry(Entry.FACTOR)
        ]
        if factors:
            factor = functools.reduce(tf.add, factors)
            terms.append(tf.expand_dims(inputs, 3) * factor)
        return functools.reduce(tf.add, terms)

    def _normalized_sum(self, inputs, weights, training):
        """One normalization over operations, their weights as its gain."""
        names = self.of_entry(Entry.FEATURES)
        rectified = tf.nn.relu(inputs)
        features = {}
        for operation in dict.fromkeys(self.operations[n] for n in names):
            computed = operation.features(inputs, rectified)
            features |= zip(operation.names, computed, strict=True)
        gain = gain_of(
            tf.stack([weights[name] for name in names]), self.searched
        )
        sizes = [len(self.targets), self.searched]
        if self.normalization.sums_parts(training):
            parts = [_joined(features[name]) for name in names]
            gains = tf.reshape(gain, [len(names), -1])
            total = self.normalization.sum_of_parts(parts, gains)
            return split_last(total, sizes)
        outputs = self.normalization(
            _joined([x for name in names for x in features[name]]),
            gain=gain,
            training=training,
        )
        return tf.reduce_sum(split_last(outputs, [len(names), *sizes]), 3)

    def give(self, name: str, target: int, layer: keras.layers.Layer) -> None:
        """Gives a built layer what one edge has learned of one operation.

        Where all channels are searched, the layer then is the edge whose
        operation has weight 1.

        Args:
            name: Name of the operation.
            target: Number of the target.
            layer: Built layer of the operation, with the searched channels.
        """
        normalization = self.operations[name].give(name, target, layer)
        if normalization is None:
            return
        row = self.of_entry(Entry.FEATURES).index(name) * len(self.targets)
        first = (row + target) * self.searched
        part = slice(first, first + self.searched)
        for statistic in ("moving_mean", "moving_variance"):
            value = getattr(self.normalization, statistic)[part]
            getattr(normalization, statistic).assign(value)

    def _resize_and_project(self, mixed, bypass, edge_weights):
        """Resizes and projects edge by edge, in the order that costs less."""
        outputs = []
        for target, projection, weight, searched in zip(
            self.targets,
            self.projections,
            tf.unstack(edge_weights),
            tf.unstack(mixed, axis=3),
            strict=True,
        ):
            if projection is None:
                output = _resized(searched, bypass, weight, target.scale)
            else:
                output = _projected(
                    searched, bypass, weight, target.scale, projection
                )
            outputs.append(output)
        return outputs

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "targets": [list(target) for target in self.targets],
            "stride": self.stride,
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "space": SearchSpace(**config["space"])})


def make_fanout(
    channels: int,
    targets: Sequence[Target],
    state: int,
    gene: Sequence[Sequence[Choice]] | None,
    space: SearchSpace,
    stride: int = 1,
    name: str | None = None,
) -> MixedFanout | SelectedFanout | None:
    """Returns what leaves one state: THE switch between both networks.

    Args:
        channels: Channels of the state.
        targets: Targets of every edge that may leave it.
        state: Number of the state among the predecessors of choices.
        gene: The choices of every node, or None to search.
        space: What is searched, if it is.
        stride: Stride of every operation.
        name: Name of the layer.

    Returns:
        The fan-out, or None where nothing leaves the state.
    """
    if gene is None:
        if not targets:
            return None
        return MixedFanout(channels, targets, stride, space, name=name)
    kept = [
        (target, choice.primitive)
        for target in targets
        for choice in gene[target.node]
        if choice.predecessor == state
    ]
    if not kept:
        return None
    targets, primitives = zip(*kept, strict=True)
    return SelectedFanout(channels, targets, primitives, stride, name=name)


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


def _projected(searched, bypass, weight, scale: float, projection):
    """Resizes an edge and projects it, in the order that costs less.

    Projected first, each of its two parts has its own rows of the kernel.
    """
    kernel = projection.kernel.value
    if scale <= 1:
        output = convolve(_resized(searched, bypass, weight, scale), kernel)
    elif bypass is None:
        output = resize.rescale(convolve(searched, kernel), scale)
    else:
        rows, rows_of_bypass = _parted(kernel, searched.shape[-1])
        rest = convolve(bypass, rows_of_bypass * weight)
        size = resize.scaled_size(rest, scale)
        output = resize.rescale(convolve(searched, rows), scale)
        output += resize.resize_nearest(rest, size)
    # Eq. 4: beta weighs the edge with its bias.
    return tf.nn.bias_add(output, projection.bias.value * weight)


def _resized(searched, bypass, weight, scale: float):
    """Resizes an edge, its two parts together again."""
    output = resize.rescale(searched, scale)
    if bypass is None:
        return output
    if scale != 1:
        size = resize.scaled_size(bypass, scale)
        bypass = resize.resize_nearest(bypass, size)
    return _join(output, bypass * weight)


def _join(mixed, bypass):
    """Concatenates on the last axis and shuffles (Eq. 1).

    With c searched channels out of k * c, the shuffle of k groups puts after
    each searched channel one of each bypassing group.
    """
    searched = mixed.shape[-1]
    others = bypass.shape[-1] // searched
    if others > 1:
        bypass = split_last(bypass, [others, searched])
        bypass = tf.linalg.matrix_transpose(bypass)
        return merge_last(tf.concat([mixed[..., None], bypass], -1), 2)
    # XLA has no bits of complex numbers.
    if mixed.dtype == tf.float32 and not resampling.is_for_xla():
        return merge_last(_paired(mixed, bypass), 2)
    return merge_last(tf.stack([mixed, bypass], -1), 2)


def _parted(kernel, searched: int):
    """Rows of a 1x1 kernel for each part of what `_join` returns."""
    channels, filters = kernel.shape[2:]
    rows = tf.reshape(kernel, [searched, channels // searched, filters])
    bypass = tf.transpose(rows[:, 1:], [1, 0, 2])
    return (
        tf.reshape(rows[:, 0], [1, 1, searched, filters]),
        tf.reshape(bypass, [1, 1, channels - searched, filters]),
    )


@tf.custom_gradient
def _paired(first, second):
    """Stacks two float32 tensors on a new last axis, in a tenth of the time.

    In memory a complex number is a pair of real ones.
    """
    pairs = tf.bitcast(tf.complex(first, second), tf.float32)

    def gradient(upstream):
        upstream = tf.bitcast(upstream, tf.complex64)
        return tf.math.real(upstream), tf.math.imag(upstream)

    return pairs, gradient


def _joined(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Concatenates on the last axis, if there is anything to."""
    return parts[0] if len(parts) == 1 else tf.concat(parts, -1)
