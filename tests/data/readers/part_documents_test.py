"""Tests of nppnet_tf.data.readers.part_documents."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import folder
from nppnet_tf.data.readers import part_documents
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files

_SIZE = (4, 6)
_SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]


def _document(*regions, **more):
    """A picture a.png, and regions: category and segmentation."""
    return {
        "images": [
            {"id": 7, "file_name": "x/a.png", "height": 4, "width": 6, **more}
        ],
        "categories": [
            {"id": 1, "name": "person"},
            {"id": 2, "name": "face"},
            {"id": 3, "name": "Left Arm"},
        ],
        "annotations": [
            {"image_id": 7, "category_id": category, "segmentation": region}
            for category, region in regions
        ],
    }


class PartDocumentsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def _read(self, document):
        path = self.root / "parts.json"
        path.write_text(json.dumps(document))
        return part_documents.read(path, LIP)

    def test_regions_are_drawn_in_their_order(self):
        runs = {"size": [4, 6], "counts": [5, 1, 18]}
        found = self._read(_document((1, [_SQUARE]), (2, [_SQUARE]), (3, runs)))

        expected = np.zeros(_SIZE, np.uint8)
        expected[1:3, 1:3] = LIP.classes.index("Face")
        expected[1, 1] = LIP.classes.index("Left-arm")
        np.testing.assert_array_equal(found.labels["a"].read(), expected)
        self.assertRegex(found.notes[0], "left out: 1 of person")

    def test_crowds_count_nowhere(self):
        document = _document((2, [_SQUARE]))
        document["annotations"][0]["iscrowd"] = 1

        label_map = self._read(document).labels["a"].read()

        self.assertEqual(set(np.unique(label_map)), {0, 255})

    @parameterized.parameters(0, "0", None)
    def test_others_are_no_crowds(self, value):
        document = _document((2, [_SQUARE]))
        document["annotations"][0]["iscrowd"] = value

        label_map = self._read(document).labels["a"].read()

        face = LIP.classes.index("Face")
        self.assertEqual(set(np.unique(label_map)), {0, face})

    def test_parts_of_unknown_pictures_are_noted(self):
        document = _document((2, [_SQUARE]))
        stray = {**document["annotations"][0], "image_id": 9}
        document["annotations"].append(stray)

        found = self._read(document)

        self.assertRegex(found.notes[0], "unknown pictures.*image_id 9$")
        self.assertLen(found.labels["a"].shapes, 1)

    def test_one_id_of_two_things_is_refused(self):
        for name in ("images", "categories"):
            document = _document((2, [_SQUARE]))
            other = {**document[name][-1], "name": "Hat", "file_name": "b.png"}
            document[name].append(other)
            with self.assertRaisesRegex(UserError, "two .* of one id"):
                self._read(document)

    def test_same_picture_twice_is_one(self):
        document = _document((2, [_SQUARE]))
        document["images"] *= 2

        self.assertIsNone(self._read(document).labels["a"].fault)

    @parameterized.named_parameters(
        ("missing", None, "found: nothing"),
        ("few", [[1, 2, 3, 4]], "a polygon of 4"),
        ("text", [["1"] * 6], "a polygon"),
        ("infinite", [[1e999] * 6], "no numbers"),
        ("size", {"size": [9, 9], "counts": [81]}, "another size"),
        ("runs", {"size": [4, 6], "counts": [3]}, "another number of pixels"),
        ("half", {"size": [4, 6], "counts": "o"}, "no runs"),
        ("counts", {"size": [4, 6], "counts": [1.5]}, "no whole numbers"),
        ("keys", {"size": [4, 6]}, "found: {'size': \\[4, 6\\]}"),
    )
    def test_malformed_regions_are_damage_of_their_picture(
        self, region, message
    ):
        labels = self._read(_document((2, region))).labels["a"]

        with self.assertRaisesRegex(UserError, message):
            labels.read()

    def test_pictures_need_a_size(self):
        labels = self._read(_document((2, [_SQUARE]), width=None)).labels["a"]

        with self.assertRaisesRegex(UserError, "states no height and width"):
            labels.read()

    def test_categories_have_to_be_parts(self):
        document = _document()
        del document["categories"][1:]
        with self.assertRaisesRegex(UserError, "no category is a part of lip"):
            self._read(document)

    def test_folder_takes_them_in_place_of_label_maps(self):
        image = np.zeros((*_SIZE, 3), np.uint8)
        for name in "ab":
            path = self.root / "images" / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture_files.encode_png(image))
        document = _document((2, [_SQUARE]))
        other = {**document["images"][0], "id": 8, "file_name": "b.png"}
        document["images"].append(other)
        document["annotations"].append(
            {"image_id": 8, "category_id": 3, "segmentation": 5}
        )
        self._read(document)

        source = folder.read([self.root], None, Options())

        good, bad = source.samples
        self.assertEqual(good.load().label_map[2, 2], 13)
        self.assertEqual(good.paths[1], self.root / "parts.json")
        self.assertNotEqual(good.digest(), bad.digest())
        with self.assertRaisesRegex(BadRecordError, "record b.*malformed"):
            bad.load()


if __name__ == "__main__":
    absltest.main()
