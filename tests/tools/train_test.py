"""Retraining on a command line: what it leaves, resuming, wrong input."""

import json
import zipfile
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.data.samples import batches
from nppnet_tf.models import saved_network
from nppnet_tf.models import weights_file
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.training import callbacks
from tests.tools import training_case


class _Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def _fail_at(step):
    def on_train_batch_end(callback, batch, logs=None):
        del callback, logs
        if batch + 1 == step:
            raise _Killed

    return on_train_batch_end


class TrainTest(training_case.TrainingCase):
    def setUp(self):
        super().setUp()
        self.validation = self.folder / "validation"
        training_case.write_records(self.validation, 3, seed=1)

    def _train(self, workdir, *arguments):
        return self.run_tool(
            "train",
            f"--workdir={self.folder / workdir}",
            "--genotype=baseline",
            *arguments,
        )

    def test_same_command_goes_on_as_if_never_stopped(self):
        validation = f"--validation_records={self.validation}"

        self.assert_ends_well(self._train("straight", "--epochs=2", validation))
        self.assert_ends_well(self._train("stopped", "--epochs=1", validation))
        resumed = self._train("stopped", "--epochs=2", validation)
        fewer = self._train("stopped", "--epochs=1", validation)

        self.assertIn("resuming after 1 epochs", resumed.stdout)
        self.assert_ends_well(fewer)
        self.assertIn("2 epochs are done, more than the 1", fewer.stdout)
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")
        lines = (self.folder / "stopped" / "metrics.jsonl").read_text()
        record = json.loads(lines.splitlines()[0])
        self.assertIn("mean_iou", record["validation"])
        self.assertIn("pckh", record["validation"])
        self.assertIn("(network's size)", resumed.stdout)

    def test_goes_on_after_every_step_as_if_never_stopped(self):
        more = ("--epochs=1", f"--validation_records={self.validation}")
        steps = 4

        self.assert_ends_well(self._train("straight", *more))
        for step in range(1, steps + 1):
            with training_case.terminated(1):
                stopped = self._train("stopped", *more)
            self.assert_terminated(stopped, f"0 epochs and {step} steps")
        resumed = self._train("stopped", *more)

        self.assert_ends_well(resumed)
        self.assertIn("resuming after 0 epochs and 4 steps", resumed.stdout)
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")

    def test_steps_between_checkpoints_are_repeated(self):
        more = ("--epochs=1", "--checkpoint_every=2")
        self.assert_ends_well(self._train("straight", *more))

        # What SIGKILL leaves of a run in its fourth step.
        with mock.patch.object(
            callbacks.FiniteLossGuard, "on_train_batch_end", _fail_at(4)
        ):
            self.assertRaises(_Killed, self._train, "stopped", *more)
        resumed = self._train("stopped", *more)

        self.assertIn("resuming after 0 epochs and 2 steps", resumed.stdout)
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")

    def test_wrong_checkpoint_within_an_epoch_is_one_line(self):
        more = ("--epochs=1", "--checkpoint_every=0")
        with training_case.terminated(2):
            self._train("run", *more)
        path = self.folder / "run" / "checkpoints" / "last.npz"
        content = path.read_bytes()

        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda info: info.file_size)
        middle = bytearray(content)
        middle[largest.header_offset + largest.file_size // 2] ^= 1
        path.write_bytes(middle)
        flipped = self._train("run", *more)
        path.write_bytes(content)
        with mock.patch.object(batches, "steps_per_epoch", lambda *_: 1):
            longer = self._train("run", *more)

        self.assert_user_error(flipped, "checkpoint cannot be read.*last.npz")
        self.assert_user_error(
            longer, "other epochs.*last.npz.*at most 1 steps.*found: 2"
        )

    def test_another_run_is_refused_from_the_first_checkpoint_on(self):
        with training_case.terminated(1):
            self._train("run")

        result = self._train("run", "--seed=1")

        self.assert_user_error(result, "workdir of another run.*--seed")

    def test_leaves_a_network_that_can_be_served(self):
        self.assert_ends_well(self._train("run", "--epochs=1"))

        folder = self.folder / "run"
        description = saved_network.read_description(folder)
        extra = description["extra"]
        self.assertEqual(extra["image_size"], [32, 32])
        self.assertEqual(extra["epoch"], 0)
        self.assertEqual(
            descriptors.DatasetDescriptor.from_json(
                json.dumps(extra["descriptor"])
            ),
            descriptors.LIP,
        )
        self.assertTrue((folder / "weights.npz").exists())
        self.assertEqual(
            genotypes.load(folder / "genotype.json"), published.baseline()
        )

    def test_parts_can_be_left_out(self):
        self.assert_ends_well(
            self._train(
                "run",
                "--epochs=1",
                "--genotype=released",
                "--encoder_decoder=baseline",
                "--fusion=omit",
            )
        )

        trained = genotypes.load(self.folder / "run" / "genotype.json")
        self.assertEqual(
            trained,
            genotypes.Genotype(
                "baseline", published.released().interaction, "omit"
            ),
        )

    def test_preset_stands_for_the_network_of_the_release(self):
        result = self.run_tool(
            "train",
            f"--workdir={self.folder / 'run'}",
            "--preset=released",
            "--epochs=1",
        )

        self.assert_ends_well(result)
        description = saved_network.read_description(self.folder / "run")
        self.assertEqual(
            description["config"]["high_level_inputs"], [0, 6, 5, 4]
        )
        self.assertEqual(
            genotypes.load(self.folder / "run" / "genotype.json"),
            published.released(),
        )

    def test_starts_from_the_weights_of_another_run(self):
        still = (
            "--epochs=1",
            "--learning_rate=0",
            "--task_weight_learning_rate=0",
        )
        self.assert_ends_well(self._train("first", "--epochs=1"))
        first = self.folder / "first"
        description = saved_network.read_description(first)
        values = {"pose": [-2.0, -1.5], "parsing": [1.0, 0.5]}
        description["extra"]["log_variances"] = values
        path = first / saved_network.DESCRIPTION_FILE
        path.write_text(json.dumps(description))

        self.assert_ends_well(
            self._train("second", f"--initial={first}", *still)
        )

        ours, theirs = (
            weights_file.read_arrays(self.folder / name / "weights.npz")
            for name in ("first", "second")
        )
        for name, array in ours.items():
            if not name.endswith(("moving_mean", "moving_variance")):
                np.testing.assert_array_equal(theirs[name], array, name)
        lines = (self.folder / "second" / "metrics.jsonl").read_text()
        weights = json.loads(lines)["task_weights"]
        self.assertAlmostEqual(weights["pose_stage_0"], np.exp(2.0), places=4)
        self.assertAlmostEqual(
            weights["parsing_stage_0"], np.exp(-1.0), places=4
        )

    def test_searches_and_trainings_do_not_mix(self):
        self.assert_ends_well(self._train("run", "--epochs=1"))

        result = self.run_tool(
            "search",
            f"--workdir={self.folder / 'run'}",
            "--stage=interaction_fusion",
            "--genotype=baseline",
        )

        self.assert_user_error(result, "a run of search; found: one of train")

    def test_unfinished_genotype_is_refused(self):
        path = self.folder / "searched.json"
        genotypes.save(genotypes.Genotype("search"), path)

        result = self._train("run", f"--genotype={path}")

        self.assert_user_error(result, "still searched.*searched.json")

        result = self._train("other", f"--equal_cost={path}")
        self.assert_user_error(
            result, "still searched.*--equal_cost=.*searched.json"
        )

    def test_validation_on_other_data_is_refused(self):
        other = self.folder / "other"
        training_case.write_records(
            other, 2, descriptor=descriptors.PASCAL_PERSON_PART
        )

        result = self._train("run", f"--validation_records={other}")

        self.assert_user_error(result, "--validation_records")

    @parameterized.named_parameters(
        ("no_genotype", ["--genotype="], "--genotype"),
        ("absent_genotype", ["--genotype=absent.json"], "absent.json"),
        ("absent_initial", ["--initial=absent"], "absent"),
        ("empty_initial", ["--initial=flags"], "network.json"),
        ("absent_validation", ["--validation_records=absent"], "absent"),
        ("odd_part", ["--fusion=search"], "fusion"),
        ("width", ["--channels=22"], "--channels"),
        ("no_initial", ["--new_heads"], "--initial.*--new_heads"),
        ("scales", ["--scale_range=2,1"], "--scale_range"),
        ("replicas", ["--num_replicas=3"], "--num_replicas"),
        (
            "batch",
            ["--strategy=mirrored", "--num_replicas=2", "--batch_size=3"],
            "--batch_size.*multiple of 2; found: 3",
        ),
        ("too_few", ["--batch_size=9"], "too few records.*found: 8"),
    )
    def test_wrong_input_is_one_line(self, arguments, pattern):
        self.assert_user_error(self._train("run", *arguments), pattern)


if __name__ == "__main__":
    absltest.main()
