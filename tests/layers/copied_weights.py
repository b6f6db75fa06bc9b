"""Copies weights of searched fan-outs into derived ones."""

import numpy as np
import tensorflow as tf

from nppnet_tf.layers.fanout import EdgeMixture


def randomize(layer, seed=0):
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
        mixed.give(name, target, selected.operations[number])
        if selected.projections[number] is not None:
            ours = selected.projections[number]
            theirs = mixed.projections[target]
            ours.kernel.assign(theirs.kernel)
            ours.bias.assign(theirs.bias)


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
    shares = np.zeros((len(mixed.space.primitives), len(nodes), 1), np.float32)
    edges = np.zeros((len(nodes), 1), np.float32)
    if selected is not None:
        rows = [nodes.index(target.node) for target in selected.targets]
        copy_fanout(mixed, selected, rows)
        for row, name in zip(rows, selected.primitives, strict=True):
            shares[mixed.space.primitives.index(name), row] = 1
            edges[row] = 1
    return EdgeMixture(tf.constant(shares), tf.constant(edges))
