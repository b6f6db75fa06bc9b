"""Tests of nppnet_tf.data.id_list."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import id_list
from nppnet_tf.errors import UserError


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "ids.txt"

    def test_order_is_that_of_the_file(self):
        self.path.write_bytes(b"\xef\xbb\xbfb_2\r\n\r\n a_1.jpg \nc.d\n")

        self.assertEqual(id_list.read(self.path), ["b_2", "a_1", "c.d"])

    @parameterized.parameters("../../etc/passwd", "a/b", "a\\b", "..", "a\0b")
    def test_entry_that_leads_elsewhere_is_told(self, name):
        self.path.write_text(f"a\n{name}\n")

        with self.assertRaisesRegex(UserError, "not an id.*ids.txt"):
            id_list.read(self.path)

    def test_missing_list_is_told(self):
        with self.assertRaisesRegex(UserError, "id list cannot be read"):
            id_list.read(self.path)


if __name__ == "__main__":
    absltest.main()
