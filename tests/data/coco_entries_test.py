"""Tests of nppnet_tf.data.coco_entries."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import coco_entries
from nppnet_tf.errors import UserError


class EntriesTest(parameterized.TestCase):
    @parameterized.parameters(7, 7.0, "7", " 7 ")
    def test_one_number_has_one_id(self, value):
        self.assertEqual(coco_entries.identity(value, "x", "id"), "7")

    @parameterized.parameters(None, True, 7.5, ([7],), 1 << 64)
    def test_what_is_no_id_is_refused(self, value):
        with self.assertRaisesRegex(UserError, "image_id is no id; where: x"):
            coco_entries.identity(value, "x", "image_id")

    @parameterized.parameters(
        (None, False), (0, False), ("0", False), (1, True), ("1", True)
    )
    def test_crowds_are_told_as_numbers_or_texts(self, value, expected):
        entry = {} if value is None else {"iscrowd": value}
        self.assertEqual(coco_entries.is_crowd(entry, "x"), expected)

    @parameterized.parameters("no", 2, ([1],))
    def test_other_crowds_are_refused(self, value):
        with self.assertRaisesRegex(UserError, "iscrowd.*0 or 1"):
            coco_entries.is_crowd({"iscrowd": value}, "x")

    @parameterized.parameters(
        (64, 48.0, (64, 48)),
        ("64", "48", (64, 48)),
        (64, None, None),
        (64, 0, None),
        (64, -48, None),
        (64, 48.5, None),
        (64, "nan", None),
        (64, "inf", None),
        (64, [48], None),
    )
    def test_size_is_stated_by_two_sides(self, height, width, expected):
        entry = {"height": height, "width": width}
        self.assertEqual(coco_entries.stated_size(entry), expected)

    def test_ids_of_categories_differ(self):
        entries = [({"id": 1}, "a"), ({"id": "2"}, "b"), ({"id": "1"}, "c")]

        self.assertEqual(coco_entries.different_ids(entries[:2]), ["1", "2"])
        with self.assertRaisesRegex(
            UserError, "two categories of one id; where: c.*found: 1"
        ):
            coco_entries.different_ids(entries)


if __name__ == "__main__":
    absltest.main()
