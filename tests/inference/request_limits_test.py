"""Tests of inference.request_limits."""

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.inference import request_limits


class FitTogetherTest(absltest.TestCase):
    def _fit(self, *sizes):
        statuses = [0 if max(size) else 1 for size in sizes]
        found, statuses = request_limits.fit_together(
            tf.constant(sizes), tf.constant(statuses)
        )
        return found.numpy().tolist(), statuses.numpy().tolist()

    def test_usual_pictures_fit(self):
        sizes = [[4000, 3000], [0, 0], [3000, 4000]]

        self.assertEqual(self._fit(*sizes), (sizes, [0, 1, 0]))

    def test_four_of_the_largest_fit(self):
        sizes = [[8192, 8192]] * 4

        self.assertEqual(self._fit(*sizes), (sizes, [0] * 4))
        self.assertEqual(
            self._fit(*sizes, [100, 100]),
            ([[0, 0]] * 4 + [[100, 100]], [3] * 4 + [0]),
        )

    def test_odd_one_costs_itself(self):
        sizes = [[65535, 1], [2000, 1000], [1, 30000], [1000, 2000]]

        self.assertEqual(
            self._fit(*sizes),
            ([[0, 0], [2000, 1000], [1, 30000], [1000, 2000]], [3, 0, 0, 0]),
        )


class WithinRequestTest(absltest.TestCase):
    def test_largest_are_left_out(self):
        sizes = [[8192, 8192]] * 5 + [[65535, 65535], [10, 10]]

        statuses = request_limits.within_request(
            tf.constant(sizes), tf.constant([0] * 5 + [2, 0])
        )

        # Four of the largest, but beside a small one only three.
        self.assertEqual(statuses.numpy().tolist(), [0, 0, 0, 3, 3, 2, 0])


if __name__ == "__main__":
    absltest.main()
