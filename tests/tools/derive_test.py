"""Deriving on a command line: from checkpoints, with cost, wrong input."""

import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.training import checkpoints
from tests import shared
from tests.training import tiny_network


class DeriveTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.last = self.folder / "checkpoints" / "last.npz"
        self.last.parent.mkdir()
        self.output = self.folder / "genotype.json"

    def _save(self, model):
        checkpoints.save(self.last, model, checkpoints.Progress(epoch=3))

    def test_writes_the_genotype_and_prints_it(self):
        self._save(tiny_network.search_model())

        result = shared.run_tool(
            "derive",
            f"--workdir={self.folder}",
            f"--output={self.output}",
            "--nocost",
        )

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        derived = genotypes.load(self.output)
        self.assertEqual(derived, checkpoints.load(self.last).derive())
        self.assertIn(derived.to_json(), result.stdout)
        self.assertRegex(result.stdout, r"pose/fusion: kept 0\.\d+ of")
        self.assertIn("epochs of the search: 3", result.stdout)

    def test_says_the_cost(self):
        model = tiny_network.search_model()
        self._save(model)

        result = shared.run_tool(
            "derive",
            f"--checkpoint={self.last}",
            "--channels=16",
            "--cells=4",
            "--image_size=32",
        )

        self.assertRegex(
            result.stdout,
            r"C = 16, L = 4, 32 x 32: \d+\.\d+ M parameters, \d+\.\d+ GMAC",
        )

    @parameterized.parameters(
        "--channels=16",
        "--cells=4",
        "--head_channels=8",
        "--baseline_width=3.5",
        "--image_size=32",
    )
    def test_sizes_are_of_the_cost(self, flag):
        self._assert_user_error(
            [f"--workdir={self.folder}", "--nocost", flag],
            f"not in use; where: {flag}; expected: with it --cost",
        )

    @parameterized.named_parameters(
        ("neither", [], "found: none"),
        ("absent_folder", ["--workdir=absent"], "absent"),
        ("absent_file", ["--checkpoint=absent.npz"], "absent.npz"),
        (
            "width",
            ["--checkpoint=absent.npz", "--channels=22"],
            "--channels|absent",
        ),
    )
    def test_wrong_input_is_one_line(self, arguments, pattern):
        self._assert_user_error(arguments, pattern)

    def test_both_sources_are_one_too_many(self):
        self.last.touch()

        self._assert_user_error(
            [f"--workdir={self.folder}", f"--checkpoint={self.last}"],
            "found: both",
        )

    def test_wrong_width_is_named(self):
        self._save(tiny_network.search_model())

        self._assert_user_error(
            [f"--checkpoint={self.last}", "--channels=22"],
            "--channels; expected: a multiple of 4",
        )

    def test_other_file_is_named(self):
        np.savez(self.last, a=np.zeros(1))

        self._assert_user_error([f"--checkpoint={self.last}"], "last.npz")

    def test_training_run_has_nothing_to_derive(self):
        self._save(tiny_network.retrain_model())

        self._assert_user_error(
            [f"--checkpoint={self.last}"], "checkpoint holds no search"
        )

    def _assert_user_error(self, arguments, pattern):
        result = shared.run_tool("derive", *arguments)

        self.assertEqual(result.exit_code, 2, result)
        self.assertRegex(result.stderr, rf"^nppnet-derive: .*{pattern}.*\n$")


if __name__ == "__main__":
    absltest.main()
