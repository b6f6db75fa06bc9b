"""Tests of nppnet_tf.files.file_table."""

import os
import pathlib

from absl.testing import absltest

from nppnet_tf.files import file_table
from nppnet_tf.files.file_table import FileTable


class FileTableTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _touch(self, *names):
        for name in names:
            (self.folder / name).touch()

    def test_ids_are_names_without_endings_of_any_case(self):
        self._touch("a.b.PNG", "c.mat", "d.txt", "._c.png", "Thumbs.db")
        (self.folder / "e.png").mkdir()
        (self.folder / "f.png").symlink_to("nothing")

        table = FileTable(self.folder, (".png", ".mat"))

        self.assertEqual(list(table), ["a.b", "c", "f"])
        self.assertEqual(table["a.b"], self.folder / "a.b.PNG")
        self.assertEmpty(table.doubled)

    def test_first_ending_is_preferred_and_the_others_are_told(self):
        self._touch("a.npy", "a.npz", "A.npy")

        table = FileTable(self.folder, (".npz", ".npy"))

        self.assertEqual(table["a"], self.folder / "a.npz")
        self.assertEqual(
            table.doubled, {"a": (table["a"], self.folder / "a.npy")}
        )

    def test_letters_are_composed_as_they_like(self):
        self._touch("w\u00e9.png", "the\u0301.png")

        table = FileTable(self.folder, (".png",))

        self.assertEqual(table["we\u0301"], self.folder / "w\u00e9.png")
        self.assertEqual(table["th\u00e9"], self.folder / "the\u0301.png")
        self.assertNotIn("we", table)

    def test_bytes_that_are_no_text_are_escaped(self):
        self._touch(os.fsdecode(b"\xb2\xe2.png"))

        (name,) = FileTable(self.folder, (".png",))

        self.assertEqual(name, "\\xb2\\xe2")

    def test_folder_that_is_missing_holds_nothing(self):
        self.assertEmpty(FileTable(self.folder / "none", (".png",)))
        self.assertEmpty(file_table.files_in(self.folder / "none"))


if __name__ == "__main__":
    absltest.main()
