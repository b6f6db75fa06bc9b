"""Puts weights of the release's operations into our layers."""

import numpy as np

from nppnet_tf.importing import state_dict
from nppnet_tf.layers.primitives.operation import Entry
from nppnet_tf.search_space import primitives


def to_ours(array):
    """[batch, channels, height, width] to [batch, height, width, channels]."""
    return np.transpose(array, (0, 2, 3, 1))


def weights_of(arrays):
    """The tensors of a state dict among the arrays of a reference file."""
    return {
        name[2:]: value for name, value in arrays.items() if name[:2] == "w/"
    }


def fill(layer, arrays, prefix=""):
    """Gives a layer the tensors under `prefix`; absent gains stay ones."""
    tensors = {f".{key}": value for key, value in weights_of(arrays).items()}
    entries = [
        entry
        for entry in state_dict.entries(layer, prefix)
        if entry.key in tensors
    ]
    state_dict.assign(entries, tensors)


def fill_mixed_fanout(fanout, tensors, prefixes):
    """Gives a fan-out the operations of one mixed op per target.

    Args:
        fanout: `MixedFanout` with stride 1.
        tensors: State dict.
        prefixes: For each target the key of its list of operations, in the
            order of `fanout.space.primitives`.
    """
    edges = [
        [
            _Operation(tensors, f"{prefix}.{number}", name)
            for number, name in enumerate(fanout.space.primitives)
        ]
        for prefix in prefixes
    ]
    kinds = {
        name: [edge[number] for edge in edges]
        for number, name in enumerate(fanout.space.primitives)
    }
    _fill_convolutions(fanout, kinds)
    _fill_excitation(fanout, kinds[primitives.SE_CONNECT])
    for normalization, group in (
        (fanout.normalization, fanout.of_entry(Entry.FEATURES)),
        (fanout.pooled_normalization, fanout.of_entry(Entry.TERM)),
    ):
        statistics = [o.statistics() for name in group for o in kinds[name]]
        means, variances = zip(*statistics, strict=True)
        normalization.moving_mean.assign(np.concatenate(means))
        normalization.moving_variance.assign(np.concatenate(variances))


class _Operation:
    """One operation's tensors, however many sequences enclose it."""

    def __init__(self, tensors, prefix, name):
        self.name = name
        self.tensors = {
            key.removeprefix(f"{prefix}."): value
            for key, value in tensors.items()
            if key.startswith(f"{prefix}.")
        }

    def tensor(self, suffix):
        (key,) = (
            key for key in self.tensors if f".{key}".endswith(f".{suffix}")
        )
        return self.tensors[key]

    def kernel(self, key="net.1"):
        return np.transpose(self.tensor(f"{key}.weight"), (2, 3, 1, 0))

    def statistics(self, epsilon=1e-5):
        """Mean and variance of the one normalization ours has."""
        keys = sorted(
            (key for key in self.tensors if key.endswith("running_mean")),
            key=lambda key: "bn" not in key and "net" not in key,
        )
        mean, variance = 0, 1 - epsilon
        for key in keys:
            # Two normalizations in a row are one: x -> (x - m) / s twice.
            other = key.replace("running_mean", "running_var")
            mean = mean + self.tensors[key] * np.sqrt(variance + epsilon)
            product = (variance + epsilon) * (self.tensors[other] + epsilon)
            variance = product - epsilon
        if self.name == primitives.POOLED_CONV:
            # Ours has no bias in front of a normalization.
            mean = mean - self.tensor("net.2.bias")
        return mean, variance


def _fill_convolutions(fanout, kinds):
    for name, key in (
        (primitives.STD_CONV_3X3, "net.1"),
        (primitives.STD_CONV_1X1, "net.1"),
        (primitives.POOLED_CONV, "net.2"),
    ):
        kernels = [operation.kernel(key) for operation in kinds[name]]
        fanout.operations[name].kernel.assign(np.concatenate(kernels, -1))
    wide = fanout.operations[primitives.DIL_CONV_3X3_2]
    depthwise, pointwise = [], []
    for name in wide.names:
        factors = [
            operation.tensor("net.1.weight") for operation in kinds[name]
        ]
        factors = [np.transpose(f, (2, 3, 0, 1)) for f in factors]
        depthwise.append(np.stack(factors, 3))
        factors = [operation.kernel("net.2") for operation in kinds[name]]
        pointwise.append(np.stack(factors, 3))
    wide.depthwise.assign(np.stack(depthwise))
    wide.pointwise.assign(np.stack(pointwise))


def _fill_excitation(fanout, operations):
    matrices = {
        key: [
            np.transpose(o.tensor(f"{key}.weight")[:, :, 0, 0])
            for o in operations
        ]
        for key in ("conv1", "conv2")
    }
    biases = {
        key: np.concatenate([o.tensor(f"{key}.bias") for o in operations])
        for key in ("conv1", "conv2")
    }
    wide = fanout.operations[primitives.SE_CONNECT]
    wide.squeeze.assign(np.concatenate(matrices["conv1"], -1))
    wide.squeeze_bias.assign(biases["conv1"])
    wide.excite.assign(np.stack(matrices["conv2"]))
    wide.excite_bias.assign(biases["conv2"])
