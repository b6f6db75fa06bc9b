"""Tests of nppnet_tf.data.lip."""

import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import lip
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.errors import UserError
from tests.data import sample_records
from tests.shared import shared_path

_JOINTS = ",".join(["1,2,0"] * 16)


class _FolderTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)


class ReadSplitTest(_FolderTestCase):
    def _check(self, samples, records):
        self.assertLen(samples, len(records))
        for sample, record in zip(samples, records, strict=True):
            loaded = sample.load()
            self.assertEqual(loaded.record_id, record.record_id)
            self.assertEqual(loaded.image_bytes, record.image_bytes)
            np.testing.assert_array_equal(loaded.label_map, record.label_map)
            np.testing.assert_array_equal(loaded.visibility, record.visibility)
            np.testing.assert_allclose(
                loaded.keypoints_xy, record.keypoints_xy, rtol=1e-4
            )

    @parameterized.parameters(False, True)
    def test_official_archives_in_both_nestings(self, is_nested):
        records = sample_records.make_records(3)
        sample_records.write_lip(self.root, records, "val", is_nested)

        self._check(lip.read_split(self.root, "val"), records)

    def test_flat_layout(self):
        records = sample_records.make_records(2)
        sample_records.write_lip(self.root, records)
        for archive, name in (
            ("TrainVal_images", "train_images"),
            ("TrainVal_images", "train_id.txt"),
            ("TrainVal_parsing_annotations", "train_segmentations"),
        ):
            shutil.move(self.root / archive / name, self.root / name)
        pose_folder = self.root / "pose_csv"
        shutil.move(self.root / "TrainVal_pose_annotations", pose_folder)

        self._check(lip.read_split(self.root, "train"), records)

    def test_id_list_decides_what_there_is_and_its_order(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        ids = self.root / "TrainVal_images" / "train_id.txt"
        ids.write_text("id_002\r\nid_000\r\n\r\n")

        samples = lip.read_split(self.root, "train")

        self.assertEqual([s.record_id for s in samples], ["id_002", "id_000"])

    def test_without_id_list_pictures_are_sorted(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        (self.root / "TrainVal_images" / "train_id.txt").unlink()

        samples = lip.read_split(self.root, "train")

        self.assertEqual(
            [s.record_id for s in samples], ["id_000", "id_001", "id_002"]
        )

    def test_test_split_has_pictures_only(self):
        folder = self.root / "Testing_images" / "testing_images"
        folder.mkdir(parents=True)
        record = sample_records.make_record()
        (folder / "a.jpg").write_bytes(record.image_bytes)

        (sample,) = lip.read_split(self.root, "test")

        self.assertIsNone(sample.load().label_map)
        self.assertIsNone(sample.load().keypoints_xy)

    def test_annotations_may_be_missing(self):
        sample_records.write_lip(self.root, sample_records.make_records(2))
        annotations = self.root / "TrainVal_parsing_annotations"
        (annotations / "train_segmentations" / "id_000.png").unlink()
        poses = self.root / "TrainVal_pose_annotations" / "lip_train_set.csv"
        poses.write_text(poses.read_text().splitlines()[0])

        first, second = (s.load() for s in lip.read_split(self.root, "train"))

        self.assertIsNone(first.label_map)
        self.assertIsNotNone(first.keypoints_xy)
        self.assertIsNotNone(second.label_map)
        self.assertIsNone(second.keypoints_xy)

    def test_missing_picture_is_damage_of_its_record(self):
        sample_records.write_lip(self.root, sample_records.make_records(2))
        folder = self.root / "TrainVal_images" / "train_images"
        (folder / "id_001.jpg").unlink()

        samples = lip.read_split(self.root, "train")

        samples[0].load()
        with self.assertRaisesRegex(BadRecordError, "id_001: cannot be read"):
            samples[1].load()

    def test_folder_without_pictures_is_told(self):
        with self.assertRaisesRegex(
            UserError, "no pictures of the split val.*TrainVal_images"
        ):
            lip.read_split(self.root, "val")

    def test_missing_root_is_told(self):
        with self.assertRaisesRegex(UserError, "no such folder"):
            lip.read_split(self.root / "nowhere", "val")

    def test_unknown_split_is_told(self):
        with self.assertRaisesRegex(UserError, "unknown split.*found: dev"):
            lip.read_split(self.root, "dev")

    @parameterized.named_parameters(
        ("twice", "a\nb\na\n", "id occurs twice.*found: a"),
        ("empty", "\n", "id list is empty"),
        ("binary", b"\xff\xfe\x00", "id list cannot be read"),
    )
    def test_bad_id_list_is_told(self, content, message):
        sample_records.write_lip(self.root, sample_records.make_records(1))
        path = self.root / "TrainVal_images" / "train_id.txt"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )

        with self.assertRaisesRegex(UserError, message):
            lip.read_split(self.root, "train")


class ReadPoseCsvTest(_FolderTestCase):
    def _read(self, text):
        path = self.root / "poses.csv"
        path.write_text(text)
        return lip.read_pose_csv(path)

    def test_columns_by_hand(self):
        cells = ["7,9,0", "nan,nan,nan", "3,4,1"] + ["1,2,0"] * 13

        pose = self._read("a_1.jpg," + ",".join(cells) + "\n")["a_1"]

        self.assertIsNone(pose.fault)
        np.testing.assert_array_equal(pose.visibility[:4], [2, 0, 1, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[:4], [[7, 9], [0, 0], [3, 4], [1, 2]]
        )

    @parameterized.named_parameters(
        ("short", "a.jpg,1,2,0", "48 cells.*and 3 cells"),
        ("text", "a.jpg,x,2,0" + ",1,2,0" * 15, "right_ankle.*found: x,2,0"),
        (
            "half",
            "a.jpg,nan,2,0" + ",1,2,0" * 15,
            "joint is malformed.*nan,2,0",
        ),
        ("visibility", "a.jpg,1,2,5" + ",1,2,0" * 15, "found: 1,2,5"),
    )
    def test_bad_row_becomes_a_fault_of_its_record(self, row, message):
        poses = self._read(f"{row}\nb.jpg,{_JOINTS}\n")

        self.assertRegex(poses["a"].fault, message)
        self.assertRegex(poses["a"].fault, "poses.csv line 1")
        self.assertIsNone(poses["b"].fault)

    def test_name_that_occurs_twice_is_told(self):
        with self.assertRaisesRegex(UserError, "line 2; found: a.jpg"):
            self._read(f"a.jpg,{_JOINTS}\na.jpg,{_JOINTS}\n")

    def test_row_without_name_is_told(self):
        with self.assertRaisesRegex(UserError, "without a name.*line 1"):
            self._read(f",{_JOINTS}\n")

    def test_all_real_rows_are_read(self):
        poses = lip.read_pose_csv(
            shared_path("samples/lip_annotations/lip_val_pose_gt.csv")
        )

        visibility = np.stack([pose.visibility for pose in poses.values()])
        self.assertLen(poses, 10000)
        self.assertEmpty([p for p in poses.values() if p.fault])
        # Published statistics: 9.7 % absent, 8.3 % of the others occluded.
        self.assertAlmostEqual(np.mean(visibility == 0), 0.097, places=3)
        self.assertAlmostEqual(
            np.sum(visibility == 1) / np.sum(visibility > 0), 0.083, places=3
        )


if __name__ == "__main__":
    absltest.main()
