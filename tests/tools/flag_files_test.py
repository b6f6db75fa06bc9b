"""Tests of tools.flag_files."""

import codecs
import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from tools import flag_files


class FlagFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.path = self.folder / "flags.txt"

    def test_flags_stand_in_the_place_of_their_file(self):
        self.path.write_text("# A comment.\n--b=1\n\n  // Another.\n  --c=2\n")

        words = flag_files.expand(["--a=0", f"--flagfile={self.path}", "--d=3"])

        self.assertEqual(words, ["--a=0", "--b=1", "--c=2", "--d=3"])

    @parameterized.named_parameters(
        ("with_a_mark", codecs.BOM_UTF8 + b"--b=1\n--c=2\n"),
        ("of_windows", b"--b=1\r\n--c=2\r\n"),
        ("of_notepad", codecs.BOM_UTF8 + b"--b=1\r\n--c=2\r\n"),
        ("comment_behind_a_mark", codecs.BOM_UTF8 + b"# b\r\n--b=1\n--c=2"),
        ("of_an_old_mac", b"--b=1\r--c=2\r"),
    )
    def test_files_of_every_editor_mean_the_same(self, content):
        self.path.write_bytes(content)

        words = flag_files.expand([f"--flagfile={self.path}"])

        self.assertEqual(words, ["--b=1", "--c=2"])

    def test_a_file_takes_in_others(self):
        inner = self.folder / "inner.txt"
        inner.write_bytes(codecs.BOM_UTF8 + b"--b=1\r\n")
        self.path.write_text(f"--flagfile={inner}\n--c=2\n-flagfile={inner}\n")

        words = flag_files.expand(["--flagfile", str(self.path)])

        self.assertEqual(words, ["--b=1", "--c=2", "--b=1"])

    def test_other_words_are_left_alone(self):
        words = ["picture.jpg", "--a", "--", f"--flagfile={self.path}"]

        self.assertEqual(flag_files.expand(words), words)

    def test_values_that_stand_alone_are_no_flag_files(self):
        # --undefok is of absl and takes a value.
        words = ["--undefok", "--flagfile"]

        with self.assertRaisesRegex(UserError, "--flagfile"):
            flag_files.expand(words)
        self.assertEqual(
            flag_files.expand(["--undefok", "--", "x"]),
            ["--undefok", "--", "x"],
        )

    @parameterized.named_parameters(
        ("utf_16", "--b=1\n".encode("utf-16"), "not UTF-8.*UTF-16"),
        ("binary", b"\xff\x00--b=1\n", "not UTF-8"),
        ("zeros", b"--b=1\0\n", "not text"),
        ("large", b"#" * (1 << 21), "too large"),
    )
    def test_what_is_no_text_is_refused(self, content, message):
        self.path.write_bytes(content)

        with self.assertRaisesRegex(
            UserError, f"{message}.*flags.txt|{message}"
        ):
            flag_files.expand([f"--flagfile={self.path}"])

    def test_what_is_no_file_is_refused(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for path, message in (
            (pipe, "a pipe"),
            (self.folder, "a folder"),
            ("/dev/zero", "a device"),
            (self.folder / "missing", "No such file"),
            ("", "nothing"),
        ):
            with (
                self.subTest(message),
                self.assertRaisesRegex(UserError, message),
            ):
                flag_files.expand([f"--flagfile={path}"])

    def test_files_without_end_are_refused(self):
        inner = self.folder / "inner.txt"
        inner.write_text(f"--flagfile={self.path}\n")
        self.path.write_text(f"--flagfile={inner}\n")
        with self.assertRaisesRegex(UserError, "takes in itself.*inner.txt"):
            flag_files.expand([f"--flagfile={self.path}"])

        inner.write_text("")
        self.path.write_text(f"--flagfile={inner}\n" * 1000)
        with self.assertRaisesRegex(UserError, "too many flag files"):
            flag_files.expand([f"--flagfile={self.path}"])


if __name__ == "__main__":
    absltest.main()
