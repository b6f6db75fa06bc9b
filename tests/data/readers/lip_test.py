"""Tests of nppnet_tf.data.readers.lip."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import inspection
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import lip
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from tests.data import sample_records


def _read(root, split):
    return lip.read([root], split, Options()).samples


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

        self._check(_read(self.root, "val"), records)

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

        self._check(_read(self.root, "train"), records)

    def test_json_is_read_where_there_is_no_csv(self):
        records = sample_records.make_records(2)
        sample_records.write_lip(self.root, records, "val")
        shutil.rmtree(self.root / "TrainVal_pose_annotations")
        entries = [
            {
                "im_name": f"{record.record_id}.jpg",
                "joint_self": record.keypoints_xy.tolist(),
            }
            for record in records
        ]
        (self.root / "jsons").mkdir()
        path = self.root / "jsons" / "LIP_SP_VAL_annotations.json"
        path.write_text(json.dumps({"root": entries}))

        source = lip.read([self.root], "val", Options())

        self.assertEqual(
            source.facts["poses"], "jsons/LIP_SP_VAL_annotations.json"
        )
        for sample, record in zip(source.samples, records, strict=True):
            found = sample.load()
            np.testing.assert_allclose(found.keypoints_xy, record.keypoints_xy)
            # The JSON does not tell occluded joints.
            np.testing.assert_array_equal(
                found.visibility, 2 * (record.visibility > 0)
            )

    def test_csv_comes_before_json(self):
        records = sample_records.make_records(1)
        sample_records.write_lip(self.root, records, "val")
        folder = self.root / "TrainVal_pose_annotations"
        (folder / "LIP_SP_VAL_annotations.json").write_text("torn")

        source = lip.read([self.root], "val", Options())

        self.assertEqual(
            source.facts["poses"], "TrainVal_pose_annotations/lip_val_set.csv"
        )

    def test_layout_of_later_projects(self):
        records = sample_records.make_records(2)
        sample_records.write_lip(self.root / "official", records, "val")
        official = self.root / "official"
        place = self.root / "images_labels"
        place.mkdir()
        for archive, name in (
            ("TrainVal_images", "val_images"),
            ("TrainVal_images", "val_id.txt"),
            ("TrainVal_parsing_annotations", "val_segmentations"),
        ):
            shutil.move(official / archive / name, place / name)
        shutil.move(official / "TrainVal_pose_annotations", self.root)

        self._check(_read(self.root, "val"), records)

    @parameterized.parameters("Testing_images/Testing_images", "Testing_images")
    def test_list_of_the_test_split_lies_above_its_pictures(self, parent):
        folder = self.root / parent / "testing_images"
        folder.mkdir(parents=True)
        for name in "ab":
            content = sample_records.make_record().image_bytes
            (folder / f"{name}.jpg").write_bytes(content)
        (self.root / parent / "test_id.txt").write_text("b\n")

        samples = _read(self.root, "test")

        self.assertEqual([s.record_id for s in samples], ["b"])

    def test_gray_turned_and_palette_files_make_one_kind_of_record(self):
        records = sample_records.make_records(3)
        sample_records.write_lip(self.root, records)
        folder = self.root / "TrainVal_images" / "train_images"
        labels = self.root / "TrainVal_parsing_annotations"
        colors = Image.new("RGB", (24, 40), (200, 60, 20))
        colors.convert("L").save(folder / "id_000.jpg")
        colors.convert("CMYK").save(folder / "id_001.jpg")
        exif = Image.Exif()
        exif[0x0112] = 6
        colors.rotate(90, expand=True).save(folder / "id_002.jpg", exif=exif)
        for record in records:
            palette = Image.fromarray(record.label_map)
            palette.putpalette(np.random.default_rng(0).bytes(768))
            palette.save(
                labels / "train_segmentations" / f"{record.record_id}.png"
            )

        for sample, record in zip(
            _read(self.root, "train"), records, strict=True
        ):
            found, _ = inspection.inspect(sample.load(), LIP)
            image = picture_files.decode(found.image_bytes)
            self.assertEqual(image.shape, (40, 24, 3))
            np.testing.assert_array_equal(found.label_map, record.label_map)

    def test_id_list_decides_what_there_is_and_its_order(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        ids = self.root / "TrainVal_images" / "train_id.txt"
        ids.write_text("id_002\r\nid_000\r\n\r\n")

        samples = _read(self.root, "train")

        self.assertEqual([s.record_id for s in samples], ["id_002", "id_000"])

    def test_without_id_list_pictures_are_sorted(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        (self.root / "TrainVal_images" / "train_id.txt").unlink()

        samples = _read(self.root, "train")

        self.assertEqual(
            [s.record_id for s in samples], ["id_000", "id_001", "id_002"]
        )

    def test_test_split_has_pictures_only(self):
        folder = self.root / "Testing_images" / "testing_images"
        folder.mkdir(parents=True)
        record = sample_records.make_record()
        (folder / "a.jpg").write_bytes(record.image_bytes)

        (sample,) = _read(self.root, "test")

        self.assertIsNone(sample.load().label_map)
        self.assertIsNone(sample.load().keypoints_xy)

    def test_annotations_may_be_missing(self):
        sample_records.write_lip(self.root, sample_records.make_records(2))
        annotations = self.root / "TrainVal_parsing_annotations"
        (annotations / "train_segmentations" / "id_000.png").unlink()
        poses = self.root / "TrainVal_pose_annotations" / "lip_train_set.csv"
        poses.write_text(poses.read_text().splitlines()[0])

        first, second = (s.load() for s in _read(self.root, "train"))

        self.assertIsNone(first.label_map)
        self.assertIsNotNone(first.keypoints_xy)
        self.assertIsNotNone(second.label_map)
        self.assertIsNone(second.keypoints_xy)

    def test_missing_picture_is_damage_of_its_record(self):
        sample_records.write_lip(self.root, sample_records.make_records(2))
        folder = self.root / "TrainVal_images" / "train_images"
        (folder / "id_001.jpg").unlink()

        samples = _read(self.root, "train")

        samples[0].load()
        with self.assertRaisesRegex(BadRecordError, "id_001: cannot be read"):
            samples[1].load()

    def test_folder_without_pictures_is_told(self):
        with self.assertRaisesRegex(
            UserError, "no pictures of the split val.*TrainVal_images"
        ):
            _read(self.root, "val")

    def test_missing_root_is_told(self):
        with self.assertRaisesRegex(UserError, "no such folder"):
            _read(self.root / "nowhere", "val")

    def test_unknown_split_is_told(self):
        with self.assertRaisesRegex(UserError, "unknown split.*found: dev"):
            _read(self.root, "dev")

    def test_letters_may_be_composed_in_one_place_alone(self):
        record = dataclasses.replace(
            sample_records.make_record(), record_id="th\u00e9"
        )
        sample_records.write_lip(self.root, [record])
        pictures = self.root / "TrainVal_images"
        (pictures / "train_images" / "th\u00e9.jpg").rename(
            pictures / "train_images" / "the\u0301.jpg"
        )

        source = lip.read([self.root], "train", Options())

        found = source.samples[0].load()
        np.testing.assert_array_equal(found.label_map, record.label_map)
        np.testing.assert_array_equal(found.visibility, record.visibility)
        self.assertEmpty(source.poses_without_picture)
        self.assertEmpty(source.label_maps_without_picture)

    @parameterized.named_parameters(
        ("twice", "a\nb\na\n", "id occurs twice.*found: a"),
        ("empty", "\n", "id list is empty"),
        ("utf16", b"\xff\xfea\x00", "not UTF-8.*train_id.txt.*UTF-16"),
    )
    def test_bad_id_list_is_told(self, content, message):
        sample_records.write_lip(self.root, sample_records.make_records(1))
        path = self.root / "TrainVal_images" / "train_id.txt"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )

        with self.assertRaisesRegex(UserError, message):
            _read(self.root, "train")


if __name__ == "__main__":
    absltest.main()
