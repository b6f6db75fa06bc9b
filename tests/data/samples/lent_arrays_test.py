"""Tests of nppnet_tf.data.samples.lent_arrays."""

import gc

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.samples import lent_arrays
from nppnet_tf.data.samples.lent_arrays import ArrayForm

_FORMS = {
    "image": ArrayForm((3, 5), np.dtype(np.float32)),
    "mask": ArrayForm((7,), np.dtype(np.uint8)),
}


class LentArraysTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.lender = lent_arrays.LentArrays(_FORMS, lent_arrays.PrivateMemory)

    def test_arrays_have_the_form_and_lie_where_tensorflow_takes_them(self):
        for _ in range(5):
            _, lent = self.lender.lend()

            for name, form in _FORMS.items():
                array = lent[name]
                self.assertEqual((array.shape, array.dtype), form)
                self.assertEqual(array.ctypes.data % 64, 0)
            self.assertFalse(np.shares_memory(*lent.values()))

    def test_memory_comes_back_when_nobody_holds_any_of_it(self):
        memory, lent = self.lender.lend()
        for name in list(_FORMS):
            other, _ = self.lender.lend()
            self.assertIsNot(other, memory)
            gc.collect()
            # As long as one array of them is held, all stay.
            del lent[name]

        gc.collect()

        again = [self.lender.lend()[0] for _ in range(2)]
        self.assertTrue(any(each is memory for each in again))


if __name__ == "__main__":
    absltest.main()
