"""Every derived network answers by its form, equal to the network."""

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.form import answering
from nppnet_tf.form.execution import Form
from nppnet_tf.importing import parity
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_file
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from tests import reference_arrays
from tests.form import networks
from tests.inference import stand_in
from tests.shared import shared_path

SIZE = (96, 64)


@functools.cache
def _released():
    """The release's network, with the weights that it was compared with."""
    network = NPPNet.from_preset("released", channels=16, cells=8)
    state_dict.assign(
        state_dict.network_entries(network),
        torch_file.read(shared_path("reference/retrain_c8_l8.pth")),
    )
    return network


class AnsweringTest(parameterized.TestCase):
    def test_answers_are_those_of_the_network(self):
        network = networks.settled(networks.random_genotype(3))
        picture = tf.random.stateless_normal([2, *SIZE, 3], [3, 4])

        answers = answering.answering(network, SIZE)

        self.assertIsInstance(answers.function, Form)
        found = answers.function(picture)
        expected = network(picture, training=False)
        for key in (keys.HEATMAPS, keys.PARSING_LOGITS):
            value = expected[key][-1]
            scale = max(1, np.abs(value).max())
            np.testing.assert_allclose(
                found[key] / scale, value / scale, atol=1e-5
            )

    @parameterized.named_parameters(("square", "sq"), ("oblong", "ns"))
    def test_answers_are_those_of_the_release(self, tag):
        arrays = reference_arrays.load("retrain_c8_l8_io_eval.npz")
        network = _released()
        picture = tf.constant(arrays[f"{tag}/x"].transpose(0, 2, 3, 1))

        answers = answering.answering(network, tuple(picture.shape[1:3]))

        for key, value in answers.function(picture).items():
            theirs = arrays[f"{tag}/{parity.OUTPUTS[key].format(1)}"]
            np.testing.assert_allclose(
                value, theirs.transpose(0, 2, 3, 1), atol=1e-4
            )

    def test_a_network_with_another_call_answers_by_it(self):
        class Louder(NPPNet):
            def call(self, inputs, training=None):
                found = super().call(inputs, training)
                return {key: (9 * x[-1],) for key, x in found.items()}

        louder = networks.settle(Louder(published.unet(), networks.CONFIG))
        picture = tf.random.stateless_normal([1, *SIZE, 3], [3, 4])

        found = answering.answering(louder, SIZE).function(picture)

        plain = NPPNet.call(louder, picture)
        for key in (keys.HEATMAPS, keys.PARSING_LOGITS):
            self.assertGreater(np.abs(plain[key][-1]).max(), 0.01)
            np.testing.assert_allclose(
                found[key] / 9, plain[key][-1], atol=1e-4
            )

    def test_what_is_no_derived_network_answers_as_it_is(self):
        network = stand_in.StandIn()

        answers = answering.answering(network, SIZE)

        self.assertLen(answers.variables, len(network.variables))
        picture = tf.zeros([1, *SIZE, 3])
        self.assertSameElements(
            answers.function(picture), [keys.HEATMAPS, keys.PARSING_LOGITS]
        )


if __name__ == "__main__":
    absltest.main()
