"""Tests of nppnet_tf.data.people.detections."""

import dataclasses
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.people import detections
from nppnet_tf.errors import UserError
from tests.shared import shared_path


def _arrays(**changes):
    masks = np.zeros((3, 6, 8), bool)
    masks[1, 2:4, 3:5] = True
    return {
        "boxes": np.arange(12.0).reshape(3, 4),
        "pred_classes": np.array([0, 16, 0]),
        "scores": np.array([0.9, 0.8, 0.7], np.float32),
        "pred_masks": masks,
        **changes,
    }


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _npz(self, **arrays):
        path = self.folder / "a.npz"
        np.savez_compressed(path, **arrays)
        return detections.read(path)

    def test_only_people_are_read(self):
        arrays = _arrays()

        found = self._npz(**arrays)

        np.testing.assert_array_equal(found.boxes, arrays["boxes"][[0, 2]])
        np.testing.assert_allclose(found.scores, [0.9, 0.7])
        np.testing.assert_array_equal(found.masks, arrays["pred_masks"][[0, 2]])

    def test_both_forms_of_a_file_are_equal(self):
        arrays = _arrays()
        path = self.folder / "a.npy"
        np.save(path, arrays, allow_pickle=True)

        pickled, plain = detections.read(path), self._npz(**arrays)

        np.testing.assert_array_equal(pickled.boxes, plain.boxes)
        np.testing.assert_array_equal(pickled.masks, plain.masks)

    def test_scores_and_masks_may_be_absent(self):
        arrays = _arrays()
        del arrays["scores"], arrays["pred_masks"]

        found = self._npz(**arrays)

        np.testing.assert_array_equal(found.scores, [1, 1])
        self.assertFalse(found.has_masks)

    def test_soft_masks_are_inside_above_one_half(self):
        soft = np.full((3, 6, 8), 0.4)
        soft[0, 1, 1], soft[0, 2, 2] = 0.6, 0.5

        found = self._npz(**_arrays(pred_masks=soft))

        self.assertEqual(np.argwhere(found.masks).tolist(), [[0, 1, 1]])

    def test_no_detection_at_all_is_read(self):
        found = self._npz(
            boxes=np.zeros((0, 4)),
            pred_classes=np.zeros(0, int),
            pred_masks=np.zeros((0, 6, 8), bool),
        )

        self.assertEmpty(found.boxes)

    @parameterized.named_parameters(
        ("boxes", {"boxes": np.zeros((2, 4))}, r"boxes of shape \(3, 4\)"),
        ("text", {"scores": np.array(["a"] * 3)}, "scores of shape"),
        ("nan", {"boxes": np.full((3, 4), np.nan)}, "finite boxes"),
        ("masks", {"pred_masks": np.zeros((2, 6, 8))}, "pred_masks of shape"),
        (
            "objects",
            {"boxes": np.array([None] * 3)},
            "holds object, no numbers",
        ),
    )
    def test_arrays_that_do_not_fit_are_told(self, changes, message):
        with self.assertRaisesRegex(UserError, f"{message}"):
            self._npz(**_arrays(**changes))

    @parameterized.named_parameters(
        ("torn", b"PK\x03\x04torn"),
        ("empty", b""),
        ("picture", b"\x89PNG\r\n\x1a\n" + b"0" * 64),
        ("pickle", b"cos\nsystem\n(S'true'\ntR."),
    )
    def test_other_file_is_told(self, content):
        path = self.folder / "a.npz"
        path.write_bytes(content)

        with self.assertRaisesRegex(UserError, r"cannot be read.*a\.npz"):
            detections.read(path)

    def test_missing_arrays_are_named(self):
        with self.assertRaisesRegex(UserError, "no boxes and no pred_classes"):
            self._npz(scores=np.ones(3))

    def test_real_files_are_as_numpy_reads_them(self):
        folder = shared_path("samples/pascal_person_part/Mask")
        paths = sorted(folder.glob("*.npy"))

        self.assertLen(paths, 8)
        for path in paths:
            expected = np.load(path, allow_pickle=True).item()
            found = detections.read(path)
            np.testing.assert_array_equal(found.boxes, expected["boxes"])
            np.testing.assert_array_equal(found.masks, expected["pred_masks"])


class FindTest(absltest.TestCase):
    def test_plain_form_comes_before_the_pickled_one(self):
        folder = pathlib.Path(self.create_tempdir().full_path)

        self.assertIsNone(detections.find(folder, "a"))
        (folder / "a.npy").touch()
        self.assertEqual(detections.find(folder, "a"), folder / "a.npy")
        (folder / "a.npz").touch()
        self.assertEqual(detections.find(folder, "a"), folder / "a.npz")


class WriteTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.npz"
        random = np.random.default_rng(1)
        self.found = detections.Detections(
            random.uniform(0, 9, (2, 4)),
            random.uniform(0, 1, 2),
            random.uniform(0, 1, (2, 6, 8)) > 0.5,
        )

    def test_what_is_written_is_read(self):
        detections.write(self.path, self.found)

        read = detections.read(self.path)
        np.testing.assert_array_equal(read.boxes, self.found.boxes)
        np.testing.assert_array_equal(read.scores, self.found.scores)
        np.testing.assert_array_equal(read.masks, self.found.masks)

    def test_masks_may_be_absent(self):
        boxes = dataclasses.replace(self.found, masks=None)

        detections.write(self.path, boxes)

        self.assertFalse(detections.read(self.path).has_masks)

    def test_same_people_make_the_same_bytes(self):
        other = self.path.with_name("b.npz")

        detections.write(self.path, self.found)
        detections.write(other, self.found)

        self.assertEqual(self.path.read_bytes(), other.read_bytes())

    def test_numpy_reads_it_alone(self):
        detections.write(self.path, self.found)

        with np.load(self.path) as arrays:
            self.assertCountEqual(arrays, detections.NAMES)
            self.assertEqual(arrays["pred_classes"].tolist(), [0, 0])
            self.assertEqual(arrays["pred_masks"].dtype, np.bool_)

    def test_failing_leaves_no_file(self):
        with (
            mock.patch.object(np, "savez_compressed", side_effect=OSError),
            self.assertRaises(OSError),
        ):
            detections.write(self.path, self.found)

        self.assertEmpty(list(self.path.parent.iterdir()))


if __name__ == "__main__":
    absltest.main()
