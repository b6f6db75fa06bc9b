"""What a file of the authors holds is read off its names and shapes."""

import collections
import dataclasses
import io
import pathlib
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.importing import checkpoint
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_writer
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.shared import shared_path

CONFIG = NetworkConfig(
    channels=16,
    cells=4,
    num_classes=7,
    num_keypoints=5,
    num_fusion_cells=2,
    high_level_inputs=(0, 6, 5, 4),
)


class CheckpointTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = NPPNet(published.released(), CONFIG)
        cls.entries = list(state_dict.network_entries(cls.network))
        cls.tensors = state_dict.to_state_dict(cls.entries)

    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "file.pth"

    def holding(self, changes=None, without=()):
        """A checkpoint whose tensors are arrays in memory."""
        tensors = {
            key: tensor
            for key, tensor in self.tensors.items()
            if not key.startswith(tuple(without))
        }
        return checkpoint.Checkpoint(self.path, {**tensors, **(changes or {})})

    def test_plain_state_dict_is_read(self):
        torch_writer.write(self.path, self.tensors)

        found = checkpoint.read(self.path)

        self.assertIsNone(found.source)
        self.assertEqual(found.log_variances, {})
        self.assertEqual(list(found.tensors), list(self.tensors))

    def test_prefix_of_wrapped_networks_is_dropped(self):
        wrapped = {f"module.{k}": t for k, t in self.tensors.items()}
        torch_writer.write(self.path, wrapped)

        found = checkpoint.read(self.path)

        self.assertEqual(list(found.tensors), list(self.tensors))

    def test_sizes_are_inferred(self):
        found_genotype, config = checkpoint.infer(self.holding())

        self.assertEqual(config, CONFIG)
        self.assertEqual(found_genotype, published.released())

    def test_refinement_can_be_left_out(self):
        found_genotype, config = checkpoint.infer(
            self.holding(), num_refinements=0
        )

        self.assertEqual(found_genotype.fusion, genotypes.OMIT)
        network = NPPNet(found_genotype, config)
        fit = checkpoint.fit(
            self.holding(), state_dict.network_entries(network)
        )
        self.assertTrue(fit.is_complete)
        kinds = collections.Counter(key.split(".")[0] for key in fit.unused)
        self.assertEqual(
            set(kinds),
            {
                "pose_net",
                "par_net",
                "pose_head",
                "pose_auxnet",
                "par_head",
                "edge_head",
            },
        )

    def test_first_of_several_refinements_can_be_taken(self):
        second = {
            key.replace(f"{name}.{old}", f"{name}.{new}", 1): tensor
            for name, old, new in (
                ("pose_head", 1, 2),
                ("pose_net", 0, 2),
                ("pose_net", 1, 3),
            )
            for key, tensor in self.tensors.items()
            if key.startswith(f"{name}.{old}")
        }

        with self.assertRaisesRegex(UserError, "`num_refinements`=1.*found: 2"):
            checkpoint.infer(self.holding(second))
        _, config = checkpoint.infer(self.holding(second), num_refinements=1)

        self.assertEqual(config.num_fusion_cells, 2)

    def test_every_tensor_has_its_place(self):
        found = checkpoint.fit(self.holding(), self.entries)

        checkpoint.require_fit(self.holding(), found, "it")
        self.assertEqual(found.unused, ())
        trained = [
            self.tensors[key].size
            for key in found.unused_normalizations
            if key.endswith(("weight", "bias"))
        ]
        self.assertEqual(found.unused_numbers, sum(trained))
        counted = [k for k in self.tensors if k.endswith("num_batches_tracked")]
        self.assertCountEqual(found.batch_counts, counted)

    def test_what_does_not_fit_is_named(self):
        holding = self.holding(
            {"stem0.0.weight": np.zeros([8, 3, 5, 5]), "strange": np.zeros(1)},
            without=["cells2.0._ops.0"],
        )

        found = checkpoint.fit(holding, self.entries)

        self.assertIn("cells2.0._ops.0.net.1.weight", found.missing)
        self.assertLen(found.missing, 5)
        self.assertEqual(
            found.misshapen, (("stem0.0.weight", (8, 3, 3, 3), (8, 3, 5, 5)),)
        )
        self.assertEqual(found.unused, ("strange",))
        with self.assertRaisesRegex(
            UserError,
            r"fit the gene; .*5 \(cells2.0._ops.0.*\.\.\.\) missing; "
            r"1 \(stem0.0.weight \[8, 3, 5, 5\] instead of \[8, 3, 3, 3\]\) "
            r"misshapen; 1 \(strange\) unknown",
        ):
            checkpoint.require_fit(holding, found, "the gene")

    def test_other_genotype_does_not_fit(self):
        genes = published.released()
        swapped = dataclasses.replace(
            genes,
            fusion=genotypes.FusionGene(
                genes.fusion.parsing, genes.fusion.pose
            ),
        )
        _, config = checkpoint.infer(self.holding(), swapped)

        found = checkpoint.fit(
            self.holding(),
            state_dict.network_entries(NPPNet(swapped, config)),
        )

        self.assertFalse(found.is_complete)

    @parameterized.named_parameters(
        (
            "half_a_stem",
            {"stem1.0.weight": np.zeros([16, 3, 3, 3])},
            "no network has this width",
        ),
        (
            "odd_width",
            {"stem1.0.weight": np.zeros([10, 5, 3, 3])},
            "no network has this width",
        ),
        (
            "a_cell_too_many",
            {"cells1.4.x": np.zeros(1), "cells1.5.x": np.zeros(1)},
            r"twice the width from cells \[1, 3, 4\]; found: \[1, 2, 3\]",
        ),
        (
            "late_reduction",
            {
                "cells1.1.preprocess1.net.1.weight": np.zeros([4, 16, 1, 1]),
                "cells1.2.preprocess1.net.1.weight": np.zeros([8, 16, 1, 1]),
                "cells1.3.preprocess1.net.1.weight": np.zeros([16, 32, 1, 1]),
            },
            r"twice the width from cells \[1, 2, 3\]; found: \[2, 3\]",
        ),
        (
            "classes",
            {"par_head.0.4.weight": np.zeros([256, 1, 1, 1])},
            "num_classes; expected: 1 to 255; found: 256",
        ),
        (
            "no_joints",
            {"pose_head.0.4.weight": np.zeros([0, 256, 1, 1])},
            "num_keypoints; expected: 1 to 255; found: 0",
        ),
    )
    def test_impossible_network_is_one_line(self, changes, text):
        with self.assertRaisesRegex(UserError, text):
            checkpoint.infer(self.holding(changes))

    def test_network_far_beyond_the_file_is_not_made(self):
        # Would need gigabytes; the file has one kernel of that width.
        changes = {"stem1.0.weight": np.zeros([1024, 512, 3, 3], np.int8)}
        for index, width in enumerate((256, 512, 1024, 2048)):
            changes[f"cells1.{index}.preprocess1.net.1.weight"] = np.zeros(
                [width, 1, 1, 1]
            )

        with self.assertRaisesRegex(UserError, "implausible checkpoint"):
            checkpoint.infer(self.holding(changes))

    @parameterized.named_parameters(
        ("number", 5, "found: int"),
        ("list", [1], "found: list"),
        ("other_dict", {"weights": 3}, "found: int at weights"),
        ("no_names", {3: 4}, "found: int at 3"),
        ("empty", {}, "no stem1.0.weight, but nothing"),
        (
            "no_weights",
            {"best_state_dict": {}, "epoch": 1},
            "a training checkpoint without state_dict",
        ),
    )
    def test_foreign_content_is_one_line(self, value, text):
        self._write(value)

        with self.assertRaisesRegex(UserError, text):
            checkpoint.infer(checkpoint.read(self.path))

    def test_state_dict_of_another_network_is_one_line(self):
        torch_writer.write(
            self.path, {"conv1.weight": np.zeros([4, 3, 7, 7], np.float32)}
        )

        with self.assertRaisesRegex(
            UserError, "no state dict of NPPNet.*but conv1.weight"
        ):
            checkpoint.infer(checkpoint.read(self.path))

    def test_numbers_that_are_not_finite_are_named(self):
        changes = {"stem0.0.weight": np.full([8, 3, 3, 3], np.nan)}

        found = checkpoint.non_finite(
            self.holding(changes), ["stem0.0.weight", "stem1.0.weight"]
        )

        self.assertEqual(found, ["stem0.0.weight"])

    def _write(self, value):
        """Writes plain values as a legacy file without storages."""
        stream = io.BytesIO()
        system = {"little_endian": True}
        for part in (0x1950A86A20F9469CFC6C, 1001, system, value, []):
            pickle.dump(part, stream, 2)
        self.path.write_bytes(stream.getvalue())


class TrainingCheckpointTest(parameterized.TestCase):
    """The legacy file of the reference, whose two dicts are alike."""

    @parameterized.parameters(
        (checkpoint.BEST, "best_state_dict"), (checkpoint.LAST, "state_dict")
    )
    def test_weights_facts_and_task_weights_are_read(self, weights, source):
        path = shared_path("reference/retrain_c8_l8_checkpoint_legacy.pth")

        found = checkpoint.read(path, weights)

        self.assertEqual(found.source, source)
        self.assertEqual(
            found.facts, {"epoch": 3, "perf_iou": 51.2, "perf_pck": 85.1}
        )
        expected = {keys.POSE: (-2.4, -2.6), keys.PARSING: (2.2, 2.4)}
        for branch, values in expected.items():
            np.testing.assert_allclose(
                found.log_variances[branch], values, rtol=1e-6
            )
        self.assertLen(found.tensors, 2186)
        self.assertEqual(
            checkpoint.number_kinds(found), {"float": 1856, "long": 330}
        )
        _, config = checkpoint.infer(found)
        self.assertEqual(
            config,
            NetworkConfig(channels=16, cells=8, high_level_inputs=(0, 6, 5, 4)),
        )


if __name__ == "__main__":
    absltest.main()
