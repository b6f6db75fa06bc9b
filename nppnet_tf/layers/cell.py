"""Cells: a small graph of operations between two preprocessed inputs."""

import functools
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.fanout import make_fanout
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.genotype import CellGene
from nppnet_tf.search_space.parts import CELL_KINDS
from nppnet_tf.search_space.parts import DECODING
from nppnet_tf.search_space.parts import NORMAL
from nppnet_tf.search_space.parts import REDUCTION
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace


def from_plain(config: dict) -> dict:
    """Returns the config of a cell with its gene and space as objects."""
    return {
        **config,
        "gene": CellGene.of(config["gene"]),
        "space": SearchSpace(**config["space"]),
    }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class CellGraph(keras.layers.Layer):
    """The nodes of a cell and the edges between them (Sec. 3.2).

    Walks the states in order and hands each to its fan-out. With a gene it
    holds the kept operations; without, every operation of every edge.

    Args:
        channels: Channels of every state.
        num_inputs: States before the first node.
        gene: `CellGene`, or None to search.
        input_strides: Stride of the operations that leave each input.
        input_scales: Factor by which edges that leave each input are resized.
        space: What a searched cell chooses from.

    Call arguments:
        inputs: `num_inputs` tensors [batch, height, width, channels].
        mixtures: One `EdgeMixture` per state with edges, of a searched cell.

    Returns:
        The four nodes.
    """

    def __init__(
        self,
        channels: int,
        num_inputs: int,
        gene: CellGene | None = None,
        input_strides: Sequence[int] | None = None,
        input_scales: Sequence[int] | None = None,
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.num_inputs = num_inputs
        self.gene = gene
        self.input_strides = tuple(input_strides or [1] * num_inputs)
        self.input_scales = tuple(input_scales or [1] * num_inputs)
        self.space = space
        num_states = num_inputs + topology.CELL_NODES
        self.fanouts = [self._fanout(state) for state in range(num_states)]

    def _fanout(self, state: int):
        is_input = state < self.num_inputs
        scale = self.input_scales[state] if is_input else 1
        edges = topology.cell_edges(self.num_inputs)
        rows = topology.rows_of(edges, state)
        return make_fanout(
            self.channels,
            [Target(edges[row].node, scale) for row in rows],
            state,
            None if self.gene is None else self.gene.nodes,
            self.space,
            self.input_strides[state] if is_input else 1,
            name=f"state_{state}",
        )

    def build(self, input_shape=None) -> None:
        for fanout in self.fanouts:
            if fanout is not None:
                fanout.build((None, None, None, self.channels))
        self.built = True

    def call(self, inputs, mixtures=None, training=None):
        states = list(inputs)
        terms = [[] for _ in range(topology.CELL_NODES)]
        for state, fanout in enumerate(self.fanouts):
            if state >= self.num_inputs:
                # Eq. 2: a node is the sum of its edges. One after the other:
                # AddN takes whichever comes first, see `training.gradients`.
                edges = terms[state - self.num_inputs]
                states.append(functools.reduce(tf.add, edges))
            if fanout is None:
                continue
            mixture = None if mixtures is None else mixtures[state]
            outputs = fanout(states[state], mixture=mixture, training=training)
            for target, output in zip(fanout.targets, outputs, strict=True):
                terms[target.node].append(output)
        return states[self.num_inputs :]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "num_inputs": self.num_inputs,
            "gene": None if self.gene is None else self.gene.to_lists(),
            "input_strides": list(self.input_strides),
            "input_scales": list(self.input_scales),
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**from_plain(config))


@keras.saving.register_keras_serializable(package="nppnet_tf")
class GraphCell(keras.layers.Layer):
    """What all cells share: inputs are preprocessed, then a graph runs.

    Attributes:
        preprocess: One layer per input; set by the subclass.
        graph: `CellGraph`; set by the subclass.
    """

    preprocess: Sequence[keras.layers.Layer]
    graph: CellGraph

    def build(self, input_shape) -> None:
        for layer, shape in zip(self.preprocess, input_shape, strict=True):
            layer.build(shape)
        self.graph.build()
        self.built = True

    def states_and_nodes(self, inputs, mixtures, training):
        """Returns the preprocessed inputs and the graph's nodes."""
        states = [
            layer(state, training=training)
            for layer, state in zip(self.preprocess, inputs, strict=True)
        ]
        return states, self.graph(states, mixtures=mixtures, training=training)


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Cell(GraphCell):
    """A normal, reduction or decoding cell with two inputs (Sec. 3.3).

    A reduction cell strides on the edges that leave its inputs. A decoding
    cell takes the low-scale input first and upsamples its edges.

    Args:
        channels: Channels of every node; the output has four times as many.
        kind: `NORMAL`, `REDUCTION` or `DECODING`.
        gene: `CellGene`, or None to search.
        reduces_first_input: Whether the first input has twice the size of the
            second, as after a reduction cell.
        space: What a searched cell chooses from.

    Call arguments:
        inputs: Two tensors [batch, height, width, any].
        mixtures: One `EdgeMixture` per state, of a searched cell.

    Returns:
        The concatenated nodes, [batch, height, width, 4 * channels].
    """

    def __init__(
        self,
        channels: int,
        kind: str = NORMAL,
        gene: CellGene | None = None,
        reduces_first_input: bool = False,
        space: SearchSpace = PAPER,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if kind not in CELL_KINDS:
            raise ValueError(f"Unknown kind of cell. Received: {kind=}")
        self.channels = channels
        self.kind = kind
        self.gene = gene
        self.reduces_first_input = reduces_first_input
        self.space = space
        first = ConvolutionBlock
        if reduces_first_input:
            first = FactorizedReduction
        self.preprocess = [
            first(channels, name="preprocess_0"),
            ConvolutionBlock(channels, name="preprocess_1"),
        ]
        self.graph = CellGraph(
            channels,
            topology.CELL_INPUTS,
            self.gene,
            (2, 2) if kind == REDUCTION else (1, 1),
            (2, 1) if kind == DECODING else (1, 1),
            space,
            name="graph",
        )

    def call(self, inputs, mixtures=None, training=None):
        _, nodes = self.states_and_nodes(inputs, mixtures, training)
        return tf.concat(nodes, -1)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "kind": self.kind,
            "gene": None if self.gene is None else self.gene.to_lists(),
            "reduces_first_input": self.reduces_first_input,
            "space": self.space.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**from_plain(config))
