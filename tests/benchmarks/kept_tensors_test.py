"""Tests of nppnet_tf.benchmarks.kept_tensors."""

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.benchmarks import kept_tensors


class KeptTensorsTest(absltest.TestCase):
    def test_what_a_gradient_reads_is_kept_and_no_gradient(self):
        kernel = tf.Variable(tf.ones([1, 1, 4, 4]))

        @tf.function(autograph=False)
        def step(x):
            with tf.GradientTape() as tape:
                # Read by the gradient of the second convolution and its own.
                hidden = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME"))
                # Of two gradients, whose sum is no result either.
                out = tf.nn.conv2d(hidden, kernel, 1, "SAME") + hidden
                loss = tf.reduce_sum(out)
            return tape.gradient(loss, kernel)

        found = kept_tensors.kept(step, tf.ones([1, 500, 500, 4]))

        self.assertEqual(found, {"all": 0.004, "Relu": 0.004})

    def test_another_shape_of_a_variable_is_not_kept_besides(self):
        kernel = tf.Variable(tf.ones([500, 2, 500]))

        @tf.function(autograph=False)
        def step(x):
            with tf.GradientTape() as tape:
                out = tf.nn.relu(x) @ tf.reshape(kernel, [1000, 500])
                loss = tf.reduce_sum(out)
            return tape.gradient(loss, kernel)

        found = kept_tensors.kept(step, tf.ones([250, 1000]))

        self.assertEqual(found, {"all": 0.001, "Relu": 0.001})


if __name__ == "__main__":
    absltest.main()
