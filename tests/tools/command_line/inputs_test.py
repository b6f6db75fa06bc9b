"""Tests of tools.command_line.inputs."""

import os
import pathlib

from absl.testing import absltest

from nppnet_tf.errors import UserError
from tools.command_line import inputs


class FindTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("a.jpg", "b.PNG", "c.gif", "d.MP4", "e.txt", "._a.jpg"):
            (self.folder / name).touch()
        (self.folder / "more.jpg").mkdir()
        (self.folder / "more.jpg" / "z.jpg").touch()

    def _names(self, *words):
        found = inputs.find([os.fspath(self.folder / word) for word in words])
        return [
            [path.name for path in paths]
            for paths in (found.pictures, found.videos, found.others)
        ]

    def test_folders_and_patterns_are_looked_through(self):
        expected = [["a.jpg", "b.PNG"], ["d.MP4"], ["c.gif"]]

        self.assertEqual(self._names(""), expected)
        self.assertEqual(self._names("*"), expected)
        self.assertEqual(self._names("[ab].*", "d.MP4", "c.g?f"), expected)
        self.assertEqual(self._names("**/z.*"), [["z.jpg"], [], []])

    def test_folders_of_a_folder_are_named(self):
        found = inputs.find([os.fspath(self.folder)])

        self.assertRegex(found.notes[0], r"not read: more.jpg/ \(1\)$")
        self.assertEmpty(inputs.find([os.fspath(self.folder / "a.jpg")]).notes)

    def test_named_files_are_taken_as_they_are(self):
        self.assertEqual(self._names("e.txt"), [["e.txt"], [], []])
        self.assertEqual(self._names("a.jpg", "a.jpg"), [["a.jpg"], [], []])
        (self.folder / "x[1].jpg").touch()
        self.assertEqual(self._names("x[1].jpg"), [["x[1].jpg"], [], []])

    def test_one_file_named_in_two_ways_is_one(self):
        other = "more.jpg/../a.jpg"

        self.assertEqual(self._names("a.jpg", other)[0], ["a.jpg"])
        self.assertEqual(self._names("", other)[0], ["a.jpg", "b.PNG"])

    def test_links_to_nothing_do_not_hide_the_others(self):
        for name, target in (("loop.jpg", "loop.jpg"), ("lost.jpg", "gone")):
            (self.folder / name).symlink_to(target)

        for word in ("", "*"):
            self.assertEqual(
                self._names(word)[0], ["a.jpg", "b.PNG", "loop.jpg", "lost.jpg"]
            )
        with self.assertRaisesRegex(UserError, "not found.*loop.jpg"):
            self._names("loop.jpg")

    def test_what_leads_to_nothing_is_told(self):
        for word, message in (
            ("absent.jpg", "not found.*absent.jpg"),
            ("q*.jpg", "not found.*q"),
            ("*.txt", "no pictures.*txt"),
            ("*.gif", "no pictures.*found: 1 picture neither"),
        ):
            with self.assertRaisesRegex(UserError, message):
                self._names(word)

    def test_files_of_one_name_are_told(self):
        (self.folder / "a").mkdir()
        (self.folder / "a" / "a.jpg").touch()

        with self.assertRaisesRegex(UserError, "two files of one name.*a.jpg"):
            self._names("a.jpg", "a")


if __name__ == "__main__":
    absltest.main()
