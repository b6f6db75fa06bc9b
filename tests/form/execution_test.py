"""The graph that answers is small, and answers at every size."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
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

            for name, value in form(picture).items():
                np.testing.assert_allclose(
                    any_size(picture)[name], value, rtol=1e-4, atol=1e-4
                )

    def test_the_graph_of_the_demo_stays_small(self):
        """As traced; a convolution is read, convolved and given its bias."""
        network = NPPNet.from_preset("released", channels=16, cells=4)
        outputs = rules.inference(description.describe(network), (128, 96))
        form = Form(outputs)

        graph = tf.function(form.__call__, input_signature=ANY)
        graph = graph.get_concrete_function().graph

        self.assertLess(len(graph.get_operations()), 2400)
        self.assertLen(
            [op for op in graph.get_operations() if op.type == "Conv2D"], 110
        )

    def test_kernels_are_saved_with_the_graph(self):
        network = NPPNet(published.released(), networks.CONFIG)
        outputs = rules.inference(description.describe(network), (64, 64))

        form = Form(outputs)

        self.assertNotEmpty(form.network_variables)
        self.assertEqual(
            {id(variable) for variable in form.variables},
            {id(variable) for variable in form.network_variables},
        )


if __name__ == "__main__":
    absltest.main()
