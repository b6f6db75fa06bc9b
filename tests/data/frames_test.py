"""Tests of nppnet_tf.data.frames."""

import io

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import frames
from nppnet_tf.data.frames import Frame
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files

_SIZE = (5, 7)


def _picture(orientation):
    """Bytes of a PNG of random pixels, and these."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (*_SIZE, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    return stream.getvalue(), pixels


class FrameTest(parameterized.TestCase):
    @parameterized.parameters(*range(1, 9))
    def test_points_boxes_and_labels_go_with_the_pixels(self, orientation):
        data, stored = _picture(orientation)
        frame = frames.of(data)
        upright = picture_files.decode(data)

        self.assertEqual(frame, Frame(_SIZE, orientation))
        self.assertEqual(frame.upright_size, upright.shape[:2])
        rows, columns = np.indices(_SIZE).reshape(2, -1)
        points = frame.points(np.stack([columns, rows], axis=-1))
        np.testing.assert_array_equal(
            upright[points[:, 1], points[:, 0]], stored[rows, columns]
        )
        left, top, right, bottom = map(int, frame.boxes(np.array([1, 2, 4, 5])))
        np.testing.assert_array_equal(
            np.sort(upright[top:bottom, left:right].reshape(-1, 3), axis=0),
            np.sort(stored[2:5, 1:4].reshape(-1, 3), axis=0),
        )
        if orientation > 4:
            np.testing.assert_array_equal(
                frame.label_map(stored[..., 0]), upright[..., 0]
            )

    def test_size_tells_which_picture_is_meant(self):
        frame = Frame((5, 7), 6)

        self.assertTrue(frame.is_stored((5, 7)))
        self.assertFalse(frame.is_stored((7, 5)))
        self.assertFalse(frame.is_stored(None))
        # Turned by 180 degrees: both pictures are of one size.
        self.assertFalse(Frame((5, 7), 3).is_stored((5, 7)))
        with self.assertRaisesRegex(
            UserError, "7 x 5, as stored 5 x 7; found: 5 x 8"
        ):
            frame.is_stored((5, 8))

    def test_size_of_no_picture_is_noted_where_the_joints_fit(self):
        frame = Frame((50, 70), 1)
        joints = np.array([[70, 50], [900, 900]])

        self.assertFalse(frame.is_stored((60, 80)))
        self.assertRegex(
            frame.note((60, 80), joints, np.array([2, 0])),
            "another size; expected: 50 x 70; found: 60 x 80: joints are",
        )
        self.assertIsNone(frame.note((50, 70), joints, np.array([2, 2])))
        with self.assertRaisesRegex(UserError, "50 x 70; found: 60 x 80"):
            frame.note((60, 80), joints, np.array([2, 2]))

    @parameterized.named_parameters(
        ("upright", 1, (8, 6), None, True, None, None),
        ("told_by_the_size", 6, (8, 6), (6, 8), True, (6, 8), None),
        ("told_by_the_label_map", 6, (8, 6), None, True, (6, 8), None),
        ("label_map_of_the_stored", 6, (8, 6), None, True, (8, 6), "joints"),
        ("nothing_tells", 8, (8, 6), None, True, None, "joints"),
        ("upside_down", 3, (8, 6), (8, 6), True, None, "joints"),
        ("mirrored", 2, (8, 6), None, False, (8, 6), "label map"),
        ("square", 6, (8, 8), (8, 8), True, (8, 8), "label map and joints"),
        ("nobody_annotated", 3, (8, 6), None, False, None, None),
    )
    def test_turn_that_no_size_tells_is_noted(
        self, orientation, stored, stated, has_joints, labels, expected
    ):
        frame = frames.Frame(stored, orientation)
        label_map = None if labels is None else np.zeros(labels, np.uint8)

        found = frame.doubt(stated, has_joints, label_map)

        if expected is None:
            self.assertIsNone(found)
        else:
            self.assertIn(f"orientation {orientation}", found)
            self.assertIn(f"before or after: {expected} taken", found)

    def test_label_map_of_the_shown_picture_stays(self):
        label_map = np.arange(35, dtype=np.uint8).reshape(7, 5)

        for size, orientation in (((5, 7), 6), ((7, 5), 3), ((7, 5), 1)):
            frame = Frame(size, orientation)
            np.testing.assert_array_equal(frame.label_map(label_map), label_map)


if __name__ == "__main__":
    absltest.main()
