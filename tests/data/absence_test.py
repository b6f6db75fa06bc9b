"""Tests of nppnet_tf.data.absence, through the readers that ask it."""

import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data import absence
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from tests.data import person_trees
from tests.data import sample_records

_LABELS = pathlib.Path("TrainVal_parsing_annotations")
_POSES = pathlib.Path("TrainVal_pose_annotations")


class _RootTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path) / "mine"

    def _assert_refused(self, source, *patterns, tasks=None):
        required = absence.required(source.annotations, tasks)
        for pattern in patterns:
            with self.assertRaisesRegex(UserError, pattern):
                absence.refuse(source.annotations, required, self.root)

    def _assert_accepted(self, source, tasks):
        required = absence.required(source.annotations, tasks)
        absence.refuse(source.annotations, required, self.root)


class FolderTest(_RootTestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.picture = picture_files.encode_png(
            random.integers(0, 256, (40, 30, 3), np.uint8)
        )
        self.labels = picture_files.encode_png(np.ones((40, 30), np.uint8))
        for name in "abc":
            self._write(f"images/{name}.png", self.picture)

    def _write(self, name, content=b""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _write_labels(self, form):
        for name in "abc":
            self._write(form.format(name), self.labels)

    def _source(self, split=None, **options):
        return datasets.read("folder", [self.root], split, Options(**options))

    @parameterized.named_parameters(
        (
            "other_folder",
            "masks/{}.png",
            "masks/ holds 3 PNG files of the same stems: `labels`=masks?",
        ),
        (
            "deep_folder",
            "ann/parsing/{}.png",
            "ann/parsing/ holds 3 PNG.*`labels`=ann/parsing",
        ),
        (
            "affix",
            "labels/{}_label.png",
            "labels/ holds a_label.png, expected a.png .3 files",
        ),
        ("affix_elsewhere", "gt/{}-mask.png", "gt/ holds a-mask.png"),
        (
            "affix_beside_pictures",
            "images/{}_labels.png",
            "images/ holds a_labels.png, expected a.png",
        ),
        ("other_stems", "labels/0{}.png", "3 PNG files of other stems"),
        (
            "folder_of_a_strange_name",
            "the same stems/0{}.png",
            "the same stems/ holds 3 PNG files of other stems$",
        ),
        ("pictures", "labels/{}.jpg", "3 JPG files, not PNG"),
        ("nothing", "labels/{}.txt", "labels/ holds no label map"),
        ("hidden", "labels/._{}.png", "labels/ holds no label map"),
    )
    def test_label_maps_that_are_almost_there_are_named(self, form, message):
        self._write_labels(form)

        self._assert_refused(
            self._source(), "no label map of [36] samples", message
        )
        self._assert_accepted(self._source(), "none")

    def test_labels_are_read_where_the_user_says(self):
        self._write_labels("masks/{}.PNG")

        source = self._source(labels="masks")

        self.assertEqual(source.annotations[keys.PARSING].found, 3)
        with self.assertRaisesRegex(UserError, "no such folder.*none"):
            self._source(labels="none")

    @parameterized.named_parameters(
        ("copy", "pose (1).csv"),
        ("other_table", "my_people.csv"),
        ("folder", "annotations/person_keypoints_val.json"),
        ("case", "Pose.csv"),
    )
    def test_poses_that_are_almost_there_are_named(self, name):
        self._write_labels("labels/{}.png")
        self._write(name, b"a.jpg" + b",1,2,0" * 16)
        self._write("descriptor.json")

        self._assert_refused(
            self._source(),
            "no pose of 3 samples.*expected: pose.csv.*`tasks`=parsing",
            f"found: .*`keypoints`=/.*mine/{name}".replace("(", ".").replace(
                ")", "."
            ),
        )
        self._assert_accepted(self._source(), "parsing")

    @parameterized.parameters(
        "annotations.xml", "pose.xlsx", "x/keypoints.ndjson"
    )
    def test_poses_of_other_kinds_are_named(self, name):
        self._write_labels("labels/{}.png")
        self._write(name)

        self._assert_refused(
            self._source(), f"found: {name}, of a kind that is not read"
        )

    def test_poses_of_other_pictures_are_none(self):
        self._write_labels("labels/{}.png")
        self._write("pose.csv", ("x.jpg" + ",1,2,0" * 16).encode())

        self._assert_refused(
            self._source(), "no pose of 3", "pose.csv with 1 poses of other.*x"
        )

    def test_split_without_a_task_is_refused(self):
        for name in "ab":
            self._write(f"labels/{name}.png", self.labels)
        self._write("train_id.txt", b"a\nb\n")
        self._write("val_id.txt", b"c\n")

        self._assert_refused(self._source("val"), "no label map of 1 samples")
        self._assert_accepted(self._source("train"), None)

    def test_nothing_near_is_nothing_promised(self):
        self._write("descriptor.json")
        self._write("prices.csv", b"a.png,3\n")
        self._write("thumbnails/a.jpg", b"small")
        self._write("images/a_gt.jpg", self.picture)
        source = self._source()

        self._assert_accepted(source, None)
        self.assertEqual(
            absence.summary(source.annotations),
            "0 of 4 label maps, 0 of 4 poses",
        )
        self.assertLen(list(absence.lines(source.annotations)), 2)
        self._assert_refused(source, "no label map and no pose", tasks="both")
        self._assert_refused(source, "no pose of 4", tasks="pose")


class PublishedTest(_RootTestCase):
    def _lip(self, split="train"):
        return datasets.read("lip", [self.root], split)

    def test_lip_promises_both(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        self._assert_accepted(self._lip(), None)
        self.assertEqual(
            absence.summary(self._lip().annotations),
            "3 of 3 label maps, 3 of 3 poses",
        )

        (self.root / _POSES / "lip_train_set.csv").rename(
            self.root / _POSES / "lip_train_set (1).csv"
        )
        self._assert_refused(
            self._lip(),
            "no pose of 3.*lip_train_set.csv.*`tasks`=parsing.*"
            r"found: .*lip_train_set \(1\).csv",
        )
        (self.root / _LABELS / "train_segmentations").rename(
            self.root / _LABELS / "train_segmentation"
        )
        self._assert_refused(
            self._lip(),
            "no label map and no pose of 3.*train_segmentations/.*found: "
            ".*train_segmentation/",
        )
        self._assert_accepted(self._lip(), "none")

    def test_annotations_without_a_picture_are_noted(self):
        sample_records.write_lip(self.root, sample_records.make_records(3))
        pictures = self.root / "TrainVal_images"
        (pictures / "train_id.txt").unlink(missing_ok=True)
        (pictures / "train_images" / "id_001.jpg").unlink()

        source = self._lip()

        self.assertEqual(source.poses_without_picture, ("id_001",))
        self.assertEqual(source.label_maps_without_picture, ("id_001",))
        self.assertIn(
            "1 label maps without a picture, not read: id_001", source.notes
        )

    def test_cihp_promises_label_maps_alone(self):
        person_trees.write_coco(self.root, ["a"])
        (self.root / "keypoints.json").unlink()
        self._assert_accepted(datasets.read("cihp", [self.root]), None)

        shutil.move(self.root / "labels", self.root / "label")

        self._assert_refused(
            datasets.read("cihp", [self.root]), "no label map.*`labels`=label"
        )

    def test_pascal_promises_both(self):
        person_trees.write(self.root, ["a"], "val")
        shutil.move(self.root / "SegmentationPart", self.root / "Parts")

        self._assert_refused(
            datasets.read("pascal_person_part", [self.root], "val"),
            "no label map of 2.*SegmentationPart.*found: Parts/ holds 1 PNG",
        )


class JoinTest(absltest.TestCase):
    def test_folders_together_have_what_one_has(self):
        one = Annotations(0, 3, "labels/", False)
        other = Annotations(2, 4, "labels/", True, "masks/")

        joined = absence.join([{keys.PARSING: one}, {keys.PARSING: other}])

        self.assertEqual(
            joined,
            {keys.PARSING: Annotations(2, 7, "labels/", True, "masks/")},
        )


if __name__ == "__main__":
    absltest.main()
