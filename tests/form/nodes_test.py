"""Nodes know their sizes and work, and are replaced in order."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.form import nodes


def pointwise(read, filters=2):
    """Returns a 1x1 convolution of a node."""
    kernel = np.ones((1, 1, read.channels, filters), np.float32)
    return nodes.Convolution((read,), kernel, np.zeros(filters, np.float32))


class NodesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.picture = nodes.Picture(())

    def test_work_counts_every_pixel_of_the_stride(self):
        kernel = np.ones((3, 3, 3, 4), np.float32)
        half = nodes.Convolution((self.picture,), kernel, np.zeros(4), 2)
        mean = pointwise(nodes.GlobalMean((half,)))

        self.assertEqual(half.macs((6, 8)), 3 * 4 * 9 * 3 * 4)
        # Rounded up, as a convolution with padding is.
        self.assertEqual(half.macs((5, 8)), 3 * 4 * 9 * 3 * 4)
        self.assertEqual(mean.macs((6, 8)), 4 * 2)
        self.assertEqual(nodes.total_macs({"a": mean}, (6, 8)), 1296 + 8)

    def test_inputs_come_first_and_once(self):
        left, right = pointwise(self.picture), pointwise(self.picture)
        total = nodes.Sum((left, right))

        order = list(nodes.in_order([total, left]))

        self.assertEqual(order, [self.picture, left, right, total])

    def test_what_several_read_is_told(self):
        left = pointwise(self.picture)
        right = pointwise(left)
        seen = {}

        def look(node, is_read_once):
            for read in node.inputs:
                seen[type(node), type(read)] = is_read_once(read)
            return node

        nodes.rewrite({"sum": nodes.Sum((right,)), "left": left}, look)

        self.assertFalse(seen[nodes.Convolution, nodes.Convolution])
        self.assertTrue(seen[nodes.Sum, nodes.Convolution])

    def test_a_node_in_place_of_another_inherits_its_readers(self):
        """So that a rule sees what another node of its pass has become."""
        first = nodes.Rectification((self.picture,))
        readers = {"a": pointwise(first), "b": pointwise(first)}
        seen = []

        def look(node, is_read_once):
            if isinstance(node, nodes.Rectification):
                return nodes.Sigmoid(node.inputs)
            seen.extend(map(is_read_once, node.inputs))
            return node

        outputs = nodes.rewrite(readers, look)

        self.assertEqual(seen, [False, False])
        self.assertIsInstance(outputs["a"].inputs[0], nodes.Sigmoid)


if __name__ == "__main__":
    absltest.main()
