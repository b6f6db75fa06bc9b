"""Every format, written of drawn people and read again."""

import json
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import drawn_labels
from nppnet_tf.data import openpose
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.people.box_files import BoxFiles
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.drawn_people import person
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import formats
from nppnet_tf.outputs.picture_run import PictureRun
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.outputs import tryon_reader

_SIZE = (96, 72)

# What a blank, a line, a separator, another ending or a file of the folder's
# own makes of them.
_ODD_NAMES = (
    *("a b.png", "a_b.png", " c .png", "d\ne.png", "f\\g.png", "h.jpg.png"),
    *("descriptor.png", "predictions.png", "no ending"),
    os.fsdecode(b"\xb2.png"),
)


def _person(index):
    return person.draw_person(5, index, height_width=_SIZE)


def _pose(drawn):
    """The truth as an answer: joints that the picture shows, in thirds."""
    scores = np.where(drawn.visibility == ABSENT, 0.01, 0.9)
    return PersonAnswer(drawn.keypoints_xy + np.float32(1 / 3), scores)


class _Truth:
    """Answers with what was drawn: one person, or two side by side."""

    def __init__(self, people):
        self.finds_people = len(people) > 1
        self._people = people

    def image(self):
        return np.concatenate([drawn.image for drawn in self._people], 1)

    def answer(self, path, data, image):
        del path, data, image
        if not self.finds_people:
            (drawn,) = self._people
            return PictureAnswer(drawn.label_map, (_pose(drawn),)), ()
        label_map = np.concatenate([p.label_map for p in self._people], 1)
        instances = np.repeat([1, 2], _SIZE[1])[np.newaxis] * (label_map > 0)
        poses = []
        for number, drawn in enumerate(self._people):
            left = number * _SIZE[1]
            pose = _pose(drawn)
            box = (left, 0.0, left + _SIZE[1], float(_SIZE[0]))
            xy = pose.keypoints_xy + np.array([left, 0])
            poses.append(PersonAnswer(xy, pose.scores, box, 0.5))
        return (
            PictureAnswer(label_map, tuple(poses), instances.astype(np.uint8)),
            (),
        )


class FormatsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.output = self.folder / "output"

    def _write(self, layout, model, names=("a b.png",), descriptor=LIP):
        pictures = []
        for name in names:
            path = self.folder / name
            Image.fromarray(model.image()).save(path, "PNG")
            pictures.append(path)
        writer = formats.FORMATS[layout](
            Settings(self.output, model.finds_people)
        )
        starts = writer.plan(pictures)
        run = PictureRun(model, writer, Names(descriptor))
        run.run(starts)
        self.assertEmpty(run.failures)
        return run

    def _records(self, *arguments):
        records = self.folder / "records"
        result = shared.run_tool(
            "build_records",
            f"--root={self.output}",
            f"--output={records}",
            *arguments,
        )
        self.assertEqual(result.exit_code, 0, result.stderr)
        return RecordSet.open(records)

    def assert_same_people(self, records, people):
        for number, drawn in enumerate(people):
            self.assert_same_person(
                records.read(number),
                drawn,
                drawn.keypoints_xy + np.float32(1 / 3),
            )

    def assert_same_person(self, record, drawn, keypoints_xy):
        np.testing.assert_array_equal(record.label_map, drawn.label_map)
        np.testing.assert_array_equal(
            picture_files.decode(record.image_bytes), drawn.image
        )
        is_absent = drawn.visibility == ABSENT
        np.testing.assert_array_equal(
            record.visibility, np.where(is_absent, ABSENT, VISIBLE)
        )
        np.testing.assert_allclose(
            record.keypoints_xy,
            np.where(is_absent[:, np.newaxis], 0, keypoints_xy),
            atol=6e-4,
        )

    def test_folder_of_coco_is_read_as_records(self):
        drawn = _person(0)
        self._write("coco", _Truth([drawn]), ("a.png", "a.jpg"))

        records = self._records(
            "--dataset=folder", f"--descriptor={self.output}/descriptor.json"
        )

        self.assertEqual(list(records.ids), ["a_jpg", "a_png"])
        self.assert_same_person(
            records.read(1), drawn, drawn.keypoints_xy + np.float32(1 / 3)
        )
        (self.folder / "records").rename(self.folder / "other")
        drawn_records = self._records("--dataset=folder", "--labels=parts.json")
        np.testing.assert_array_equal(
            drawn_records.read(1).label_map, drawn.label_map
        )
        results = json.loads((self.output / "results.json").read_text())
        self.assertLen(results, 2)
        self.assertAlmostEqual(results[0]["score"], 0.9)

    def test_regions_of_people_of_coco_are_read_as_records(self):
        people = [_person(0), _person(1)]
        self._write("coco", _Truth(people), ("a.png",))
        # Others have no such folder.
        shutil.rmtree(self.output / "instances")

        records = self._records("--dataset=folder", "--people=instances")

        self.assertEqual(list(records.ids), ["a_0", "a_1"])
        for number, drawn in enumerate(people):
            record = records.read(number)
            rows, columns = np.nonzero(drawn.label_map)
            part = np.s_[
                rows.min() : rows.max() + 1, columns.min() : columns.max() + 1
            ]
            np.testing.assert_array_equal(
                record.label_map, drawn.label_map[part]
            )
            present = drawn.visibility != ABSENT
            corner_xy = (columns.min(), rows.min())
            is_inside = record.visibility != ABSENT
            np.testing.assert_allclose(
                record.keypoints_xy[is_inside],
                (drawn.keypoints_xy + 1 / 3 - corner_xy)[is_inside],
                atol=6e-4,
            )
            self.assertGreater(is_inside.sum(), present.sum() - 3)

    @parameterized.parameters(
        ("coco", ""),
        ("coco", "results.json"),
        ("coco", "keypoints.json"),
        ("files", ""),
        ("files", "a.json"),
    )
    def test_people_are_found_again_by_their_boxes(self, layout, name):
        model = _Truth([_person(0), _person(1)])
        self._write(layout, model, ("a.png",))
        (answer, _) = model.answer(None, None, None)
        picture = self.folder / "a.png"

        found = BoxFiles(self.output / name).find(picture, picture.read_bytes())

        np.testing.assert_allclose(
            found.boxes, [person.box for person in answer.people]
        )
        scores = [person.score for person in answer.people]
        if layout == "coco":
            # Of COCO's documents times that of the joints.
            scores = [0.5 * 0.9] * 2
        np.testing.assert_allclose(found.scores, scores, atol=1e-5)

    def test_people_of_coco_are_read_as_records(self):
        people = [_person(0), _person(1)]
        self._write("coco", _Truth(people), ("a.png",))
        documents = [
            json.loads((self.output / name).read_text())
            for name in ("keypoints.json", "parts.json")
        ]
        persons, parts = (each["annotations"] for each in documents)
        for number, (found, drawn) in enumerate(
            zip(persons, people, strict=True)
        ):
            size = (_SIZE[0], 2 * _SIZE[1])
            mask = drawn_labels.pixels(found["segmentation"], size)
            left = number * _SIZE[1]
            np.testing.assert_array_equal(
                mask[:, left : left + _SIZE[1]], drawn.label_map > 0
            )
            self.assertEqual(mask.sum(), found["area"])
            self.assertEqual(
                [
                    part["category_id"]
                    for part in parts
                    if part["person_id"] == found["id"]
                ],
                np.unique(drawn.label_map)[1:].tolist(),
            )

        records = self._records("--dataset=folder", "--people=boxes")

        self.assertEqual(records.count, 2)
        self.assert_same_people(records, people)

    def test_layout_of_lip_is_read_as_records(self):
        drawn = _person(0)
        self._write("lip", _Truth([drawn]), ("a.png",))

        records = self._records("--dataset=lip", "--split=val")

        self.assertEqual(list(records.ids), ["a"])
        # LIP's joints are whole pixels.
        self.assert_same_person(
            records.read(0), drawn, np.round(drawn.keypoints_xy + 1 / 3)
        )

    def test_layout_of_lip_has_one_person_in_a_picture(self):
        people = [_person(0), _person(1)]
        self._write("lip", _Truth(people), ("a.png",))

        records = self._records("--dataset=lip", "--split=val")

        self.assertEqual(list(records.ids), ["a__1", "a__2"])
        second = records.read(1)
        # A tenth of the width hangs over to the left.
        margin = 8
        np.testing.assert_array_equal(
            second.label_map[:, margin:], people[1].label_map
        )
        self.assertFalse(second.label_map[:, :margin].any())
        present = people[1].visibility != ABSENT
        np.testing.assert_array_equal(
            second.keypoints_xy[present],
            np.round(people[1].keypoints_xy + 1 / 3)[present] + (margin, 0),
        )

    def test_pictures_of_lip_are_upright(self):
        model = _Truth([_person(0)])
        exif = Image.Exif()
        exif[0x0112] = 3
        path = self.folder / "a.jpg"
        Image.fromarray(model.image()).save(path, exif=exif)
        writer = formats.FORMATS["lip"](Settings(self.output))
        starts = writer.plan([path])
        PictureRun(model, writer, Names(LIP)).run(starts)

        (image,) = (self.output / "TrainVal_images/val_images").iterdir()

        self.assertEqual(image.name, "a.png")
        np.testing.assert_array_equal(
            picture_files.decode(image.read_bytes()),
            picture_files.decode(path.read_bytes()),
        )

    @parameterized.parameters(
        ("coco", "--dataset=folder"),
        ("labelme", "--dataset=labelme"),
        ("lip", "--dataset=lip", "--split=val"),
    )
    def test_pictures_of_any_name_are_read_as_records(self, layout, *flags):
        drawn = _person(0)
        self._write(layout, _Truth([drawn]), _ODD_NAMES)

        records = self._records(*flags)

        self.assertEqual(records.count, len(_ODD_NAMES))
        for number in range(records.count):
            self.assertNotEmpty(records.read(number).label_map.nonzero()[0])
            self.assertTrue((records.read(number).visibility != ABSENT).any())

    def test_tryon_lists_every_picture_of_any_name(self):
        self._write("tryon", _Truth([_person(0)]), _ODD_NAMES)

        names = tryon_reader.names(self.output)

        self.assertLen(set(names), len(_ODD_NAMES))
        for name in names:
            tryon_reader.read(self.output, name)

    def test_openpose_has_a_file_for_each_picture(self):
        people = [_person(0), _person(1)]
        self._write("openpose", _Truth(people))

        document = json.loads((self.output / "a b_keypoints.json").read_text())

        names = openpose.LAYOUTS[openpose.BODY_25]
        for number, found in enumerate(document["people"]):
            triples = np.reshape(found["pose_keypoints_2d"], (25, 3))
            drawn = people[number]
            for name, triple in zip(names, triples, strict=True):
                if name not in LIP.keypoints:
                    continue
                index = LIP.keypoints.index(name)
                x, y = drawn.keypoints_xy[index] + 1 / 3
                expected = (x + number * _SIZE[1], y, 0.9)
                if drawn.visibility[index] == ABSENT:
                    expected = (0, 0, 0)
                np.testing.assert_allclose(triple, expected, atol=1e-3)
        self.assertLen(document["people"], 2)

    def _people_of(self, root, *flags):
        records = self.folder / "records"
        shutil.rmtree(records, ignore_errors=True)
        result = shared.run_tool(
            "build_records",
            "--dataset=folder",
            f"--root={root}",
            f"--output={records}",
            *flags,
        )
        self.assertEqual(result.exit_code, 0, result.stderr)
        self.said = result.stdout
        return RecordSet.open(records)

    def test_own_files_are_read_as_records(self):
        people = [_person(0), _person(1)]
        self._write("files", _Truth(people), ("a.png",))

        records = self._people_of(
            self.folder,
            f"--keypoints={self.output}",
            f"--labels={self.output}",
            "--people=boxes",
        )

        self.assertEqual(list(records.ids), ["a_0", "a_1"])
        self.assert_same_people(records, people)

    def test_poses_of_openpose_are_read_as_records(self):
        people = [_person(0), _person(1)]
        self._write("openpose", _Truth(people), ("a.png",))

        records = self._people_of(
            self.folder, f"--keypoints={self.output}", "--people=boxes"
        )

        self.assertEqual(list(records.ids), ["a_0", "a_1"])
        known = np.isin(LIP.keypoints, openpose.LAYOUTS[openpose.BODY_25])
        for number, drawn in enumerate(people):
            record = records.read(number)
            expected = (drawn.visibility != ABSENT) & known
            np.testing.assert_array_equal(
                record.visibility, np.where(expected, VISIBLE, ABSENT)
            )
            left, top = record.crop.box[:2]
            np.testing.assert_allclose(
                record.keypoints_xy[expected] + (left, top),
                (drawn.keypoints_xy + (number * _SIZE[1], 0))[expected] + 1 / 3,
                atol=6e-4,
            )
        self.assertIn("OpenPose has no pelvis, thorax, upper_neck", self.said)

    def test_folder_of_tryon_is_read_as_records(self):
        people = [_person(2), _person(3)]
        self._write("tryon", _Truth(people))

        records = self._people_of(self.output / "test")

        names = ["a_b__1", "a_b__2"]
        self.assertEqual(list(records.ids), names)
        for number, name in enumerate(names):
            record = records.read(number)
            read = tryon_reader.read(self.output, f"{name}.jpg")
            np.testing.assert_array_equal(record.label_map, read.parts)
            np.testing.assert_array_equal(
                picture_files.decode(record.image_bytes), read.image
            )
            layout = openpose.LAYOUTS[openpose.BODY_25]
            places = [layout.index(n) for n in LIP.keypoints if n in layout]
            known = np.isin(LIP.keypoints, layout)
            np.testing.assert_allclose(
                record.keypoints_xy[known], read.pose[places], atol=1e-3
            )
            self.assertTrue((record.visibility[known] == VISIBLE).any())

    def test_folder_of_labelme_is_read_as_records(self):
        drawn = _person(0)
        self._write("labelme", _Truth([drawn]), ("a.png", "a.jpg"))

        records = self._records(
            "--dataset=labelme", f"--descriptor={self.output}/descriptor.json"
        )

        self.assertEqual(list(records.ids), ["a_jpg", "a_png"])
        self.assert_same_person(
            records.read(1), drawn, drawn.keypoints_xy + np.float32(1 / 3)
        )

    @parameterized.parameters("instances", "boxes")
    def test_people_of_labelme_are_read_as_records(self, way):
        people = [_person(0), _person(1)]
        self._write("labelme", _Truth(people), ("a.png",))

        records = self._records("--dataset=labelme", f"--people={way}")

        self.assertEqual(list(records.ids), ["a_1", "a_2"])
        self.assert_same_people(records, people)

    def test_folder_of_tryon_is_read_as_the_projects_read_it(self):
        people = [_person(2), _person(3)]
        self._write("tryon", _Truth(people))

        names = tryon_reader.names(self.output)

        self.assertEqual(names, ["a_b__1.jpg", "a_b__2.jpg"])
        for name, drawn in zip(names, people, strict=True):
            read = tryon_reader.read(self.output, name)
            found = set(np.unique(read.parts))
            self.assertContainsSubset(found, {*np.unique(drawn.label_map), 0})
            head = np.isin(read.parts, LIP.class_indices(("Face", "Hair")))
            clothes = np.isin(
                read.parts, LIP.class_indices(("Upper-clothes", "Coat"))
            )
            pants = np.isin(read.parts, LIP.class_indices(("Pants",)))
            self.assertTrue(read.masks["upper_body"][clothes].all())
            self.assertTrue(read.masks["lower_body"][pants].all())
            self.assertTrue(read.masks["dresses"][clothes | pants].all())
            for mask in read.masks.values():
                self.assertFalse((mask & head).any())
            self.assertFalse((read.masks["upper_body"] & pants).any())
            self.assertFalse((read.agnostic_parts[clothes]).any())
            seen = drawn.visibility != ABSENT
            shoulder = LIP.keypoints.index("right_shoulder")
            self.assertEqual(bool(read.pose[2].any()), bool(seen[shoulder]))

    @parameterized.parameters("lip", "tryon")
    def test_formats_of_lip_refuse_other_models(self, layout):
        with self.assertRaisesRegex(UserError, f"`format`={layout}.*pascal"):
            self._write(
                layout, _Truth([_person(0)]), descriptor=PASCAL_PERSON_PART
            )

    @parameterized.parameters(*formats.FORMATS)
    def test_same_pictures_are_written_again_to_the_byte(self, layout):
        model = _Truth([_person(0)])
        self._write(layout, model)
        before = self._files()

        self._write(layout, model)

        self.assertEqual(self._files(), before)
        self.assertNotEmpty(before)

    def _files(self):
        return {
            str(path.relative_to(self.output)): file_digests.sha256(path)
            for path in self.output.rglob("*")
            if path.is_file()
        }


if __name__ == "__main__":
    absltest.main()
