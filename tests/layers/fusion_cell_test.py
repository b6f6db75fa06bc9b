"""Tests of the pose and the parsing cell."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.fusion_cell import FusionCell
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.space import SearchSpace
from tests import reference_arrays
from tests.layers import reference_weights

FUSION = published.released().fusion


class FusionCellTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("pose", "pose", FUSION.pose), ("parsing", "par", FUSION.parsing)
    )
    def test_equals_the_release(self, name, gene):
        arrays = reference_arrays.load(f"operations/block_fusion_{name}.npz")
        layer, inputs = self._layer(arrays, gene)
        reference_weights.fill(layer, arrays)

        self._assert_outputs(layer, inputs, arrays)

    @parameterized.parameters("pose", "par")
    def test_searched_cell_equals_the_release(self, name):
        arrays = reference_arrays.load(
            f"operations/block_search_{name}_cell.npz"
        )
        layer, inputs = self._layer(
            arrays,
            None,
            space=SearchSpace(primitives.RELEASED_INTERACTION_FUSION),
        )
        tensors = reference_weights.weights_of(arrays)
        for number, block in enumerate(layer.preprocess):
            reference_weights.fill(block, arrays, f".preprocess{number}")
        groups = topology.cell_groups(topology.FUSION_INPUTS)
        mixtures = []
        for state, rows in enumerate(map(list, groups)):
            prefixes = [f"_ops.{row}._ops" for row in rows]
            reference_weights.fill_mixed_fanout(
                layer.graph.fanouts[state], tensors, prefixes
            )
            edges = arrays["a1"][rows]
            shares = np.transpose(arrays["a0"][rows] * edges[:, None])
            mixtures.append(
                EdgeMixture(
                    tf.constant(shares[..., None]), tf.constant(edges[:, None])
                )
            )

        # One normalization after max pooling where the release has two: the
        # epsilon tells them apart where a channel hardly varies.
        self._assert_outputs(layer, inputs, arrays, mixtures, 1e-3)

    def _layer(self, arrays, gene, **kwargs):
        inputs = [
            reference_weights.to_ours(arrays[f"x{number}"])
            for number in range(topology.FUSION_INPUTS)
        ]
        layer = FusionCell(inputs[0].shape[-1] // 3, gene, **kwargs)
        layer.build([x.shape for x in inputs])
        return layer, inputs

    def _assert_outputs(
        self, layer, inputs, arrays, mixtures=None, batch_tolerance=3e-4
    ):
        for training, key, tolerance in (
            (False, "y", 2e-5),
            (True, "y_train", batch_tolerance),
        ):
            outputs = layer(inputs, mixtures=mixtures, training=training)
            for number, output in enumerate(outputs):
                expected = reference_weights.to_ours(arrays[f"{key}{number}"])
                np.testing.assert_allclose(output, expected, atol=tolerance)

    def test_searched_cell_has_18_edges(self):
        layer = FusionCell(8)

        fanouts = [f for f in layer.graph.fanouts if f is not None]

        self.assertEqual(sum(len(f.targets) for f in fanouts), 18)

    def test_config_makes_the_same_layer(self):
        layer = FusionCell(8, FUSION.pose)

        copy = FusionCell.from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())


if __name__ == "__main__":
    absltest.main()
