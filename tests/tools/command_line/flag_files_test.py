"""Tests of tools.command_line.flag_files."""

import codecs
import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from tools.command_line import flag_files


class FlagFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.path = self.folder / "flags.txt"

    def test_flags_stand_in_the_place_of_their_file(self):
        self.path.write_text("# A comment.\n--b=1\n\n  // Another.\n  --c=2\n")

        words = flag_files.expand(["--a=0", f"--flagfile={self.path}", "--d=3"])

        self.assertEqual(words, ["--a=0", "--b=1", "--c=2", "--d=3"])

    def test_words_of_files_know_their_place(self):
        inner = self.folder / "inner.txt"
        inner.write_text("\n--b=1\n")
        self.path.write_text(f"# A comment.\n--flagfile={inner}\nstray\n")

        words = flag_files.expand(["--a=0", f"--flagfile={self.path}"])

        self.assertEqual(
            list(map(flag_files.shown, words)),
            ["--a=0", f"--b=1 ({inner} line 2)", f"stray ({self.path} line 3)"],
        )

    @parameterized.named_parameters(
        ("value", "flag --b=x: expected an integer", 2),
        ("path", "not found; where: --c=/no/such; expected: a file", 3),
        ("unknown", "Unknown command line flag 'dd'. Did you mean: d ?", 4),
        ("several", "flags d=1, g=2: expected less", 5),
        ("without_value", "Missing value for flag --e", 6),
        ("typed", "flag --a=0: expected more", None),
        ("typed_and_in_the_file", "flag --f=8: expected less", None),
        ("another_value", "flag --b=xy: expected an integer", 2),
        ("no_flag", "not JSON; where: b; expected: c", None),
    )
    def test_place_of_the_flag_that_a_message_is_about(self, message, line):
        self.path.write_text(
            "# A comment.\n--b=x\n-c=/no/such\n--dd\n--d=1\n--e\n--f=7\n"
        )
        words = flag_files.expand(["--a=0", "--f=8", f"--flagfile={self.path}"])

        place = flag_files.place_of(words, message, by_name=True)

        self.assertEqual(place, line and f"{self.path} line {line}")

    def test_place_of_a_flag_by_its_name(self):
        self.path.write_text("--bb=1\n--b=2\n--c\n")
        words = flag_files.expand(["--c", f"--flagfile={self.path}"])

        found = [flag_files.place_of_name(words, name) for name in "bcd"]

        self.assertEqual(found, [f"{self.path} line 2", None, None])

    def test_messages_of_tools_name_flags_that_are_right(self):
        self.path.write_text("--b=1\n--c=2\n")
        words = flag_files.expand([f"--flagfile={self.path}"])

        message = "wrong flags; where: --a=1; expected: --b or --c"
        self.assertIsNone(flag_files.place_of(words, message))

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
