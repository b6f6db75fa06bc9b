"""Tests of nppnet_tf.errors."""

import os
import pickle

from absl.testing import absltest

from nppnet_tf import errors
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.errors import UserError
from nppnet_tf.pictures.picture_structure import TOO_LARGE
from nppnet_tf.pictures.picture_structure import PictureError
from nppnet_tf.workers import WorkerDiedError


class UserErrorTest(absltest.TestCase):
    def test_parts_stand_in_one_line(self):
        error = UserError("too large", "a.png", "8 x 8", "9\n x 9")

        self.assertEqual(
            str(error), "too large; where: a.png; expected: 8 x 8; found: 9 x 9"
        )

    def test_missing_parts_are_left_out(self):
        self.assertEqual(
            str(UserError("empty", found="0 files")), "empty; found: 0 files"
        )

    def test_long_values_lose_their_middle_and_short_ones_nothing(self):
        path = f"{'/folder' * 1000}/name.png"

        text = str(UserError("unreadable", path, "a picture", "x" * 10_000_000))

        self.assertLessEqual(len(text), 500)
        self.assertStartsWith(text, "unreadable; where: /folder")
        self.assertIn("/name.png; expected: a picture; found: xxx", text)

    def test_every_length_is_kept_up_to_the_limit(self):
        for length in range(380, 520):
            text = str(UserError("p", "w" * length))

            self.assertLessEqual(len(text), errors.MAX_MESSAGE)
            if len("p; where: ") + length < errors.MAX_MESSAGE - 10:
                self.assertIn("w" * length, text)

    def test_bytes_that_are_no_text_are_escaped(self):
        name = os.fsdecode(b"\xb2\xe2.jpg")

        text = str(UserError("unreadable", name))

        self.assertEqual(text, "unreadable; where: \\xb2\\xe2.jpg")

    def test_what_steers_a_terminal_is_escaped(self):
        text = str(UserError("unreadable", "a\x1b[2Jb\u202ec\x00d"))

        self.assertEqual(text, "unreadable; where: a\\x1b[2Jb\\u202ec\\x00d")

    def test_letters_of_every_language_stay(self):
        self.assertEqual(errors.printable("测试 é 🙂"), "测试 é 🙂")


class ShortenTest(absltest.TestCase):
    def test_short_texts_stay(self):
        self.assertEqual(errors.shorten("abc", 3), "abc")

    def test_the_end_keeps_more_than_the_beginning(self):
        self.assertEqual(errors.shorten("0123456789" * 3, 14), "012 ... 456789")


class FieldsTest(absltest.TestCase):
    def test_another_place_keeps_the_rest_and_the_kind(self):
        error = errors.AbsentSplitError("none", "there", "one", "two")

        moved = error.at("--here")

        self.assertIsInstance(moved, errors.AbsentSplitError)
        self.assertEqual(
            (moved.problem, moved.where, moved.expected, moved.found),
            ("none", "--here", "one", "two"),
        )
        self.assertEqual(
            str(moved), "none; where: --here; expected: one; found: two"
        )

    def test_another_place_keeps_the_fields_of_a_class_of_its_own(self):
        error = PictureError("large", "there", status=TOO_LARGE)

        moved = error.at("a.png")

        self.assertEqual(moved.status, TOO_LARGE)
        self.assertEqual(str(moved), "large; where: a.png")
        self.assertEqual(str(error), "large; where: there")
        bad = BadRecordError("a", "torn", "there").at("b.jpg")
        self.assertEqual((bad.record_id, bad.reason), ("a", "torn"))
        self.assertEqual(str(bad), "record a: torn; where: b.jpg")

    def test_errors_come_whole_out_of_other_processes(self):
        # A message of these lengths would be cut once more if made again.
        for error in (
            *(
                UserError("p", "w" * length, "e", 3)
                for length in range(425, 450)
            ),
            PictureError("large", "there", status=TOO_LARGE),
            BadRecordError("a", UserError("torn", "b.jpg"), "there"),
            WorkerDiedError(3),
        ):
            copied = pickle.loads(pickle.dumps(error))

            self.assertIs(type(copied), type(error))
            self.assertEqual(str(copied), str(error))
            self.assertEqual(
                {name: str(value) for name, value in vars(copied).items()},
                {name: str(value) for name, value in vars(error).items()},
            )

    def test_what_is_kept_is_text_of_the_same_class(self):
        try:
            raise PictureError("torn", "a.png", None, ValueError("bits"))
        except PictureError as error:
            kept = error.kept()
            self.assertEqual(str(kept), str(error))

        self.assertIsInstance(kept, PictureError)
        self.assertIsNone(kept.__traceback__)
        self.assertEqual((kept.expected, kept.found), (None, "bits"))


if __name__ == "__main__":
    absltest.main()
