"""What is described is what the layers compute."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form.execution import Form
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.models.cost import cost
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from tests.form import networks
from tests.training import tiny_network

# An odd number of pixels at the lowest level.
SIZE = (96, 64)


class Doubled(keras.layers.Layer):
    """An operation of one's own: twice every second pixel."""

    def call(self, inputs, training=None):
        if training:
            raise ValueError("answers are made at rest")
        return 2.0 * inputs[:, ::2, ::2]

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] // 2, shape[2] // 2, shape[3])


class DescriptionTest(parameterized.TestCase):
    def test_every_operation_is_in_a_genotype(self):
        text = repr(networks.GENOTYPES)

        self.assertEmpty([n for n in primitives.PAPER if f"'{n}'" not in text])

    @parameterized.parameters(*networks.GENOTYPES)
    def test_all_outputs_are_those_of_the_network(self, name):
        network = networks.settled(networks.GENOTYPES[name])
        picture = tf.random.stateless_normal([2, *SIZE, 3], [1, 2])

        described = description.describe(network)

        expected = network(picture, training=False)
        found = Form(nodes.by_stage(described))(picture)
        self.assertLen(found, sum(map(len, expected.values())))
        for key, stages_ in expected.items():
            for stage, value in enumerate(stages_):
                # Relative to the largest: some reach the hundreds.
                scale = np.abs(value).max()
                np.testing.assert_allclose(
                    found[f"{key}_{stage}"] / scale, value / scale, atol=1e-5
                )

    def test_work_is_that_of_the_published_order(self):
        network = networks.settled(published.released())

        outputs = nodes.by_stage(description.describe(network))

        macs = nodes.total_macs(outputs, SIZE)
        # There a dilated convolution is counted with the margin that it is
        # laid out with.
        published_macs = cost(network, SIZE).published_macs
        self.assertBetween(macs, 0.999 * published_macs, published_macs)

    def test_a_described_layer_with_another_call_stays_as_it_is(self):
        class Negative(Convolution):
            def call(self, inputs):
                return -super().call(inputs)

        layer = Negative(2, 1)
        layer.build((None, None, None, 3))

        node = description.layer(layer, nodes.Picture(()))

        self.assertIsInstance(node, nodes.OwnLayer)

    def test_a_layer_of_ones_own_stays_as_it_is(self):
        picture = tf.random.stateless_normal([1, 8, 6, 3], [1, 2])
        layer = Doubled()

        node = description.layer(layer, nodes.Picture(()))

        self.assertEqual((node.stride, node.channels), (2, 3))
        found = Form({"out": node})(picture)["out"]
        np.testing.assert_array_equal(found, 2 * picture[:, ::2, ::2])

    def test_a_supernet_is_refused(self):
        with self.assertRaisesRegex(UserError, "supernet .* `network`"):
            description.describe(tiny_network.TinyNetwork())


if __name__ == "__main__":
    absltest.main()
