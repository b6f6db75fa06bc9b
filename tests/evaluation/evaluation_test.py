"""Tests of inference.evaluation."""

import dataclasses
import json
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import evaluation
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.evaluation import result_file
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.inference import stand_in

_HEAD_SIZE = 10.0


class _Oracle:
    """Answers from memory, in the place of a model."""

    def __init__(self, predictions, descriptor=LIP):
        self.descriptor = descriptor
        self._predictions = iter(predictions)
        self.description = absltest.mock.Mock(
            version=3,
            weights_sha256="abc",
            image_size=(64, 96),
            flip=True,
            scales=(1.0,),
        )
        self.description.name = "oracle"

    def predict(self, pictures):
        del pictures
        return [next(self._predictions)]


def _pose(seed: int) -> np.ndarray:
    keypoints_xy = np.random.default_rng(seed).uniform(5, 40, (16, 2))
    keypoints_xy[9] = keypoints_xy[8] + (0.0, _HEAD_SIZE)
    return keypoints_xy.astype(np.float32)


def _record(name: str, seed: int, label_map=None, visibility=None) -> Record:
    has_pose = visibility is not None
    pose = _pose(seed)
    if has_pose:
        pose[visibility == 0] = 0
    return Record(
        record_id=name,
        image_bytes=picture_files.encode_png(stand_in.picture(60, 50, seed)),
        label_map=label_map,
        keypoints_xy=pose if has_pose else None,
        visibility=visibility,
    )


class RecordsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _write(self, records, **facts):
        return record_writer.write_records(
            records, self.folder / "records", LIP, facts=facts
        )

    def test_what_a_record_lacks_is_left_out_and_counted(self):
        label_map = np.zeros((60, 50), np.uint8)
        label_map[:30] = 5
        label_map[0] = 255
        visible = np.full(16, 2, np.int32)
        without_head = visible.copy()
        without_head[9] = 0
        records = self._write(
            [
                _record("both", 0, label_map, visible),
                _record("label_map", 1, label_map),
                _record("pose", 2, None, without_head),
                _record("nothing", 3),
            ],
            split="val",
        )
        half_wrong = np.zeros((60, 50), np.uint8)
        off = _pose(0)
        off[:3] += (_HEAD_SIZE, 0)
        scores = np.ones(16, np.float32)
        oracle = _Oracle(
            [
                Prediction(np.where(label_map == 5, 5, 0), off, scores),
                Prediction(half_wrong, _pose(1), scores),
                Prediction(half_wrong, _pose(2), scores),
                Prediction(half_wrong, _pose(3), scores),
            ]
        )

        result = evaluation.evaluate_records(oracle, records)

        protocol = result["protocol"]
        self.assertEqual(protocol["pictures"], 4)
        self.assertEqual(protocol["pictures_with_label_map"], 2)
        self.assertEqual(protocol["pictures_with_pose"], 2)
        self.assertEqual(protocol["pictures_with_head"], 1)
        self.assertEqual(protocol["published_split_size"], 10000)
        self.assertFalse(protocol["is_whole_published_split"])
        self.assertTrue(protocol["flip"])
        self.assertEqual(protocol["weights_sha256"], "abc")
        # 29 rows of class 5 right once and called background once.
        iou = result["parsing"]["iou"]
        self.assertAlmostEqual(iou["Upper-clothes"], 29 / 58)
        self.assertAlmostEqual(iou["Background"], 60 / 89)
        # Three of the 14 scored keypoints lie one head beside the truth.
        self.assertAlmostEqual(result["pose"]["pckh"], 11 / 14)

    def test_limit_measures_the_first_records_only(self):
        label_map = np.zeros((60, 50), np.uint8)
        records = self._write([_record(c, 0, label_map) for c in "abc"])
        answer = Prediction(label_map, _pose(0), np.ones(16))

        result = evaluation.evaluate_records(
            _Oracle([answer] * 2), records, limit=2
        )

        self.assertEqual(result["protocol"]["pictures"], 2)
        self.assertEqual(result["protocol"]["pictures_of_records"], 3)

    def test_records_without_any_truth_are_refused(self):
        records = self._write([_record("a", 0)])
        answer = Prediction(np.zeros((60, 50)), _pose(0), np.ones(16))

        with self.assertRaisesRegex(UserError, "nothing to measure"):
            evaluation.evaluate_records(_Oracle([answer]), records)

    def test_model_of_other_classes_is_refused(self):
        records = self._write([_record("a", 0, np.zeros((60, 50), np.uint8))])

        with self.assertRaisesRegex(UserError, "other classes than the model"):
            evaluation.evaluate_records(
                _Oracle([], PASCAL_PERSON_PART), records
            )


class FilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        rng = np.random.default_rng(7)
        self.truths = [
            rng.integers(0, 20, (12, 9 + i)).astype(np.uint8) for i in range(3)
        ]
        for kind in ("truth", "prediction"):
            (self.folder / kind).mkdir()
        for i, truth in enumerate(self.truths):
            Image.fromarray(truth).save(self.folder / f"truth/{i}.png")
            prediction_files.write_label_map(
                self.folder / f"prediction/{i}.png", truth, LIP
            )

    def _evaluate(self, **options):
        folders = (self.folder / "truth", self.folder / "prediction")
        return evaluation.evaluate_files(LIP, label_maps=folders, **options)

    def test_gray_truth_and_palette_prediction_of_equal_classes_agree(self):
        result = self._evaluate()

        self.assertEqual(result["parsing"]["mean_iou"], 1.0)
        self.assertIsNone(result["pose"])
        self.assertEqual(result["protocol"]["label_maps"]["pictures"], 3)

    def test_missing_prediction_is_named(self):
        (self.folder / "prediction/1.png").unlink()

        with self.assertRaisesRegex(
            UserError, "predictions are missing.*allow_missing.*none for 1: 1"
        ):
            self._evaluate()

    def test_missing_prediction_may_be_left_out_and_is_counted(self):
        (self.folder / "prediction/1.png").unlink()
        (self.folder / "prediction/extra.png").touch()

        result = self._evaluate(allow_missing=True)

        counts = result["protocol"]["label_maps"]
        self.assertEqual(counts["missing_predictions"], 1)
        self.assertEqual(counts["missing_names"], ["1"])
        self.assertEqual(counts["predictions_without_truth"], 1)
        self.assertEqual(result["protocol"]["pictures_with_label_map"], 2)

    def test_other_names_altogether_are_refused_even_then(self):
        for i in range(3):
            path = self.folder / f"prediction/{i}.png"
            path.rename(path.with_name(f"mask_{i}.png"))

        with self.assertRaisesRegex(UserError, "none for 3: 0, 1, 2"):
            self._evaluate(allow_missing=True)

    def test_size_that_differs_is_named(self):
        Image.fromarray(self.truths[0].T).save(self.folder / "prediction/0.png")

        with self.assertRaisesRegex(
            UserError, "0.png; expected: 12 x 9; found: 9 x 12"
        ):
            self._evaluate()

    def test_label_out_of_range_is_named(self):
        wrong = np.full_like(self.truths[2], 20)
        Image.fromarray(wrong).save(self.folder / "prediction/2.png")

        with self.assertRaisesRegex(
            UserError, r"label out of range.*2.png.*\[20\]"
        ):
            self._evaluate()

    def test_folder_without_png_is_named(self):
        (self.folder / "empty").mkdir()

        with self.assertRaisesRegex(UserError, "no label maps.*empty"):
            evaluation.evaluate_files(
                LIP, label_maps=(self.folder / "empty", self.folder / "truth")
            )

    def test_reading_that_does_not_exist_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: pose_reading='any'"):
            evaluation.Measurement(LIP, "any")

    def test_poses_of_a_file_score_as_the_reference_does(self):
        reference = np.load(shared.shared_path("reference/ref_pckh.npz"))
        truth, prediction = reference["lip400_gt"], reference["lip400_pred"]
        paths = (self.folder / "truth.csv", self.folder / "prediction.csv")
        for path, poses in zip(paths, (truth, prediction), strict=True):
            _write_exact(path, poses)

        result = evaluation.evaluate_files(
            LIP, poses=paths, pose_reading=evaluation.RELEASED
        )

        rates = reference["lip400_pck"].ravel() / 100
        pose = result["pose"]
        np.testing.assert_allclose(
            list(pose["keypoints"].values()), rates[:16], atol=1e-9
        )
        self.assertAlmostEqual(pose["upper_body"], rates[16])
        self.assertAlmostEqual(pose["pckh"], rates[17])
        self.assertEqual(result["protocol"]["pictures_with_pose"], len(truth))
        self.assertEqual(result["protocol"]["poses"]["reading"], "released")

    def test_poses_without_a_head_segment_are_said_not_to_be_measured(self):
        descriptor = dataclasses.replace(LIP, head_segment=None)
        path = self.folder / "poses.csv"
        _write_exact(path, np.ones((2, 16, 2)))

        result = evaluation.evaluate_files(descriptor, poses=(path, path))

        self.assertIsNone(result["pose"])
        self.assertIn("head segment", result["protocol"]["pose_not_measured"])

    def test_a_result_of_nothing_is_null_and_not_nan(self):
        path = self.folder / "poses.csv"
        _write_exact(path, np.full((2, 16, 2), np.nan))

        result = evaluation.evaluate_files(LIP, poses=(path, path))

        document = json.loads(result_file.to_json(result))
        self.assertIsNone(document["pose"]["pckh"])
        self.assertEqual(document["pose"]["num_keypoints"], 0)
        self.assertIsNone(document["pose"]["groups"]["ankle"])


def _write_exact(path: pathlib.Path, poses: np.ndarray) -> None:
    rows = [
        ",".join([f"{i}.jpg", *map(repr, pose.ravel().tolist())])
        for i, pose in enumerate(poses)
    ]
    path.write_text("\n".join(rows))


if __name__ == "__main__":
    absltest.main()
