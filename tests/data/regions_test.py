"""Tests of nppnet_tf.data.regions."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import regions
from nppnet_tf.errors import UserError


class FilledTest(parameterized.TestCase):
    @parameterized.parameters(
        ([(1, 1), (3, 1), (3, 2), (1, 2)], [(1, 1), (2, 1)]),
        # The center of the pixel decides.
        ([(0.6, 0), (2.4, 0), (2.4, 1), (0.6, 1)], [(1, 0)]),
        # Beyond the picture.
        ([(-9, -9), (0.6, -9), (0.6, 0.6), (-9, 0.6)], [(0, 0)]),
        ([(9, 9), (11, 9), (11, 11)], []),
        # A triangle under the diagonal.
        ([(0, 0), (0, 3), (3, 3)], [(0, 1), (0, 2), (1, 2), (0, 0), (1, 1),
                                    (2, 2)]),
    )  # fmt: skip
    def test_pixels_are_inside_whose_centers_are(self, points, expected):
        mask = regions.filled(np.array(points, float), (3, 4))

        rows, columns = np.nonzero(mask)
        found = list(zip(columns.tolist(), rows.tolist(), strict=True))
        if len(points) == 3 and expected:
            # Centers on the edge itself may be of either side.
            found = {*found, *expected[3:]}
        self.assertCountEqual(found, expected)

    def test_neighbors_share_no_pixel_and_leave_none(self):
        corner = np.random.default_rng(3).uniform(2, 8, (40, 2))
        for x, y in corner:
            parts = [
                [(0, 0), (10, 0), (x, y)],
                [(10, 0), (10, 10), (x, y)],
                [(10, 10), (0, 10), (x, y)],
                [(0, 10), (0, 0), (x, y)],
            ]
            masks = [regions.filled(np.array(p), (10, 10)) for p in parts]
            np.testing.assert_array_equal(np.sum(masks, axis=0), 1)

    def test_what_is_inside_twice_is_outside(self):
        ring = [(0, 0), (5, 0), (5, 5), (0, 5), (0, 0),
                (1, 1), (4, 1), (4, 4), (1, 4), (1, 1)]  # fmt: skip

        mask = regions.filled(np.array(ring, float), (5, 5))

        self.assertEqual(mask.sum(), 25 - 9)


class RunsTest(parameterized.TestCase):
    def test_text_is_that_of_coco(self):
        # Of pycocotools: encode(asfortranarray([[0, 1, 0], [1, 1, 0]])).
        mask = np.array([[0, 1, 0], [1, 1, 0]], bool)

        runs = regions.runs_of(mask)

        self.assertEqual(runs, [1, 3, 2])
        self.assertEqual(regions.text_of(runs), "132")

    @parameterized.parameters(0.0, 0.02, 0.5, 1.0)
    def test_masks_come_back(self, share):
        mask = np.random.default_rng(1).random((37, 211)) < share

        text = regions.text_of(regions.runs_of(mask))

        found = regions.mask_of(regions.runs_of_text(text), mask.shape)
        np.testing.assert_array_equal(found, mask)

    @parameterized.parameters("1", "\x00", "P", "o" * 40, "ä")
    def test_other_texts_are_refused(self, text):
        with self.assertRaisesRegex(UserError, "runs"):
            regions.mask_of(regions.runs_of_text(text), (2, 3))


if __name__ == "__main__":
    absltest.main()
