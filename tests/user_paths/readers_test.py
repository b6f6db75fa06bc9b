"""Data sets as people have them: read, or told what is wrong in one line."""

import json
import os
import pathlib
import tempfile

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records.record_set import RecordSet
from tests.user_paths import user_path

_SIZE = (48, 32)
# Of every joint a place of its own.
_JOINTS = [(k + 1, 2 * k + 5) for k in range(16)]
_ORIENTATION = 0x0112


class _RootTestCase(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.root = self.base / "[my] data*"
        self.records = self.base / "records"

    def build(self, *arguments):
        return user_path.run(
            "build_records",
            f"--root={self.root}",
            f"--output={self.records}",
            "--num_shards=1",
            *arguments,
        )

    def assert_refused(self, result, pattern):
        self.assertEqual(result.exit_code, 2, result.stdout)
        self.assertRegex(result.stderr, rf"\Anppnet-\w+: .*{pattern}.*\n\Z")
        self.assertLess(len(result.stderr), 500)

    def write_picture(self, name, orientation=1):
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (*_SIZE, 3), np.uint8)
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        path = self.path(name)
        Image.fromarray(pixels).save(path, "JPEG", exif=exif)

    def write_labels(self, name, values=(0, 5)):
        labels = np.full(_SIZE, values[1], np.uint8)
        labels[:10] = values[0]
        Image.fromarray(labels).save(self.path(name), "PNG")

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class FolderTest(_RootTestCase):
    def test_files_of_other_systems_and_programs_are_read(self):
        odd = os.fsdecode(b"images/\xb2\xe2.jpg")
        for name in ("images/a.JFIF", "images/th\u00e9.jpg", odd):
            self.write_picture(name)
        self.write_picture("images/turned.jpg", orientation=6)
        self.path("images/._a.jpg").write_bytes(b"mac")
        self.path("images/b.webp").write_bytes(b"other")
        for name in ("a.PNG", "the\u0301.png", "turned.png"):
            self.write_labels(f"labels/{name}")
        people = {
            1: ("C:\\data\\a.JFIF", "1"),
            2: ("../the\u0301.jpg", 2),
            3: ("turned.jpg", 3),
            4: ("not_here.jpg", 4),
        }
        document = {
            "images": [
                {"id": key, "file_name": name, "height": 48, "width": 32}
                for key, (name, _) in people.items()
            ],
            "annotations": [
                {"id": key, "image_id": image, "category_id": 2}
                | {"keypoints": _coco_joints(absent=None)}
                for key, (_, image) in people.items()
            ],
            "categories": [
                {"id": 1, "name": "dog", "keypoints": ["nose"]},
                {"id": 2, "name": "person", "keypoints": LIP.keypoints[::-1]},
            ],
        }
        text = "\ufeff" + json.dumps(document)
        self.path("keypoints.json").write_text(text, "utf-8")

        result = self.build("--dataset=folder")

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        self.assertRegex(result.stdout, "1 picture neither .*: b.webp")
        self.assertRegex(result.stdout, "1 poses without a picture.*not_here")
        self.assertIn("found: 3 of 4 label maps, 3 of 4 poses", result.stdout)
        found = {each.record_id: each for each in RecordSet.open(self.records)}
        self.assertCountEqual(found, ["\\xb2\\xe2", "a", "th\u00e9", "turned"])
        for name in ("a", "th\u00e9"):
            self._assert_joints(found[name], lambda x, y: (x, y))
            self.assertEqual(found[name].label_map[9:11, 0].tolist(), [0, 5])
        # Turned to the right: what was below is left.
        self._assert_joints(found["turned"], lambda x, y: (47 - y, x))
        self.assertEqual(found["turned"].label_map[0, 37:39].tolist(), [5, 0])

    def _assert_joints(self, record, moved):
        self.assertEqual(record.visibility.tolist(), [0] + [2] * 15)
        self.assertEqual(
            record.keypoints_xy[1:].tolist(),
            [list(map(float, moved(*xy))) for xy in _JOINTS[1:]],
        )

    def test_table_of_a_spreadsheet_is_read_in_the_order_of_its_header(self):
        self.write_picture("images/a.jpg")
        names = [f"{n}_{axis}" for n in LIP.keypoints[::-1] for axis in "xyv"]
        cells = [
            cell
            for k in range(15, -1, -1)
            for cell in ((f"{_JOINTS[k][0]},0", str(_JOINTS[k][1]), "0,0"))
        ]
        cells[-3:] = "", "", ""
        rows = (["", "image", *names], ["0", "x\\a.jpg", *cells])
        text = "".join(";".join(row) + "\r\n" for row in rows)
        self.path("pose.csv").write_text(text)

        result = self.build("--dataset=folder")

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        (record,) = RecordSet.open(self.records)
        self._assert_joints(record, lambda x, y: (x, y))
        self.assertIn("note: no label map of 1 samples", result.stdout)

    def test_joints_without_names_are_refused_unless_the_user_says(self):
        self.write_picture("images/a.jpg")
        document = {
            "images": [{"id": 1, "file_name": "a.jpg"}],
            "annotations": [
                {"image_id": 1, "keypoints": [*_coco_joints(), 1, 2, 2]}
            ],
        }
        self.path("keypoints.json").write_text(json.dumps(document))

        result = self.build("--dataset=folder")
        told = self.build(
            "--dataset=folder", "--descriptor=coco", "--joints=coco17"
        )

        self.assert_refused(
            result, "expected: 16 .*--joints=coco17.*; found: 17 joints"
        )
        self.assertEqual((told.exit_code, told.stderr), (0, ""))

    def test_what_is_almost_there_is_named_and_refused(self):
        self.write_picture("images/a.jpg")
        self.write_labels("masks/a.png")

        checked = user_path.run(
            "check_dataset",
            "--dataset=folder",
            f"--root={self.root}",
            f"--output={self.base / 'checked'}",
        )
        refused = self.build("--dataset=folder")
        told = self.build("--dataset=folder", "--labels=masks")

        near = "masks/ holds 1 PNG files of the same stems: --labels=masks?"
        self.assertEqual(checked.exit_code, 1)
        self.assertIn(near, checked.stdout)
        self.assert_refused(refused, f"no label map of 1 samples.*{near[:-1]}")
        self.assertEqual((told.exit_code, told.stderr), (0, ""))
        self.assertIn("1 records, 1 with a label map, 0 with", told.stdout)

    def test_descriptor_without_end_is_refused(self):
        result = self.build("--dataset=folder", "--descriptor=/dev/zero")

        self.assert_refused(result, "not a file; where: .*/dev/zero.*a device")


class LipTest(_RootTestCase):
    def test_training_on_nothing_is_refused(self):
        for name in "ab":
            self.write_picture(f"TrainVal_images/val_images/{name}.jpg")
            self.write_labels(
                f"TrainVal_parsing_annotations/val_segmentations/{name}.png"
            )
        poses = "TrainVal_pose_annotations/lip_val_set (1).csv"
        self.path(poses).write_text("a.jpg" + ",1,2,0" * 16)

        refused = self.build("--dataset=lip", "--split=val")
        built = self.build("--dataset=lip", "--split=val", "--tasks=parsing")
        trained = user_path.run(
            "train",
            "--preset=released",
            f"--records={self.records}",
            f"--workdir={self.base / 'run'}",
            *user_path.TINY,
        )

        self.assert_refused(
            refused,
            r"no pose of 2 samples.*lip_val_set.csv.*lip_val_set \(1\).csv",
        )
        self.assertEqual((built.exit_code, built.stderr), (0, ""))
        self.assertIn("found: 2 of 2 label maps, 0 of 2 poses", built.stdout)
        self.assert_refused(trained, "no pose of 2 samples.*--tasks=parsing")
        self.assertFalse((self.base / "run" / "network.json").exists())


def _coco_joints(absent=0):
    """Of LIP's joints, the last first; the first one is absent."""
    numbers = [number for x, y in reversed(_JOINTS) for number in (x, y, 2)]
    numbers[-3:] = absent, absent, 0
    return numbers


if __name__ == "__main__":
    absltest.main()
