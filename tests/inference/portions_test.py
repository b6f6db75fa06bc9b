"""Tests of inference.portions."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import portions


class PortionsTest(parameterized.TestCase):
    @parameterized.parameters(
        ([1], [0, 1]),
        ([0, 0, 0], [0, 3]),
        ([4, 4, 4, 4], [0, 3, 4]),
        ([1, 50, 1, 1, 50, 50], [0, 2, 5, 6]),
    )
    def test_a_full_portion_takes_no_more(self, sizes, expected):
        found = portions.borders(tf.constant(sizes, tf.int64), 10)

        self.assertEqual(found.numpy().tolist(), expected)

    @parameterized.parameters(1, 3, 100)
    def test_answers_are_joined_in_order(self, most):
        texts = tf.constant(["a", "bcd", "", "ef"])

        lengths, copies = tf.function(
            lambda texts: portions.apply(
                lambda part: (tf.strings.length(texts[part]), texts[part]),
                tf.cast(tf.strings.length(texts), tf.int64),
                most,
                [tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.string)],
            )
        )(texts)

        np.testing.assert_array_equal(lengths, [1, 3, 0, 2])
        np.testing.assert_array_equal(copies, texts)

    @parameterized.parameters(1, 3, 100)
    def test_each_goes_on_from_what_was_begun_of_its_portion(self, most):
        sizes = tf.constant([1, 3, 0, 2], tf.int64)

        (found,) = tf.function(
            lambda sizes: portions.apply_to_each(
                lambda part: 10 * sizes[part],
                lambda begun, place: [begun + tf.cast(place, tf.int64)],
                sizes,
                most,
                [tf.TensorSpec([], tf.int64)],
            )
        )(sizes)

        np.testing.assert_array_equal(found, [10, 31, 2, 23])


if __name__ == "__main__":
    absltest.main()
