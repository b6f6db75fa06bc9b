"""Tests of nppnet_tf.training.constants."""

import collections

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf.layers.normalization import frozen_statistics
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.training import constants

# Of a supernet's forward pass: 4,422 of today's.
MOST_NODES = 5_300


def _graph(function, *arguments):
    return tf.function(function).get_concrete_function(*arguments).graph


def _kinds(graph):
    return collections.Counter(node.op for node in graph.as_graph_def().node)


class SharedConstantsTest(absltest.TestCase):
    def test_equal_constants_are_one_node(self):
        def function(x):
            with constants.shared():
                x = tf.reduce_sum(x + 2.0, 1) * tf.constant(2.0)
                return tf.reduce_sum(x * 2.0 + tf.constant([2.0]))

        graph = _graph(function, tf.ones([3, 4]))

        # 2.0; [2.0]; the axis 1; the axes of the last sum.
        self.assertEqual(_kinds(graph)["Const"], 4)
        self.assertEqual(tf.function(function)(tf.ones([3, 4])), 150)

    def test_other_types_and_shapes_stay_apart(self):
        def function():
            with constants.shared():
                return [
                    tf.constant(value, dtype, shape) + tf.cast(0, dtype)
                    for value, dtype, shape in (
                        (0, tf.int32, [1]),
                        (0, tf.int64, [1]),
                        (0, tf.float32, [1]),
                        (0, tf.float32, [2]),
                    )
                ]

        values = tf.function(function)()

        self.assertEqual(
            [(v.dtype.name, v.shape) for v in values],
            [("int32", 1), ("int64", 1), ("float32", 1), ("float32", 2)],
        )

    def test_gradients_share_shapes_and_offsets(self):
        kernels = [tf.fill([1, 1, 2, 2], float(i)) for i in (1, 2, 3)]

        def gradients(x, kernels):
            with tf.GradientTape() as tape:
                tape.watch(kernels)
                for kernel in kernels:
                    x = tf.nn.conv2d(x, kernel, 1, "SAME")
                    x, *_ = tf.compat.v1.nn.fused_batch_norm(
                        x, tf.ones([2]), tf.zeros([2])
                    )
                # The sides of joined tensors are constants.
                x = tf.concat([x, tf.square(x)], -1) * tf.concat([x, x], -1)
            return tape.gradient(x, kernels)

        def sharing(x, kernels):
            with constants.shared():
                return gradients(x, kernels)

        x = tf.reshape(tf.range(32.0), [1, 4, 4, 2])
        before, after = (
            tf.function(function) for function in (gradients, sharing)
        )

        kinds = _kinds(after.get_concrete_function(x, kernels).graph)
        many = _kinds(before.get_concrete_function(x, kernels).graph)
        self.assertEqual([many["ShapeN"], kinds["ShapeN"]], [3, 1])
        self.assertEqual([many["ConcatOffset"], kinds["ConcatOffset"]], [2, 1])
        for one, other in zip(
            before(x, kernels), after(x, kernels), strict=True
        ):
            self.assertEqual(one.numpy().tobytes(), other.numpy().tobytes())

    def test_what_is_not_known_is_not_shared(self):
        def function(x, y):
            with constants.shared():
                shapes = [tf.raw_ops.Shape(input=each) for each in (x, y)]
                # Of equal constants, but also of what is no constant.
                return [tf.raw_ops.AddV2(x=1, y=each) for each in shapes]

        unknown = tf.TensorSpec([None])
        traced = tf.function(function, input_signature=[unknown, unknown])

        found = traced(tf.zeros([1]), tf.zeros([2]))

        self.assertEqual([each.numpy()[0] for each in found], [2, 3])

    def test_branches_have_constants_of_their_own(self):
        def function(x):
            with constants.shared():
                x = x + 2.0
                return tf.cond(x > 3.0, lambda: x * 2.0, lambda: x - 2.0)

        traced = tf.function(function)

        self.assertEqual(float(traced(tf.constant(2.0))), 8)
        self.assertEqual(float(traced(tf.constant(0.0))), 0)

    def test_nothing_is_shared_afterwards(self):
        def function(x):
            with constants.shared():
                x = x + 2.0
            return x * 2.0

        self.assertEqual(_kinds(_graph(function, tf.ones([])))["Const"], 2)

    def test_nodes_of_a_supernet_stay_few(self):
        network = NPPNet(
            stages.start("interaction_fusion", published.unet()),
            configuration.NetworkConfig(
                channels=16, cells=4, num_fusion_cells=1
            ),
        )

        def function(x):
            with constants.shared(), frozen_statistics():
                return network(x, training=True)

        graph = _graph(function, tf.TensorSpec([1, 64, 64, 3]))

        kinds = _kinds(graph)
        self.assertLess(kinds["Const"], 200)
        self.assertLess(sum(kinds.values()), MOST_NODES)


if __name__ == "__main__":
    absltest.main()
