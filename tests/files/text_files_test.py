"""Tests of nppnet_tf.files.text_files."""

import codecs
import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "a.txt"

    def _read(self, data, **settings):
        self.path.write_bytes(data)
        return text_files.read(self.path, **settings)

    @parameterized.parameters(
        b"a\nb\n",
        b"a\r\nb\r\n",
        b"a\rb\r",
        codecs.BOM_UTF8 + b"a\r\nb\n",
    )
    def test_line_ends_and_marks_of_any_system_mean_the_same(self, data):
        self.assertEqual(self._read(data), "a\nb\n")

    @parameterized.parameters("utf-16", "utf-16-be", "utf-32", "utf-16-le")
    def test_other_encodings_are_refused(self, encoding):
        with self.assertRaisesRegex(
            UserError, "a.txt.*(UTF-16|UTF-32)"
        ) as caught:
            self._read("name;x;y\n".encode(encoding))
        self.assertLess(len(str(caught.exception)), 500)

    def test_a_mark_tells_utf_32_from_utf_16(self):
        with self.assertRaisesRegex(UserError, "found: UTF-32"):
            self._read("a".encode("utf-32"))
        with self.assertRaisesRegex(UserError, "found: UTF-16"):
            self._read(codecs.BOM_UTF16_BE + "a".encode("utf-16-be"))

    def test_the_line_of_other_bytes_is_named(self):
        with self.assertRaisesRegex(UserError, "a.txt, line 2.*byte 0xe9"):
            self._read("jos\nJosé".encode("latin-1"))

    def test_a_file_larger_than_the_limit_is_refused(self):
        self.assertEqual(self._read(b"1234", max_bytes=4), "1234")
        with self.assertRaisesRegex(UserError, "too large.*at most 4 bytes"):
            self._read(b"12345", max_bytes=4)

    def test_devices_pipes_and_folders_are_refused(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for path, kind in (
            ("/dev/zero", "a device"),
            (pipe, "a pipe"),
            (self.folder, "a folder"),
        ):
            with self.subTest(kind), self.assertRaisesRegex(UserError, kind):
                text_files.read(path)

    def test_a_missing_file_is_told(self):
        with self.assertRaisesRegex(UserError, "none.txt.*No such file"):
            text_files.read(self.folder / "none.txt")


if __name__ == "__main__":
    absltest.main()
