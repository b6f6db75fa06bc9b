"""Tests of nppnet_tf.video.journal."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.video import journal
from nppnet_tf.video.journal import Journal
from tests import schemas

_FACTS = {"video": "0" * 64, "flip": False}


def _answer(number, num_people=1, is_cut=False):
    people = tuple(
        PersonAnswer(
            np.full((16, 2), number + index / 3),
            np.full(16, 0.5, np.float32),
            (0.0, 1.0, 2.0, 3.0) if is_cut else None,
            0.25,
        )
        for index in range(num_people)
    )
    labels = np.full((4, 6), number % 20, np.uint8)
    return PictureAnswer(labels, people, labels // 2 if is_cut else None)


class JournalTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "a.frames"

    def _open(self, **facts):
        return Journal(self.folder, _FACTS | facts)

    def assert_same(self, found, expected):
        np.testing.assert_array_equal(found.label_map, expected.label_map)
        self.assertEqual(
            found.instance_map is None, expected.instance_map is None
        )
        self.assertLen(found.people, len(expected.people))
        for one, other in zip(found.people, expected.people, strict=True):
            np.testing.assert_array_equal(one.keypoints_xy, other.keypoints_xy)
            np.testing.assert_array_equal(one.scores, other.scores)
            self.assertEqual((one.box, one.score), (other.box, other.score))

    def test_answers_come_back_in_their_order(self):
        for is_cut in (False, True):
            with self.subTest(is_cut):
                expected = [
                    _answer(number, number % 3 if is_cut else 1, is_cut)
                    for number in range(2 * journal.FRAMES + 3)
                ]
                book = self._open(is_cut=is_cut)
                for answer in expected:
                    book.add(answer)
                book.flush()

                found = list(self._open(is_cut=is_cut).answers())

                for one, other in zip(found, expected, strict=True):
                    self.assert_same(one, other)

    def test_what_a_journal_is_of_fits_its_schema(self):
        self._open()

        ((_, document, name),) = schemas.documents(self.folder)

        self.assertEqual(name, "frames")
        self.assertEmpty(schemas.faults(document, name))

    def test_frames_of_nobody_come_back(self):
        book = self._open()
        for number in range(journal.FRAMES):
            book.add(_answer(number, 0, is_cut=True))

        found = list(self._open().answers())

        self.assertLen(found, journal.FRAMES)
        self.assert_same(found[3], _answer(3, 0, is_cut=True))

    def test_what_was_not_written_is_done_again(self):
        book = self._open()
        for number in range(journal.FRAMES + 5):
            book.add(_answer(number))

        self.assertEqual(self._open().count, journal.FRAMES)
        book.flush()
        self.assertEqual(self._open().count, journal.FRAMES + 5)

    def test_other_videos_and_networks_begin_anew(self):
        book = self._open()
        book.add(_answer(0))
        book.flush()

        self.assertEqual(self._open(flip=True).count, 0)

    def test_files_that_lack_something_are_told(self):
        book = self._open()
        book.add(_answer(0))
        book.flush()
        path = self.folder / "000000.npz"
        for content in ({"counts": np.ones(1, int)}, {"other": np.ones(1)}):
            np.savez(path, **content)

            with self.assertRaisesRegex(UserError, "000000.npz.*label_maps"):
                self._open()

    def test_folders_of_others_are_refused(self):
        self.folder.mkdir()
        (self.folder / "mine.txt").touch()

        with self.assertRaisesRegex(UserError, "replace what is there"):
            self._open()
        self.assertTrue((self.folder / "mine.txt").exists())


if __name__ == "__main__":
    absltest.main()
