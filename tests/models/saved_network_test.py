"""Tests of networks in folders."""

import json
import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published

CONFIG = NetworkConfig(channels=8, cells=4, num_classes=3, num_keypoints=2)


class SavedNetworkTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet(published.baseline(), CONFIG)

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
        ("version", {"version": 99}, "not a network of this version"),
        ("no_config", {"config": {}}, "network description is malformed"),
        ("genotype", {"genotype": {"a": 1}}, "malformed genotype"),
    )
    def test_altered_description_is_refused(self, change, text):
        path = self.folder / saved_network.DESCRIPTION_FILE
        description = json.loads(path.read_text()) | change
        path.write_text(json.dumps(description))

        self.assert_refused(text)

    def test_weights_of_another_network_are_named(self):
        path = self.folder / saved_network.DESCRIPTION_FILE
        description = json.loads(path.read_text())
        description["config"]["num_classes"] = 4
        path.write_text(json.dumps(description))

        self.assert_refused("weights do not fit the network at .*head")


if __name__ == "__main__":
    absltest.main()
