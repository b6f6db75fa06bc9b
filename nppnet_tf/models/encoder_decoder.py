"""One branch's encoder-decoder: a picture to a seven-level pyramid."""

import keras

from nppnet_tf.layers.cell import Cell
from nppnet_tf.layers.heads import Stem
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import BranchGene
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace


@keras.saving.register_keras_serializable(package="nppnet_tf")
class EncoderDecoder(keras.layers.Layer):
    """Searched or derived cells of one branch (Sec. 3.3, Fig. 4).

    The network walks two branches level by level, with the interaction in
    between; so a branch is not one `call` but three steps: `stem`, `encode`
    for levels 0..3, `decode` for levels 4..6.

    Args:
        channels: C of Eq. 3, a multiple of 4.
        num_cells: L, cells of the encoder, 4 or more.
        gene: `BranchGene`, or None to search.
        space: What is chosen from, where searched.
    """

    def __init__(
        self,
        channels: int,
        num_cells: int,
        gene: BranchGene | None = None,
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if num_cells < topology.NUM_ENCODER_LEVELS:
            raise ValueError(
                "The encoder has a cell at least for each of its levels. "
                f"Received: num_cells={num_cells}"
            )
        self.channels = channels
        self.num_cells = num_cells
        self.gene = gene
        self.space = space
        self.stem = Stem(channels, name="stem")
        self.encoder = [self._encoder_cell(i) for i in range(num_cells)]
        self.decoder = [
            self._cell(
                topology.node_channels(level, channels),
                parts.DECODING,
                f"decoding_{level}",
            )
            for level in range(topology.NUM_ENCODER_LEVELS, topology.NUM_LEVELS)
        ]

    def _encoder_cell(self, index: int) -> Cell:
        reductions = topology.reduction_cells(self.num_cells)
        level = topology.encoder_level(index, self.num_cells)
        kind = parts.REDUCTION if index in reductions else parts.NORMAL
        return self._cell(
            topology.node_channels(level, self.channels),
            kind,
            f"cell_{index:02d}_{kind}",
            reduces_first_input=index - 1 in reductions,
        )

    def _cell(self, channels: int, kind: str, name: str, **kwargs) -> Cell:
        return Cell(
            channels,
            kind,
            None if self.gene is None else getattr(self.gene, kind),
            space=self.space,
            name=name,
            **kwargs,
        )

    def build(self, input_shape) -> None:
        self.stem.build(input_shape)
        widths = [self.channels, self.channels]
        for cell in self.encoder:
            cell.build([(None, None, None, width) for width in widths])
            widths = [widths[1], topology.CELL_NODES * cell.channels]
        for level, cell in enumerate(self.decoder, topology.NUM_ENCODER_LEVELS):
            widths = [
                topology.level_channels(source, self.channels)
                for source in (level - 1, topology.NUM_LEVELS - 1 - level)
            ]
            cell.build([(None, None, None, width) for width in widths])
        self.built = True

    def cells_of(self, level: int) -> list[Cell]:
        """Returns the encoder's cells of one level, 0..3."""
        return [
            cell
            for index, cell in enumerate(self.encoder)
            if topology.encoder_level(index, self.num_cells) == level
        ]

    def encode(self, level, states, mixtures=None, training=None):
        """Runs the cells of one level.

        Args:
            level: 0..3.
            states: The outputs of the two cells before.
            mixtures: For each kind of cell one mixture per state, where
                searched.
            training: Whether to normalize with the batch.

        Returns:
            The last two outputs; the second is the level's feature.
        """
        for cell in self.cells_of(level):
            output = self._run(cell, states, mixtures, training)
            states = (states[1], output)
        return states

    def decode(self, level, low, skip, mixtures=None, training=None):
        """Runs one decoding cell.

        Args:
            level: 4..6.
            low: The level before, at half the size.
            skip: The encoder's level of the same size.
            mixtures: Mixtures as `encode` takes them.
            training: Whether to normalize with the batch.
        """
        cell = self.decoder[level - topology.NUM_ENCODER_LEVELS]
        return self._run(cell, (low, skip), mixtures, training)

    def _run(self, cell, inputs, mixtures, training):
        mixture = None if mixtures is None else mixtures[cell.kind]
        return cell(inputs, mixtures=mixture, training=training)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "num_cells": self.num_cells,
            "gene": None if self.gene is None else self.gene.to_lists(),
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        gene = BranchGene.of(config["gene"])
        space = SearchSpace(**config["space"])
        return cls(**{**config, "gene": gene, "space": space})
