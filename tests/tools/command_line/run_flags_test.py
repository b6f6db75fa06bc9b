"""Shared flags become the configuration of a run."""

import dataclasses

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tools.command_line import run_flags
from tools.command_line.tool_flags import ToolFlags


class RunFlagsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.flags = ToolFlags()
        run_flags.define(self.flags, configuration.RETRAIN)

    def _read(self, *words):
        self.flags.read(["tool", *words])
        return run_flags.read(self.flags, configuration.RETRAIN)

    def test_defaults_are_those_of_the_paper(self):
        self.assertEqual(self._read(), configuration.RETRAIN)

    def test_preset_is_the_form_of_the_release(self):
        config = self._read("--preset=released", "--channels=64")

        self.assertEqual(
            config.network,
            dataclasses.replace(
                configuration.NetworkConfig(),
                channels=64,
                **published.PRESETS["released"],
            ),
        )

    def test_width_follows_from_what_is_searched(self):
        config = self._read("--channels=20", "--cells=6")

        published.released().check_size(config.network)
        with self.assertRaisesRegex(UserError, "`channels`.*multiple of 16"):
            genotypes.Genotype(genotypes.SEARCH).check_size(config.network)

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
            self._read(word)

    def test_batches_that_no_memory_holds_are_refused(self):
        with self.assertRaisesRegex(flags.IllegalFlagValueError, "pixels"):
            self._read("--batch_size=65536", "--image_size=4096")


if __name__ == "__main__":
    absltest.main()
