"""Tests of nppnet_tf.data.people.cropped."""

import dataclasses
import pathlib
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.people import cropped
from nppnet_tf.data.people.cropped import CroppedSample
from nppnet_tf.data.record import Crop
from nppnet_tf.pictures import picture_files
from tests.data import person_trees


class CroppedSampleTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        person_trees.write(self.root, ["a"])
        joints = person_trees.joints(0)[0]
        self.sample = CroppedSample(
            "a_0",
            "a",
            self.root / "JPEGImages" / "a.jpg",
            (20, 4, 30, 34),
            self.root / "SegmentationPart" / "a.png",
            joints[:, :2].astype(np.float32),
            (2 * joints[:, 2]).astype(np.int32),
            cropped.DetectionMask(self.root / "Mask" / "a.npy", 1),
            0.5,
        )

    def test_record_is_the_part_of_every_array(self):
        record = self.sample.load()

        np.testing.assert_array_equal(
            picture_files.decode(record.image_bytes),
            person_trees.picture(0)[4:34, 20:30],
        )
        labels = person_trees.label_map(0)[4:34, 20:30].copy()
        # The mask ends at column 24.
        labels[:, 4:] = 0
        np.testing.assert_array_equal(record.label_map, labels)
        np.testing.assert_allclose(
            record.keypoints_xy[:-1],
            person_trees.joints(0)[0, :-1, :2] - (20, 4),
            rtol=1e-5,
        )
        np.testing.assert_array_equal(record.keypoints_xy[-1], [0, 0])
        self.assertEqual(
            record.crop, Crop("a", (20, 4, 30, 34), person_trees.SIZE, 0.5)
        )

    def test_without_mask_the_label_map_stays(self):
        record = dataclasses.replace(self.sample, mask=None).load()

        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)[4:34, 20:30]
        )

    def test_box_is_cut_at_the_border_and_joints_follow(self):
        sample = dataclasses.replace(self.sample, box=(-5, -7, 9, 99))

        record = sample.load()

        self.assertEqual(record.crop.box, (0, 0, 9, 40))
        self.assertEqual(record.label_map.shape, (40, 9))
        self.assertEqual(
            record.notes,
            (
                "box (-5, -7, 9, 99) reaches beyond the picture of 40 x 60: "
                "cut off at its border",
            ),
        )
        np.testing.assert_allclose(
            record.keypoints_xy[:-1], person_trees.joints(0)[0, :-1, :2]
        )

    @parameterized.parameters(((60, 0, 70, 9),), ((0, -9, 9, 0),))
    def test_box_outside_of_the_picture_is_told(self, box):
        with self.assertRaisesRegex(BadRecordError, "a_0: box.*40 x 60"):
            dataclasses.replace(self.sample, box=box).load()

    @parameterized.parameters(((5, 5, 5, 9),), ((5, 9, 9, 9),))
    def test_box_without_pixels_is_told_as_what_it_is(self, box):
        with self.assertRaisesRegex(BadRecordError, "a_0: box of no whole"):
            dataclasses.replace(self.sample, box=box).load()

    def test_box_may_leave_the_picture_by_a_guess(self):
        sample = dataclasses.replace(self.sample, box=(-2, 0, 9, 42))

        self.assertEmpty(sample.load().notes)

    def test_instances_are_told_apart_by_their_ids(self):
        path = self.root / "Instances" / "a.png"
        mask = cropped.InstanceMask(path, 2)

        np.testing.assert_array_equal(mask.read(), person_trees.masks()[1])
        self.assertEqual(
            cropped.instance_boxes(cropped.read_ids(path)),
            {1: (0, 0, 24, 40), 2: (24, 0, 60, 40)},
        )

    def test_ignored_pixels_are_no_instance(self):
        ids = np.full((4, 4), 255, np.uint8)
        ids[1:3, 2] = 7

        self.assertEqual(cropped.instance_boxes(ids), {7: (2, 1, 3, 3)})

    def test_parts_of_different_sizes_are_told(self):
        png = picture_files.encode_png(np.zeros((39, 60), np.uint8))
        self.sample.label_path.write_bytes(png)
        with self.assertRaisesRegex(BadRecordError, "a_0: label map.*39 x 60"):
            self.sample.load()

    def test_mask_of_another_size_is_told(self):
        path = self.root / "Instances" / "a.png"
        path.write_bytes(picture_files.encode_png(np.zeros((40, 59), np.uint8)))
        mask = cropped.InstanceMask(path, 1)

        with self.assertRaisesRegex(BadRecordError, "a_0: mask.*40 x 59"):
            dataclasses.replace(self.sample, mask=mask).load()

    def test_detections_without_masks_are_told(self):
        path = self.root / "b.npz"
        person_trees.write_detections(path, person_trees.BOXES)
        mask = cropped.DetectionMask(path, 0)

        with self.assertRaisesRegex(BadRecordError, "without masks.*b.npz"):
            dataclasses.replace(self.sample, mask=mask).load()

    def test_other_content_has_another_digest(self):
        before = self.sample.digest()
        self.assertEqual(
            pickle.loads(pickle.dumps(self.sample)).digest(), before
        )

        others = [
            dataclasses.replace(self.sample, **change).digest()
            for change in (
                {"box": (21, 4, 30, 34)},
                {"score": 0.25},
                {"mask": None},
                {"mask": dataclasses.replace(self.sample.mask, index=0)},
                {"keypoints_xy": self.sample.keypoints_xy + 1},
                {"picture_id": "b"},
            )
        ]
        for path in self.sample.paths:
            content = path.read_bytes()
            path.write_bytes(content + b"0")
            others.append(self.sample.digest())
            path.write_bytes(content)

        self.assertLen({before, *others}, 10)
        self.assertEqual(self.sample.digest(), before)

    def test_digest_does_not_depend_on_where_the_files_lie(self):
        other = self.root / "elsewhere"
        person_trees.write(other, ["a"])
        sample = dataclasses.replace(
            self.sample,
            image_path=other / "JPEGImages" / "a.jpg",
            label_path=other / "SegmentationPart" / "a.png",
            mask=cropped.DetectionMask(other / "Mask" / "a.npy", 1),
        )

        self.assertEqual(sample.digest(), self.sample.digest())


if __name__ == "__main__":
    absltest.main()
