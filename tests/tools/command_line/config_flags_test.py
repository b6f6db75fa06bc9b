"""Tests of tools.command_line.config_flags: fields become flags and return."""

import dataclasses

from absl.testing import absltest

from nppnet_tf import config
from tools.command_line import config_flags
from tools.command_line.tool_flags import ToolFlags


class ConfigFlagsTest(absltest.TestCase):
    def test_defaults_come_back_for_every_setting(self):
        for part in (*config.SEARCH.parts(), config.RetrainConfig()):
            tool = ToolFlags()
            config_flags.define(tool, part)
            tool.read(["tool"])

            with self.subTest(type(part).__name__):
                self.assertEqual(config_flags.read(tool, part), part)
                # A word without choices is left to the tool.
                names = [
                    name
                    for name, limits in config.settings_of(part).items()
                    if limits.choices
                    or not isinstance(getattr(part, name), str)
                ]
                self.assertLen(tool.own(), len(names))

    def test_every_setting_can_be_typed(self):
        typed = {
            "image_size": ("64x96", (64, 96)),
            "scale_range": ("1,2", (1.0, 2.0)),
            "heatmap_sigma": ("1.5", 1.5),
            "sampling": ("released", "released"),
            "seed": ("7", 7),
        }
        tool = ToolFlags()
        config_flags.define(tool, config.InputConfig())

        tool.read(
            ["tool", *(f"--{n}={text}" for n, (text, _) in typed.items())]
        )

        self.assertEqual(
            config_flags.read(tool, config.InputConfig()),
            config.InputConfig(**{n: value for n, (_, value) in typed.items()}),
        )

    def test_flags_are_read_as_their_fields_hold_them(self):
        tool = ToolFlags()
        config_flags.define(tool, config.ProcessConfig())
        config_flags.define(tool, config.LossConfig())
        config_flags.define(tool, config.RetrainConfig())

        tool.read(
            [
                "tool",
                "--profile_steps=3:5",
                "--deterministic",
                "--parsing_log_variance=1",
                "--drop_epochs=",
            ]
        )

        process = config_flags.read(tool, config.ProcessConfig())
        self.assertEqual(process.profile_steps, (3, 5))
        self.assertTrue(process.deterministic)
        loss = config_flags.read(tool, config.LossConfig())
        self.assertEqual(loss.initial_parsing_log_variance, 1.0)
        schedule = config_flags.read(tool, config.RetrainConfig())
        self.assertEqual(schedule.drop_epochs, ())

    def test_some_fields_can_be_picked_and_others_keep_their_value(self):
        tool = ToolFlags()
        network = config.NetworkConfig(channels=64, num_fusion_cells=2)
        config_flags.define(tool, network, "channels")

        tool.read(["tool", "--channels=32"])

        self.assertEqual([flag.name for flag in tool.own()], ["channels"])
        self.assertEqual(
            config_flags.read(tool, network, num_classes=3),
            dataclasses.replace(network, channels=32, num_classes=3),
        )

    def test_meaning_and_limits_stand_in_the_help(self):
        tool = ToolFlags()
        config_flags.define(tool, config.RetrainConfig())

        flag = tool["epochs"]

        self.assertEqual(flag.help, "Epochs in all.")
        self.assertEqual(
            flag.parser.syntactic_help, "an integer from 1 to 1000000"
        )


if __name__ == "__main__":
    absltest.main()
