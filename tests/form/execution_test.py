"""The graph that answers is small, and answers at every size."""

import collections

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from nppnet_tf.models.nppnet import NPPNet
from tests.form import networks

# What a graph of any size is traced for.
ANY = [tf.TensorSpec([None, None, None, 3], tf.float32)]


class ExecutionTest(absltest.TestCase):
    def test_sizes_known_and_unknown_give_the_same(self):
        """Of the form, and of the network as it is described."""
        network = networks.settled(networks.random_genotype(1))
        described = description.describe(network)
        picture = tf.random.stateless_normal([2, 96, 160, 3], [1, 2])
        for outputs in (
            nodes.by_stage(described),
            rules.inference(described, (4096, 4096)),
        ):
            form = Form(outputs)
            any_size = tf.function(form.__call__, input_signature=ANY)

            found = any_size(picture)
            for name, value in form(picture).items():
                np.testing.assert_allclose(
                    found[name], value, rtol=1e-4, atol=1e-4
                )

    def test_the_graph_of_the_demo_stays_small(self):
        network = NPPNet.from_preset("released", channels=16, cells=4)
        outputs = rules.inference(description.describe(network), (128, 96))
        form = Form(outputs)

        graph = tf.function(form.__call__, input_signature=ANY)
        graph = graph.get_concrete_function().graph

        count = collections.Counter(op.type for op in graph.get_operations())
        self.assertLess(count.total(), 2000)
        # The rest are products of matrices.
        self.assertLess(count["Conv2D"], 135)
        self.assertEmpty(form.network_variables)

    def test_tracing_says_nothing(self):
        """Every warning would stand in the terminal of who predicts."""
        pooled = nodes.MaxPooling((nodes.Picture(()),))
        form = Form({"out": nodes.Rectification((pooled,))})

        with self.assertNoLogs(level="WARNING"):
            tf.function(form.__call__, input_signature=ANY)(
                tf.zeros([1, 32, 32, 3])
            )

    def test_kernels_of_a_large_network_are_saved_beside_the_graph(self):
        read = nodes.Picture(())
        kernel = np.ones((3, 3, 3, 1 << 18), np.float32)
        large = nodes.Convolution((read,), kernel, np.zeros(1 << 18, "f4"))

        form = Form({"out": large})

        self.assertLen(form.network_variables, 1)
        self.assertEqual(form.variables, tuple(form.network_variables))


if __name__ == "__main__":
    absltest.main()
