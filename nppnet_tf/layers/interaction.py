"""Exchange between the two feature pyramids, level by level (Eq. 4 and 5)."""

import functools

import keras
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.fanout import make_fanout
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import InteractionGene
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

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
        gene: `InteractionGene`, or None to search.
        space: What is chosen from, where searched.
    """

    def __init__(
        self,
        channels: int,
        gene: InteractionGene | None = None,
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.gene = gene
        self.space = space
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
        first = source if is_own else source + 1
        last = source + 1 if is_own else topology.NUM_LEVELS
        return make_fanout(
            topology.level_channels(source, self.channels),
            [self._target(source, level) for level in range(first, last)],
            source,
            None if self.gene is None else getattr(self.gene, branch),
            self.space,
            name=f"{branch}_from_{source}_{'own' if is_own else 'later'}",
        )

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
            mixtures: For each branch those of `topology.interaction_groups`,
                where searched.
            training: Whether to normalize with the batch.

        Returns:
            The new features of each branch.
        """
        updated = {}
        for branch in keys.BRANCHES:
            source = features[OTHER_BRANCH[branch]]
            self._send(True, branch, level, source, pending, mixtures, training)
            terms = pending.take(branch, level)
            # Eq. 4, 5: the own feature, and the sum of the level's edges.
            updated[branch] = functools.reduce(tf.add, terms, features[branch])
        for branch in keys.BRANCHES:
            source = updated[OTHER_BRANCH[branch]]
            self._send(
                False, branch, level, source, pending, mixtures, training
            )
        return updated

    def _send(self, is_own, branch, level, source, pending, mixtures, training):
        position = keys.BRANCHES.index(branch) * topology.NUM_LEVELS + level
        fanout = (self.own if is_own else self.later)[position]
        if fanout is None:
            return
        mixture = None
        if mixtures is not None:
            shift = 0 if is_own else topology.NUM_LEVELS
            mixture = mixtures[branch][shift + level]
        outputs = fanout(source, mixture=mixture, training=training)
        for target, output in zip(fanout.targets, outputs, strict=True):
            pending.add(branch, target.node, output)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "gene": None if self.gene is None else self.gene.to_lists(),
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        gene = InteractionGene.of(config["gene"])
        space = SearchSpace(**config["space"])
        return cls(**{**config, "gene": gene, "space": space})
