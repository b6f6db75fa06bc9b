"""Tests of nppnet_tf.data.readers.pascal."""

import pathlib
import pickle
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image
from scipy import io

from nppnet_tf.data import frames
from nppnet_tf.data import inspection
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.people import cropped
from nppnet_tf.data.readers import pascal
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.files.file_table import FileTable
from nppnet_tf.pictures import picture_files
from tests.data import person_trees
from tests.data.sample_records import reference_arrays
from tests.shared import shared_path


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        person_trees.write(self.root, ["p1", "p2"])

    def _read(self, people=None, **options):
        return pascal.read([self.root], None, Options(people=people, **options))

    def test_release_cuts_annotated_boxes_with_matched_masks(self):
        source = self._read()

        records = [sample.load() for sample in source.samples]
        self.assertEqual(
            [record.record_id for record in records],
            ["p1_0", "p1_1", "p2_0", "p2_1"],
        )
        # Cast to int, as the release does; not rounded.
        self.assertEqual(records[0].crop.box, (2, 4, 22, 34))
        self.assertEqual(records[3].crop.box, (25, 1, 58, 39))
        np.testing.assert_array_equal(
            records[3].label_map,
            np.where(person_trees.masks()[1], person_trees.label_map(1), 0)[
                1:39, 25:58
            ],
        )
        np.testing.assert_allclose(
            records[3].keypoints_xy[:-1],
            person_trees.joints(1)[1, :-1, :2] - (25, 1),
            rtol=1e-5,
        )
        self.assertEqual(source.facts["people"], "matched")
        self.assertEqual({r.crop.score for r in records}, {1.0})

    def test_detections_are_cropped_with_joints_of_who_they_match(self):
        source = self._read("detections")

        first, second = (s.load() for s in source.samples[:2])
        # The detector found the right person first. Boxes grow to whole
        # pixels, and end at the border.
        self.assertEqual(first.crop.box, (25, 0, 59, 39))
        self.assertEqual(second.crop.box, (3, 3, 24, 35))
        self.assertAlmostEqual(first.crop.score, 0.9)
        np.testing.assert_allclose(
            first.keypoints_xy[:-1],
            person_trees.joints(0)[1, :-1, :2] - (25, 0),
            rtol=1e-5,
        )

    def test_detected_people_whom_nobody_annotated_have_no_pose(self):
        path = self.root / "Mask" / "p1.npy"
        boxes = [(30, 0, 40, 10), person_trees.BOXES[0]]
        person_trees.write_detections(path, boxes, person_trees.masks())

        source = self._read("detections")

        first, second = (s.load() for s in source.samples[:2])
        self.assertIsNone(first.keypoints_xy)
        self.assertIsNotNone(first.label_map)
        self.assertIsNotNone(second.keypoints_xy)
        self.assertEqual(source.facts["people_without_detection"], ["p1_1"])

    def test_people_whom_no_detection_fits_are_left_out_and_named(self):
        path = self.root / "Mask" / "p1.npy"
        person_trees.write_detections(
            path, person_trees.BOXES[:1], person_trees.masks()[:1]
        )

        source = self._read()

        self.assertEqual(
            [s.record_id for s in source.samples], ["p1_0", "p2_0", "p2_1"]
        )
        self.assertIn("1 people without detection left out: p1_1", source.notes)

    def test_instances_have_their_own_boxes_and_masks(self):
        # Annotated boxes reach less far, but fit by more than 0.7 IoU.
        person_trees.write_joints(
            self.root / "PersonJoints" / "p1.mat",
            person_trees.joints(0),
            [(0, 0, 24, 38), (0, 0, 5, 5)],
        )

        first, second = (s.load() for s in self._read("instances").samples[:2])

        self.assertEqual(first.crop.box, (0, 0, 24, 40))
        self.assertEqual(second.crop.box, (24, 0, 60, 40))
        self.assertIsNotNone(first.keypoints_xy)
        self.assertIsNone(second.keypoints_xy)
        np.testing.assert_array_equal(
            second.label_map, person_trees.label_map(0)[:, 24:]
        )

    def test_instances_of_pascal_part_are_cut_out(self):
        shutil.rmtree(self.root / "Instances")
        (self.root / "Annotations_Part").mkdir()
        objects = np.zeros((1, 3), [("class", object), ("mask", object)])
        masks = person_trees.masks()
        for number, (name, mask) in enumerate(
            (("person", masks[1]), ("dog", masks[0]), ("person", masks[0]))
        ):
            objects[0, number] = (name, mask.astype(np.uint8))
        for name in ("p1", "p2"):
            path = self.root / "Annotations_Part" / f"{name}.mat"
            io.savemat(path, {"anno": {"imname": name, "objects": objects}})

        samples = self._read("instances").samples

        self.assertEqual(
            [s.record_id for s in samples], ["p1_0", "p1_2", "p2_0", "p2_2"]
        )
        record = samples[0].load()
        self.assertEqual(record.crop.box, (24, 0, 60, 40))
        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)[:, 24:]
        )

    @parameterized.parameters({"anno": 3}, {"anno": {"objects": "x"}})
    def test_other_annotation_is_told(self, **variables):
        shutil.rmtree(self.root / "Instances")
        (self.root / "Annotations_Part").mkdir()
        for name in ("p1", "p2"):
            path = self.root / "Annotations_Part" / f"{name}.mat"
            io.savemat(path, variables)

        samples = self._read("instances").samples

        self.assertEqual([s.record_id for s in samples], ["p1", "p2"])
        with self.assertRaisesRegex(BadRecordError, "not an annotation of PAS"):
            samples[0].load()

    def test_boxes_alone_leave_neighbors_in_the_label_map(self):
        shutil.rmtree(self.root / "Mask")

        record = self._read("boxes").samples[0].load()

        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)[4:34, 2:22]
        )

    def test_plain_detections_are_read_from_a_folder_of_their_own(self):
        shutil.rmtree(self.root / "Mask")
        folder = self.root / "found"
        for name in ("p1", "p2"):
            person_trees.write_detections(
                folder / f"{name}.npz",
                person_trees.BOXES[1:],
                person_trees.masks()[1:],
            )

        source = self._read(detections=folder)

        self.assertEqual(
            [s.record_id for s in source.samples], ["p1_1", "p2_1"]
        )

    def test_pictures_without_joints_are_left_out_and_named(self):
        (self.root / "PersonJoints" / "p1.mat").unlink()

        source = self._read()

        self.assertLen(source.samples, 2)
        self.assertEqual(source.facts["pictures_without_joints"], ["p1"])
        self.assertIn("1 pictures without joints left out: p1", source.notes)

    def test_pictures_without_joints_may_be_kept_without_a_pose(self):
        (self.root / "PersonJoints" / "p1.mat").unlink()

        source = self._read("detections", keep_without_joints=True)

        self.assertLen(source.samples, 4)
        self.assertIsNone(source.samples[0].load().keypoints_xy)
        self.assertIsNotNone(source.samples[2].load().keypoints_xy)

    @parameterized.named_parameters(
        ("picture", "JPEGImages/p1.jpg", None, "no picture of this id"),
        ("joints", "PersonJoints/p1.mat", b"MATLAB 5.0", "p1.mat"),
        ("no_detections", "Mask/p1.npy", None, "no detections.*p1.npz or p1"),
        ("detections", "Mask/p1.npy", b"\x93NUMPY", "not a dictionary.*p1.npy"),
    )
    def test_damage_of_one_picture_is_one_damaged_record(
        self, name, content, message
    ):
        path = self.root / name
        path.unlink() if content is None else path.write_bytes(content)

        samples = self._read().samples

        self.assertEqual([s.record_id for s in samples], ["p1", "p2_0", "p2_1"])
        with self.assertRaisesRegex(
            BadRecordError, f"record p1: {message}|record p1: .*{message}"
        ):
            samples[0].load()
        samples[1].load()

    def test_detections_must_have_masks_where_they_are_matched(self):
        path = self.root / "Mask" / "p1.npy"
        person_trees.write_detections(path, person_trees.BOXES)

        with self.assertRaisesRegex(BadRecordError, "needs masks.*p1.npy"):
            self._read().samples[0].load()

        record = self._read("detections").samples[0].load()
        np.testing.assert_array_equal(
            record.label_map, person_trees.label_map(0)[4:35, 2:23]
        )

    def test_published_counts_are_of_pictures(self):
        self.assertIn("expected: 1716; found: 2", self._read().notes[0])
        with self.assertRaisesRegex(UserError, "expected: 1716; found: 2"):
            self._read(strict=True)

    def test_list_may_lie_in_a_folder_of_lists(self):
        (self.root / "lists").mkdir()
        shutil.move(self.root / "train_id.txt", self.root / "lists")
        self.assertLen(self._read().samples, 4)

        shutil.rmtree(self.root / "lists")
        with self.assertRaisesRegex(UserError, "no list.*lists/train_id.txt"):
            self._read()

    def test_samples_can_be_pickled(self):
        samples = self._read().samples

        copies = pickle.loads(pickle.dumps(samples))

        self.assertEqual(
            [s.digest() for s in samples], [s.digest() for s in copies]
        )

    @parameterized.named_parameters(
        ("way", {"people": "magic"}, "unknown way.*found: magic"),
        (
            "detections",
            {"people": "boxes", "detections": "x"},
            "`people`=boxes does not take this.*`detections`",
        ),
        (
            "no_folder",
            {"detections": "/nowhere"},
            "no folder that `people`=matched needs.*/nowhere",
        ),
        (
            "keep",
            {"keep_without_joints": True},
            "`people`=matched needs joints",
        ),
    )
    def test_options_that_do_not_fit_are_told(self, options, message):
        with self.assertRaisesRegex(UserError, message):
            self._read(**options)

    def test_test_split_is_told(self):
        with self.assertRaisesRegex(UserError, "train, val; found: test"):
            pascal.read([self.root], "test", Options())


class ReadPicturesTest(absltest.TestCase):
    def test_truth_of_whole_pictures(self):
        root = pathlib.Path(self.create_tempdir().full_path)
        person_trees.write(root, ["p1", "p2", "p3"], "val")
        (root / "PersonJoints" / "p2.mat").unlink()
        (root / "PersonJoints" / "p3.mat").write_bytes(b"torn")

        first, second, third = pascal.read_pictures(root, "val")

        self.assertEqual(first.picture_id, "p1")
        np.testing.assert_array_equal(
            first.label_map(), person_trees.label_map(0)
        )
        np.testing.assert_allclose(
            first.people.poses[:, :-1],
            person_trees.joints(0)[:, :-1, :2],
            rtol=1e-6,
        )
        self.assertIsNone(second.people)
        self.assertIsNone(second.fault)
        self.assertIn("p3.mat", third.fault)


class RealTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = shared_path("samples/pascal_person_part")

    def _source(self, people):
        # The official lists name pictures that are not among the samples.
        root = pathlib.Path(self.create_tempdir().full_path)
        for path in self.folder.iterdir():
            if path.is_dir() and path.name != "lists":
                (root / path.name).symlink_to(path)
        names = sorted(p.stem for p in (root / "JPEGImages").iterdir())
        (root / "val_id.txt").write_text("\n".join(names))
        return pascal.read([root], "val", Options(people=people))

    @parameterized.parameters(
        ("matched", 6, 6), ("boxes", 6, 6), ("detections", 8, 6)
    )
    def test_all_people_pass_the_inspection(self, people, count, num_poses):
        source = self._source(people)

        records = [
            inspection.inspect(sample.load(), source.descriptor)[0]
            for sample in source.samples
        ]

        self.assertLen(records, count)
        self.assertLen(
            [r for r in records if r.keypoints_xy is not None], num_poses
        )
        self.assertLen(source.facts["pictures_without_joints"], 3)

    def test_instances_of_pascal_part_are_those_of_the_pictures_of_ids(self):
        of_pictures = self._source("instances").samples
        files = FileTable(self.folder / "Annotations_Part", (".mat",))
        for sample in of_pictures:
            found = cropped.find_instances(
                files,
                sample.picture_id,
                frames.of(sample.image_path.read_bytes()),
            )

            (mask,) = (mask for _, box, mask in found if box == sample.box)
            # Two people may share pixels there; a picture of ids has one.
            agreed = np.mean(mask.read() == sample.mask.read())
            self.assertGreater(agreed, 0.999)

    @parameterized.parameters("val0", "val1")
    def test_equals_the_reference_on_real_people(self, name):
        arrays = reference_arrays("ref_samples_ppp.npz")
        index = int(arrays[f"{name}_index"])
        samples = [
            sample
            for sample in self._source("matched").samples
            if sample.picture_id in arrays["ids"]
        ]
        self.assertLen(samples, int(arrays["num_db"]))
        record = samples[index].load()
        scale = float(arrays[f"{name}_scale"])
        self.assertEqual(record.crop.picture_id, str(arrays[f"{name}_name"]))
        np.testing.assert_array_equal(record.crop.box, arrays[f"{name}_box"][0])
        visible = arrays[f"{name}_vis"]
        np.testing.assert_array_equal(record.visibility > 0, visible)

        # The reference scales the crop and pastes it at whole pixels.
        shifts = arrays[f"{name}_joints"] - record.keypoints_xy * scale
        shift = np.round(shifts[visible].mean(0)).astype(int)
        np.testing.assert_allclose(
            shifts[visible],
            np.broadcast_to(shift, (visible.sum(), 2)),
            atol=1e-3,
        )
        height, width = record.label_map.shape
        size = (round(width * scale), round(height * scale))
        rows, columns = (
            # Nearest as OpenCV reads it.
            np.minimum((np.arange(side) / scale).astype(int), last - 1)
            for side, last in zip(size[::-1], (height, width), strict=True)
        )
        # The reference never copies the last row and column.
        inside = np.s_[
            shift[1] : shift[1] + size[1] - 1, shift[0] : shift[0] + size[0] - 1
        ]
        labels = record.label_map[np.ix_(rows, columns)][:-1, :-1]
        expected = arrays[f"{name}_parsing"][inside]
        self.assertGreater(np.mean(labels == expected), 0.999)
        outside = np.ones((384, 384), bool)
        outside[inside] = False
        np.testing.assert_array_equal(arrays[f"{name}_parsing"][outside], 255)
        image = Image.fromarray(
            picture_files.decode(record.image_bytes)
        ).resize(size, Image.Resampling.BICUBIC)
        found = np.asarray(image, np.float64)[:-1, :-1]
        expected = arrays[f"{name}_image"][inside]
        # Pillow's cubic is softer than OpenCV's; a pixel of shift is worse.
        difference = np.abs(found - expected).mean()
        shifted = np.abs(found[:, 1:] - expected[:, :-1]).mean()
        self.assertLess(difference, 4)
        self.assertLess(difference, 0.5 * shifted)


if __name__ == "__main__":
    absltest.main()
