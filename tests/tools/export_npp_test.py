"""A run goes out as a file of the authors and comes back bit by bit."""

import dataclasses
import os
import pathlib
import unittest

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.importing import torch_file
from nppnet_tf.models import saved_network
from nppnet_tf.models import weights_file
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared

# INIT_CHANNELS = 10: neither a power of two nor divisible by 8.
CHANNELS = 20
CELLS = 5


class ExportNppTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet.from_preset(
            "released", channels=CHANNELS, cells=CELLS, num_fusion_cells=1
        )
        random = np.random.default_rng(0)
        for variable in cls.network.variables:
            # No two numbers alike: none can be in the place of another.
            variable.assign(random.normal(size=variable.shape))

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "file.pth"

    def save_run(self, network, name="run"):
        saved_network.save_network(
            network,
            self.folder / name,
            {"descriptor": "lip", "image_size": [64, 64]},
        )
        return self.folder / name

    def run_export(self, run):
        return shared.run_tool(
            "export_npp", f"--run={run}", f"--output={self.path}"
        )

    def test_round_trip_keeps_every_bit(self):
        run = self.save_run(self.network)

        exported = self.run_export(run)
        imported = shared.run_tool(
            "import_npp",
            f"--checkpoint={self.path}",
            f"--output={self.folder / 'again'}",
        )

        self.assertEqual((exported.exit_code, exported.stderr), (0, ""))
        self.assertEqual((imported.exit_code, imported.stderr), (0, ""))
        ours, theirs = (
            weights_file.read_arrays(folder / saved_network.WEIGHTS_FILE)
            for folder in (run, self.folder / "again")
        )
        self.assertEqual(set(ours), set(theirs))
        for name, array in ours.items():
            self.assertEqual(array.tobytes(), theirs[name].tobytes(), name)

    def test_joints_go_into_the_authors_order(self):
        self.run_export(self.save_run(self.network))

        bias = np.asarray(torch_file.read(self.path)["pose_head.1.4.bias"])

        ours = np.asarray(self.network.heads[4].prediction.bias)
        head_top = descriptors.LIP.keypoints.index("head_top")
        pelvis = descriptors.LIP.keypoints.index("pelvis")
        self.assertEqual(bias[0], ours[head_top])
        self.assertEqual(bias[15], ours[pelvis])

    def test_pytorch_opens_it(self):
        try:
            import torch
        except ImportError:
            raise unittest.SkipTest("PyTorch is not installed") from None
        self.run_export(self.save_run(self.network))

        found = torch.load(os.fspath(self.path), weights_only=True)

        ours = torch_file.read(self.path)
        self.assertEqual(list(found), list(ours))
        for key, tensor in ours.items():
            np.testing.assert_array_equal(found[key].numpy(), tensor)

    @parameterized.named_parameters(
        ("no_fusion", {"fusion": genotypes.OMIT}, ["fusion omit"]),
        (
            "sizes",
            {},
            [r"high_level_inputs \(6, 5, 4\)", "head_channels 64"],
        ),
    )
    def test_network_of_another_form_is_one_line(self, changes, patterns):
        genotype = dataclasses.replace(published.released(), **changes)
        config = dataclasses.replace(
            self.network.config, high_level_inputs=(6, 5, 4), head_channels=64
        )

        result = self.run_export(self.save_run(NPPNet(genotype, config)))

        self.assertEqual(result.exit_code, 2)
        start = r"\Anppnet-export_npp: no network of the authors' form.*"
        for pattern in patterns:
            self.assertRegex(result.stderr, start + pattern)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertFalse(self.path.exists())

    @parameterized.named_parameters(
        ("no_run", ["--output=x.pth"], "--run"),
        ("no_output", ["--run=tests"], "--output"),
        ("folder", ["--run=tests", "--output=tests"], "not a file.*--output"),
        ("no_network", ["--run=tests", "--output=x.pth"], "network.json"),
    )
    def test_wrong_flags_are_one_line(self, arguments, pattern):
        result = shared.run_tool("export_npp", *arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, rf"\Anppnet-export_npp: .*{pattern}")
        self.assertEqual(result.stderr.count("\n"), 1)


if __name__ == "__main__":
    absltest.main()
