"""Tests of networks in folders."""

import json
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

CONFIG = NetworkConfig(channels=8, cells=4, num_classes=3, num_keypoints=2)


class SavedNetworkTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet(published.unet(), CONFIG)

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "net"
        saved_network.save_network(self.network, self.folder, {"epoch": 3})

    def test_loaded_network_is_the_saved_one(self):
        network, extra = saved_network.load_network(self.folder)

        image = tf.random.stateless_normal([1, 32, 32, 3], [1, 2])
        for key, stages in self.network(image).items():
            for stage, loaded in zip(stages, network(image)[key], strict=True):
                np.testing.assert_array_equal(loaded, stage)
        self.assertEqual(extra, {"epoch": 3})
        self.assertEqual(network.config, CONFIG)

    def test_supernet_keeps_its_relaxation(self):
        searched = genotypes.Genotype(genotypes.UNET, fusion=genotypes.SEARCH)
        network = NPPNet(searched, CONFIG, relaxation="gumbel")
        saved_network.save_network(network, self.folder)
        path = self.folder / saved_network.DESCRIPTION_FILE

        loaded, _ = saved_network.load_network(self.folder)

        self.assertEqual(loaded.relaxation, "gumbel")
        description = json.loads(path.read_text())
        del description[json_documents.SEAL]
        path.write_text(json.dumps(description | {"relaxation": "argmax"}))
        self.assert_refused("unknown relaxation.*network.json, relaxation")

    def assert_refused(self, text):
        with self.assertRaisesRegex(UserError, text):
            saved_network.load_network(self.folder)

    def test_missing_folder_is_named(self):
        with self.assertRaisesRegex(UserError, "no network here; where: .*x"):
            saved_network.load_network(self.folder / "x")

    def test_damaged_weights_are_noticed(self):
        path = self.folder / saved_network.WEIGHTS_FILE
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

        self.assert_refused("different moments|cannot be read")

    def test_truncated_weights_are_noticed(self):
        path = self.folder / saved_network.WEIGHTS_FILE
        path.write_bytes(path.read_bytes()[:1000])

        self.assert_refused("weights cannot be read; where: .*weights.npz")

    @parameterized.named_parameters(
        ("version", {"version": 99}, "file of another format or version"),
        ("no_config", {"config": {}}, "network description is malformed"),
        ("genotype", {"genotype": {"a": 1}}, "malformed genotype"),
    )
    def test_altered_description_is_refused(self, change, text):
        path = self.folder / saved_network.DESCRIPTION_FILE
        description = json.loads(path.read_text()) | change
        # As of before descriptions were sealed.
        del description[json_documents.SEAL]
        path.write_text(json.dumps(description))

        self.assert_refused(text)

    def test_every_altered_value_is_noticed(self):
        path = self.folder / saved_network.DESCRIPTION_FILE
        text = path.read_text()
        path.write_text(text.replace('"epoch": 3', '"epoch": 4'))

        self.assertNotEqual(path.read_text(), text)
        self.assert_refused("file was changed or damaged.*network.json")

    @parameterized.parameters(
        "config", "genotype", "primitives", "weights_sha256", "extra"
    )
    def test_missing_field_is_named(self, name):
        path = self.folder / saved_network.DESCRIPTION_FILE
        description = json.loads(path.read_text())
        del description[name], description[json_documents.SEAL]
        path.write_text(json.dumps(description))

        self.assert_refused(f"malformed.*network.json; expected: {name}")

    def test_weights_of_another_network_are_named(self):
        path = self.folder / saved_network.DESCRIPTION_FILE
        description = json.loads(path.read_text())
        description["config"]["num_classes"] = 4
        del description[json_documents.SEAL]
        path.write_text(json.dumps(description))

        self.assert_refused("weights do not fit the network at .*head")


class KilledWhileSavingTest(absltest.TestCase):
    """At every moment of saving the folder holds one whole network."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet(published.unet(), CONFIG)

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "net"
        saved_network.save_network(self.network, self.folder, {"epoch": 0})
        self.former = self._weights()
        for variable in self.network.trainable_variables:
            variable.assign_add(tf.ones_like(variable))

    def _weights(self):
        return saved_network.read_weights(self.folder)

    def _save_until(self, killer, name):
        """Saves until a function is about to be called; returns the epoch."""
        with mock.patch.object(killer, name, side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                saved_network.save_network(
                    self.network, self.folder, {"epoch": 1}
                )
        return saved_network.load_network(self.folder)[1]["epoch"]

    def _assert_weights(self, step):
        found = self._weights()
        for variable in self.network.trainable_variables:
            np.testing.assert_array_equal(
                found[variable.path], self.former[variable.path] + step
            )

    def test_before_the_description_it_is_the_former_one(self):
        epoch = self._save_until(json_documents, "write_document")

        self.assertEqual(epoch, 0)
        self._assert_weights(0)

    def test_after_the_description_it_is_the_new_one(self):
        epoch = self._save_until(saved_network, "_take_their_place")

        self.assertEqual(epoch, 1)
        self._assert_weights(1)

    def test_what_was_begun_is_ended_and_its_traces_are_gone(self):
        for killer, name in (
            (json_documents, "write_document"),
            (saved_network, "_take_their_place"),
        ):
            self._save_until(killer, name)

            saved_network.finish_saving(self.folder)

            self.assertCountEqual(
                [path.name for path in self.folder.iterdir()],
                [saved_network.DESCRIPTION_FILE, saved_network.WEIGHTS_FILE],
            )
        self._assert_weights(1)


if __name__ == "__main__":
    absltest.main()
