"""Tests of nppnet_tf.benchmarks.matrix_product."""

import os
from unittest import mock

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.benchmarks import matrix_product

_SIDE = 10


class MatrixProductTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(matrix_product, "_SIDE", _SIDE))
        cores = mock.patch.object(
            os, "sched_getaffinity", lambda _: set(range(8))
        )
        self.enter_context(cores)

    # 0: TensorFlow divides an operation among all cores.
    @parameterized.parameters((0, 1), (8, 1), (4, 2), (1, 8), (16, 1))
    def test_all_cores_have_a_share(self, threads_of_each, at_once):
        with mock.patch.object(
            tf.config.threading,
            "get_intra_op_parallelism_threads",
            lambda: threads_of_each,
        ):
            products = matrix_product.multiply()()
            rate = matrix_product.gmac_per_second(1e-3)

        self.assertLen(products, at_once)
        # A thousand of them in each product, in a microsecond.
        self.assertAlmostEqual(rate, at_once)
        for product in products:
            self.assertEqual(product.shape, (_SIDE, _SIDE))


if __name__ == "__main__":
    absltest.main()
