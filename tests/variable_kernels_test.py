"""Tests of tests.variable_kernels."""

import tensorflow as tf
from absl.testing import absltest

from tests import variable_kernels


class ShareTest(absltest.TestCase):
    def test_variables_are_apart_and_keep_their_names(self):
        variable_kernels.share()

        with tf.name_scope("outer"):
            first = tf.Variable(1.0, name="first")
            second = tf.Variable(2.0, name="second")
        second.assign(3.0)

        self.assertEqual([float(first), float(second)], [1, 3])
        self.assertEqual(first.name, "outer/first:0")
        self.assertEqual(second.name, "outer/second:0")

    def test_graphs_are_as_ever(self):
        variable_kernels.share()

        with tf.Graph().as_default() as graph:
            tf.Variable(1.0, name="first")

        (node,) = (
            node
            for node in graph.as_graph_def().node
            if node.op == "VarHandleOp"
        )
        self.assertEqual(node.attr["debug_name"].s, b"first/")


if __name__ == "__main__":
    absltest.main()
