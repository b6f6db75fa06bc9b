"""A network takes the weights of another run, as far as they fit."""

import dataclasses
import json
import tempfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.losses.task_weighting import TaskWeighting
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.training.initial_weights import InitialRun

RELEASED = published.released()
# Its heads are those of any network.
SMALL = genotypes.Genotype(genotypes.UNET, fusion=RELEASED.fusion)
LIP = descriptors.LIP
THREE_CLASSES = dataclasses.replace(
    LIP,
    name="mine",
    classes=LIP.classes[:3],
    palette=LIP.palette[:3],
    class_mirrors={},
    class_weights=(),
    keypoint_classes={},
)
OTHER_JOINTS = dataclasses.replace(
    descriptors.PASCAL_PERSON_PART,
    classes=LIP.classes,
    palette=LIP.palette,
    class_weights=(),
    keypoint_classes={},
)
LOG_VARIANCES = {keys.POSE: [-2.0, -1.5], keys.PARSING: [1.0, 0.5]}


def config_of(descriptor, **changes):
    return NetworkConfig(
        channels=8,
        cells=4,
        num_fusion_cells=1,
        num_classes=descriptor.num_classes,
        num_keypoints=descriptor.num_keypoints,
        **changes,
    )


def weighting():
    return TaskWeighting(2, {keys.POSE: -2.5, keys.PARSING: 2.3})


class InitialWeightsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet(SMALL, config_of(LIP))
        random = np.random.default_rng(0)
        for variable in cls.network.variables:
            variable.assign(random.normal(size=variable.shape))
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        saved_network.save_network(
            cls.network,
            folder,
            {
                "descriptor": json.loads(LIP.to_json()),
                "log_variances": LOG_VARIANCES,
            },
        )
        cls.initial = InitialRun.read(folder)
        cls.released = dataclasses.replace(cls.initial, genotype=RELEASED)

    @parameterized.named_parameters(
        ("classes", THREE_CLASSES, (keys.PARSING,), 2),
        ("joints", OTHER_JOINTS, (keys.POSE,), 4),
    )
    def test_all_but_the_last_layers_of_other_heads_is_kept(
        self, descriptor, branches, num_layers
    ):
        network = NPPNet(SMALL, config_of(descriptor))
        drawn = {v.path: np.array(v) for v in network.variables}
        task_weights = weighting()

        new = self.initial.new_heads(descriptor, are_allowed=True)
        lines = self.initial.give(network, task_weights, new)

        self.assertEqual(new, branches)
        known = {v.path: np.array(v) for v in self.network.variables}
        fresh = []
        for variable in network.variables:
            path, value = variable.path, np.array(variable)
            if value.shape != known[path].shape:
                fresh.append(path)
                np.testing.assert_array_equal(value, drawn[path])
            else:
                np.testing.assert_array_equal(value, known[path])
        # A kernel and a bias each.
        self.assertLen(fresh, 2 * num_layers)
        kept = len(known) - len(fresh)
        self.assertRegex(lines[0], f"^initial weights: {kept} of {len(known)}")
        self.assertLen(lines, 2)
        for path in fresh:
            self.assertIn(path.split("/")[-2], lines[1])
            self.assertIn(path.split("/")[-3], lines[1])
        for branch in keys.BRANCHES:
            expected = LOG_VARIANCES[branch]
            if branch in new:
                expected = [task_weights.initial_log_variances[branch]] * 2
            np.testing.assert_allclose(
                task_weights.log_variances[branch], expected
            )

    def test_nothing_is_new_where_nothing_differs(self):
        new = self.initial.new_heads(LIP, are_allowed=True)
        (line,) = self.initial.give(self.network, weighting(), new)

        self.assertEqual(new, ())
        count = len(self.network.variables)
        self.assertIn(f"{count} of {count} arrays", line)

    def test_same_number_of_other_classes_is_other_classes(self):
        renamed = dataclasses.replace(
            LIP,
            classes=("ground", *LIP.classes[1:]),
            keypoint_classes={},
        )

        self.assertEqual(self.initial.renamed(renamed), (keys.PARSING,))
        self.assertEqual(
            self.initial.new_heads(renamed, are_allowed=True), (keys.PARSING,)
        )
        # They fit, so that names alone forbid nothing.
        self.assertEqual(self.initial.new_heads(renamed, are_allowed=False), ())

    @parameterized.named_parameters(
        (
            "classes",
            THREE_CLASSES,
            r"records \(3 classes\), or `new_heads`.*found: 20 classes$",
        ),
        (
            "joints",
            OTHER_JOINTS,
            r"records \(14 joints\), or `new_heads`.*found: 16 joints$",
        ),
        (
            "both",
            dataclasses.replace(
                OTHER_JOINTS,
                classes=LIP.classes[:3],
                palette=LIP.palette[:3],
            ),
            r"\(3 classes and 14 joints\).*found: 20 classes and 16 joints$",
        ),
    )
    def test_other_numbers_are_refused_with_a_way_out(
        self, descriptor, pattern
    ):
        with self.assertRaisesRegex(UserError, pattern):
            self.initial.new_heads(descriptor, are_allowed=False)

    @parameterized.named_parameters(
        ("width", {"channels": 16}, "channels 8, as there; found: channels 16"),
        ("depth", {"cells": 8}, "cells 4, as there; found: cells 8"),
        ("fusion", {"num_fusion_cells": 3}, "num_fusion_cells 1, as there"),
        ("heads", {"head_channels": 64}, "head_channels 256, as there"),
        (
            "levels",
            {"high_level_inputs": (0, 6, 5, 4)},
            r"\[6, 5, 4\], as there; found: high_level_inputs \[0, 6, 5, 4\]",
        ),
    )
    def test_another_body_is_refused(self, changes, pattern):
        config = dataclasses.replace(config_of(LIP), **changes)

        with self.assertRaisesRegex(UserError, pattern):
            self.released.require_body(RELEASED, config)

    def test_another_genotype_is_refused(self):
        other = dataclasses.replace(RELEASED, interaction=genotypes.OMIT)

        with self.assertRaisesRegex(UserError, "found: another interaction$"):
            self.released.require_body(other, config_of(LIP))

    def test_sizes_that_a_network_does_not_use_do_not_count(self):
        gene = published.baseline()
        folder = self.create_tempdir().full_path
        saved_network.save_network(NPPNet(gene, config_of(LIP)), folder, {})

        run = InitialRun.read(folder)

        run.require_body(
            gene,
            dataclasses.replace(config_of(LIP), cells=8, num_fusion_cells=3),
        )
        with self.assertRaisesRegex(UserError, "baseline_width 1.0, as there"):
            run.require_body(
                gene, dataclasses.replace(config_of(LIP), baseline_width=1.5)
            )
        # As runs of before there was such a field.
        run.config.pop("baseline_width")
        run.require_body(gene, config_of(LIP))
        self.assertIsNone(run.descriptor)

    def test_task_weights_of_another_network_are_refused(self):
        run = dataclasses.replace(
            self.initial, log_variances={keys.POSE: [1.0]}
        )

        with self.assertRaisesRegex(UserError, "found: 1 of pose"):
            run.give(self.network, weighting())


if __name__ == "__main__":
    absltest.main()
