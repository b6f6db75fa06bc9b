"""Tests of nppnet_tf.data.readers.id_list."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.readers import id_list
from nppnet_tf.errors import UserError


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "ids.txt"

    def test_order_is_that_of_the_file(self):
        self.path.write_bytes(b"\xef\xbb\xbfb_2\r\n\r\n a_1.jpg \nc.d\n")

        self.assertEqual(id_list.read(self.path), ["b_2", "a_1", "c.d"])

    def test_of_a_path_the_last_part_counts(self):
        self.path.write_text(
            "a/b.jpg\nimages\\c.PNG\n../../etc/passwd\n/d/e.f.jfif\n"
        )

        self.assertEqual(id_list.read(self.path), ["b", "c", "passwd", "e.f"])

    @parameterized.parameters(
        ("..", "not an id.*ids.txt"),
        ("/", "not an id.*ids.txt"),
        ("a\0b", "not text.*ids.txt, line 2"),
        ("x/a.jpg", "id occurs twice.*found: a"),
    )
    def test_entry_that_is_no_name_is_told(self, name, message):
        self.path.write_text(f"a\n{name}\n")

        with self.assertRaisesRegex(UserError, message):
            id_list.read(self.path)

    @parameterized.parameters("utf-16", "utf-32")
    def test_other_encoding_is_told(self, encoding):
        self.path.write_text("a\n", encoding)

        with self.assertRaisesRegex(UserError, "not UTF-8.*ids.txt"):
            id_list.read(self.path)

    def test_missing_list_is_told(self):
        with self.assertRaisesRegex(UserError, "cannot be read.*ids.txt"):
            id_list.read(self.path)


if __name__ == "__main__":
    absltest.main()
