"""Tests of nppnet_tf.files.atomic."""

import errno
import os
import pathlib
from unittest import mock

from absl.testing import absltest

from nppnet_tf.files import atomic


class AtomicPathTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_file_appears_when_the_block_ends(self):
        target = self.folder / "deep" / "result.txt"

        with atomic.atomic_path(target) as temporary:
            temporary.write_text("whole")
            self.assertFalse(target.exists())

        self.assertEqual(target.read_text(), "whole")
        self.assertLen(list(target.parent.iterdir()), 1)

    def test_failure_leaves_the_former_file(self):
        target = self.folder / "result.txt"
        target.write_text("former")

        with self.assertRaisesRegex(RuntimeError, "halfway"):
            with atomic.atomic_path(target) as temporary:
                temporary.write_text("half")
                raise RuntimeError("halfway")

        self.assertEqual(target.read_text(), "former")
        self.assertLen(list(self.folder.iterdir()), 1)

    def test_failure_removes_a_folder(self):
        with self.assertRaisesRegex(RuntimeError, "halfway"):
            with atomic.atomic_path(self.folder / "made") as temporary:
                temporary.mkdir()
                (temporary / "file").write_text("half")
                raise RuntimeError("halfway")

        self.assertEmpty(list(self.folder.iterdir()))

    def test_folder_does_not_replace_a_folder(self):
        target = self.folder / "made"
        target.mkdir()

        with self.assertRaisesRegex(FileExistsError, "already there"):
            with atomic.atomic_path(target) as temporary:
                temporary.mkdir()

    def test_text_is_replaced_at_once(self):
        target = self.folder / "result.txt"

        atomic.write_text(target, "first")
        atomic.write_text(target, "second")

        self.assertEqual(target.read_text(), "second")

    def test_a_full_disk_is_told_with_the_name_of_the_file(self):
        target = self.folder / "result.txt"
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        for error in (full, RuntimeError(f"HDF5: {full.strerror}")):
            with self.assertRaises(OSError) as caught:
                with atomic.atomic_path(target) as temporary:
                    temporary.write_text("half")
                    raise error

            self.assertEqual(caught.exception.errno, errno.ENOSPC)
            self.assertEqual(caught.exception.filename, str(target))
            self.assertEmpty(list(self.folder.iterdir()))

    def test_names_of_any_length_are_written_and_swept(self):
        name = "é" * (atomic.MAX_NAME_BYTES // 2)
        for target in (self.folder / name, self.folder / f"{name[:-1]}ab"):
            atomic.write_text(target, "whole")
            self.assertEqual(target.read_text(), "whole")
            with atomic.atomic_path(target) as temporary:
                temporary.write_text("half")
                atomic.sweep(self.folder)
                self.assertFalse(temporary.exists())
                temporary.write_text("again")

        self.assertLen(list(self.folder.iterdir()), 2)

    def test_files_of_a_group_appear_together_the_last_one_first(self):
        targets = [self.folder / name for name in ("a", "b", "c")]

        with self.assertRaisesRegex(RuntimeError, "halfway"):
            with atomic.atomic_paths(targets) as temporaries:
                for path in temporaries[:2]:
                    path.write_text("whole")
                raise RuntimeError("halfway")
        self.assertEmpty(list(self.folder.iterdir()))

        with atomic.atomic_paths(targets) as temporaries:
            for path in temporaries:
                path.write_text("whole")
        self.assertEqual(sorted(self.folder.iterdir()), targets)


class ShortNameTest(absltest.TestCase):
    def test_a_name_that_fits_is_kept(self):
        self.assertEqual(atomic.short_name("a" * 255), "a" * 255)

    def test_long_names_stay_apart_and_whole_letters(self):
        names = ["é" * 130 + end for end in ("a", "b")]

        short = [atomic.short_name(name, 100) for name in names]

        self.assertNotEqual(*short)
        for name in short:
            self.assertLessEqual(len(os.fsencode(name)), 100)
            self.assertStartsWith(name, "éé")


class SweepTest(absltest.TestCase):
    def test_what_killed_processes_left_is_removed(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "checkpoints").mkdir()
        (folder / "made.tmp-12").mkdir()
        (folder / "made.tmp-12" / "part").touch()
        for name in (
            "weights.npz.tmp-1",
            "checkpoints/last.npz.tmp-4000000",
            "checkpoints/last.npz",
            "notes.tmp-old",
            "a.tmp-1.txt",
        ):
            (folder / name).touch()

        atomic.sweep(folder)

        self.assertCountEqual(
            [str(p.relative_to(folder)) for p in folder.rglob("*")],
            [
                "checkpoints",
                "checkpoints/last.npz",
                "notes.tmp-old",
                "a.tmp-1.txt",
            ],
        )


class DurableTest(absltest.TestCase):
    def test_a_file_is_on_the_disk_before_it_replaces_another(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "a.txt"
        calls = []

        def flush(descriptor):
            calls.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            calls.append(path.exists())

        with mock.patch.object(os, "fsync", flush):
            atomic.write_text(path, "whole", durable=True)

        self.assertEqual(
            calls,
            [f"{path}.tmp-{os.getpid()}", False, str(path.parent), True],
        )

    def test_new_folders_are_on_the_disk_as_well(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        calls = []

        def flush(descriptor):
            calls.append(os.readlink(f"/proc/self/fd/{descriptor}"))

        with mock.patch.object(os, "fsync", flush):
            path = folder / "a" / "b" / "c.txt"
            atomic.write_text(path, "whole", durable=True)

        self.assertEqual(calls[:2], [str(folder), str(folder / "a")])
        self.assertEqual(calls[-1], str(folder / "a" / "b"))


if __name__ == "__main__":
    absltest.main()
