"""Tests of nppnet_tf.benchmarks.edge_by_edge and flat_network."""

import functools

import numpy as np
from absl.testing import absltest

from nppnet_tf.benchmarks import edge_by_edge
from nppnet_tf.benchmarks import flat_network
from nppnet_tf.benchmarks.flat_network import MixedEdge
from nppnet_tf.config import NetworkConfig
from nppnet_tf.form import nodes
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from tests.form import networks

SIZE = (32, 64)
CONFIG = NetworkConfig(channels=8, cells=4, num_fusion_cells=1)


@functools.cache
def supernet():
    start = stages.start(stages.INTERACTION_FUSION, published.unet())
    return NPPNet(start, CONFIG)


class FlattenTest(absltest.TestCase):
    def test_values_are_freed_behind_their_last_reader(self):
        picture = nodes.Picture(())
        first = nodes.Rectification((picture,))
        second = nodes.Sum((first, picture))
        outputs = {"a": nodes.Sum((second, first)), "b": second}

        found = flat_network.flatten(outputs, SIZE)

        self.assertEqual(
            [(step.reads, step.frees) for step in found.steps],
            [((), ()), ((0,), ()), ((1, 0), (0,)), ((2, 1), (1,))],
        )
        self.assertEqual(found.outputs, {"a": 3, "b": 2})
        self.assertTrue(all(not step.node.inputs for step in found.steps))


class WriteDownTest(absltest.TestCase):
    def test_it_learns_as_many_numbers_as_the_network(self):
        network = NPPNet(networks.random_genotype(1), CONFIG)

        found = edge_by_edge.write_down(network, SIZE)

        self._assert_learns_what(network, found)

    def test_every_edge_of_a_supernet_is_there(self):
        network = supernet()

        found = edge_by_edge.write_down(network, SIZE)

        self._assert_learns_what(network, found)
        edges = [
            step.node
            for step in found.steps
            if isinstance(step.node, MixedEdge)
        ]
        self.assertCountEqual(
            [(edge.part, edge.row) for edge in edges],
            [
                (part.name, row)
                for part in network.searched_parts
                for row in range(len(part.edges))
            ],
        )
        for edge in edges:
            self.assertLen(edge.operations, len(network.space.primitives))

    def _assert_learns_what(self, network, found):
        self.assertEqual(
            learned(found),
            sum(np.prod(w.shape, dtype=int) for w in network.trainable_weights),
        )


def learned(flat, is_affine=True):
    """Numbers that a listed network learns."""
    count = sum(
        part.alpha.size + part.beta.size for part in flat.architecture.values()
    )
    for step in flat.steps:
        match step.node:
            case nodes.Convolution() as node:
                count += node.kernel.size
                count += node.bias.size if node.bias.any() else 0
            case nodes.Depthwise() as node:
                count += node.kernel.size
            case nodes.Scaling() as node:
                count += 2 * node.scale.size if is_affine else 0
            case MixedEdge() as node:
                count += sum(learned(x, False) for x in node.operations)
                if node.projection is not None:
                    count += node.projection.kernel.size
                    count += node.projection.bias.size
    return count


if __name__ == "__main__":
    absltest.main()
