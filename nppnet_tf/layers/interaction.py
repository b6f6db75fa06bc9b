"""Exchange between the two feature pyramids, level by level (Eq. 4 and 5)."""

import functools
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.search_space import primitives as names
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import Choice

OTHER_BRANCH = {keys.POSE: keys.PARSING, keys.PARSING: keys.POSE}


class PendingTerms:
    """Terms that earlier levels have left for later ones, by branch."""

    def __init__(self) -> None:
        self._terms = {branch: {} for branch in keys.BRANCHES}

    def add(self, branch: str, level: int, term) -> None:
        """Leaves one term of the sum that `level` will take."""
        self._terms[branch].setdefault(level, []).append(term)

    def take(self, branch: str, level: int) -> list:
        """Returns what was left for `level`."""
        return self._terms[branch].pop(level, [])


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Interaction(keras.layers.Layer):
    """What each level of one pyramid takes from the other.

    Level i adds to its own feature a sum over edges from the other branch's
    levels j <= i. Of its own level it sees the other feature as it was before
    the exchange, of the levels before as they were after it: so both branches
    exchange at once and no cycle arises. A level's edges therefore leave in
    two fan-outs, `own` and `later`.

    Args:
        channels: C of Eq. 3.
        genes: For each branch seven nodes of choices, or None to search.
        channel_proportion: k of Eq. 1, where searched.
        primitives: Operations in the order of alpha, where searched.
    """

    def __init__(
        self,
        channels: int,
        genes: Mapping[str, Sequence] | None = None,
        channel_proportion: int = 2,
        primitives: Sequence[str] = names.PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.genes = genes
        self.channel_proportion = channel_proportion
        self.primitives = tuple(primitives)
        # Flat lists, since Keras tracks those: branch by branch, level by
        # level.
        self.own = [
            self._fanout(branch, level, is_own=True)
            for branch in keys.BRANCHES
            for level in range(topology.NUM_LEVELS)
        ]
        self.later = [
            self._fanout(branch, level, is_own=False)
            for branch in keys.BRANCHES
            for level in range(topology.NUM_LEVELS)
        ]

    def _fanout(self, branch: str, source: int, is_own: bool):
        """Edges into `branch` from level `source` of the other branch."""
        name = f"{branch}_from_{source}_{'own' if is_own else 'later'}"
        width = topology.level_channels(source, self.channels)
        if self.genes is None:
            last = source + 1 if is_own else topology.NUM_LEVELS
            first = source if is_own else source + 1
            targets = [self._target(source, i) for i in range(first, last)]
            if not targets:
                return None
            return MixedFanout(
                width,
                targets,
                channel_proportion=self.channel_proportion,
                primitives=self.primitives,
                name=name,
            )
        kept = [
            (self._target(source, level), Choice(*choice).primitive)
            for level, node in enumerate(self.genes[branch])
            for choice in node
            if Choice(*choice).predecessor == source
            and (level == source) == is_own
        ]
        if not kept:
            return None
        targets, primitives = zip(*kept, strict=True)
        return SelectedFanout(width, targets, primitives, name=name)

    def _target(self, source: int, level: int) -> Target:
        """Resizing and projection from one level to another."""
        scale = topology.level_stride(source) / topology.level_stride(level)
        # As in the release, an edge between different levels projects even
        # where both are equally wide.
        width = topology.level_channels(level, self.channels)
        return Target(level, scale, None if level == source else width)

    def build(self, input_shape=None) -> None:
        for fanout in (*self.own, *self.later):
            if fanout is not None:
                fanout.build((None, None, None, fanout.channels))
        self.built = True

    def call(self, features, level, pending, mixtures=None, training=None):
        """Exchanges one level.

        Args:
            features: Feature of each branch at this level.
            level: Pyramid level, counted from 0.
            pending: `PendingTerms` of this pass over the pyramid.
            mixtures: For each branch the mixtures of `edge_groups`, where
                searched.
            training: Whether to normalise with the batch.

        Returns:
            The new features of each branch.
        """
        updated = {}
        for branch in keys.BRANCHES:
            source = features[OTHER_BRANCH[branch]]
            self._send(
                self.own, branch, level, source, pending, mixtures, training
            )
            terms = pending.take(branch, level)
            updated[branch] = functools.reduce(tf.add, terms, features[branch])
        for branch in keys.BRANCHES:
            source = updated[OTHER_BRANCH[branch]]
            self._send(
                self.later, branch, level, source, pending, mixtures, training
            )
        return updated

    def _send(
        self, fanouts, branch, level, source, pending, mixtures, training
    ):
        position = keys.BRANCHES.index(branch) * topology.NUM_LEVELS + level
        fanout = fanouts[position]
        if fanout is None:
            return
        mixture = None
        if mixtures is not None:
            shift = 0 if fanouts is self.own else topology.NUM_LEVELS
            mixture = mixtures[branch][shift + level]
        outputs = fanout(source, mixture=mixture, training=training)
        for target, output in zip(fanout.targets, outputs, strict=True):
            pending.add(branch, target.node, output)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "genes": None
            if self.genes is None
            else {
                branch: [[list(c) for c in node] for node in nodes]
                for branch, nodes in self.genes.items()
            },
            "channel_proportion": self.channel_proportion,
            "primitives": list(self.primitives),
        }


def edge_groups() -> list[list[int]]:
    """Rows of alpha of each fan-out of one branch: seven own, six later."""
    edges = topology.interaction_edges()
    levels = range(topology.NUM_LEVELS)
    own = [[edges.index((level, level))] for level in levels]
    later = [
        [
            row
            for row, edge in enumerate(edges)
            if edge.predecessor == level and edge.node > level
        ]
        for level in levels[:-1]
    ]
    return own + later
