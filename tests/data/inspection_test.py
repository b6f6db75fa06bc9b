"""Tests of nppnet_tf.data.inspection."""

import dataclasses

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import inspection
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import Crop
from nppnet_tf.errors import UserError
from tests.data import sample_records


class InspectTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.record = sample_records.make_record()

    def _changed(self, **changes):
        return dataclasses.replace(self.record, **changes)

    def test_good_record_stays_as_it_is(self):
        record, notes = inspection.inspect(self.record, LIP)

        self.assertEmpty(notes)
        self.assertEqual(record.image_bytes, self.record.image_bytes)
        np.testing.assert_array_equal(
            record.keypoints_xy, self.record.keypoints_xy
        )

    def test_ignore_label_is_a_label(self):
        labels = np.full((40, 24), 255, np.uint8)
        labels[0, 0] = 5

        record, notes = inspection.inspect(self._changed(label_map=labels), LIP)

        np.testing.assert_array_equal(record.label_map, labels)
        self.assertEmpty(notes)

    @parameterized.parameters(0, 255)
    def test_label_map_that_ignores_people_is_left_out(self, background):
        labels = np.full((40, 24), 255, np.uint8)
        labels[:5] = background

        record, notes = inspection.inspect(self._changed(label_map=labels), LIP)

        self.assertIsNone(record.label_map)
        (mended,) = notes
        self.assertEqual(
            mended.line,
            "id_000\tlabel map of nothing but background and 255, which counts "
            "nowhere: left out",
        )
        self.assertFalse(inspection.tells_nothing(np.zeros((4, 4)), LIP))

    def test_keypoint_far_outside_becomes_absent_with_a_note(self):
        keypoints_xy = np.full((16, 2), 5, np.float32)
        keypoints_xy[0] = (30, 5)
        keypoints_xy[1] = (25, 5)
        keypoints_xy[2] = (5, -9)
        record, notes = inspection.inspect(
            self._changed(
                keypoints_xy=keypoints_xy, visibility=np.full(16, 2, np.int32)
            ),
            LIP,
        )

        self.assertLen(notes, 2)
        self.assertEqual(
            notes[0].line,
            "id_000\tright_ankle at (30, 5) lies outside of the picture of "
            "40 x 24: made absent",
        )
        np.testing.assert_array_equal(record.visibility[:4], [0, 2, 0, 2])
        np.testing.assert_array_equal(record.keypoints_xy[0], [0, 0])

    def test_most_joints_far_outside_are_of_another_picture(self):
        keypoints_xy = np.full((16, 2), 5, np.float32)
        keypoints_xy[:4] = (5, 99)
        visibility = np.repeat(np.array([2, 0], np.int32), [7, 9])
        changes = {"keypoints_xy": keypoints_xy, "visibility": visibility}
        crop = Crop("a", (0, 0, 24, 40), (99, 99))

        with self.assertRaisesRegex(
            UserError, r"another size.*4 of 7 far outside, .* at \(5, 99\)"
        ):
            inspection.inspect(self._changed(**changes), LIP)
        for other in ({"crop": crop}, {"visibility": np.repeat([2, 0], 8)}):
            _, notes = inspection.inspect(
                self._changed(**{**changes, **other}), LIP
            )
            self.assertLen(notes, 4)

    def test_label_map_of_background_alone_is_noted(self):
        labels = np.zeros((40, 24), np.uint8)

        record, (note,) = inspection.inspect(
            self._changed(label_map=labels), LIP
        )

        np.testing.assert_array_equal(record.label_map, labels)
        self.assertEndsWith(note.line, "nothing but background: kept")

    @parameterized.named_parameters(
        ("image", {"image_bytes": b"text"}, "neither JPEG nor PNG"),
        (
            "label_size",
            {"label_map": np.zeros((24, 40), np.uint8)},
            "40 x 24.*found: 24 x 40",
        ),
        (
            "label_id",
            {"label_map": np.full((40, 24), 20, np.uint8)},
            "no class.*found: 20",
        ),
        (
            "keypoint_count",
            {"keypoints_xy": np.zeros((14, 2), np.float32)},
            r"found: shape \(14, 2\)",
        ),
        (
            "keypoint_value",
            {"keypoints_xy": np.full((16, 2), np.nan, np.float32)},
            "no numbers",
        ),
        (
            "visibility",
            {"visibility": np.full(16, 3, np.int32)},
            "unknown visibility",
        ),
    )
    def test_bad_record_is_refused(self, changes, message):
        with self.assertRaisesRegex(UserError, message):
            inspection.inspect(self._changed(**changes), LIP)


if __name__ == "__main__":
    absltest.main()
