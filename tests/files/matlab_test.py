"""Tests of nppnet_tf.files.matlab."""

import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from scipy import io

from nppnet_tf.errors import UserError
from nppnet_tf.files import matlab


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.mat"

    def test_cells_are_listed_in_order(self):
        cells = np.empty((1, 2), object)
        cells[0, 0], cells[0, 1] = np.eye(2), np.ones((1, 4))
        io.savemat(self.path, {"c": cells, "n": np.arange(3), "other": 1})

        found = matlab.read(self.path, ("c", "n"))

        np.testing.assert_array_equal(matlab.cells(found["c"])[1], [[1] * 4])
        np.testing.assert_array_equal(matlab.cells(found["n"]), [[[0, 1, 2]]])
        with self.assertRaisesRegex(UserError, "no numbers"):
            matlab.numbers(found["c"], "here")

    def test_missing_variable_is_named(self):
        io.savemat(self.path, {"joints": 1})

        with self.assertRaisesRegex(UserError, "no boxes"):
            matlab.read(self.path, ("joints", "boxes"))

    @parameterized.parameters(0, 3, 5)
    def test_damage_anywhere_is_told_or_harmless(self, seed):
        cells = np.empty((1, 2), object)
        cells[0, 0], cells[0, 1] = np.eye(9), np.ones((1, 4))
        io.savemat(self.path, {"joints": cells}, do_compression=seed == 3)
        whole = self.path.read_bytes()
        random = np.random.default_rng(seed)

        for _ in range(60):
            torn = bytearray(whole)
            for place in random.integers(126, len(whole), 3):
                torn[place] = random.integers(256)
            self.path.write_bytes(bytes(torn[: random.integers(len(whole))]))
            try:
                matlab.read(self.path, ("joints",))
            except UserError as error:
                self.assertNotIn("\n", str(error))
                self.assertIn("a.mat", str(error))

    @parameterized.parameters(b"", b"text", b"\0" * 200, b"\x89HDF\r\n\x1a\n")
    def test_other_file_is_told(self, content):
        self.path.write_bytes(content)

        with self.assertRaisesRegex(UserError, r"a\.mat"):
            matlab.read(self.path, ("joints",))

    def test_variable_that_unpacks_without_end_is_told(self):
        zeros = np.zeros(matlab.MAX_BYTES // 8 + 1)
        io.savemat(self.path, {"joints": zeros}, do_compression=True)

        self.assertLess(self.path.stat().st_size, 1 << 20)
        with self.assertRaisesRegex(UserError, "too large.*a.mat"):
            matlab.read(self.path, ("joints",))

    def test_variables_without_end_are_told(self):
        io.savemat(self.path, {"joints": 1})
        with self.path.open("ab") as stream:
            stream.write(b"\x0e\0\0\0\0\0\0\0" * 20_000)

        with self.assertRaisesRegex(UserError, "more than 10000 variables"):
            matlab.read(self.path, ("joints",))

    def test_what_is_no_file_is_told(self):
        with self.assertRaisesRegex(UserError, "not a file.*found: a device"):
            matlab.read("/dev/zero", ("joints",))

    def test_missing_file_is_told(self):
        with self.assertRaisesRegex(UserError, "cannot be read.*No such file"):
            matlab.read(self.path, ("joints",))


if __name__ == "__main__":
    absltest.main()
