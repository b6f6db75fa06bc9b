"""Tests of nppnet_tf.data.people.box_files."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.people import box_files
from nppnet_tf.data.people import detections
from nppnet_tf.data.people.box_files import BoxFiles
from nppnet_tf.errors import UserError


def _detections(*boxes, scores=None):
    return detections.Detections(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(scores or [0.75] * len(boxes)),
        None,
    )


class BoxFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.picture = self.folder / "000042.jpg"
        Image.new("RGB", (60, 40)).save(self.picture)

    def _find(self, path, min_score=0.0, picture=None):
        picture = picture or self.picture
        return BoxFiles(path, min_score).find(picture, picture.read_bytes())

    def _json(self, document):
        path = self.folder / "boxes.json"
        path.write_text(json.dumps(document))
        return path

    def test_files_of_detect_people_one_or_a_folder(self):
        path = self.folder / "found" / "000042.npz"
        found = _detections((1, 2, 3, 4), (5, 6, 7, 8), scores=[0.25, 0.75])
        detections.write(path, found)

        for place in (path, path.parent):
            read = self._find(place, min_score=0.5)
            self.assertEqual(read.boxes.tolist(), [[5, 6, 7, 8]])
            self.assertEqual(read.scores.tolist(), [0.75])
            with self.assertRaisesRegex(UserError, "no boxes of the picture"):
                self._find(place, picture=self._other())

    def test_frames_are_pictures_of_their_numbers(self):
        folder = self.folder / "found"
        names = ("walk_000007.npz", "walk_8.npz", "walk_two_000000.npz")
        for number, name in enumerate(names):
            box = (number, 0, number + 2, 4)
            detections.write(folder / name, _detections(box))
        files = BoxFiles(folder, 0.5)

        found = {
            number: files.find_in_frame(
                pathlib.Path("walk.mp4"), number, (9, 9)
            )
            for number in (6, 7, 8)
        }

        self.assertEqual(
            {n: each.boxes.tolist() for n, each in found.items()},
            {6: [], 7: [[0, 0, 2, 4]], 8: [[1, 0, 3, 4]]},
        )
        self.assertLen(
            files.find_in_frame(pathlib.Path("walk_two.mp4"), 0, (9, 9)).boxes,
            1,
        )
        with self.assertRaisesRegex(UserError, "no boxes of.*run_000000"):
            files.find_in_frame(pathlib.Path("run.mp4"), 0, (9, 9))

    def test_frames_of_another_size_are_refused(self):
        path = self._json(
            {
                "images": [
                    {
                        "id": 1,
                        "file_name": "x/walk_000001.jpg",
                        "height": 20,
                        "width": 10,
                    }
                ],
                "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}],
            }
        )
        files, video = BoxFiles(path), pathlib.Path("walk.mp4")

        found = files.find_in_frame(video, 1, (20, 10))

        self.assertEqual(found.boxes.tolist(), [[1, 2, 4, 6]])
        with self.assertRaisesRegex(UserError, "another size.*10 x 20"):
            files.find_in_frame(video, 1, (10, 20))

    def test_digest_tells_boxes_from_others(self):
        path = self.folder / "found" / "a.npz"
        detections.write(path, _detections((1, 2, 3, 4)))
        file, folder = (box_files.digest(p) for p in (path, path.parent))

        detections.write(path, _detections((1, 2, 3, 5)))

        self.assertNotEqual(box_files.digest(path), file)
        self.assertNotEqual(box_files.digest(path.parent), folder)

    def _other(self):
        path = self.folder / "other.jpg"
        path.write_bytes(self.picture.read_bytes())
        return path

    @parameterized.parameters(42, "000042", "42", "x/000042.jpg")
    def test_results_of_coco_name_pictures_by_id(self, image_id):
        path = self._json(
            [
                {
                    "image_id": image_id,
                    "bbox": [1, 2, 3.5, 4],
                    "score": 0.75,
                    "category_id": 1,
                },
                {"image_id": image_id, "bbox": [0, 0, 9, 9], "category_id": 18},
                {"image_id": image_id, "bbox": [0, 0, 9, 9], "iscrowd": 1},
                {"image_id": 7, "bbox": [0, 0, 9, 9]},
            ]
        )

        found = self._find(path)

        self.assertEqual(found.boxes.tolist(), [[1, 2, 4.5, 6]])
        self.assertEqual(found.scores.tolist(), [0.75])

    @parameterized.parameters(
        ([[3, 2, 7.5, 2, 3, 9], [5, 4, 6, 5, 5, 12]], [3, 2, 7.5, 12]),
        ({"size": [4, 5], "counts": [6, 1, 3, 2, 8]}, [1, 2, 3, 4]),
    )
    def test_regions_without_boxes_have_one(self, region, box):
        entry = {"image_id": 42, "segmentation": region, "score": 0.5}

        found = self._find(self._json([entry]))

        self.assertEqual(found.boxes.tolist(), [box])

    @parameterized.parameters(
        ([],), ([[1, 2]],), ({"size": [1 << 20] * 2, "counts": [1 << 40]},),
        ({"size": [2, 2], "counts": [3]},), ({"size": 3, "counts": "a"},),
    )  # fmt: skip
    def test_malformed_regions_are_told(self, region):
        path = self._json([{"image_id": 42, "segmentation": region}])

        with self.assertRaisesRegex(UserError, "boxes.json entry 0"):
            BoxFiles(path)

    def test_what_predict_wrote_of_a_video_has_its_people(self):
        lines = [
            {
                "format": "nppnet_tf.frame",
                "video": "walk.mp4",
                "frame": number,
                "height": 20,
                "width": 30,
                "people": [{"box": [number, 1, 9, 9], "score": 0.5}] * number,
            }
            for number in range(3)
        ]
        path = self.folder / "walk.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

        for place in (path, self.folder):
            files = BoxFiles(place)
            for number in range(3):
                found = files.find_in_frame(
                    pathlib.Path("x/walk.mov"), number, (20, 30)
                )
                self.assertEqual(
                    found.boxes.tolist(), [[number, 1, 9, 9]] * number
                )
            with self.assertRaisesRegex(UserError, "frame of another size"):
                files.find_in_frame(pathlib.Path("walk.mp4"), 1, (30, 20))
        lines[1]["people"] = [{"box": None, "score": 0.5}]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        with self.assertRaisesRegex(UserError, r"box is not a list.*line 2"):
            BoxFiles(path)

    def test_documents_of_coco_name_pictures_by_file(self):
        path = self._json(
            {
                "images": [
                    {"id": 9, "file_name": "some\\000042.jpg"},
                    {"id": 8, "file_name": "other.jpg"},
                ],
                "annotations": [{"image_id": 9, "bbox": [1, 2, 3, 4]}],
            }
        )

        self.assertEqual(self._find(path).boxes.tolist(), [[1, 2, 4, 6]])
        # Somebody looked there, and saw nobody.
        self.assertEmpty(self._find(path, picture=self._other()).boxes)

    @parameterized.parameters(
        ([{"id": 0, "name": "Person"}, {"id": 1, "name": "car"}],),
        ([{"id": "0", "name": "pedestrian"}],),
    )
    def test_people_are_the_category_of_that_name_or_the_only_one(
        self, categories
    ):
        document = {
            "images": [{"id": 1, "file_name": "000042.jpg"}],
            "categories": categories,
            "annotations": [
                {"image_id": 1.0, "category_id": 0, "bbox": [1, 2, 3, 4]},
                {"image_id": 1, "category_id": "1", "bbox": [0, 0, 9, 9]},
                {"image_id": 1, "category_id": 0, "iscrowd": "1"},
            ],
        }

        found = self._find(self._json(document))

        self.assertEqual(found.boxes.tolist(), [[1, 2, 4, 6]])

    def test_shares_of_the_picture_are_told(self):
        boxes = [{"image_id": 42, "bbox": [0.1, 0.25, 0.5, 0.5]}]
        with self.assertRaisesRegex(
            UserError, "shares of the picture.*found: 0.1, 0.25, 0.6, 0.75"
        ):
            BoxFiles(self._json(boxes))
        path = self.folder / "000042.npz"
        detections.write(path, _detections((0.1, 0.25, 0.6, 0.75)))
        with self.assertRaisesRegex(UserError, "shares of the picture"):
            BoxFiles(path)
        # One that is larger shows that they are pixels.
        boxes.append({"image_id": 42, "bbox": [0.1, 0.25, 7, 7]})
        self.assertLen(self._find(self._json(boxes)).boxes, 2)

    def test_boxes_of_nobody_are_told(self):
        boxes = [{"image_id": 42, "category_id": 0, "bbox": [1, 2, 3, 4]}]
        with self.assertRaisesRegex(UserError, "category_id 1; found: 0"):
            BoxFiles(self._json(boxes))
        categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
        document = {"images": [], "annotations": [], "categories": categories}
        with self.assertRaisesRegex(UserError, "person; found: car, dog"):
            BoxFiles(self._json(document))

    def test_boxes_of_other_pictures_are_refused(self):
        def images(*names, **sides):
            return {
                "images": [
                    {"id": number, "file_name": name, **sides}
                    for number, name in enumerate(names)
                ],
                "annotations": [{"image_id": 0, "bbox": [1, 2, 3, 4]}],
            }

        names = ("x/000042.jpg", "y/000042.jpg", "other.jpg")
        meeting = self._json(images(*names))
        with self.assertRaisesRegex(UserError, "two pictures of one name"):
            self._find(meeting)
        self.assertEmpty(self._find(meeting, picture=self._other()).boxes)
        larger = images("000042.jpg", width=600, height=400)
        with self.assertRaisesRegex(
            UserError, "another size.*found: 400 x 600"
        ):
            self._find(self._json(larger))
        document = images("000042.jpg", "other.jpg")
        document["images"][1]["id"] = 0
        with self.assertRaisesRegex(UserError, "two pictures of one id"):
            self._find(self._json(document))

    def test_boxes_of_the_stored_picture_are_turned_with_it(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (60, 40)).save(self.picture, exif=exif)
        image = {"id": 1, "file_name": "000042.jpg", "width": 60, "height": 40}
        annotations = [{"image_id": 1, "bbox": [0, 0, 10, 20]}]

        found = self._find(
            self._json({"images": [image], "annotations": annotations})
        )

        self.assertEqual(found.boxes.tolist(), [[20, 0, 40, 10]])

    @parameterized.named_parameters(
        ("kind", 3, "annotations"),
        ("entry", [3], "an object"),
        ("id", [{"bbox": [1, 2, 3, 4]}], "image_id is no id"),
        ("box", [{"image_id": 1, "bbox": [1, 2, 3]}], "no box"),
        ("number", [{"image_id": 1, "bbox": [1, 2, 3, "4"]}], "no box"),
        ("huge", [{"image_id": 1, "bbox": [1, 2, 3, 10**400]}], "no box"),
        (
            "score",
            [{"image_id": 1, "bbox": [1] * 4, "score": None}],
            r"no box.*found: \[1, 1, 1, 1, null\]",
        ),
        ("images", {"images": 1, "annotations": []}, "images"),
    )
    def test_wrong_documents_are_told(self, document, message):
        with self.assertRaisesRegex(UserError, message):
            BoxFiles(self._json(document))

    def test_other_files_are_told(self):
        path = self.folder / "boxes.txt"
        path.touch()

        with self.assertRaisesRegex(UserError, "no file of boxes"):
            BoxFiles(path)


if __name__ == "__main__":
    absltest.main()
