"""A file of the authors becomes a run; nothing comes of any other file."""

import json
import os
import pathlib
import pickle
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.importing import parity
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_writer
from nppnet_tf.inference import predictor
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared

ARRAYS = "reference/retrain_c8_l8_io_eval.npz"
PLAIN = "reference/retrain_c8_l8.pth"
LEGACY = "reference/retrain_c8_l8_checkpoint_legacy.pth"


class _Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class ImportCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.output = self.folder / "run"

    def run_import(self, path, *arguments):
        return shared.run_tool(
            "import_npp",
            f"--checkpoint={path}",
            f"--output={self.output}",
            *arguments,
        )

    def assert_user_error(self, result, pattern):
        self.assertEqual(result.exit_code, 2, result)
        self.assertRegex(result.stderr, rf"\Anppnet-import_npp: .*{pattern}")
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertFalse(self.output.exists())


class ReferenceTest(ImportCase):
    def test_imported_run_equals_pytorch_and_can_be_evaluated(self):
        result = self.run_import(
            shared.shared_path(PLAIN), f"--compare={shared.shared_path(ARRAYS)}"
        )

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        found = json.loads(result.stdout)
        self.assertTrue(found["within_tolerance"])
        self.assertLen(found["outputs"], 8)
        self.assertCountEqual(found["inputs"], ["sq", "ns"])
        for value in found["outputs"].values():
            self.assertLess(value, 1e-5)
        report = json.loads((self.output / "import.json").read_text())
        self.assertEqual(report["parity"], found)
        self.assertEqual(report["network"]["init_channels"], 8)
        self.assertTrue(report["network"]["is_published_genotype"])
        self.assertEqual(
            genotypes.load(self.output / "genotype.json"), published.released()
        )
        network, descriptor, size = predictor.load_run(self.output)
        self.assertEqual(descriptor, descriptors.LIP)
        self.assertEqual(size, (384, 384))
        again = parity.compare(
            network,
            shared.shared_path(ARRAYS),
            1e-4,
            state_dict.keypoint_order(descriptor.keypoints),
        )
        self.assertEqual(again["outputs"], found["outputs"])

    def test_legacy_training_checkpoint_equals_pytorch(self):
        result = shared.run_tool(
            "import_npp",
            f"--checkpoint={shared.shared_path(LEGACY)}",
            "--weights=last",
            "--num_refinements=1",
            f"--compare={shared.shared_path(ARRAYS)}",
            # Above it, on purpose: the status tells.
            "--tolerance=1e-9",
        )

        self.assertEqual((result.exit_code, result.stderr), (1, ""))
        found = json.loads(result.stdout)
        self.assertLess(found["largest_difference"], 1e-5)
        self.assertFalse(found["within_tolerance"])

    def test_unfit_arrays_leave_nothing(self):
        with np.load(shared.shared_path(ARRAYS)) as file:
            arrays = {name: file[name] for name in file.files}
        del arrays["ns/pose_1_map"]
        path = self.folder / "arrays.npz"
        np.savez(path, **arrays)

        result = self.run_import(shared.shared_path(PLAIN), f"--compare={path}")

        self.assert_user_error(result, "an output is missing.*ns/pose_1_map")


class SmallFileTest(ImportCase):
    """Files of a network that is made here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet.from_preset(
            "released",
            channels=8,
            cells=4,
            num_classes=7,
            num_keypoints=14,
            num_fusion_cells=1,
        )
        cls.tensors = state_dict.to_state_dict(
            state_dict.network_entries(cls.network)
        )

    def write(self, tensors):
        path = self.folder / "file.pth"
        torch_writer.write(path, tensors)
        return path

    @mock.patch("nppnet_tf.inference.export.export_saved_model")
    def test_says_what_it_found_and_exports(self, export):
        path = self.write(
            {**self.tensors, "fc.weight": np.zeros(3, np.float32)}
        )
        self.output.mkdir()

        result = self.run_import(path, "--export", "--image_size=32")

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        for text in (
            "file.pth, plain state dict",
            "C = 8 (INIT_CHANNELS 4), 4 cells, 7 classes, 14 joints, refined "
            "in 1 rounds, the published genotype",
            "names: pascal_person_part",
            "unknown: fc.weight",
        ):
            self.assertIn(text, result.stdout)
        report = json.loads((self.output / "import.json").read_text())
        self.assertEqual(report["keys"]["unused"], ["fc.weight"])
        self.assertFalse(report["joints_reordered"])
        network, *facts, models, name = export.call_args.args
        self.assertEqual(facts, [descriptors.PASCAL_PERSON_PART, (32, 32)])
        self.assertEqual((models.name, name), ("savedmodels", "nppnet"))
        np.testing.assert_array_equal(
            network.heads[0].prediction.bias,
            self.tensors["pose_head.0.4.bias"],
        )

    def test_missing_and_misshapen_keys_are_listed_and_nothing_is_written(self):
        tensors = {
            **self.tensors,
            "stem0.0.weight": np.zeros([4, 3, 5, 5], np.float32),
        }
        del tensors["edge_head.1.4.bias"]

        result = self.run_import(self.write(tensors))

        self.assert_user_error(result, "does not fit the published genotype")
        self.assertIn("missing: edge_head.1.4.bias\n", result.stdout)
        self.assertIn("misshapen: stem0.0.weight\n", result.stdout)

    def test_descriptor_of_another_network_is_refused(self):
        result = self.run_import(self.write(self.tensors), "--descriptor=lip")

        self.assert_user_error(
            result, "--descriptor=lip; expected: 7 classes and 14 joints"
        )


class WrongInputTest(ImportCase):
    def write_hostile(self, path):
        victim = self.folder / "victim"
        path.write_bytes(pickle.dumps(_Call(os.system, f"touch {victim}"), 2))
        return victim

    def test_hostile_file_is_not_run(self):
        path = self.folder / "file.pth"
        victim = self.write_hostile(path)

        result = self.run_import(path)

        self.assert_user_error(result, "the file asks for .*system")
        self.assertFalse(victim.exists())

    @parameterized.named_parameters(
        ("no_file", ["--checkpoint="], "--checkpoint=: expected a text"),
        (
            "absent",
            ["--checkpoint=absent.pth"],
            "not found; where: --checkpoint=absent.pth",
        ),
        ("folder", ["--checkpoint=."], "not a file; where: --checkpoint"),
        ("foreign", ["--checkpoint=setup.py"], "not a file of torch.save"),
        ("size", ["--image_size=100"], "--image_size"),
        (
            "genotype",
            ["--checkpoint=setup.py", "--genotype=absent.json"],
            "not found; where: --genotype=absent.json",
        ),
        (
            "descriptor",
            ["--checkpoint=setup.py", "--descriptor=absent.json"],
            "not found; where: --descriptor=absent.json",
        ),
        (
            "compare",
            ["--checkpoint=setup.py", "--compare=."],
            "not a file; where: --compare=.",
        ),
    )
    def test_wrong_flags_are_one_line(self, arguments, pattern):
        result = shared.run_tool(
            "import_npp",
            "--checkpoint=file.pth",
            f"--output={self.output}",
            *arguments,
        )

        self.assert_user_error(result, pattern)

    def test_output_that_is_there_is_kept(self):
        self.output.mkdir()
        (self.output / "mine.txt").touch()

        result = self.run_import("file.pth")

        self.assertEqual(result.exit_code, 2)
        self.assertIn("output is already there", result.stderr)
        self.assertTrue((self.output / "mine.txt").exists())

    def test_something_must_be_asked_for(self):
        result = shared.run_tool("import_npp", "--checkpoint=setup.py")

        self.assert_user_error(result, "flag is missing; where: --output")


if __name__ == "__main__":
    absltest.main()
