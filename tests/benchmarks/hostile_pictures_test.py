"""Tests of benchmarks.hostile_pictures."""

import itertools

from absl.testing import absltest

from nppnet_tf.benchmarks import hostile_pictures
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files


class HostilePicturesTest(absltest.TestCase):
    def _first(self, count, seed=0):
        return list(
            itertools.islice(hostile_pictures.hostile_pictures(seed), count)
        )

    def test_they_are_the_same_for_a_seed_and_differ_among_each_other(self):
        first = self._first(100)

        self.assertEqual(first, self._first(100))
        self.assertNotEqual(first, self._first(100, 1))
        self.assertGreater(len({data for _, data in first}), 80)

    def test_every_kind_comes_and_bombs_now_and_then(self):
        kinds = {kind for kind, _ in self._first(1500)}

        for words in (
            "jpeg progressive",
            "png palette",
            "webp",
            "cut_off",
            "double",
            "lie_about_size",
            "foreign",
            "bomb",
        ):
            self.assertTrue(any(words in kind for kind in kinds), words)

    def test_some_are_read_all_the_same_and_most_are_not(self):
        read = 0
        for kind, data in self._first(200):
            try:
                picture_files.decode(data, max_pixels=1 << 20)
                read += 1
            except UserError:
                self.assertNotEmpty(kind)

        self.assertBetween(read, 5, 100)

    def test_a_good_picture_is_good(self):
        image = picture_files.decode(hostile_pictures.good_picture(3))

        self.assertEqual(image.shape, (96, 72, 3))


if __name__ == "__main__":
    absltest.main()
