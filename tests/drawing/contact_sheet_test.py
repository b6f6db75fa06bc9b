"""Tests of nppnet_tf.drawing.contact_sheet."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.drawing import contact_sheet
from nppnet_tf.drawing.contact_sheet import Tile
from nppnet_tf.drawing.rendering import LEFT_COLOR

_GREEN = (10, 200, 30)


def _tile(height, width, **others):
    image = np.full((height, width, 3), _GREEN, np.uint8)
    return Tile("a title", image=image, **others)


def _count(sheet, color):
    return int((sheet == color).all(axis=-1).sum())


def _draw(*tiles, **options):
    return contact_sheet.contact_sheet(tiles, LIP, "heading", **options)


class ContactSheetTest(absltest.TestCase):
    def test_pictures_fill_their_tiles_and_keep_their_form(self):
        tall, broad = _draw(_tile(576, 100)), _draw(_tile(100, 448))

        # The tile is 288 high and 224 broad.
        self.assertEqual(_count(tall, _GREEN), 288 * 50)
        self.assertEqual(_count(broad, _GREEN), 224 * 50)

    def test_tiles_stand_in_rows(self):
        four = _draw(*[_tile(20, 20)] * 4, columns=2)
        two = _draw(*[_tile(20, 20)] * 2, columns=2)

        self.assertEqual(four.shape[1], two.shape[1])
        self.assertEqual(_count(four, _GREEN), 2 * _count(two, _GREEN))

    def test_joints_and_parts_move_with_the_picture(self):
        keypoints_xy = np.zeros((16, 2))
        keypoints_xy[15] = 10, 30
        visibility = np.zeros(16, np.int32)
        visibility[15] = 2

        # Twice as large in its tile: 288 for 144.
        sheet = _draw(
            _tile(144, 112, keypoints_xy=keypoints_xy, visibility=visibility)
        )
        plain = _draw(_tile(144, 112))

        rows, columns = np.nonzero((sheet == LEFT_COLOR).all(axis=-1))
        top, left = (
            int(places.min())
            for places in np.nonzero((plain == _GREEN).all(axis=-1))
        )
        self.assertAlmostEqual(rows.mean() - top, 60.5, delta=1)
        self.assertAlmostEqual(columns.mean() - left, 20.5, delta=1)

    def test_text_is_red_and_broken_into_lines(self):
        short = _draw(_tile(20, 20, text="wrong"))
        long = _draw(_tile(20, 20, text="wrong" * 40 + " wrong" * 100))

        red = (190, 20, 20)
        self.assertEqual(_count(_draw(_tile(20, 20)), red), 0)
        self.assertGreater(_count(short, red), 10)
        # Three lines of it, and none beyond the tile.
        self.assertGreater(_count(long, red), 5 * _count(short, red))
        columns = np.nonzero((long == red).all(axis=-1))[1]
        self.assertLess(columns.max(), 10 + 224)

    def test_picture_that_cannot_be_read_leaves_a_gray_tile(self):
        sheet = _draw(Tile("torn", "it is torn"))

        self.assertGreater(_count(sheet, (225, 225, 225)), 1000)

    def test_sheet_of_nothing_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: none"):
            _draw()


if __name__ == "__main__":
    absltest.main()
