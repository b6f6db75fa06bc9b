"""Tests of files of arrays."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.models import weights_file


class WeightsFileTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "w.npz"

    def test_arrays_come_back(self):
        arrays = {"a/b": np.arange(3.0), "c": np.ones((2, 1), np.int64)}

        weights_file.write_arrays(self.path, arrays)

        found = weights_file.read_arrays(self.path)
        self.assertEqual(list(found), list(arrays))
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)

    def test_pickled_objects_are_refused(self):
        np.savez(self.path, a=np.array([{}], dtype=object))

        with self.assertRaisesRegex(UserError, "cannot be read.*holds object"):
            weights_file.read_arrays(self.path)

    def test_failure_leaves_the_old_file(self):
        weights_file.write_arrays(self.path, {"a": np.zeros(1)})

        with self.assertRaises(TypeError):
            weights_file.write_arrays(self.path, {"a": 1, 2: 3})

        self.assertEqual(list(weights_file.read_arrays(self.path)), ["a"])
        self.assertEqual(list(self.path.parent.iterdir()), [self.path])


if __name__ == "__main__":
    absltest.main()
