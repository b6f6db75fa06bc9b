"""Tests of nppnet_tf.data.people.mask_pasting."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.people import mask_pasting
from tests.data.people import pasting_by_pixel

SIZE = (23, 31)


def _paste_one(mask, box, size=SIZE):
    masks = np.asarray(mask, np.float32)[np.newaxis]
    return mask_pasting.paste(masks, np.array([box]), size)[0]


class PasteTest(parameterized.TestCase):
    def test_example_by_hand(self):
        # Two cells over four pixels: 0.75, 0.75, 0.25, 0 across; one cell over
        # two pixels: 0.75 each down.
        found = _paste_one([[1, 0]], (1, 2, 5, 4), (5, 7))

        self.assertEqual(
            np.argwhere(found).tolist(), [[2, 1], [2, 2], [3, 1], [3, 2]]
        )

    def test_full_mask_fills_its_box(self):
        # Two pixels to a cell: 0.75 x 0.75 at the corners.
        found = _paste_one(np.ones((6, 8)), (10, 4, 26, 16))

        expected = np.zeros(SIZE, bool)
        expected[4:16, 10:26] = True
        np.testing.assert_array_equal(found, expected)

    def test_what_is_exactly_one_half_is_outside(self):
        # A pixel to a cell: the pixels are the cells.
        found = _paste_one([[0.5, 0.500001]], (3, 3, 5, 4))

        self.assertEqual(np.argwhere(found).tolist(), [[3, 4]])

    @parameterized.named_parameters(
        ("within", (3.3, 4.1, 25.8, 19.6)),
        ("beyond_all_borders", (-7.5, -3.2, 44.1, 30.7)),
        ("beyond_one_corner", (20.4, 15.5, 40.2, 33.3)),
        ("smaller_than_the_grid", (10.2, 10.7, 14.9, 13.1)),
        ("smaller_than_a_pixel", (10.2, 10.3, 10.8, 10.7)),
        ("outside", (40, 2, 50, 9)),
    )
    def test_equals_the_definition_of_every_pixel(self, box):
        random = np.random.default_rng(3)
        masks = random.uniform(0, 1, (3, 9, 7))
        masks[2] = masks[2] * 0.3 + 0.7  # mostly inside

        for mask in masks:
            np.testing.assert_array_equal(
                _paste_one(mask, box),
                pasting_by_pixel.paste_one(mask, box, SIZE),
            )

    def test_masks_keep_to_their_boxes(self):
        random = np.random.default_rng(4)
        masks = random.uniform(0.4, 1, (2, 5, 5))
        boxes = np.array([(1.5, 2.5, 12, 14), (14, 3, 30, 22.5)])

        both = mask_pasting.paste(masks, boxes, SIZE)

        for found, mask, box in zip(both, masks, boxes, strict=True):
            np.testing.assert_array_equal(found, _paste_one(mask, box))
            self.assertTrue(found.any())

    @parameterized.parameters(((5, 5, 5, 9),), ((5, 9, 8, 9),), ((9, 5, 5, 9),))
    def test_box_without_an_inside_has_an_empty_mask(self, *box):
        self.assertFalse(_paste_one(np.ones((4, 4)), box[0]).any())

    def test_no_mask_is_none(self):
        found = mask_pasting.paste(
            np.zeros((0, 28, 28)), np.zeros((0, 4)), SIZE
        )

        self.assertEqual(found.shape, (0, *SIZE))
        self.assertEqual(found.dtype, np.bool_)


if __name__ == "__main__":
    absltest.main()
