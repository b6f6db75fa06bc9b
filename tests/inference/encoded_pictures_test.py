"""Tests of inference.pictures."""

import random

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import encoded_pictures
from nppnet_tf.inference import encoded_structure
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure as rule
from tests.pictures import picture_corpus

_MANY = tf.TensorSpec([None], tf.string)


@tf.function(input_signature=[_MANY, tf.TensorSpec([], tf.int64)])
def _read(image_bytes, max_pixels):
    """Returns statuses and pixels of files of one size."""
    structures = encoded_structure.read_each(image_bytes, max_pixels)
    statuses, (images,) = encoded_pictures.read_each(
        image_bytes, structures, lambda image: [image], [_no_pixels()]
    )
    return statuses, images


def _no_pixels():
    nothing = tf.zeros([0, 0, 3], tf.uint8)
    return tf.compat.v1.placeholder_with_default(nothing, [None, None, 3])


def _read_in_graph(data, max_pixels=rule.MAX_PIXELS):
    """Returns status and pixels as the served graph sees a file."""
    statuses, images = _read(tf.constant([data]), max_pixels)
    return int(statuses[0]), images[0].numpy()


def _read_in_python(data):
    """Returns status and pixels as `predict` sees a file."""
    try:
        return rule.READ, picture_files.decode(data)
    except rule.PictureError as error:
        return error.status, None


def _mark(image):
    """Returns numbers that tell two pictures apart."""
    values = tf.cast(tf.reshape(image, [-1]), tf.float64)
    weights = tf.range(tf.size(values)) % 1009 + 1
    total = tf.reduce_sum(values * tf.cast(weights, tf.float64))
    sides = tf.cast(tf.shape(image)[:2], tf.float64)
    return tf.concat([[total], sides], 0)


@tf.function(input_signature=[_MANY])
def _read_many(image_bytes):
    """Returns statuses and marks of many files at once."""

    structures = encoded_structure.read_each(image_bytes)
    statuses, (marks,) = encoded_pictures.read_each(
        image_bytes,
        structures,
        lambda image: [_mark(image)],
        [tf.zeros([3], tf.float64)],
    )
    return statuses, marks


class TwoSidesTest(absltest.TestCase):
    """`predict` and the served graph read every file alike."""

    def test_corpus_is_read_alike(self):
        files = picture_corpus.corpus()
        differing = []

        for name, data in files.items():
            status, pixels = _read_in_graph(data)
            expected_status, expected = _read_in_python(data)
            if status != expected_status or (
                status == rule.READ and not np.array_equal(pixels, expected)
            ):
                differing.append(f"{name}: {status}, {expected_status}")

        self.assertGreater(len(files), 1000)
        self.assertEmpty(differing)

    def test_sound_files_of_the_corpus_are_read(self):
        unread = [
            name
            for name, data in picture_corpus.sound_files()
            if _read_in_graph(data)[0] != rule.READ
        ]

        self.assertEmpty(unread)

    def test_mutations_are_read_alike_and_leave_others_alone(self):
        rng = random.Random(1)
        sound = list(dict(picture_corpus.sound_files()).values())
        good = sound[:8]
        marks = [_mark(picture_files.decode(data)).numpy() for data in good]
        changed = [
            picture_corpus.mutated(rng.choice(sound), rng) for _ in range(1000)
        ]
        statuses = []

        for start in range(0, len(changed), 50):
            bad = changed[start : start + 50]
            batch = [*good[:4], *bad, *good[4:]]
            found, found_marks = _read_many(tf.constant(batch))
            statuses += found.numpy()[4:-4].tolist()
            for index, data in enumerate(bad, 4):
                status, pixels = _read_in_python(data)
                self.assertEqual(found[index], status)
                if status == rule.READ:
                    np.testing.assert_array_equal(
                        found_marks[index], _mark(pixels)
                    )
            np.testing.assert_array_equal(found_marks[:4], marks[:4])
            np.testing.assert_array_equal(found_marks[-4:], marks[4:])

        # Not all are refused: the sides must agree on pixels as well.
        self.assertBetween(np.mean(np.array(statuses) == 0), 0.1, 0.6)

    def test_flipped_bits_of_a_png_are_refused(self):
        data = picture_corpus.png(0, 8, 0, size=(5, 4))

        accepted = [
            bit
            for bit in range(8 * len(data))
            if _read_in_python(_flipped(data, bit))[0] == rule.READ
        ]

        self.assertEmpty(accepted)


class ReadTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 3, 4, 5, 6, 7, 8)
    def test_picture_is_turned_upright(self, orientation):
        plain = picture_files.decode(picture_corpus.jpeg())
        data = picture_corpus.behind_start(
            picture_corpus.jpeg(), picture_corpus.exif(orientation)
        )

        _, image = _read_in_graph(data)

        # As TIFF 6.0 says where row 0 and column 0 are.
        undone = {
            1: plain,
            2: plain[:, ::-1],
            3: plain[::-1, ::-1],
            4: plain[::-1],
            5: plain.transpose(1, 0, 2),
            6: plain[::-1].transpose(1, 0, 2),
            7: plain[::-1, ::-1].transpose(1, 0, 2),
            8: plain[:, ::-1].transpose(1, 0, 2),
        }
        np.testing.assert_array_equal(image, undone[orientation])

    def test_limit_of_pixels_is_an_argument(self):
        data = picture_corpus.png(2, 8, 0, size=(30, 42))

        for limit, status in ((1260, rule.READ), (1259, rule.TOO_LARGE)):
            found, image = _read_in_graph(data, limit)

            self.assertEqual(found, status)
            self.assertEqual(image.shape[0] > 0, status == rule.READ)


class EachOrDefaultTest(absltest.TestCase):
    def test_failures_become_the_default(self):
        def length(text):
            with tf.control_dependencies(
                [tf.debugging.assert_less(tf.strings.length(text), 3)]
            ):
                return tf.strings.length(text), tf.constant([1.0, 2.0])

        lengths, constants = tf.function(
            lambda texts: encoded_pictures.each_or_default(
                texts, length, (tf.constant(-1), tf.zeros([2]))
            )
        )(tf.constant(["a", "long", "bb", "longer"]))

        np.testing.assert_array_equal(lengths, [1, -1, 2, -1])
        np.testing.assert_array_equal(
            constants, [[1, 2], [0, 0], [1, 2], [0, 0]]
        )

    def test_all_may_fail(self):
        statuses, marks = _read_many(tf.constant([b"", b"no picture"]))

        np.testing.assert_array_equal(statuses, [1, 1])
        np.testing.assert_array_equal(marks, np.zeros((2, 3)))


def _flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


if __name__ == "__main__":
    absltest.main()
