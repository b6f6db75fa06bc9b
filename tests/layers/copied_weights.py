"""Copies weights of searched fan-outs into derived ones."""

import numpy as np
import tensorflow as tf

from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.primitives import DilatedConvolution
from nppnet_tf.layers.primitives import MaxPooling
from nppnet_tf.layers.primitives import PooledConvolution
from nppnet_tf.layers.primitives import SkipConnection
from nppnet_tf.layers.primitives import SqueezeExcitation
from nppnet_tf.search_space import primitives as names


def randomise(layer, seed=0):
    """Gives statistics and biases values that a mistake would show."""
    generator = np.random.default_rng(seed)
    for variable in layer.variables:
        last = variable.path.rsplit("/", 1)[-1]
        if last == "moving_variance":
            value = generator.uniform(0.5, 2, variable.shape)
        elif last in ("moving_mean", "bias", "squeeze_bias", "excite_bias"):
            value = generator.normal(size=variable.shape)
        else:
            continue
        variable.assign(value.astype(np.float32))


def copy_fanout(mixed, selected, targets):
    """Copies, for each kept operation, its target's part of the fused weights.

    Args:
        mixed: `MixedFanout` with channel proportion 1.
        selected: `SelectedFanout`.
        targets: For each kept operation, the index of its edge in `mixed`.
    """
    for number, (name, target) in enumerate(
        zip(selected.primitives, targets, strict=True)
    ):
        _copy(mixed, selected.operations[number], name, target)
        if selected.projections[number] is not None:
            ours = selected.projections[number]
            theirs = mixed.projections[target]
            ours.kernel.assign(theirs.kernel)
            ours.bias.assign(theirs.bias)


def _copy(mixed, operation, name, target):
    part = slice(target * mixed.searched, (target + 1) * mixed.searched)
    if isinstance(operation, PooledConvolution):
        operation.block.convolution.kernel.assign(mixed.pooled[..., part])
        for ours, theirs in zip(
            operation.block.normalization.non_trainable_variables,
            mixed.pooled_normalization.variables,
            strict=True,
        ):
            ours.assign(theirs[part])
    elif isinstance(operation, ConvolutionBlock):
        is_wide = name == names.STD_CONV_3X3
        kernel = mixed.standard if is_wide else mixed.pointwise
        operation.convolution.kernel.assign(kernel[..., part])
        _statistics(mixed, operation, name, target)
    elif isinstance(operation, DilatedConvolution):
        rate = mixed.dilated.index(name)
        operation.depthwise.assign(
            mixed.depthwise_factors[rate, :, :, :, target]
        )
        operation.pointwise.kernel.assign(
            mixed.pointwise_factors[rate, :, :, :, target]
        )
        _statistics(mixed, operation, name, target)
    elif isinstance(operation, MaxPooling):
        _statistics(mixed, operation, name, target)
    elif isinstance(operation, SqueezeExcitation):
        _copy_excitation(mixed, operation, name, target)
    elif isinstance(operation, SkipConnection) and operation.reduction:
        _copy_reduction(mixed, operation.reduction, name, target)


def _copy_excitation(mixed, operation, name, target):
    half = mixed.searched // 2
    squeezed = slice(target * half, (target + 1) * half)
    part = slice(target * mixed.searched, (target + 1) * mixed.searched)
    operation.squeeze.kernel.assign(mixed.squeeze[:, squeezed][None, None])
    operation.squeeze.bias.assign(mixed.squeeze_bias[squeezed])
    operation.excite.kernel.assign(mixed.excite[target][None, None])
    operation.excite.bias.assign(mixed.excite_bias[part])
    if operation.normalization is not None:
        _statistics(mixed, operation, name, target)


def _copy_reduction(mixed, reduction: FactorizedReduction, name, target):
    half = mixed.searched // 2
    part = slice(target * half, (target + 1) * half)
    reduction.even.kernel.assign(mixed.reduction[0][..., part])
    reduction.odd.kernel.assign(mixed.reduction[1][..., part])
    _statistics(mixed, reduction, name, target)


def _statistics(mixed, block, name, target):
    row = mixed.normalized.index(name) * len(mixed.targets) + target
    part = slice(row * mixed.searched, (row + 1) * mixed.searched)
    block.normalization.moving_mean.assign(
        mixed.normalization.moving_mean[part]
    )
    block.normalization.moving_variance.assign(
        mixed.normalization.moving_variance[part]
    )


def copy_cell(searched, derived):
    """Copies a searched cell into a derived one.

    Returns:
        The one-hot mixtures under which the two are equal.
    """
    for source, target in zip(
        searched.preprocess, derived.preprocess, strict=True
    ):
        for theirs, ours in zip(
            source.variables, target.variables, strict=True
        ):
            ours.assign(theirs)
    mixtures = []
    for mixed, selected in zip(
        searched.graph.fanouts, derived.graph.fanouts, strict=True
    ):
        if mixed is not None:
            mixtures.append(copy_kept(mixed, selected))
    return mixtures


def copy_kept(mixed, selected):
    """Copies the kept edges of one fan-out; returns its one-hot mixture."""
    nodes = [target.node for target in mixed.targets]
    shares = np.zeros((len(mixed.primitives), len(nodes), 1), np.float32)
    edges = np.zeros((len(nodes), 1), np.float32)
    if selected is not None:
        rows = [nodes.index(target.node) for target in selected.targets]
        copy_fanout(mixed, selected, rows)
        for row, name in zip(rows, selected.primitives, strict=True):
            shares[mixed.primitives.index(name), row] = 1
            edges[row] = 1
    return EdgeMixture(tf.constant(shares), tf.constant(edges))
