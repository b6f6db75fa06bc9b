"""Tests of nppnet_tf.importing.import_report."""

from absl.testing import absltest

from nppnet_tf.importing import import_report
from nppnet_tf.importing.checkpoint import Fit

REPORT = {
    "checkpoint": {
        "name": "a.pth",
        "weights": "best_state_dict",
        "epoch": 7,
        "perf_iou": 0.5,
        "log_variances": {"pose": [0.25, -1.0]},
    },
    "network": {
        "channels": 16,
        "init_channels": 8,
        "cells": 4,
        "num_classes": 20,
        "num_keypoints": 16,
        "num_fusion_cells": 2,
        "num_refinements": 1,
        "is_published_genotype": True,
        "parameters": 1234,
    },
    "descriptor": "lip",
    "joints_reordered": True,
    "non_finite": ["a.weight"],
    "keys": {
        "used": 9,
        "unused": ["b\n.weight"],
        "unused_normalizations": ["c", "d"],
        "unused_normalization_parameters": 64,
        "batch_counts": 3,
    },
}


class LinesTest(absltest.TestCase):
    def test_report_is_read_as_people_read_it(self):
        self.assertEqual(
            import_report.lines(REPORT),
            [
                "checkpoint: a.pth, best_state_dict, epoch 7, perf_iou 0.5",
                "network: C = 16 (INIT_CHANNELS 8), 4 cells, 20 classes, 16 "
                "joints, refined in 2 rounds, the published genotype, 1234 "
                "parameters",
                "names: lip, joints reordered",
                "learned log variances of pose: 0.25, -1",
                "keys: 9 used, none missing or misshapen; unused as expected: "
                "2 of normalizations beside excitations (64 parameters), 3 "
                "counts of batches; unknown: 1",
                "unknown: b?.weight",
                "warning: NaN or infinity in: a.weight",
            ],
        )

    def test_network_without_refinement_or_of_another_genotype_is_told(self):
        network = {
            **REPORT["network"],
            "num_refinements": 0,
            "is_published_genotype": False,
        }

        line = import_report.lines({**REPORT, "network": network})[1]

        self.assertIn("16 joints, no refinement, another genotype", line)

    def test_of_many_keys_the_first_are_said(self):
        names = tuple(f"key_{number}" for number in range(103))
        fit = Fit(names, (("a", (1,), (2,)),), ("b",), (), 0, ())

        lines = import_report.unfit_lines(fit)

        self.assertEqual(lines[0], "missing: key_0")
        self.assertEqual(
            lines[99:],
            [
                "missing: key_99",
                "missing: 3 more",
                "misshapen: a",
                "unknown: b",
            ],
        )


if __name__ == "__main__":
    absltest.main()
