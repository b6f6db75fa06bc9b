"""Tests of evaluation.whole_pictures."""

import dataclasses
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import result_file
from nppnet_tf.evaluation import whole_pictures
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.pictures import picture_files
from tests.data import person_trees

_NAME = "pascal_person_part"


class _Oracle:
    """Answers with the truth of each record, or what a test makes of it."""

    def __init__(self, records, change=lambda number, prediction: prediction):
        self.descriptor = PASCAL_PERSON_PART
        self.description = absltest.mock.Mock(
            version=1,
            weights_sha256="abc",
            image_size=(64, 96),
            flip=False,
            scales=(1.0,),
        )
        self.description.name = "oracle"
        self._answers = {}
        for number in range(records.count):
            record = records.read(number)
            pose = record.keypoints_xy
            size = record.label_map.shape
            answer = Prediction(
                record.label_map,
                np.zeros((14, 2)) if pose is None else pose,
                np.full(14, 0.9, np.float32),
                np.full(size, 0.8, np.float32),
            )
            key = picture_files.decode(record.image_bytes).tobytes()
            self._answers[key] = change(number, answer)

    def predict_confidence(self, picture):
        return self._answers[picture.tobytes()]


class EvaluatePicturesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.root = self.folder / "pascal"
        person_trees.write(self.root, ["p1", "p2"], "val")

    def _annotate_halves(self):
        """Makes the annotated boxes those of the instances."""
        for seed, name in enumerate(("p1", "p2")):
            person_trees.write_joints(
                self.root / "PersonJoints" / f"{name}.mat",
                person_trees.joints(seed),
                [(0, 0, 24, 40), (24, 0, 60, 40)],
            )

    def _records(self, people):
        source = datasets.read(
            _NAME, [self.root], "val", Options(people=people)
        )
        return record_writer.write_records(
            source.samples,
            self.folder / f"records_{people}",
            source.descriptor,
            facts=source.facts,
        )

    def _evaluate(self, people="instances", change=None, **options):
        records = self._records(people)
        pictures = datasets.read_pictures(
            _NAME, self.root, "val", PASCAL_PERSON_PART
        )
        oracle = _Oracle(records, *([change] if change else []))
        return whole_pictures.evaluate_pictures(
            oracle, records, pictures, **options
        )

    def test_truth_about_every_person_is_all_of_the_truth(self):
        self._annotate_halves()

        result = self._evaluate()

        self.assertEqual(result["parsing"]["mean_iou"], 1.0)
        # The 14th joint is annotated of nobody.
        rates = list(result["average_precision"]["keypoints"].values())
        self.assertEqual(rates[:-1], [1.0] * 13)
        self.assertTrue(np.isnan(rates[-1]))
        protocol = result["protocol"]
        self.assertEqual(protocol["pictures"], 2)
        self.assertEqual(protocol["people_of_records"], 4)
        self.assertEqual(protocol["people_cut_by"], "instances")
        self.assertEqual(protocol["published_split_size"], 1817)
        self.assertFalse(protocol["is_whole_published_split"])
        self.assertIn("AP@0.5", result_file.to_text(result))

    def test_parts_outside_of_every_box_are_missed(self):
        result = self._evaluate("matched")

        truth = np.stack([person_trees.label_map(seed) for seed in (0, 1)])
        inside = np.zeros(person_trees.SIZE, bool)
        for (left, top, right, bottom), mask in zip(
            ((2, 4, 22, 34), (25, 1, 58, 39)), person_trees.masks(), strict=True
        ):
            inside[top:bottom, left:right] |= mask[top:bottom, left:right]
        found = np.where(inside, truth, 0)
        expected = [
            np.sum((truth == k) & (found == k)) / np.sum(truth == k)
            for k in range(7)[1:]
        ]
        np.testing.assert_allclose(
            list(result["parsing"]["iou"].values())[1:], expected
        )
        self.assertEqual(result["parsing"]["iou"]["Background"], 0)

    def test_people_nobody_cut_out_are_missed(self):
        # Of two people in each of two pictures, one is not detected.
        path = self.root / "Mask" / "p2.npy"
        person_trees.write_detections(
            path, person_trees.BOXES[:1], person_trees.masks()[:1]
        )

        result = self._evaluate("detections")

        rates = list(result["average_precision"]["keypoints"].values())
        np.testing.assert_allclose(rates[:-1], 0.75)
        self.assertEqual(result["average_precision"]["num_people"], 4)

    def test_pictures_nobody_cut_count_as_background(self):
        (self.root / "PersonJoints" / "p2.mat").unlink()

        result = self._evaluate()

        self.assertEqual(result["protocol"]["pictures_without_records"], 1)
        self.assertEqual(result["protocol"]["pictures_with_label_map"], 2)
        self.assertAlmostEqual(result["parsing"]["pixel_accuracy"], 0.5)
        # Of pictures without joints nobody knows who is missed.
        self.assertEqual(result["average_precision"]["num_pictures"], 1)

    def test_false_joint_costs_precision_by_its_score(self):
        def change(number, answer):
            if number:
                return answer
            # The first joint of the first person far off, and surest of all.
            keypoints_xy = answer.keypoints_xy.copy()
            keypoints_xy[0] += 1000
            scores = answer.scores.copy()
            scores[0] = 0.99
            return Prediction(
                answer.label_map, keypoints_xy, scores, answer.confidence
            )

        self._annotate_halves()

        result = self._evaluate(change=change)

        # Hits of 4 people: none, then 1 of 2, 2 of 3, 3 of 4; precision made
        # monotone is 3/4 over three quarters of the recall.
        rates = result["average_precision"]["keypoints"]
        self.assertAlmostEqual(rates["forehead"], 0.75 * 0.75)
        self.assertAlmostEqual(rates["neck"], 1.0)

    def test_limit_is_of_pictures(self):
        result = self._evaluate(limit=1)

        self.assertEqual(result["protocol"]["pictures"], 1)
        self.assertEqual(result["protocol"]["pictures_with_label_map"], 1)
        self.assertEqual(result["average_precision"]["num_people"], 2)

    def test_head_sizes_are_stated(self):
        joints = person_trees.joints(0)
        joints[1, 0, 2] = 0
        person_trees.write_joints(
            self.root / "PersonJoints" / "p1.mat", joints, person_trees.BOXES
        )

        result = self._evaluate(head_factor=0.5)

        self.assertEqual(result["protocol"]["people_without_head"], 1)
        self.assertIn("0.5 times", result["protocol"]["head_size"])

    def test_label_map_of_another_size_is_a_damaged_picture(self):
        records = self._records("instances")
        path = self.root / "SegmentationPart" / "p1.png"
        path.write_bytes(picture_files.encode_png(np.ones((40, 61), np.uint8)))
        pictures = datasets.read_pictures(
            _NAME, self.root, "val", PASCAL_PERSON_PART
        )

        with self.assertRaisesRegex(UserError, "record p1: label map is not"):
            whole_pictures.evaluate_pictures(
                _Oracle(records), records, pictures
            )
        records.max_bad_records = 1
        result = whole_pictures.evaluate_pictures(
            _Oracle(records), records, pictures
        )
        self.assertEqual(result["protocol"]["damaged_records"], 1)
        self.assertEqual(result["parsing"]["mean_iou"], 1.0)

    def test_records_of_other_pictures_are_told(self):
        records = self._records("instances")

        with self.assertRaisesRegex(UserError, "of other pictures.*p1, p2"):
            whole_pictures.evaluate_pictures(_Oracle(records), records, [])

    def test_records_of_whole_pictures_are_told(self):
        record = self._records("instances").read(0)
        whole = dataclasses.replace(record, crop=None)
        records = record_writer.write_records(
            [whole], self.folder / "whole", PASCAL_PERSON_PART
        )

        with self.assertRaisesRegex(UserError, "records of whole pictures"):
            whole_pictures.evaluate_pictures(_Oracle(records), records, [])


if __name__ == "__main__":
    absltest.main()
