"""Tests of nppnet_tf.data.samples.lent_arrays."""

import gc

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.samples.lent_arrays import LentArrays


class LentArraysTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.lender = LentArrays(np.empty((3, 5), np.float32))

    def test_arrays_have_the_form_and_lie_where_tensorflow_takes_them(self):
        for _ in range(5):
            lent = self.lender.lend()

            self.assertEqual((lent.shape, lent.dtype), ((3, 5), np.float32))
            self.assertEqual(lent.ctypes.data % 64, 0)

    def test_memory_comes_back_when_nobody_holds_it(self):
        place = self.lender.lend().ctypes.data
        gc.collect()

        again = self.lender.lend()

        self.assertEqual(again.ctypes.data, place)

    def test_what_is_held_is_not_lent_again(self):
        first = self.lender.lend()
        gc.collect()

        second = self.lender.lend()

        self.assertFalse(np.shares_memory(first, second))


if __name__ == "__main__":
    absltest.main()
