"""Tests of nppnet_tf.data.samples.boundary."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.samples import boundary
from tests.data.sample_records import reference_arrays


def _defined(label_map, width):
    """The docstring of `boundary_map`, one pixel after the other."""
    height, columns = label_map.shape
    marked = np.zeros(label_map.shape, np.uint8)
    # The marked pixel of a pair, and where the other one lies from it.
    steps = ((-1, 0), (0, 1), (1, 1), (1, -1))
    for y, x in np.ndindex(label_map.shape):
        for down, right in steps:
            if 0 <= y + down < height and 0 <= x + right < columns:
                pair = {label_map[y, x], label_map[y + down, x + right]}
                if len(pair) == 2 and 255 not in pair:
                    marked[y, x] = 1
    reach = width // 2
    wide = [
        marked[
            max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1
        ].max()
        for y, x in np.ndindex(label_map.shape)
    ]
    return np.where(label_map == 255, 255, np.reshape(wide, label_map.shape))


class BoundaryMapTest(parameterized.TestCase):
    def test_two_halves_by_hand(self):
        label_map = np.array([[1, 1, 1, 2, 2, 2]] * 3)

        thin = boundary.boundary_map(label_map, width=1)
        wide = boundary.boundary_map(label_map, width=3)

        # Horizontal and diagonal pairs mark the left one, an anti-diagonal
        # pair (upper right, lower left) its upper right one.
        np.testing.assert_array_equal(
            thin, [[0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 1, 0, 0, 0]]
        )
        np.testing.assert_array_equal(wide, [[0, 1, 1, 1, 1, 0]] * 3)

    def test_ignored_pixels_meet_nobody_and_stay_ignored(self):
        label_map = np.array([[1, 1, 255, 2, 2]] * 3, np.uint8)

        np.testing.assert_array_equal(
            boundary.boundary_map(label_map), [[0, 0, 255, 0, 0]] * 3
        )

    @parameterized.parameters(1, 3, 5, 7)
    def test_equals_its_definition_pixel_by_pixel(self, width):
        random = np.random.default_rng(width)
        for size in ((1, 1), (1, 6), (6, 1), (7, 9)):
            label_map = random.choice(np.array([0, 1, 255], np.uint8), size)
            np.testing.assert_array_equal(
                boundary.boundary_map(label_map, width),
                _defined(label_map, width),
            )

    @parameterized.parameters(0, 1, 2)
    def test_equals_the_reference(self, case):
        arrays = reference_arrays("ref_targets.npz")
        label_map = arrays[f"edge{case}_label"]
        wide = np.where(label_map == 255, 255, arrays[f"edge{case}_edge5"])

        np.testing.assert_array_equal(
            boundary.boundary_map(label_map), arrays[f"edge{case}_final"]
        )
        np.testing.assert_array_equal(boundary.boundary_map(label_map, 5), wide)

    @parameterized.parameters("t0", "t1", "t2", "t3", "val")
    def test_equals_the_reference_on_real_samples(self, sample):
        arrays = reference_arrays("ref_samples.npz")

        np.testing.assert_array_equal(
            boundary.boundary_map(arrays[f"{sample}_parsing"]),
            arrays[f"{sample}_edge"],
        )

    def test_even_width_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: width=2"):
            boundary.boundary_map(np.zeros((3, 3)), width=2)


if __name__ == "__main__":
    absltest.main()
