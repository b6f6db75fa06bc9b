"""Tests of nppnet_tf.config: every field is written once."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import topology

_PARTS = (
    *config.SEARCH.parts(),
    *config.RETRAIN.parts(),
)


class SettingTest(parameterized.TestCase):
    def test_every_field_of_every_part_says_what_it_means(self):
        for part in _PARTS:
            names = {field.name for field in dataclasses.fields(part)}

            meanings = config.meanings(type(part))

            with self.subTest(type(part).__name__):
                self.assertEqual(set(meanings), names)
                self.assertNotIn("", meanings.values())

    @parameterized.named_parameters(("as_written", 4), ("of_python_3_13", 0))
    def test_meanings_are_read_however_docstrings_are_indented(self, left):
        lines = [
            "A part.",
            "",
            "Attributes:",
            "    one: First",
            "        line.",
        ]
        part = type("Part", (), {})
        part.__doc__ = ("\n" + " " * left).join([*lines, "    two: Second."])

        self.assertEqual(
            config.meanings(part), {"one": "First line.", "two": "Second."}
        )

    def test_every_default_is_within_its_limits(self):
        for part in _PARTS:
            config.check(part)

    def test_limits_of_sizes_are_those_of_the_cells(self):
        self.assertEqual(config.LEAST_CHANNELS, 2 * topology.CELL_NODES)
        self.assertEqual(config.LEAST_CELLS, topology.NUM_ENCODER_LEVELS)

    @parameterized.named_parameters(
        ("number", config.SearchConfig(learning_rate=float("nan"))),
        ("large", config.SearchConfig(learning_rate=1e9)),
        ("whole", config.RetrainConfig(epochs=1.5)),
        ("switch", config.RetrainConfig(epochs=True)),
        ("text", config.RetrainConfig(epochs="3")),
        ("order", config.SearchConfig(drop_epochs=(-1,))),
        ("count", config.InputConfig(scale_range=(1.0,))),
        ("choice", config.ProcessConfig(strategy="sharded")),
    )
    def test_values_from_python_are_held_against_the_limits(self, wrong):
        (name,) = (
            field.name
            for field in dataclasses.fields(wrong)
            if getattr(wrong, field.name) is not field.default
        )

        with self.assertRaisesRegex(UserError, f"where: `{name}`"):
            config.check(wrong)

    @parameterized.named_parameters(
        ("full_size", (384, 384), None, 7.0),
        ("in_proportion", (192, 96), None, 3.5),
        ("not_too_small", (64, 64), None, 3.0),
        ("given", (64, 64), 1.5, 1.5),
    )
    def test_heatmaps_follow_the_size(self, size, given, expected):
        inputs = config.InputConfig(image_size=size, heatmap_sigma=given)

        self.assertEqual(inputs.sigma, expected)


class RecordTest(absltest.TestCase):
    def test_settings_are_as_records_of_runs_have_always_held_them(self):
        record = config.record_of(*config.RETRAIN.parts())

        # What `train` of version 0.1 wrote, but for what its own flags added.
        self.assertEqual(
            record,
            {
                "batch_size": 8,
                "cells": 16,
                "channels": 128,
                "drop_epochs": ["85", "105"],
                "drop_factor": 0.1,
                "image_size": "384x384",
                "learning_rate": 0.001,
                "min_hard_pixels": 131072,
                "num_fusion_cells": 3,
                "parsing_log_variance": 2.3,
                "rotation_degrees": 40.0,
                "sampling": "one_warp",
                "scale_range": ["0.5", "1.5"],
                "seed": 0,
                "task_weight_learning_rate": 0.0001,
            },
        )

    def test_what_may_differ_between_two_starts_is_left_out(self):
        process = config.ProcessConfig(checkpoint_every=5, strategy="mirrored")
        longer = dataclasses.replace(
            config.RETRAIN,
            schedule=config.RetrainConfig(epochs=500),
            process=process,
        )

        self.assertEqual(
            config.record_of(*longer.parts()),
            config.record_of(*config.RETRAIN.parts()),
        )

    def test_values_that_are_no_flag_count_where_they_are_not_the_default(self):
        inputs = config.InputConfig(flip_probability=0.0)

        self.assertEqual(config.record_of(inputs)["flip_probability"], 0.0)

    def test_settings_of_another_kind_are_told(self):
        for name, value in (
            ("image_size", "wide"),
            ("scale_range", [None]),
            ("scale_range", [10**400]),
        ):
            with (
                self.subTest(name),
                self.assertRaisesRegex(UserError, f"another kind.*{name}"),
            ):
                config.of_record(config.InputConfig(), {name: value})


if __name__ == "__main__":
    absltest.main()
