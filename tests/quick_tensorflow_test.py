"""Tests of tests.quick_tensorflow."""

import tensorflow as tf
from absl.testing import absltest

from tests import quick_tensorflow


class HastenTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        quick_tensorflow.hasten()

    def test_variables_are_apart_and_keep_their_names(self):
        with tf.name_scope("outer"):
            first = tf.Variable(1.0, name="first")
            second = tf.Variable(2.0, name="second")
        second.assign(3.0)

        self.assertEqual([float(first), float(second)], [1, 3])
        self.assertEqual(first.name, "outer/first:0")
        self.assertEqual(second.name, "outer/second:0")

    def test_graphs_keep_names_of_variables(self):
        with tf.Graph().as_default() as graph:
            tf.Variable(1.0, name="first")

        (node,) = (
            node
            for node in graph.as_graph_def().node
            if node.op == "VarHandleOp"
        )
        self.assertEqual(node.attr["debug_name"].s, b"first/")

    def test_errors_of_graphs_name_their_operation(self):
        @tf.function
        def wrong(text):
            return tf.strings.to_number(text, name="mine")

        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "mine"):
            wrong(tf.constant("word"))


if __name__ == "__main__":
    absltest.main()
