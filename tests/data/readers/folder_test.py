"""Tests of nppnet_tf.data.readers.folder."""

import dataclasses
import json
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image
from scipy import io

from nppnet_tf import keys
from nppnet_tf.data import absence
from nppnet_tf.data import descriptors
from nppnet_tf.data import frames
from nppnet_tf.data import inspection
from nppnet_tf.data import regions
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.people import cropped
from nppnet_tf.data.readers import folder
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from tests.data import person_trees
from tests.data import sample_records
from tests.shared import shared_path


def _samples(*roots, **options):
    return folder.read(roots, None, Options(**options)).samples


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.record = sample_records.make_record()

    def _write(self, name, content=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or self.record.image_bytes)

    def test_label_map_and_pose_belong_to_the_picture_of_their_name(self):
        self._write("b.jpg")
        self._write("id_000.jpg")
        self._write(
            "id_000.png", picture_files.encode_png(self.record.label_map)
        )
        row = sample_records.pose_row(self.record)
        self._write("pose.csv", f"{row}\n".encode())

        first, second = (sample.load() for sample in _samples(self.root))

        self.assertEqual((first.record_id, second.record_id), ("b", "id_000"))
        self.assertIsNone(first.label_map)
        self.assertIsNone(first.keypoints_xy)
        np.testing.assert_array_equal(second.label_map, self.record.label_map)
        np.testing.assert_array_equal(second.visibility, self.record.visibility)

    def test_png_alone_is_a_picture(self):
        self._write("a.png")

        (sample,) = _samples(self.root)

        self.assertIsNone(sample.label_path)

    def test_folders_of_their_own_allow_png_for_both(self):
        self._write("images/a.png")
        self._write(
            "labels/a.png", picture_files.encode_png(self.record.label_map)
        )

        (sample,) = _samples(self.root)

        self.assertEqual(sample.load().label_map.shape, (40, 24))

    def test_poses_without_a_picture_are_noted(self):
        person_trees.write_coco(self.root, ["a", "b", "c"], num_people=1)
        for name in "bc":
            (self.root / "images" / f"{name}.jpg").unlink()
        (self.root / "val_id.txt").write_text("a\n")
        options = Options(descriptor=PASCAL_PERSON_PART)

        for split in (None, "val"):
            source = folder.read([self.root], split, options)

            (sample,) = source.samples
            self.assertIsNotNone(sample.load().keypoints_xy)
            self.assertEqual(source.poses_without_picture, ("b", "c"))
            self.assertEqual(
                source.notes,
                (
                    "2 label maps without a picture, not read: b, c",
                    "2 poses without a picture, not read: b, c",
                ),
            )

    def test_pictures_of_other_kinds_are_named(self):
        self._write("images/a.JFIF")
        self._write("images/b.webp")
        self._write("images/._a.jfif")

        source = folder.read([self.root], None, Options())

        self.assertEqual([s.record_id for s in source.samples], ["a"])
        self.assertRegex(source.notes[0], "1 picture neither.*: b.webp")

    def test_names_of_any_bytes_and_letters(self):
        odd = b"\xb2\xe2"
        self._write(os.fsdecode(b"images/" + odd + b".jpg"))
        self._write("images/th\u00e9.jpg")
        label_png = picture_files.encode_png(self.record.label_map)
        self._write(os.fsdecode(b"labels/" + odd + b".PNG"), label_png)
        self._write("labels/the\u0301.png", label_png)
        self._write("labels/._th\u00e9.png", b"mac")
        row = sample_records.pose_row(self.record).partition(",")[2]
        self._write("pose.csv", f"the\u0301.jpg,{row}\n".encode())

        first, second = _samples(self.root)

        self.assertEqual(first.record_id, "\\xb2\\xe2")
        self.assertIsNotNone(first.load().label_map)
        self.assertEqual(second.record_id, "th\u00e9")
        self.assertIsNotNone(second.load().label_map)
        self.assertIsNotNone(second.keypoints_xy)

    def test_two_pictures_of_one_name_are_damage(self):
        self._write("images/x.jpg")
        self._write("images/x.png")
        self._write("images/X.jpg")

        large, small = _samples(self.root)

        self.assertEqual((large.record_id, small.record_id), ("X", "x"))
        self.assertEqual(large.load().record_id, "X")
        with self.assertRaisesRegex(
            BadRecordError, "x: several pictures of one name: x.jpg, x.png"
        ):
            small.load()

    def test_link_to_nothing_is_damage(self):
        self._write("images/a.jpg")
        (self.root / "images" / "b.jpg").symlink_to("nothing")

        _, broken = _samples(self.root)

        with self.assertRaisesRegex(BadRecordError, "b: cannot be read"):
            broken.load()

    def test_empty_folder_is_told(self):
        with self.assertRaisesRegex(UserError, "no pictures in the folder"):
            _samples(self.root)

    def test_folders_of_pictures_are_named(self):
        for name in ("images/more/b.jpg", "images/a.jpg"):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        source = folder.read([self.root], None, Options())
        self.assertRegex(source.notes[0], r"images: .*not read: more/ \(1\)$")

        (self.root / "images/a.jpg").unlink()
        with self.assertRaisesRegex(
            UserError, "images/more/ holds 1 JPEG or PNG.*`root`="
        ):
            _samples(self.root)

    def test_missing_folder_is_told(self):
        with self.assertRaisesRegex(UserError, "no such folder"):
            _samples(self.root / "nowhere")

    def test_name_in_two_folders_is_told(self):
        self._write("one/a.jpg")
        self._write("two/a.jpg")

        with self.assertRaisesRegex(UserError, "two folders hold the same"):
            _samples(self.root / "one", self.root / "two")

    def test_descriptor_says_what_the_labels_and_joints_are(self):
        person_trees.write_coco(self.root, ["a", "b"], num_people=1)

        source = folder.read(
            [self.root], None, Options(descriptor=PASCAL_PERSON_PART)
        )

        self.assertIs(source.descriptor, PASCAL_PERSON_PART)
        self.assertEqual(source.facts["people"], "whole")
        record = source.samples[1].load()
        self.assertIsNone(record.crop)
        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(1)
        )
        np.testing.assert_allclose(
            record.keypoints_xy[:-1],
            person_trees.joints(1)[0, :-1, :2],
            rtol=1e-6,
        )

    def test_people_are_cut_out_where_asked(self):
        person_trees.write_coco(self.root, ["a", "b"])
        options = {"descriptor": PASCAL_PERSON_PART}

        with self.assertRaisesRegex(
            UserError, "several people in one picture.*a; .*`people`=boxes"
        ):
            _samples(self.root, **options)
        samples = _samples(self.root, people="boxes", **options)

        self.assertEqual(
            [s.record_id for s in samples], ["a_0", "a_1", "b_0", "b_1"]
        )
        record = samples[1].load()
        self.assertEqual(record.crop.box, (25, 1, 58, 39))
        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)[1:39, 25:58]
        )

    def test_people_nobody_annotated_are_left_out_and_named(self):
        person_trees.write_coco(self.root, ["a"], visible=(True, False))
        shutil.rmtree(self.root / "labels")

        source = folder.read(
            [self.root],
            None,
            Options(descriptor=PASCAL_PERSON_PART, people="boxes"),
        )

        self.assertEqual([s.record_id for s in source.samples], ["a_0"])
        self.assertIn("1 people without annotation left out: a_1", source.notes)

    def test_instances_are_cut_out_with_and_without_joints(self):
        person_trees.write_coco(self.root, ["a"])
        options = {"descriptor": PASCAL_PERSON_PART, "people": "instances"}

        with_joints = _samples(self.root, **options)
        (self.root / "keypoints.json").unlink()
        without = _samples(self.root, **options)

        for samples in (with_joints, without):
            self.assertEqual([s.record_id for s in samples], ["a_1", "a_2"])
        second = with_joints[1].load()
        np.testing.assert_array_equal(
            second.label_map, person_trees.label_map(0)[:, 24:]
        )
        self.assertIsNotNone(second.keypoints_xy)
        self.assertIsNone(without[1].load().keypoints_xy)

    def test_regions_of_people_cut_out_who_has_one(self):
        person_trees.write_coco(self.root, ["a"])
        shutil.rmtree(self.root / "instances")
        path = self.root / "keypoints.json"
        document = json.loads(path.read_text())
        options = {"descriptor": PASCAL_PERSON_PART, "people": "instances"}
        with self.assertRaisesRegex(UserError, "no folder that .*instances"):
            _samples(self.root, **options)
        # A triangle; the other person has no region.
        first = document["annotations"][0]
        first["segmentation"] = [[2, 1, 12, 1, 2, 11]]
        path.write_text(json.dumps(document))

        source = folder.read([self.root], None, Options(**options))

        (sample,) = source.samples
        record = sample.load()
        rows, columns = np.mgrid[:10, :10]
        inside = rows + columns < 9
        whole = person_trees.label_map(0)
        np.testing.assert_array_equal(
            record.label_map[inside[:9, :9]], whole[1:10, 2:11][inside[:9, :9]]
        )
        self.assertFalse(record.label_map[~inside[:9, :9]].any())
        self.assertEqual(record.crop.box[:2], (2, 1))
        self.assertIn("1 people without detection left out: a_1", source.notes)
        first["segmentation"] = [[2, 1]]
        path.write_text(json.dumps(document))
        (damaged,) = _samples(self.root, **options)
        with self.assertRaisesRegex(BadRecordError, "segmentation is malf"):
            damaged.load()

    def test_file_of_poses_may_lie_elsewhere(self):
        person_trees.write_coco(self.root / "data", ["a"], num_people=1)
        elsewhere = self.root / "mine.json"
        shutil.move(self.root / "data" / "keypoints.json", elsewhere)
        options = {"descriptor": PASCAL_PERSON_PART}

        (without,) = _samples(self.root / "data", **options)
        (found,) = _samples(self.root / "data", keypoints=elsewhere, **options)

        self.assertIsNone(without.keypoints_xy)
        self.assertIsNotNone(found.keypoints_xy)

    def test_several_files_of_poses_are_told(self):
        person_trees.write_coco(self.root, ["a"])
        self._write("pose.csv", b"")

        with self.assertRaisesRegex(
            UserError, "several files of poses.*pose.csv, keypoints.json"
        ):
            _samples(self.root, descriptor=PASCAL_PERSON_PART)

    def test_split_is_a_list_of_ids(self):
        person_trees.write_coco(self.root, ["a", "b", "c"], num_people=1)
        (self.root / "val_id.txt").write_text("c\na\n")
        options = Options(descriptor=PASCAL_PERSON_PART)

        source = folder.read([self.root], "val", options)

        self.assertEqual([s.record_id for s in source.samples], ["c", "a"])
        self.assertEqual(source.facts["split"], "val")
        with self.assertRaisesRegex(UserError, "no list of the split train"):
            folder.read([self.root], "train", options)

    def test_listed_picture_that_is_missing_is_damage_of_its_record(self):
        person_trees.write_coco(self.root, ["a"])
        (self.root / "val_id.txt").write_text("a\nzebra\n")
        options = Options(descriptor=PASCAL_PERSON_PART, people="boxes")

        samples = folder.read([self.root], "val", options).samples

        self.assertEqual(
            [s.record_id for s in samples], ["a_0", "a_1", "zebra"]
        )
        with self.assertRaisesRegex(BadRecordError, "zebra: no picture"):
            samples[2].load()

    def test_nothing_but_damaged_people_names_the_first_fault(self):
        person_trees.write_coco(self.root, ["a"])
        path = self.root / "keypoints.json"
        document = json.loads(path.read_text())
        for entry in document["annotations"]:
            entry["bbox"] = ["1", 2, 3, 4]
        path.write_text(json.dumps(document))
        options = Options(descriptor=PASCAL_PERSON_PART, people="boxes")

        annotations = folder.read([self.root], None, options).annotations

        with self.assertRaisesRegex(UserError, "2 damaged: .*malformed"):
            absence.refuse(annotations, [keys.POSE], self.root)

    @parameterized.named_parameters(
        ("joints", {"keypoints": [1, 2]}, "another number of joints.*2 num"),
        ("no_size", {"bbox": [0, 0, 0, 0]}, r"no size; found: \[0, 0, 0, 0"),
        ("no_box", {"bbox": None}, "person without a box"),
    )
    def test_fault_of_one_person_is_damage_of_this_one(self, changes, message):
        person_trees.write_coco(self.root, ["a", "b"])
        path = self.root / "keypoints.json"
        document = json.loads(path.read_text())
        document["annotations"][0] |= changes
        path.write_text(json.dumps(document))

        samples = _samples(
            self.root, descriptor=PASCAL_PERSON_PART, people="boxes"
        )
        others = folder.read(
            [self.root],
            None,
            Options(descriptor=PASCAL_PERSON_PART, people="instances"),
        )

        self.assertEqual(
            [s.record_id for s in samples], ["a_0", "a_1", "b_0", "b_1"]
        )
        with self.assertRaisesRegex(BadRecordError, f"0 of a: .*{message}"):
            samples[0].load()
        self.assertIsNotNone(samples[1].load().keypoints_xy)
        self.assertIsNone(others.samples[0].load().keypoints_xy)
        self.assertRegex("\n".join(others.notes), f"damaged.*a_0.*{message}")

    @parameterized.product(
        orientation=(1, 3, 5, 6, 7, 8), has_regions=(False, True)
    )
    def test_instances_of_stored_pictures_are_turned_with_them(
        self, orientation, has_regions
    ):
        person_trees.write_coco(self.root, ["a"])
        stored = picture_files.decode((self.root / "images/a.jpg").read_bytes())
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = self.root / "images/a.png"
        Image.fromarray(stored).save(path, exif=exif)
        (self.root / "images/a.jpg").unlink()
        options = {"descriptor": PASCAL_PERSON_PART}
        frame = frames.of(path.read_bytes())
        ids = cropped.read_ids(self.root / "instances/a.png")
        document = json.loads((self.root / "keypoints.json").read_text())
        document["images"][0] |= {"height": 40, "width": 60}
        for number, annotation in enumerate(document["annotations"], 1):
            if has_regions:
                counts = regions.text_of(regions.runs_of(ids == number))
                region = {"size": [40, 60], "counts": counts}
                annotation["segmentation"] = region
        (self.root / "keypoints.json").write_text(json.dumps(document))

        people = _samples(self.root, people="instances", **options)

        whole = frame.label_map(person_trees.label_map(0))
        shown = frame.label_map(ids)
        self.assertLen(people, 2)
        for number, sample in enumerate(people, 1):
            record = sample.load()
            rows, columns = np.nonzero(shown == number)
            part = np.s_[
                rows.min() : rows.max() + 1, columns.min() : columns.max() + 1
            ]
            np.testing.assert_array_equal(
                record.label_map, np.where(shown == number, whole, 0)[part]
            )
            np.testing.assert_array_equal(
                picture_files.decode(record.image_bytes),
                picture_files.decode(path.read_bytes())[part],
            )

    @parameterized.parameters(1, 2, 3, 4, 5, 6, 7, 8)
    def test_annotations_of_stored_pictures_are_turned_with_them(
        self, orientation
    ):
        person_trees.write_coco(self.root, ["a"], num_people=1)
        stored = picture_files.decode((self.root / "images/a.jpg").read_bytes())
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright = Image.fromarray(stored)
        upright.save(self.root / "images/a.png", exif=exif)
        (self.root / "images/a.jpg").unlink()
        path = self.root / "keypoints.json"
        document = json.loads(path.read_text())
        document["images"][0] |= {"height": 40, "width": 60}
        path.write_text(json.dumps(document))
        options = {"descriptor": PASCAL_PERSON_PART}

        (whole,) = _samples(self.root, **options)
        (cut,) = _samples(self.root, people="boxes", **options)
        (of_folder,) = folder.read_pictures(self.root, None, PASCAL_PERSON_PART)

        # A pixel and its label go where the joint goes.
        record = whole.load()
        shown = picture_files.decode(record.image_bytes)
        is_turned = orientation > 4
        points = whole.keypoints_xy[:-1].round().astype(int)
        found = record.keypoints_xy[:-1]
        whole_points = (
            dataclasses.replace(whole, keypoints_xy=whole.keypoints_xy.round())
            .load()
            .keypoints_xy[:-1]
            .astype(int)
        )
        if is_turned:
            for (x, y), (column, row) in zip(points, whole_points, strict=True):
                np.testing.assert_array_equal(shown[row, column], stored[y, x])
                self.assertEqual(
                    record.label_map[row, column],
                    person_trees.label_map(0)[y, x],
                )
        else:
            np.testing.assert_array_equal(found, whole.keypoints_xy[:-1])
        left, top, _, _ = cut.load().crop.box
        np.testing.assert_allclose(
            cut.load().keypoints_xy[:-1] + (left, top), found, atol=1e-4
        )
        np.testing.assert_allclose(
            of_folder.people.keypoints_xy[0, :-1], found, atol=1e-4
        )
        document["images"][0]["width"] = 61
        path.write_text(json.dumps(document))
        message = "annotation of a picture of another size.*61"
        for sample in (
            *_samples(self.root, **options),
            *_samples(self.root, people="boxes", **options),
        ):
            if is_turned:
                with self.assertRaisesRegex(BadRecordError, message):
                    sample.load()
            else:
                self.assertRegex(sample.load().notes[0], message)

    def test_matlab_label_maps_are_read(self):
        self._write("photos/a.jpg")
        path = self.root / "annotations" / "pixel-level" / "a.mat"
        path.parent.mkdir(parents=True)
        io.savemat(path, {"groundtruth": self.record.label_map})

        (sample,) = _samples(self.root)

        np.testing.assert_array_equal(
            sample.load().label_map, self.record.label_map
        )
        for matrix in (np.full((40, 24), 300), np.full((40, 24), 0.5), "ab"):
            io.savemat(path, {"groundtruth": matrix})
            with self.assertRaisesRegex(BadRecordError, "record a: "):
                sample.load()

    @parameterized.named_parameters(
        ("ccp", "ccp", "ccp", 16, 0),
        ("lspet", "lspet", "lspet", 0, 30),
        ("mpii", "mpii_mmpose", "mpii", 0, 5),
        ("coco", "coco_mmpose", "coco", 0, 12),
        ("mhp", "mhp_mmpose", "lip", 0, 4),
    )
    def test_real_folders_of_other_data_sets(
        self, name, descriptor, num_label_maps, num_poses
    ):
        root = shared_path(f"samples/{name}")
        keypoints = next(iter(root.glob("test_*.json")), None)
        descriptor = descriptors.get(descriptor)

        samples = _samples(
            root,
            descriptor=descriptor,
            keypoints=keypoints,
            people=keypoints and "boxes",
        )

        records = [
            inspection.inspect(sample.load(), descriptor)[0]
            for sample in samples
        ]
        self.assertLen(
            [r for r in records if r.label_map is not None], num_label_maps
        )
        self.assertLen(
            [r for r in records if r.visibility is not None], num_poses
        )
        self.assertLen(records, num_label_maps + num_poses)

    def test_real_samples_are_read(self):
        samples = _samples(
            *(
                shared_path(f"samples/{name}")
                for name in ("lip_mmseg", "lip_jppnet", "lip_alexis97")
            )
        )
        records = [sample.load() for sample in samples]

        self.assertLen(records, 16)
        self.assertLen([r for r in records if r.label_map is not None], 10)
        self.assertLen([r for r in records if r.visibility is not None], 7)


if __name__ == "__main__":
    absltest.main()
