"""Tests of nppnet_tf.data.people.detected_files."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.people import detected_files
from nppnet_tf.data.people import detections
from nppnet_tf.data.people.detections import Detections
from nppnet_tf.pictures import picture_files


class _Detector:
    """Finds one person in the upper left corner of every picture."""

    has_masks = False

    def __init__(self):
        self.batches = []

    def detect(self, pictures, min_score, person_class):
        self.batches.append(len(pictures))
        return [
            Detections(np.array([[0.0, 0, 2, 3]]), np.ones(1), None)
            for _ in pictures
        ]


class DetectedFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = {}
        for name in "abc":
            path = self.folder / f"{name}.png"
            image = np.zeros([8, 6, 3], np.uint8)
            path.write_bytes(picture_files.encode_png(image))
            self.pictures[name] = path
        self.detector = _Detector()
        self.lines = []
        self.advances = 0

    def _detect(self):
        def advance():
            self.advances += 1

        files = detected_files.DetectedFiles(
            self.detector, self.folder, 0.5, 1, advance, self.lines.append
        )
        files.detect(self.pictures, 2)
        return files

    def test_every_picture_gets_a_file_and_is_counted(self):
        files = self._detect()

        for name in "abc":
            found = detections.read(self.folder / f"{name}.npz")
            np.testing.assert_array_equal(found.boxes, [[0, 0, 2, 3]])
        self.assertEqual(self.detector.batches, [2, 1])
        self.assertEqual((files.num_people, self.advances), (3, 3))

    def test_whole_files_are_kept(self):
        self._detect()
        (self.folder / "b.npz").write_bytes(b"torn")
        self.detector.batches.clear()

        files = self._detect()

        self.assertEqual(self.detector.batches, [1])
        self.assertIn("3 of 3 pictures, 2 of them done before; 1 people",
                      files.summary(3))  # fmt: skip

    def test_what_cannot_be_read_is_said_and_listed(self):
        self.pictures["a"].write_bytes(b"no picture")

        files = self._detect()

        self.assertStartsWith(self.lines[0], "skipped: record a: ")
        skipped = (self.folder / "skipped.txt").read_text()
        self.assertStartsWith(skipped, "a\t")
        self.assertEndsWith(files.summary(3), "; 1 skipped: skipped.txt")
        self.assertEqual(self.advances, 3)


if __name__ == "__main__":
    absltest.main()
