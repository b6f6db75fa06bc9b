"""Tests of relaxations: the graph against the contract, draws, gradients."""

import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.relaxations import table
from nppnet_tf.layers.relaxations.gumbel import GumbelRelaxation
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import relaxation as contracts
from nppnet_tf.search_space import topology
from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording
from nppnet_tf.training.workdir import Workdir
from tests.layers.relaxations import sparsemax
from tests.training import tiny_network

EDGES = topology.cell_edges(2)
NAMES = ("softmax", "gumbel", "concrete", "reinmax", "dirichlet")


def made(name):
    layer = table.make(name)
    layer.build()
    return layer


def parameters(scale):
    random = np.random.default_rng(0)
    alpha = random.normal(scale=scale, size=(len(EDGES), 8))
    beta = random.normal(scale=scale, size=len(EDGES))
    return np.float32(alpha), np.float32(beta)


class OwnRelaxationCase(parameterized.TestCase):
    """With a relaxation from outside the package."""

    def setUp(self):
        super().setUp()
        # What a test registers ends with it.
        self.enterContext(mock.patch.dict(contracts._KNOWN))
        self.enterContext(mock.patch.dict(table._FORMS))
        sparsemax.register()


class ContractTest(OwnRelaxationCase):
    """Every relaxation is in the graph what it is in NumPy."""

    @parameterized.product(
        name=(*NAMES, sparsemax.NAME),
        scale=(1e-3, 1.0, 20.0),
    )
    def test_weights_and_entropies_equal_the_contract(self, name, scale):
        layer, contract = made(name), contracts.named(name)
        alpha, beta = parameters(scale)

        operations = layer.operation_weights(tf.constant(alpha))
        edges = layer.edge_weights(tf.constant(beta), EDGES)
        entropies = layer.entropies(tf.constant(alpha))

        expected = contract.operation_weights(np.float64(alpha))
        np.testing.assert_allclose(operations, expected, atol=2e-6)
        np.testing.assert_allclose(
            edges, contract.edge_weights(np.float64(beta), EDGES), atol=1e-6
        )
        logarithms = np.log(np.where(expected > 0, expected, 1))
        np.testing.assert_allclose(
            entropies, -(expected * logarithms).sum(axis=1), atol=2e-5
        )

    def test_none_of_the_known_is_left_out(self):
        self.assertEqual(
            [each.name for each in contracts.known()],
            [*NAMES, sparsemax.NAME],
        )

    def test_part_weighs_by_its_relaxation(self):
        layer = ArchitectureParameters(EDGES, 8, made(sparsemax.NAME))
        layer.build()
        alpha, beta = parameters(1.0)
        layer.alpha.assign(alpha)
        layer.beta.assign(beta)

        shares = layer.mixture().shares[..., 0].numpy()

        contract = contracts.named(sparsemax.NAME)
        np.testing.assert_allclose(
            shares.T, contract.shares(alpha, beta, EDGES), atol=1e-6
        )
        self.assertGreater(np.sum(shares == 0), 20)

    def test_part_keeps_its_relaxation_in_its_config(self):
        form = GumbelRelaxation(5.0, decay=0.5)
        layer = ArchitectureParameters(EDGES, 8, form)

        copy = ArchitectureParameters.from_config(layer.get_config())

        self.assertIsInstance(copy.relaxation, GumbelRelaxation)
        self.assertEqual(copy.get_config(), layer.get_config())
        self.assertEqual(copy.relaxation.first_temperature, 5.0)

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "relaxation.*found: argmax"):
            table.make("argmax")


class OwnRelaxationTest(OwnRelaxationCase):
    """Searched, recorded, derived, saved, as `docs/extending.md` says."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _search(self):
        """A search in which one operation leads and two share an edge."""
        model = tiny_network.search_model(relaxation=sparsemax.NAME)
        for parameters in model.network.architecture.values():
            alpha = np.zeros(parameters.alpha.shape)
            alpha[:, 2], alpha[:, 5] = 0.9, 0.7
            parameters.alpha.assign(alpha)
        return model

    def test_a_search_moves_what_weighs_anything(self):
        model = self._search()

        model.train_step(next(iter(tiny_network.search_dataset(1))))

        arrays = checkpoints.architecture_arrays(model.network)
        gradient_reached = arrays["pose/fusion"].alpha[:, (2, 5)]
        self.assertFalse(np.allclose(gradient_reached, [0.9, 0.7], atol=1e-4))

    def test_health_and_genotype_ask_it(self):
        recorder = recording.SearchRecorder(
            self._search(), Workdir(self.folder)
        )

        record = recorder.record(0, {"loss": 1.0}, 1.0)

        # 0.6 and 0.4 of each edge, by hand.
        entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
        self.assertAlmostEqual(record["entropy_mean"], entropy, places=5)
        checkpoint = checkpoints.load(recorder.checkpoints.last_path)
        self.assertEqual(checkpoint.relaxation, sparsemax.NAME)
        derived = checkpoint.derive()
        # Of one edge, 0.6 are too little and what weighs nothing is not next.
        self.assertEqual(
            [choice.primitive for choice in derived.interaction.pose[0]],
            [primitives.PAPER[2], primitives.PAPER[5]],
        )
        self.assertEqual(
            derived, genotypes.load(recorder.workdir.genotype_file)
        )

    def test_another_search_is_not_resumed(self):
        path = self.folder / "last.npz"
        checkpoints.save(path, self._search(), checkpoints.Progress())

        with self.assertRaisesRegex(
            UserError, "another relaxation.*expected: softmax; found: sparse"
        ):
            checkpoints.restore(
                tiny_network.search_model(), checkpoints.load(path)
            )

    def test_process_without_it_names_it_and_the_file(self):
        path = self.folder / "last.npz"
        checkpoints.save(path, self._search(), checkpoints.Progress())
        checkpoint = checkpoints.load(path)
        del contracts._KNOWN[sparsemax.NAME]

        with self.assertRaisesRegex(
            UserError, "unknown relaxation.*last.npz, relaxation.*sparsemax"
        ):
            checkpoint.derive()

    def test_supernet_is_saved_with_it(self):
        network = NPPNet(
            genotypes.Genotype(genotypes.UNET, fusion=genotypes.SEARCH),
            NetworkConfig(channels=8, cells=4, num_fusion_cells=1),
            relaxation=sparsemax.NAME,
        )
        saved_network.save_network(network, self.folder / "net")

        loaded, _ = saved_network.load_network(self.folder / "net")

        form = loaded.architecture["pose/fusion"].relaxation
        self.assertIsInstance(form, sparsemax.SparsemaxRelaxation)
        copy = NPPNet.from_config(network.get_config())
        self.assertEqual(copy.relaxation, sparsemax.NAME)

    def test_a_name_is_registered_once(self):
        with self.assertRaisesRegex(ValueError, sparsemax.NAME):
            sparsemax.register()


if __name__ == "__main__":
    absltest.main()
