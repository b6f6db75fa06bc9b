"""Tests of nppnet_tf.atomic."""

import pathlib

from absl.testing import absltest

from nppnet_tf import atomic


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


if __name__ == "__main__":
    absltest.main()
