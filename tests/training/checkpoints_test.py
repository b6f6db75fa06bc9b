"""A checkpoint gives everything back, and only to whom it belongs."""

import dataclasses
import json
import os
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import checkpoints
from tests.training import tiny_network


def _data():
    return next(iter(tiny_network.search_dataset(1)))


class RoundTripTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir()) / "last.npz"

    def test_every_variable_comes_back_exactly(self):
        model = tiny_network.search_model()
        model.train_step(_data())
        checkpoints.save(self.path, model, checkpoints.Progress(epoch=1))
        other = tiny_network.search_model()

        checkpoints.restore(other, checkpoints.load(self.path))

        names = list(checkpoints.named_variables(model))
        for name in ("network/", "loss/", "architecture_optimizer/"):
            self.assertTrue(any(found.startswith(name) for found in names))
        for name, variable in checkpoints.named_variables(model).items():
            np.testing.assert_array_equal(
                tiny_network.values([variable])[0],
                tiny_network.values([checkpoints.named_variables(other)[name]])[
                    0
                ],
                err_msg=name,
            )

    @parameterized.parameters("softmax", "gumbel")
    def test_going_on_equals_never_stopping(self, name):
        straight = tiny_network.search_model(relaxation=name)
        straight.begin_epoch(3)
        straight.train_step(_data())
        checkpoints.save(self.path, straight, checkpoints.Progress())
        straight.train_step(_data())
        # Of other random numbers, which the checkpoint puts right.
        resumed = tiny_network.search_model(relaxation=name)

        checkpoints.restore(resumed, checkpoints.load(self.path))
        resumed.begin_epoch(3)
        resumed.train_step(_data())

        for left, right in zip(
            tiny_network.values(straight.network.variables),
            tiny_network.values(resumed.network.variables),
            strict=True,
        ):
            np.testing.assert_array_equal(left, right)

    def test_progress_comes_back(self):
        progress = checkpoints.Progress(2, ({"epoch": 0}, {"epoch": 1}), 1, 0.5)
        checkpoints.save(self.path, tiny_network.retrain_model(), progress)

        self.assertEqual(checkpoints.load(self.path).progress, progress)

    def test_part_of_an_epoch_comes_back(self):
        part = checkpoints.EpochPart(3, 1.5, {"loss": 0.1}, {})
        progress = checkpoints.Progress(1, ({"epoch": 0},), part=part)
        checkpoints.save(self.path, tiny_network.retrain_model(), progress)

        self.assertEqual(checkpoints.load(self.path).progress, progress)

    def test_file_of_before_is_read(self):
        checkpoints.save(
            self.path, tiny_network.retrain_model(), checkpoints.Progress(1)
        )
        arrays = dict(np.load(self.path))
        metadata = json.loads(str(arrays["metadata"]))
        del metadata["progress"]["part"], metadata["relaxation"]
        np.savez(self.path, **{**arrays, "metadata": json.dumps(metadata)})

        checkpoint = checkpoints.load(self.path)

        self.assertEqual(checkpoint.progress, checkpoints.Progress(1))
        self.assertEqual(checkpoint.relaxation, "softmax")

    def test_derives_what_the_network_would(self):
        model = tiny_network.search_model()
        checkpoints.save(self.path, model, checkpoints.Progress())

        derived = checkpoints.load(self.path).derive()

        self.assertEqual(
            derived,
            pruning.derive(
                model.network.genotype,
                checkpoints.architecture_arrays(model.network),
                model.network.space.primitives,
                relaxation.PAPER,
            ),
        )


class WrongFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir()) / "last.npz"

    def test_missing_file_is_named(self):
        with self.assertRaisesRegex(UserError, "last.npz"):
            checkpoints.load(self.path)

    @parameterized.named_parameters(
        ("empty", b""),
        ("text", b"no checkpoint"),
        ("half_a_zip", b"PK\x03\x04"),
    )
    def test_other_content_is_an_error(self, content):
        self.path.write_bytes(content)

        with self.assertRaisesRegex(UserError, "checkpoint cannot be read"):
            checkpoints.load(self.path)

    def test_truncated_file_is_an_error(self):
        checkpoints.save(
            self.path, tiny_network.retrain_model(), checkpoints.Progress()
        )
        content = self.path.read_bytes()
        self.path.write_bytes(content[: len(content) // 2])

        with self.assertRaisesRegex(UserError, "checkpoint cannot be read"):
            checkpoints.load(self.path)

    def test_other_arrays_are_an_error(self):
        np.savez(self.path, kernel=np.zeros(3))

        with self.assertRaisesRegex(UserError, "nppnet_tf.checkpoint 1"):
            checkpoints.load(self.path)

    @parameterized.named_parameters(
        ("fewer_operations", "alpha", lambda alpha: alpha[:, 1:]),
        ("more_edges", "beta", lambda beta: np.append(beta, beta[:1])),
        ("whole_numbers", "beta", lambda beta: beta.astype(np.int32)),
        ("not_finite", "alpha", lambda alpha: alpha * np.nan),
        ("absent", "alpha", None),
    )
    def test_alpha_and_beta_of_another_search_are_an_error(self, name, change):
        checkpoints.save(
            self.path, tiny_network.search_model(), checkpoints.Progress()
        )
        arrays = dict(np.load(self.path))
        key = f"architecture/pose/fusion/{name}"
        if change is None:
            del arrays[key], arrays["architecture/pose/fusion/beta"]
        else:
            arrays[key] = change(arrays[key])
        np.savez(self.path, **arrays)

        with self.assertRaisesRegex(UserError, "cannot be read.*pose/fusion"):
            checkpoints.load(self.path)

    def test_another_network_s_checkpoint_is_an_error(self):
        checkpoints.save(
            self.path, tiny_network.search_model(), checkpoints.Progress()
        )
        model = tiny_network.retrain_model()
        before = tiny_network.values(model.network.variables)

        with self.assertRaisesRegex(UserError, "of another network"):
            checkpoints.restore(model, checkpoints.load(self.path))

        for left, right in zip(
            before, tiny_network.values(model.network.variables), strict=True
        ):
            np.testing.assert_array_equal(left, right)

    def test_other_losses_are_an_error(self):
        model = tiny_network.retrain_model()
        part = checkpoints.EpochPart(1, trackers={"other/total": [1.0]})
        checkpoints.save(self.path, model, checkpoints.Progress(part=part))

        with self.assertRaisesRegex(UserError, "other losses.*other/total"):
            checkpoints.restore(model, checkpoints.load(self.path))

    def test_another_size_is_an_error(self):
        model = tiny_network.retrain_model()
        checkpoints.save(self.path, model, checkpoints.Progress())
        checkpoint = checkpoints.load(self.path)
        checkpoint.arrays["network/stem/kernel"] = np.zeros([1, 1, 3, 4])

        with self.assertRaisesRegex(UserError, "another size.*stem/kernel"):
            checkpoints.restore(model, checkpoint)


class TrackersTest(absltest.TestCase):
    def test_equal_shares_on_another_number_of_replicas(self):
        model = tiny_network.retrain_model()
        values = {
            name: [1.0, 3.0] for name in checkpoints.tracker_values(model)
        }

        checkpoints.assign_trackers(model, values)

        found = checkpoints.tracker_values(model)
        self.assertEqual(found, {name: [4.0] for name in values})


class CheckpointFolderTest(absltest.TestCase):
    def test_part_of_an_epoch_is_never_the_best(self):
        folder = checkpoints.CheckpointFolder(self.create_tempdir().full_path)
        model = tiny_network.retrain_model()
        progress = checkpoints.Progress(1, ({},), best_epoch=0)
        folder.save(model, progress)
        part = checkpoints.EpochPart(step=1)

        folder.save(model, dataclasses.replace(progress, part=part))

        self.assertEqual(folder.last().progress.part.step, 1)
        self.assertEqual(checkpoints.load(folder.best_path).progress, progress)

    def test_best_is_written_before_the_last(self):
        folder = checkpoints.CheckpointFolder(self.create_tempdir().full_path)
        model = tiny_network.retrain_model()

        with (
            mock.patch.object(os, "link", side_effect=OSError("killed")),
            self.assertRaisesRegex(OSError, "killed"),
        ):
            folder.save(model, checkpoints.Progress(1, ({},), best_epoch=0))

        self.assertIsNone(folder.last())
        self.assertTrue(folder.best_path.exists())

    def test_variables_that_are_not_finite_are_not_saved(self):
        folder = checkpoints.CheckpointFolder(self.create_tempdir().full_path)
        model = tiny_network.retrain_model()
        folder.save(model, checkpoints.Progress(1, ({},), best_epoch=0))
        content = folder.last_path.read_bytes()
        for variables in (
            model.network.variables,
            model.joint_loss.variables,
            model.updates[0].optimizer.variables,
        ):
            ruined = [v for v in variables if "float" in v.dtype][-1]
            good = ruined.numpy()
            ruined.assign(np.full_like(good, np.inf))

            with (
                self.subTest(ruined.path),
                self.assertRaisesRegex(checkpoints.NotFiniteError, ruined.path),
            ):
                folder.save(model, checkpoints.Progress(2, ({}, {})))

            self.assertEqual(folder.last_path.read_bytes(), content)
            ruined.assign(good)

    def test_best_stays_while_last_goes_on(self):
        folder = checkpoints.CheckpointFolder(self.create_tempdir().full_path)
        model = tiny_network.retrain_model()

        folder.save(model, checkpoints.Progress(1, ({},), best_epoch=0))
        folder.save(model, checkpoints.Progress(2, ({}, {}), best_epoch=0))

        self.assertEqual(checkpoints.load(folder.best_path).progress.epoch, 1)
        self.assertEqual(folder.last().progress.epoch, 2)

    def test_is_empty_before_the_first_epoch(self):
        folder = checkpoints.CheckpointFolder(self.create_tempdir().full_path)

        self.assertIsNone(folder.last())

    def test_each_file_is_on_the_disk_before_it_replaces_another(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "checkpoints"
        folder = checkpoints.CheckpointFolder(path)
        model = tiny_network.retrain_model()
        calls = []

        def flush(descriptor):
            name = os.readlink(f"/proc/self/fd/{descriptor}")
            calls.append(f"on the disk: {pathlib.Path(name).name}")

        def replace(source, target, move=os.replace):
            calls.append(f"moves: {pathlib.Path(source).name}")
            move(source, target)

        with (
            mock.patch.object(os, "fsync", flush),
            mock.patch.object(os, "replace", replace),
        ):
            folder.save(model, checkpoints.Progress(1, ({},), best_epoch=0))

        expected = [f"on the disk: {path.parent.name}"]
        for name in ("best.npz", "last.npz"):
            temporary = f"{name}.tmp-{os.getpid()}"
            expected += [
                f"on the disk: {temporary}",
                f"moves: {temporary}",
                "on the disk: checkpoints",
            ]
        self.assertEqual(calls, expected)

    def test_failed_writing_leaves_the_last_one(self):
        directory = self.create_tempdir().full_path
        folder = checkpoints.CheckpointFolder(directory)
        model = tiny_network.retrain_model()
        folder.save(model, checkpoints.Progress(1, ({},)))

        with self.assertRaisesRegex(TypeError, "JSON"):
            folder.save(model, checkpoints.Progress(2, (object(),)))

        self.assertEqual(folder.last().progress.epoch, 1)
        self.assertEqual(os.listdir(directory), ["last.npz"])


if __name__ == "__main__":
    absltest.main()
