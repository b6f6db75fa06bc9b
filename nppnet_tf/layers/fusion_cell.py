"""The cell of the high-level fusion: pose and parsing cell are instances."""

import keras
import tensorflow as tf

from nppnet_tf.layers.cell import CellGraph
from nppnet_tf.layers.cell import GraphCell
from nppnet_tf.layers.cell import from_plain
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import CellGene
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace


@keras.saving.register_keras_serializable(package="nppnet_tf")
class FusionCell(GraphCell):
    """Three inputs, four nodes, two outputs (Sec. 3.5).

    Args:
        channels: C; of every state.
        gene: `CellGene`, or None to search.
        space: What a searched cell chooses from.

    Call arguments:
        inputs: The branch's auxiliary feature [batch, height, width, 3C], the
            main pose and the main parsing feature, each 4C wide.
        mixtures: One `EdgeMixture` per state, of a searched cell.

    Returns:
        The new auxiliary feature, 3C wide: the preprocessed inputs; and the
        new main feature, 4C wide: the nodes.
    """

    def __init__(
        self,
        channels: int,
        gene: CellGene | None = None,
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.gene = gene
        self.space = space
        self.preprocess = [
            ConvolutionBlock(channels, name=f"preprocess_{number}")
            for number in range(topology.FUSION_INPUTS)
        ]
        self.graph = CellGraph(
            channels,
            topology.FUSION_INPUTS,
            self.gene,
            space=space,
            name="graph",
        )

    def call(self, inputs, mixtures=None, training=None):
        states, nodes = self.states_and_nodes(inputs, mixtures, training)
        return tf.concat(states, -1), tf.concat(nodes, -1)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "gene": None if self.gene is None else self.gene.to_lists(),
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**from_plain(config))
