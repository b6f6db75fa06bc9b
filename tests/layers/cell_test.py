"""Tests of cells."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers import cell as cells
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.cell import Cell
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.space import SearchSpace
from tests import reference_arrays
from tests.layers import copied_weights
from tests.layers import reference_weights

POSE = published.released().encoder_decoder.pose
PARSING = published.released().encoder_decoder.parsing


def one_of_each_node(primitive):
    """Every node keeps two edges with the same operation."""
    nodes = tuple(
        (
            genotypes.Choice(primitive, node),
            genotypes.Choice(primitive, node + 1),
        )
        for node in range(topology.CELL_NODES)
    )
    return genotypes.CellGene(nodes)


class CellTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("normal", "cell_normal", cells.NORMAL, POSE.normal, False),
        (
            "after_reduction",
            "cell_normal_after_reduction",
            cells.NORMAL,
            POSE.normal,
            True,
        ),
        ("reduction", "cell_reduce", cells.REDUCTION, POSE.reduction, False),
        (
            "pose_decoding",
            "decoder_upsample1",
            cells.DECODING,
            POSE.decoding,
            False,
        ),
        (
            "parsing_decoding",
            "decoder_upsample2",
            cells.DECODING,
            PARSING.decoding,
            False,
        ),
    )
    def test_equals_the_release(self, name, kind, gene, reduces):
        arrays = reference_arrays.load(f"operations/block_{name}.npz")
        inputs = [reference_weights.to_ours(arrays[f"x{i}"]) for i in (0, 1)]
        layer = Cell(8, kind, gene, reduces)
        layer.build([x.shape for x in inputs])
        reference_weights.fill(layer, arrays)

        for training, key in ((False, "y"), (True, "y_train")):
            y = layer(inputs, training=training)
            np.testing.assert_allclose(
                y, reference_weights.to_ours(arrays[key]), atol=2e-4
            )

    @parameterized.product(
        kind=(cells.NORMAL, cells.REDUCTION, cells.DECODING),
        primitive=(
            primitives.SE_CONNECT,
            primitives.DIL_CONV_3X3_2,
            primitives.SKIP_CONNECT,
        ),
    )
    def test_one_hot_supernet_is_the_derived_cell(self, kind, primitive):
        gene = one_of_each_node(primitive)
        searched = Cell(8, kind, space=SearchSpace(channel_proportion=1))
        derived = Cell(8, kind, gene)
        low = 4 if kind == cells.DECODING else 8
        inputs = [
            tf.random.stateless_normal([2, low, low, 8], [1, 2]),
            tf.random.stateless_normal([2, 8, 8, 8], [3, 4]),
        ]
        for layer in (searched, derived):
            layer.build([x.shape for x in inputs])
        copied_weights.randomize(searched)
        mixtures = copied_weights.copy_cell(searched, derived)

        y = searched(inputs, mixtures=mixtures)

        np.testing.assert_allclose(y, derived(inputs), atol=1e-4)

    def test_searched_cell_has_14_edges(self):
        layer = Cell(8)

        edges = [
            (target.node, state)
            for state, fanout in enumerate(layer.graph.fanouts)
            if fanout is not None
            for target in fanout.targets
        ]

        self.assertCountEqual(edges, topology.cell_edges(2))
        self.assertLen(edges, 14)

    def test_reduction_strides_on_input_edges_only(self):
        layer = Cell(8, cells.REDUCTION)

        strides = [f.stride for f in layer.graph.fanouts if f is not None]

        self.assertEqual(strides, [2, 2, 1, 1, 1])

    def test_searched_cell_gives_every_parameter_a_gradient(self):
        layer = Cell(8)
        x = tf.random.stateless_normal([2, 8, 8, 8], [1, 2])
        layer.build([x.shape, x.shape])
        parameters = ArchitectureParameters(topology.cell_edges(2), 8)
        parameters.build()
        weights = [v.value for v in layer.trainable_weights]
        architecture = [parameters.alpha.value, parameters.beta.value]

        with tf.GradientTape() as tape:
            mixtures = parameters.mixtures(topology.cell_groups(2))
            outputs = layer([x, x], mixtures=mixtures, training=True)
            loss = tf.reduce_sum(tf.sin(outputs) * tf.range(32.0))
        gradients = tape.gradient(loss, weights + architecture)

        for gradient in gradients:
            self.assertGreater(float(tf.reduce_sum(tf.abs(gradient))), 0)

    def test_config_makes_the_same_layer(self):
        layer = Cell(8, cells.REDUCTION, POSE.reduction)

        copy = Cell.from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())
        self.assertEqual(copy.gene, POSE.reduction)

    def test_unknown_kind_is_refused(self):
        with self.assertRaisesRegex(ValueError, "kind='upsampling'"):
            Cell(8, "upsampling")


if __name__ == "__main__":
    absltest.main()
