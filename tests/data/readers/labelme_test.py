"""Tests of nppnet_tf.data.readers.labelme."""

import base64
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data import absence
from nppnet_tf.data import regions
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import labelme
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.source import Options
from nppnet_tf.drawn_people import person
from nppnet_tf.errors import UserError
from tests import shared
from tests.data import labelme_trees
from tests.data.labelme_trees import shape

_NECK = LIP.keypoints.index("upper_neck")
_WRIST = LIP.keypoints.index("right_wrist")


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def _write(self, name="a", drawn=None, **more):
        drawn = labelme_trees.shapes() if drawn is None else drawn
        labelme_trees.write(self.root / f"{name}.json", drawn, **more)

    def _read(self, **options):
        return labelme.read([self.root], None, Options(**options))

    def test_later_shapes_lie_over_earlier_ones(self):
        self._write()

        (sample,) = self._read().samples
        record = sample.load()

        np.testing.assert_array_equal(
            record.label_map, labelme_trees.label_map()
        )
        # From the center of the top left pixel.
        np.testing.assert_allclose(record.keypoints_xy[_NECK], (5, 3.75))
        self.assertEqual(record.visibility[_NECK], VISIBLE)
        self.assertEqual(record.visibility[_WRIST], OCCLUDED)
        self.assertEqual((record.visibility != ABSENT).sum(), 2)

    def test_forms_and_spellings_are_those_of_labelme(self):
        square = [[3, 4], [5, 6]]
        self._write(
            drawn=[
                shape("left arm", square, "rectangle"),
                shape("FACE", [[10, 6], [10, 8.1]], "circle"),
                shape(
                    "Hat",
                    [[15, 9], [15, 7], [17, 7], [17, 9]],
                    "rectangle",
                ),
                shape("__ignore__", [[0, 0], [2, 0], [2, 1], [0, 1]]),
                shape("_background_", [[3, 4], [4, 4], [4, 5], [3, 5]]),
            ]
        )

        label_map = self._read().samples[0].load().label_map

        arm, face, hat = LIP.class_indices(("Left-arm", "Face", "Hat"))
        self.assertTrue((label_map[7:9, 15:17] == hat).all())
        np.testing.assert_array_equal(
            label_map[4:6, 3:5], [[0, arm], [arm, arm]]
        )
        np.testing.assert_array_equal(label_map[0, :3], [255, 255, 0])
        self.assertEqual((label_map == face).sum(), 12)

    def test_outlines_of_masks_come_back_but_for_what_they_leave(self):
        drawn = person.draw_person(5, 0, height_width=(96, 72))
        generator = np.random.default_rng(0)
        for distance in (0.0, 0.45):
            found = np.zeros_like(drawn.label_map)
            for class_id in np.unique(drawn.label_map)[1:]:
                for points in _outlines(drawn.label_map == class_id):
                    moved = points + generator.uniform(
                        -distance, distance, points.shape
                    )
                    mask = regions.filled(moved, found.shape)
                    found[mask] = class_id
            is_wrong = found != drawn.label_map
            if not distance:
                self.assertFalse(is_wrong.any())
            # A corner that leaves the edge by less than half a pixel changes
            # no pixel but those at the edge.
            self.assertFalse((is_wrong & ~_at_edges(drawn.label_map)).any())

    def test_people_are_cut_out_by_their_groups(self):
        second = [
            shape("Coat", [[10, 3], [15, 3], [15, 9], [10, 9]], group=7),
            # Within the box of the other.
            shape("Coat", [[7, 9], [8, 9], [8, 10], [7, 10]], group=7),
        ]
        self._write(drawn=labelme_trees.shapes(2) + second)

        source = self._read(people="instances")

        first, other = (sample.load() for sample in source.samples)
        self.assertEqual((first.record_id, other.record_id), ("a_2", "a_7"))
        self.assertEqual(first.crop.box, (2, 0, 8, 11))
        expected = labelme_trees.label_map()[0:11, 2:8]
        expected[9, 5] = 0
        np.testing.assert_array_equal(first.label_map, expected)
        np.testing.assert_allclose(first.keypoints_xy[_NECK], (3, 3.75))
        self.assertEqual(other.crop.box, (7, 3, 15, 10))
        self.assertIsNone(other.keypoints_xy)
        (whole,) = self._read().samples
        with self.assertRaisesRegex(BadRecordError, "several.*=instances"):
            whole.load()

    @parameterized.parameters("boxes", "instances")
    def test_box_is_the_rectangle_of_a_person(self, way):
        box = shape("person", [[9, 12], [1, 0]], "rectangle", 1)
        self._write(drawn=[*labelme_trees.shapes(1), box])

        (sample,) = self._read(people=way).samples

        self.assertEqual(sample.load().crop.box, (1, 0, 9, 12))

    def test_picture_may_lie_elsewhere_or_in_the_document(self):
        self._write()
        data = (self.root / "a.png").read_bytes()
        self._write(
            "b", imagePath=None, imageData=base64.encodebytes(data).decode()
        )
        self._write("c", imagePath="..\\images\\c.png")
        (self.root / "b.png").unlink()

        source = self._read()

        for sample in source.samples:
            self.assertEqual(sample.load().image_bytes, data)
        self.assertLen(source.samples, 3)

    def test_shapes_of_the_stored_picture_are_turned_with_it(self):
        self._write()
        exif = Image.Exif()
        exif[0x0112] = 6
        path = self.root / "a.png"
        Image.open(path).save(path, exif=exif)

        record = self._read().samples[0].load()

        np.testing.assert_array_equal(
            record.label_map, np.rot90(labelme_trees.label_map(), -1)
        )
        np.testing.assert_allclose(
            record.keypoints_xy[_NECK], (12 - 1 - 3.75, 5)
        )

    @parameterized.named_parameters(
        ("label", [shape("Hand", [[0, 0], [3, 0], [3, 3]])], "part of lip"),
        ("joint", [shape("nose", [[0, 0]], "point")], "joint of lip"),
        ("form", [shape("upper_neck", [[0, 0], [3, 0], [3, 3]])], "other kind"),
        ("line", [shape("Face", [[0, 0], [3, 0]], "line")], "another kind"),
        ("twice", labelme_trees.shapes()[2:] * 2, "there twice"),
        ("corners", [shape("Face", [[0, 0], [3, 0]])], "do not fit"),
        ("text", [shape("Face", [["0", 0], [3, 0], [3, 3]])], "not a number"),
        (
            "huge",
            [shape("Face", [[10**400, 0], [3, 0], [3, 3]])],
            "not a number",
        ),
        ("group", [shape("upper_neck", [[0, 0]], "point", "x")], "group_id"),
        ("no list", {"a": 1}, "not a list"),
        ("no object", [3], "not an object"),
        ("mask", [shape("Face", [[0, 0], [1, 1]], "mask", mask="?")], "base64"),
        (
            "no mask",
            [shape("Face", [[0, 0], [1, 1]], "mask", mask="AAAA")],
            "neither JPEG nor PNG|not",
        ),
    )
    def test_what_is_wrong_is_damage_of_its_record(self, drawn, message):
        self._write("bad", drawn)
        self._write("good")

        bad, good = self._read().samples

        with self.assertRaisesRegex(BadRecordError, f"record bad.*{message}"):
            bad.load()
        self.assertEqual(good.load().label_map.shape, labelme_trees.SIZE)

    @parameterized.named_parameters(
        ("size", {"imageHeight": 13}, "another size"),
        ("no size", {"imageHeight": 0}, "not a size"),
        ("missing", {"imagePath": "gone.jpg"}, "no picture.*gone.jpg"),
        ("path", {"imagePath": 3}, "imagePath is not a text"),
        ("data", {"imagePath": "", "imageData": "%"}, "not base64"),
    )
    def test_documents_of_no_picture_are_damaged(self, changes, message):
        self._write("bad", **changes)

        (bad,) = self._read().samples

        with self.assertRaisesRegex(BadRecordError, f"record bad.*{message}"):
            bad.load()

    def test_sizes_need_not_be_stated(self):
        self._write(imageHeight=None, imageWidth=None)

        record = self._read().samples[0].load()

        self.assertEqual(record.label_map.shape, labelme_trees.SIZE)

    def test_tool_keeps_the_good_and_names_the_rest(self):
        self._write()
        self._write("b", [])
        self._write("c", [shape("Hand", [[0, 0], [3, 0], [3, 3]])])
        (self.root / "d.json").write_text("{")
        (self.root / "predictions.json").write_text("{}")
        (self.root / "e.jpg").write_bytes(b"")
        records = self.root / "records"

        result = shared.run_tool(
            "build_records",
            "--dataset=labelme",
            f"--root={self.root}",
            f"--output={records}",
            "--max_bad_records=2",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn(
            "1 json files of another kind, not read: predictions; 1 pictures "
            "without document, not read: e",
            result.stdout,
        )
        skipped = (records / "skipped.txt").read_text().splitlines()
        self.assertEqual([line.split("\t")[0] for line in skipped], ["c", "d"])
        self.assertIn("2 records, 1 with a label map", result.stdout)

    def test_folder_without_documents_is_refused(self):
        (self.root / "coco.json").write_text('{"images": []}')
        with self.assertRaisesRegex(UserError, "another kind.*coco"):
            self._read()

    def test_nothing_but_damaged_documents_names_the_first_fault(self):
        self._write("a", [shape("Face", [[0, 0], [1, 1]], "polygon")])

        annotations = self._read().annotations

        with self.assertRaisesRegex(UserError, "1 damaged: points do not fit"):
            required = absence.required(annotations, None)
            absence.refuse(annotations, required, self.root)

    @parameterized.parameters(7, 7.0, "7")
    def test_numbers_are_read_in_every_spelling(self, group):
        square = [[0, 0], [2, 0], [2, 2], [0, 2]]
        height, width = labelme_trees.SIZE
        self._write(
            "a",
            [{**shape("Face", square, "polygon"), "group_id": group}],
            imageHeight=float(height),
            imageWidth=str(width),
        )

        (sample,) = self._read(people="boxes").samples

        self.assertEqual(sample.record_id, "a_7")
        self.assertEqual(sample.load().label_map.shape, (2, 2))

    def test_split_is_a_list(self):
        self._write("a")
        self._write("b")
        (self.root / "val_id.txt").write_text("b.jpg\nc\n")

        b, c = labelme.read([self.root], "val", Options()).samples

        self.assertEqual(b.load().record_id, "b")
        with self.assertRaisesRegex(BadRecordError, "no document of this id"):
            c.load()

    def test_what_tells_nothing_here_is_refused(self):
        self._write()
        with self.assertRaisesRegex(UserError, "does not take.*`keypoints`"):
            self._read(keypoints="x")
        with self.assertRaisesRegex(UserError, "whole, instances, boxes"):
            self._read(people="matched")


def _outlines(mask):
    """A polygon around each run of a row, along the edges of pixels."""
    for row, line in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.pad(line, 1).astype(int)))
        for left, right in edges.reshape(-1, 2):
            yield np.array(
                [(left, row), (right, row), (right, row + 1), (left, row + 1)],
                np.float64,
            )


def _at_edges(label_map):
    """Which pixels have a neighbor of another class."""
    padded = np.pad(label_map, 1, "edge")
    height, width = label_map.shape
    return np.any(
        [
            padded[y : y + height, x : x + width] != label_map
            for y in range(3)
            for x in range(3)
        ],
        axis=0,
    )


if __name__ == "__main__":
    absltest.main()
