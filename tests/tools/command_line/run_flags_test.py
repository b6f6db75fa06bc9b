"""Shared flags become configurations; a run is known by its settings."""

import contextlib
import dataclasses
import io
import pathlib
import sys
import types
from unittest import mock

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config as configuration
from nppnet_tf.data import descriptors
from nppnet_tf.data.records import tfrecord
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared
from tests.data import sample_records
from tools.command_line import run_flags


class RunFlagsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        # Another test in this process may have imported a tool.
        self.enterContext(shared.forget_tools())
        # abseil looks up there which module defines a flag.
        self.enterContext(
            mock.patch.dict(sys.modules, {run_flags.__name__: run_flags})
        )
        known = set(flags.FLAGS)
        run_flags.define(128, 16, configuration.RetrainConfig())
        defined = set(flags.FLAGS) - known
        flags.DEFINE_string("genotype", None, "As the tools define it.")
        for name in (*defined, "genotype"):
            self.addCleanup(delattr, flags.FLAGS, name)

    def _parse(self, *words):
        flags.FLAGS(["tool", *words])

    def test_defaults_are_those_of_the_paper(self):
        self._parse()

        self.assertEqual(run_flags.input_config(), configuration.InputConfig())
        self.assertEqual(
            run_flags.network_config(descriptors.LIP),
            configuration.NetworkConfig(),
        )
        self.assertEqual(
            run_flags.schedule_config(configuration.RetrainConfig),
            configuration.RetrainConfig(),
        )
        self.assertEqual(
            run_flags.loss_config(descriptors.LIP),
            configuration.LossConfig(
                class_weights=descriptors.LIP.class_weights
            ),
        )

    def test_records_without_a_task_are_refused_unless_asked_for(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        records = [
            dataclasses.replace(
                record,
                keypoints_xy=record.keypoints_xy if number else None,
                visibility=record.visibility if number else None,
                label_map=None,
            )
            for number, record in enumerate(sample_records.make_records(3))
        ]
        tfrecord.write_records(records, folder, descriptors.LIP)
        given = f"--records={folder}"

        for tasks in ((), ("--tasks=both",), ("--tasks=parsing",)):
            self._parse(given, *tasks)
            with self.assertRaisesRegex(
                UserError,
                "no label map of 3 samples.*records.*or --tasks=pose",
            ):
                run_flags.open_records()
        self._parse(given, "--tasks=pose")
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            self.assertLen(run_flags.open_records(), 3)
        self.assertIn("0 of 3 label maps, 2 of 3 poses", stdout.getvalue())

    def test_width_follows_from_what_is_searched(self):
        self._parse("--channels=20", "--cells=6")

        run_flags.check_network_size(published.released())
        with self.assertRaisesRegex(UserError, "--channels.*multiple of 16"):
            run_flags.check_network_size(genotypes.Genotype(genotypes.SEARCH))

    @parameterized.parameters(
        "--image_size=100",
        "--image_size=1000000",
        "--scale_range=1",
        "--scale_range=2,1",
        "--scale_range=0,1",
        "--drop_epochs=-1",
        "--drop_epochs=9,5",
        "--learning_rate=nan",
        "--drop_factor=nan",
        "--seed=99999999999999999999",
        "--channels=1000000",
        "--batch_size=1000000000",
        "--num_replicas=1000000",
        "--epochs=1000000000000000000",
        "--profile_steps=5:3",
    )
    def test_values_that_no_run_can_have_are_refused(self, word):
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, word.partition("=")[0]
        ):
            self._parse(word)

    def test_batches_that_no_memory_holds_are_refused(self):
        with self.assertRaisesRegex(flags.IllegalFlagValueError, "pixels"):
            self._parse("--batch_size=65536", "--image_size=4096")

    @parameterized.named_parameters(
        ("in_proportion", ["--image_size=192"], 3.5),
        ("not_too_small", ["--image_size=64"], 3.0),
        ("given", ["--image_size=64", "--heatmap_sigma=1.5"], 1.5),
    )
    def test_heatmaps_follow_the_size(self, words, expected):
        self._parse(*words)

        self.assertEqual(run_flags.input_config().heatmap_sigma, expected)

    def test_a_run_without_drops(self):
        self._parse("--drop_epochs=")

        config = run_flags.schedule_config(configuration.RetrainConfig)

        self.assertEqual(config.drop_epochs, ())

    def test_settings_name_what_makes_another_run(self):
        records = types.SimpleNamespace(count=3, manifest={"sha": 1})
        # Any function of a module of `tools` stands for the tool.
        function = run_flags.input_config

        self._parse("--seed=5", "--records=here", "--epochs=3")
        first = run_flags.settings(function, records, published.released())
        self._parse("--seed=5", "--records=there", "--epochs=4")
        second = run_flags.settings(function, records, published.released())
        third = run_flags.settings(function, records, published.baseline())

        self.assertEqual(first, second)
        self.assertEqual(first["seed"], 5)
        # As records of runs have held them from the beginning.
        self.assertEqual(first["image_size"], "384x384")
        self.assertEqual(first["scale_range"], ["0.5", "1.5"])
        self.assertEqual(first["drop_epochs"], ["85", "105"])
        self.assertNotIn("workdir", first)
        changed = {name for name in third if third[name] != second[name]}
        self.assertEqual(changed, {"genotype"})


if __name__ == "__main__":
    absltest.main()
