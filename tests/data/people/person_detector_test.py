"""Tests of nppnet_tf.data.people.person_detector."""

import os
import pathlib

import numpy as np
import tensorflow as tf
from absl import logging
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.people import person_detector
from nppnet_tf.errors import UserError
from tests.data.people import pasting_by_pixel
from tests.data.people import stand_in_detector
from tests.data.people.stand_in_detector import BOX_MASKS
from tests.data.people.stand_in_detector import StandInDetector

SIZE = (40, 60)
RED = (4, 6, 23, 35)
GREEN = (30, 2, 58, 39)


def _detector(**options):
    return person_detector.PersonDetector.from_directory(
        stand_in_detector.exported(**options)
    )


def _picture(**options):
    return stand_in_detector.picture(SIZE, RED, GREEN, **options)


class DetectTest(parameterized.TestCase):
    @parameterized.product(
        kind=("image_tensor", "image_bytes", "tf_example"),
        batch_size=(None, 3),
    )
    def test_every_input_finds_the_people_of_every_picture(
        self, kind, batch_size
    ):
        detector = _detector(kind=kind, batch_size=batch_size)
        other = stand_in_detector.picture(SIZE, (1, 2, 9, 30), score=0.6)

        found = detector.detect([_picture(), other])

        self.assertEqual(detector.input_kind, kind)
        self.assertEqual(detector.batch_size, batch_size)
        self.assertLen(found, 2)
        np.testing.assert_allclose(found[0].boxes, [RED], atol=1e-4)
        np.testing.assert_allclose(found[1].boxes, [(1, 2, 9, 30)], atol=1e-4)
        np.testing.assert_allclose(found[0].scores, [0.8], atol=1e-6)
        np.testing.assert_allclose(found[1].scores, [0.6], atol=1e-6)

    @parameterized.parameters("network", "picture", "normalized")
    def test_boxes_are_pixels_of_the_picture(self, boxes):
        found = _detector(boxes=boxes).detect([_picture()], 0.1)[0]

        np.testing.assert_allclose(found.boxes, [RED, GREEN], atol=1e-4)

    def test_masks_of_boxes_are_put_where_the_boxes_are(self):
        found = _detector().detect([_picture()], 0.1)[0]

        for mask, cells, box in zip(
            found.masks, BOX_MASKS[[0, 2]], (RED, GREEN), strict=True
        ):
            np.testing.assert_array_equal(
                mask, pasting_by_pixel.paste_one(cells, box, SIZE)
            )
            self.assertTrue(mask.any())

    def test_masks_of_pictures_are_taken_as_they_are(self):
        picture = _picture()

        found = _detector(masks="picture").detect([picture], 0.1)[0]

        np.testing.assert_array_equal(found.masks[0], picture[..., 0] == 255)
        np.testing.assert_array_equal(found.masks[1], picture[..., 1] == 255)

    def test_only_people_who_are_meant_and_certain_are_found(self):
        detector = _detector()

        for min_score, count in ((0.1, 2), (0.401, 1), (0.81, 0)):
            found = detector.detect([_picture()], min_score)[0]
            self.assertLen(found.boxes, count)
            self.assertEqual(found.masks.shape, (count, *SIZE))

    def test_people_just_certain_enough_are_found(self):
        picture = _picture(score=1.0)

        self.assertLen(_detector().detect([picture], 1.0)[0].boxes, 1)

    def test_people_may_have_another_class(self):
        found = _detector().detect([_picture()], person_class=18)[0]

        np.testing.assert_allclose(found.boxes, [(0, 0, 60, 40)], atol=1e-4)

    def test_without_a_count_all_are_meant(self):
        detector = _detector(without=("num_detections",))

        self.assertLen(detector.detect([_picture()], 0.1)[0].boxes, 3)

    def test_without_masks_there_are_boxes(self):
        detector = _detector(masks=None)

        found = detector.detect([_picture()], 0.1)[0]

        self.assertFalse(detector.has_masks)
        self.assertIsNone(found.masks)
        np.testing.assert_allclose(found.boxes, [RED, GREEN], atol=1e-4)


class _Given(tf.Module):
    """A detector that always answers the same."""

    def __init__(self, **outputs):
        super().__init__()
        self._outputs = {
            name: tf.constant(value) for name, value in outputs.items()
        }

    def detector(self):
        spec = tf.TensorSpec((1, None, None, 3), tf.uint8, "image")
        folder = absltest.get_default_test_tmpdir()
        path = os.path.join(folder, f"given_{id(self)}")
        signature = tf.function(self._serve).get_concrete_function(spec)
        tf.saved_model.save(self, path, {"serving_default": signature})
        return person_detector.PersonDetector.from_directory(path)

    def _serve(self, image):
        zero = tf.reduce_sum(tf.zeros_like(image))
        return {
            name: value + tf.cast(zero, value.dtype)
            for name, value in self._outputs.items()
        }


def _answers(boxes, **more):
    count = len(boxes)
    return {
        "detection_boxes": np.array([boxes], np.float32),
        "detection_classes": np.ones((1, count), np.float32),
        "detection_scores": np.full((1, count), 0.9, np.float32),
        "num_detections": np.full(1, count, np.float32),
        **more,
    }


class AnswerTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.picture = np.zeros((*SIZE, 3), np.uint8)

    def test_boxes_are_cut_at_the_border_and_their_masks_are_not_moved(self):
        box = (-10.0, -4.0, 50.0, 30.0)  # top, left, bottom, right
        mask = np.random.default_rng(5).uniform(0, 1, (1, 1, 8, 8))
        answers = _answers([box], detection_masks=mask.astype(np.float32))

        found = _Given(**answers).detector().detect([self.picture])[0]

        np.testing.assert_array_equal(found.boxes, [(0, 0, 30, 40)])
        np.testing.assert_array_equal(
            found.masks[0],
            pasting_by_pixel.paste_one(mask[0, 0], (-4, -10, 30, 50), SIZE),
        )

    def test_boxes_that_are_none_are_left_out(self):
        boxes = [
            (5, 5, 5, 9),
            (np.nan, 0, 9, 9),
            (0, 0, np.inf, 9),
            (50, 0, 70, 9),
            (1, 2, 30, 40),
        ]

        found = _Given(**_answers(boxes)).detector().detect([self.picture])[0]

        np.testing.assert_array_equal(found.boxes, [(2, 1, 40, 30)])

    def test_shares_of_the_picture_are_known_beside_image_info(self):
        info = np.array([[SIZE, SIZE, (0.1, 0.1), (0, 0)]], np.float32)
        answers = _answers([(0.1, 0.2, 0.5, 1)], image_info=info)

        found = _Given(**answers).detector().detect([self.picture])[0]

        np.testing.assert_allclose(found.boxes, [(12, 4, 60, 20)], rtol=1e-6)

    def test_answers_that_do_not_fit_together_are_told(self):
        answers = _answers([(1, 2, 30, 40)])
        answers["detection_scores"] = np.ones((1, 2), np.float32)

        with self.assertRaisesRegex(
            UserError, r"another form.*boxes of shape \(1, 2, 4\).*\(1, 1, 4\)"
        ):
            _Given(**answers).detector().detect([self.picture])

    def test_detector_that_fails_is_told(self):
        # Its graph stacks the pictures that it decodes.
        detector = _detector(kind="image_bytes")

        with self.assertRaisesRegex(UserError, "detector fails; where: "):
            detector.detect([self.picture, self.picture[:9]])


class LoadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _save(self, function, *specs):
        module = tf.Module()
        signature = tf.function(function).get_concrete_function(*specs)
        tf.saved_model.save(
            module, os.fspath(self.folder), {"serving_default": signature}
        )

    def _assert_told(self, pattern, **options):
        with self.assertRaisesRegex(UserError, pattern):
            person_detector.PersonDetector.from_directory(
                self.folder, **options
            )

    def test_folder_without_a_saved_model_is_told(self):
        self._assert_told("no SavedModel; where: .*saved_model.pb.*neither")

    def test_torn_saved_model_is_told(self):
        (self.folder / "saved_model.pb").write_bytes(b"torn")

        self._assert_told("SavedModel cannot be loaded; where: ")

    def test_absent_signature_is_told(self):
        StandInDetector().save(self.folder)

        self._assert_told(
            "lacks the signature.*expected: other; found: serving_default",
            signature="other",
        )

    def test_absent_outputs_are_told(self):
        StandInDetector(without=("detection_boxes",)).save(self.folder)

        self._assert_told("no detection_boxes in detection_classes")

    @parameterized.named_parameters(
        ("fixed_size", (tf.TensorSpec((1, 9, 9, 3), tf.uint8, "a"),)),
        ("floats", (tf.TensorSpec((1, None, None, 3), tf.float32, "a"),)),
        ("strings_nobody_decodes", (tf.TensorSpec((None,), tf.string, "a"),)),
        (
            "two",
            (
                tf.TensorSpec((1, None, None, 3), tf.uint8, "a"),
                tf.TensorSpec((1,), tf.float32, "b"),
            ),
        ),
    )
    def test_other_inputs_are_told(self, specs):
        def function(*inputs):
            del inputs
            return {
                name: tf.zeros((1, 1))
                for name in (
                    "detection_boxes",
                    "detection_classes",
                    "detection_scores",
                )
            }

        self._save(function, *specs)

        self._assert_told("takes no pictures of any size.*found: a: ")

    def test_gradients_that_nobody_needs_are_not_missed(self):
        # TensorFlow warns of each, of thousands in a Mask R-CNN.
        StandInDetector().save(self.folder)
        with self.assertLogs("absl", "WARNING"):
            tf.saved_model.load(os.fspath(self.folder / "saved_model"))
        before = logging.get_verbosity()

        with self.assertNoLogs("absl", "WARNING"):
            person_detector.PersonDetector.from_directory(self.folder)

        self.assertEqual(logging.get_verbosity(), before)

    def test_digest_is_of_graph_and_weights(self):
        StandInDetector().save(self.folder)
        before = person_detector.sha256(self.folder)
        self.assertEqual(
            before, person_detector.sha256(self.folder / "saved_model")
        )

        variables = next(self.folder.glob("**/variables.data*"))
        variables.write_bytes(variables.read_bytes() + b"x")

        self.assertNotEqual(person_detector.sha256(self.folder), before)


class SameSizedTest(absltest.TestCase):
    def _batches(self, sizes, batch_size):
        pictures = [
            (number, np.zeros((size, 5, 3), np.uint8))
            for number, size in enumerate(sizes)
        ]
        batches = list(person_detector.same_sized(pictures, batch_size))
        for batch in batches:
            self.assertLen({picture.shape for _, picture in batch}, 1)
        return [[number for number, _ in batch] for batch in batches]

    def test_pictures_of_one_size_come_together(self):
        self.assertEqual(
            self._batches([1, 2, 1, 2, 2, 1], 2), [[0, 2], [1, 3], [4], [5]]
        )

    def test_batches_stay_full_however_many_there_are(self):
        self.assertEqual(
            self._batches([1] * 20, 2),
            [[number, number + 1] for number in range(0, 20, 2)],
        )

    def test_one_by_one_they_keep_their_order(self):
        self.assertEqual(self._batches([1, 2, 1], 1), [[0], [1], [2]])

    def test_pictures_do_not_wait_forever(self):
        # Eight wait at most: the ninth sends off the first.
        batches = self._batches([1, 1, *range(2, 9)], 3)
        self.assertEqual(sorted(sum(batches, [])), list(range(9)))

        batches = self._batches(range(12), 2)
        self.assertEqual(batches, [[number] for number in range(12)])

        seen = []

        def pictures():
            for number in range(100):
                seen.append(number)
                yield number, np.zeros((number + 1, 5, 3), np.uint8)

        next(person_detector.same_sized(pictures(), 2))
        self.assertLen(seen, 9)


if __name__ == "__main__":
    absltest.main()
