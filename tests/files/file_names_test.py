"""Tests of nppnet_tf.files.file_names."""

import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names

_COMPOSED = "ol\u00e9.jpg"
_DECOMPOSED = "ole\u0301.jpg"


class NameTest(parameterized.TestCase):
    @parameterized.parameters(
        "a.jpg",
        "images/a.jpg",
        r"images\a.jpg",
        r"..\..\media\a.jpg",
        r"images\1/a.jpg",
        r"C:\people\a.jpg",
    )
    def test_the_name_stands_behind_the_last_separator(self, text):
        self.assertEqual(file_names.last_part(text), "a.jpg")

    @parameterized.parameters(
        "._a.jpg",
        ".DS_Store",
        ".a.jpg",
        "Thumbs.db",
        "__MACOSX",
        "@eaDir",
        "$RECYCLE.BIN",
        "~$pose.csv",
    )
    def test_companions_of_systems_are_known(self, name):
        self.assertTrue(file_names.is_companion(name))

    @parameterized.parameters(
        "a.jpg", "_a.jpg", "a.", "thumbs.jpg", "$a.jpg", "~a.jpg"
    )
    def test_files_of_people_are_no_companions(self, name):
        self.assertFalse(file_names.is_companion(name))

    def test_files_of_a_folder_come_in_order_without_companions(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("b.jpg", "._b.jpg", "a.png", "Thumbs.db"):
            (folder / name).touch()
        (folder / "c").mkdir()

        self.assertEqual(
            [path.name for path in file_names.visible_files(folder)],
            ["a.png", "b.jpg"],
        )
        self.assertEqual(
            [path.name for path in file_names.visible_children(folder)],
            ["a.png", "b.jpg", "c"],
        )

    def test_bytes_that_are_no_text_are_refused_and_shown(self):
        name = os.fsdecode(b"\xb2\xe2.jpg")

        self.assertFalse(file_names.is_text(name))
        with self.assertRaisesRegex(UserError, r"not UTF-8.*\\xb2\\xe2.jpg"):
            file_names.require_text(name, "images")
        self.assertEqual(file_names.require_text("é", "images"), "é")
        self.assertEqual(file_names.as_text(name), r"\xb2\xe2.jpg")
        self.assertEqual(file_names.as_text("é 测\n"), "é 测\n")


class NameTableTest(absltest.TestCase):
    def test_composed_and_decomposed_letters_are_one_name(self):
        path = pathlib.Path("there")
        for there, asked in (
            (_COMPOSED, _DECOMPOSED),
            (_DECOMPOSED, _COMPOSED),
        ):
            table = file_names.NameTable({there: path})

            self.assertEqual(table[asked], path)
            self.assertIn(asked, table)
            self.assertNotIn("other", table)
            self.assertEqual(list(table), [there])

    def test_the_very_name_comes_first(self):
        table = file_names.NameTable(
            {_COMPOSED: pathlib.Path("1"), _DECOMPOSED: pathlib.Path("2")}
        )

        self.assertEqual(table[_COMPOSED], pathlib.Path("1"))
        self.assertEqual(table[_DECOMPOSED], pathlib.Path("2"))

    def test_large_and_small_letters_are_different(self):
        self.assertNotIn("A", file_names.NameTable({"a": pathlib.Path("1")}))


class RefuseMeetingTest(parameterized.TestCase):
    def _refuse(self, *names):
        file_names.refuse_meeting(
            [(f"source {i}", pathlib.Path(n)) for i, n in enumerate(names)],
            "two pictures write one file",
        )

    def test_different_names_are_taken(self):
        self._refuse("out/a.png", "out/a.json", "other/a.png", "out/é.png")

    @parameterized.parameters(
        ("out/a.png", "out/a.png"),
        ("out/a.png", "out/A.PNG"),
        (f"out/{_COMPOSED}", f"out/{_DECOMPOSED}"),
        ("out/straße.png", "out/STRASSE.png"),
    )
    def test_names_that_meet_somewhere_are_refused(self, *names):
        with self.assertRaisesRegex(
            UserError, "two pictures write one file.*source 0 and source 1"
        ):
            self._refuse(*names)


if __name__ == "__main__":
    absltest.main()
