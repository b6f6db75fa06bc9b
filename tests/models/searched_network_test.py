"""Tests of what a search needs of a network of any kind."""

import keras
import numpy as np
from absl.testing import absltest

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.models.searched_network import SearchedNetwork
from nppnet_tf.search_space import topology


class Network(SearchedNetwork, keras.Model):
    def __init__(self, is_searched=True):
        super().__init__()
        self.head = keras.layers.Dense(2)
        self.head.build((None, 3))
        self.architecture = {}
        if is_searched:
            found = ArchitectureParameters(topology.cell_edges(2), 4)
            found.build()
            self.architecture["cell"] = found


class SearchedNetworkTest(absltest.TestCase):
    def test_weights_are_told_apart(self):
        network = Network()

        self.assertEqual(
            [w.name for w in network.architecture_weights], ["alpha", "beta"]
        )
        self.assertEqual(
            [w.name for w in network.network_weights], ["kernel", "bias"]
        )

    def test_entropy_is_that_of_its_edges(self):
        self.assertAlmostEqual(float(Network().entropy()), np.log(4), places=5)
        self.assertEqual(float(Network(is_searched=False).entropy()), 0)


if __name__ == "__main__":
    absltest.main()
