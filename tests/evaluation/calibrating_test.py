"""Tests of nppnet_tf.evaluation.calibrating."""

import dataclasses
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import calibrating
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.pictures import picture_files
from tests.data import sample_records


class BestThresholdTest(absltest.TestCase):
    def test_threshold_lies_between_what_it_tells_apart(self):
        scores = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7])
        is_shown = scores > 0.35

        threshold, accuracy = calibrating.best_threshold(scores, is_shown)

        self.assertAlmostEqual(threshold, 0.35)
        self.assertEqual(accuracy, 1.0)

    def test_few_absent_joints_weigh_as_much_as_many_others(self):
        # 90 shown and 10 not, of scores that overlap.
        random = np.random.default_rng(0)
        is_shown = np.arange(1000) % 10 > 0
        scores = np.where(is_shown, 0.35, 0.12) + random.normal(0, 0.06, 1000)

        threshold, accuracy = calibrating.best_threshold(scores, is_shown)

        found = scores >= threshold
        self.assertAlmostEqual(
            calibrating.balanced_accuracy(found, is_shown), accuracy
        )
        for other in (np.zeros(1000, bool), scores >= 0.5, scores >= 0.1):
            self.assertGreater(
                accuracy, calibrating.balanced_accuracy(other, is_shown) + 0.1
            )

    def test_no_other_threshold_is_better(self):
        # Also of scores that differ by less than what a file shows of them,
        # and of such as no threshold tells apart.
        for seed in range(100):
            random = np.random.default_rng(seed)
            spread = random.choice([1e-5, 0.1, 2.0])
            scores = random.normal(random.choice([0, 0.4, 1]), spread, 20)
            scores = scores.astype(np.float32)
            is_shown = np.arange(20) < random.integers(1, 20)

            threshold, accuracy = calibrating.best_threshold(scores, is_shown)

            def accuracy_of(threshold, scores=scores, is_shown=is_shown):
                places = np.zeros([20, 2])
                found = visibility.are_visible(places, scores, threshold)
                return calibrating.balanced_accuracy(found, is_shown)

            others = [0, 1, *scores[(scores > 0) & (scores < 1)].tolist()]
            self.assertAlmostEqual(accuracy, max(map(accuracy_of, others)))
            self.assertAlmostEqual(accuracy, accuracy_of(threshold))
            self.assertBetween(threshold, 0, 1)

    def test_equal_scores_fall_on_one_side(self):
        scores = np.array([0.5, 0.5, 0.5, 0.5])
        is_shown = np.array([True, True, False, True])

        threshold, accuracy = calibrating.best_threshold(scores, is_shown)

        found = scores >= threshold
        self.assertEqual(
            accuracy, calibrating.balanced_accuracy(found, is_shown)
        )


class FittedTest(absltest.TestCase):
    def test_shares_are_found_again(self):
        random = np.random.default_rng(0)
        scores = random.uniform(0, 1, 4000)
        shares = random.uniform(0, 1, 4000) < scores**2

        curve = calibrating.fitted(scores, shares)

        at = np.linspace(0.1, 0.9, 9)
        np.testing.assert_allclose(curve.at(at), at**2, atol=0.06)
        self.assertTrue((np.diff(curve.shares) >= 0).all())
        self.assertLess(curve.error, 0.05)

    def test_too_few_are_no_curve(self):
        self.assertIsNone(calibrating.fitted(np.zeros(9), np.zeros(9)))


class _Model:
    """Answers with the truth; sure of joints that the picture shows."""

    descriptor = LIP

    def __init__(self, records):
        self._answers = {}
        for number in range(records.count):
            record = records.read(number)
            shown = record.visibility != ABSENT
            confidence = np.float32(0.5 + number % 4 / 10)
            wrong = np.arange(record.label_map.size) % 10 >= confidence * 10
            labels = record.label_map.ravel().copy()
            labels[wrong] = labels[wrong] % 19 + 1
            self._answers[
                picture_files.decode(record.image_bytes).tobytes()
            ] = Prediction(
                labels.reshape(record.label_map.shape),
                record.keypoints_xy + 0.25,
                np.where(shown, 0.3, 0.2).astype(np.float32),
                np.full(record.label_map.shape, confidence),
            )

    def predict_confidence(self, picture):
        return self._answers[picture.tobytes()]


class CalibrateTest(absltest.TestCase):
    def _records(self, visibility=None):
        people = sample_records.make_records(24)
        if visibility is not None:
            people = [
                dataclasses.replace(
                    person, visibility=np.full(16, visibility, np.int32)
                )
                for person in people
            ]
        return record_writer.write_records(
            people, pathlib.Path(self.create_tempdir().full_path) / "r", LIP
        )

    def test_threshold_and_curves_are_those_of_the_records(self):
        records = self._records()

        threshold, found = calibrating.calibrate(_Model(records), records)

        self.assertAlmostEqual(threshold, 0.25)
        self.assertEqual(found.balanced_accuracy, 1.0)
        self.assertEqual((found.pictures, found.joints), (24, 24 * 16))
        self.assertEqual(found.hits.shares[-1], 1.0)
        # As sure as it is right.
        np.testing.assert_allclose(
            found.parts.shares, found.parts.scores, atol=0.08
        )

    def test_ignored_pixels_are_no_errors_whatever_their_label(self):
        for ignore_label in (255, 100):
            descriptor = dataclasses.replace(LIP, ignore_label=ignore_label)
            people = sample_records.make_records(4)
            for person in people:
                person.label_map[::2] = ignore_label
            records = record_writer.write_records(
                people,
                pathlib.Path(self.create_tempdir().full_path) / "r",
                descriptor,
            )
            model = _Model(records)
            model.descriptor = descriptor
            right = {
                picture: dataclasses.replace(
                    answer, label_map=records.read(number).label_map % 100
                )
                for number, (picture, answer) in enumerate(
                    model._answers.items()
                )
            }
            model._answers = right

            measured = calibrating.measure(model, records)

            np.testing.assert_array_equal(measured.accuracies, np.ones(4))

    def test_pictures_that_show_every_joint_are_told(self):
        records = self._records(VISIBLE)

        with self.assertRaisesRegex(UserError, "nothing to calibrate on.*384"):
            calibrating.calibrate(_Model(records), records)


if __name__ == "__main__":
    absltest.main()
