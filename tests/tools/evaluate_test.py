"""Tests of tools.evaluate."""

import json
import pathlib
import tempfile
import unittest

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_writer
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.inference import export
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.data import person_trees
from tests.inference import stand_in
from tests.inference import stand_in_models


def setUpModule():
    global _temporary, _folder, _model
    _temporary = tempfile.TemporaryDirectory()
    _folder = pathlib.Path(_temporary.name)
    unittest.enterModuleContext(stand_in_models.loaded_once())
    _model = stand_in_models.exported_model()
    _write_records(_folder / "records", _model)
    (_folder / "empty_records").mkdir()
    (_folder / "empty_records" / "file").touch()


def tearDownModule():
    _temporary.cleanup()


def _write_records(folder: pathlib.Path, model: pathlib.Path) -> None:
    """Records whose truth is what the model answers: every score is 1."""
    predictor = Predictor.from_directory(model)
    pictures = [stand_in.picture(60, 40, seed) for seed in range(2)]
    records = [
        Record(
            record_id=f"person_{number}",
            image_bytes=picture_files.encode_png(picture),
            label_map=answer.label_map,
            keypoints_xy=answer.keypoints_xy,
            visibility=np.full(16, 2, np.int32),
        )
        for number, (picture, answer) in enumerate(
            zip(pictures, predictor.predict(pictures), strict=True)
        )
    ]
    record_writer.write_records(records, folder, LIP, facts={"split": "val"})


_TWO_CSV = ("--truth_csv={csv}", "--prediction_csv={csv}")


class EvaluateModelTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_result_states_numbers_and_protocol(self):
        output = self.folder / "result.json"

        result = shared.run_tool(
            "evaluate",
            f"--model={_model}",
            f"--records={_folder / 'records'}",
            f"--output={output}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        document = json.loads(output.read_text())
        self.assertEqual(document["parsing"]["mean_iou"], 1.0)
        self.assertEqual(document["pose"]["pckh"], 1.0)
        protocol = document["protocol"]
        self.assertEqual(protocol["pictures"], 2)
        self.assertEqual(protocol["split"], "val")
        self.assertEqual(protocol["input_size"], [64, 96])
        self.assertFalse(protocol["is_whole_published_split"])
        self.assertLen(protocol["weights_sha256"], 64)
        self.assertIn("mIoU 100.00", result.stdout)
        self.assertIn("PCKh@0.5 100.00", result.stdout)

    def test_averaging_and_limit_are_in_the_protocol(self):
        result = shared.run_tool(
            "evaluate",
            f"--model={_model}",
            f"--records={_folder / 'records'}",
            "--flip",
            "--scales=0.5,1",
            "--limit=1",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        for line in ("flip: True", "scales: 0.5, 1.0", "pictures: 1"):
            self.assertIn(f"  {line}\n", result.stdout)

    @parameterized.named_parameters(
        ("model", "absent", "records", "--model"),
        ("records", "", "absent", "--records"),
        ("no_model", "records", "records", "neither a run nor"),
        ("no_records", "", "empty_records", "manifest.json"),
    )
    def test_wrong_folder_is_one_line(self, model, records, message):
        result = shared.run_tool(
            "evaluate",
            f"--model={_folder / model if model else _model}",
            f"--records={_folder / records}",
            f"--output={self.folder / 'result.json'}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertFalse((self.folder / "result.json").exists())

    def test_fresh_process_ends_with_one_line_and_status_2(self):
        result = shared.run_tool(
            "evaluate",
            "--model=absent",
            f"--records={_folder / 'records'}",
            fresh_process=True,
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr, r"\Anppnet-evaluate: .*--model=absent.*\n\Z"
        )


class EvaluateWholePicturesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.root = self.folder / "pascal"
        person_trees.write(self.root, ["p1", "p2"], "val")
        source = datasets.read("pascal_person_part", [self.root], "val")
        record_writer.write_records(
            source.samples,
            self.folder / "records",
            source.descriptor,
            facts=source.facts,
        )

    def _evaluate(self, *arguments):
        return shared.run_tool(
            "evaluate", f"--records={self.folder / 'records'}", *arguments
        )

    def test_people_are_measured_in_their_pictures(self):
        model = export.export_saved_model(
            stand_in.StandIn(PASCAL_PERSON_PART),
            PASCAL_PERSON_PART,
            stand_in.IMAGE_SIZE,
            self.folder / "models",
            "people",
        )
        output = self.folder / "result.json"

        result = self._evaluate(
            f"--model={model}",
            f"--whole_pictures={self.root}",
            "--head_factor=0.7",
            f"--output={output}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        document = json.loads(output.read_text())
        protocol = document["protocol"]
        self.assertEqual(
            protocol["measured_at"], "the size of each whole picture"
        )
        self.assertEqual(protocol["people_of_records"], 4)
        self.assertEqual(protocol["people_cut_by"], "matched")
        self.assertStartsWith(protocol["head_size"], "0.7 times")
        self.assertEqual(document["parsing"]["num_pixels"], 2 * 40 * 60)
        self.assertEqual(document["average_precision"]["num_people"], 4)
        # Of the joint that nobody has.
        self.assertIsNone(
            document["average_precision"]["keypoints"]["right_ankle"]
        )
        self.assertIn("OKS recall", result.stdout)

    def test_folder_without_the_pictures_is_one_line(self):
        (self.folder / "other").mkdir()
        (self.folder / "other" / "file").touch()
        for folder, message in (
            ("nowhere", "--whole_pictures"),
            ("other", "no list of pictures"),
        ):
            result = self._evaluate(
                f"--model={_model}", f"--whole_pictures={self.folder / folder}"
            )

            self.assertEqual(result.exit_code, 2)
            self.assertIn(message, result.stderr)
            self.assertLen(result.stderr.splitlines(), 1)

    def test_files_are_not_measured_in_whole_pictures(self):
        result = shared.run_tool(
            "evaluate",
            "--truth_csv=setup.py",
            "--prediction_csv=setup.py",
            f"--whole_pictures={self.root}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn("--whole_pictures", result.stderr)


class EvaluateFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.truth = self.folder / "truth"
        self.prediction = self.folder / "prediction"
        label_map = np.arange(20, dtype=np.uint8).reshape(4, 5)
        for folder in (self.truth, self.prediction):
            folder.mkdir()
            for name in ("a", "b"):
                Image.fromarray(label_map).save(folder / f"{name}.png")
        pose = np.arange(32, dtype=float).reshape(16, 2) * 3
        prediction_files.write_pose_rows(
            self.folder / "truth.csv", {"a": pose, "b": pose}
        )
        prediction_files.write_pose_rows(
            self.folder / "prediction.csv", {"b": pose, "a": pose}
        )

    def _evaluate(self, *arguments):
        return shared.run_tool(
            "evaluate",
            f"--truth_dir={self.truth}",
            f"--prediction_dir={self.prediction}",
            *arguments,
        )

    def test_label_maps_and_poses_are_measured_together(self):
        result = self._evaluate(
            f"--truth_csv={self.folder / 'truth.csv'}",
            f"--prediction_csv={self.folder / 'prediction.csv'}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("mIoU 100.00", result.stdout)
        self.assertIn("PCKh@0.5 100.00", result.stdout)

    def test_poses_are_read_as_the_release_does_by_a_flag(self):
        # Heads of 6 * sqrt(5) = 13.4 pixels; the ankle's truth is (0, 3), the
        # knee's (6, 9), the hip's (12, 15): of those the release's (1, 1) is
        # 2.2, 9.4 and 17.8 pixels away, and half a head is 6.7.
        pose = np.arange(32, dtype=float).reshape(16, 2) * 3
        pose[9] = pose[8] + (6.0, 12.0)
        predicted = pose.copy()
        predicted[0] = -400.0
        predicted[1] = np.nan
        predicted[2] = -9.0
        for name, poses in (("truth", pose), ("prediction", predicted)):
            prediction_files.write_pose_rows(
                self.folder / f"{name}.csv", {"a": poses}
            )
        rates = {}
        for reading in ("as_written", "released"):
            output = self.folder / f"{reading}.json"
            result = shared.run_tool(
                "evaluate",
                f"--truth_csv={self.folder / 'truth.csv'}",
                f"--prediction_csv={self.folder / 'prediction.csv'}",
                f"--pose_reading={reading}",
                f"--output={output}",
            )
            self.assertEqual(result.exit_code, 0, result.stderr)
            document = json.loads(output.read_text())
            self.assertEqual(document["protocol"]["poses"]["reading"], reading)
            rates[reading] = document["pose"]

        # Ankle, knee and hip of 14 are wrong as written; the ankle is right
        # by the release's reading.
        self.assertAlmostEqual(rates["as_written"]["pckh"], 11 / 14)
        self.assertAlmostEqual(rates["released"]["pckh"], 12 / 14)
        self.assertEqual(rates["released"]["keypoints"]["right_ankle"], 1.0)
        self.assertEqual(rates["released"]["keypoints"]["right_knee"], 0.0)

    def test_missing_prediction_needs_its_flag(self):
        (self.prediction / "b.png").unlink()

        refused = self._evaluate()
        allowed = self._evaluate("--allow_missing")

        self.assertEqual(refused.exit_code, 2)
        self.assertIn("none for 1: b", refused.stderr)
        self.assertEqual(allowed.exit_code, 0, allowed.stderr)
        self.assertIn("missing_predictions: 1", allowed.stdout)

    def test_picture_that_is_none_is_one_line(self):
        (self.prediction / "b.png").write_text("text")

        result = self._evaluate()

        self.assertEqual(result.exit_code, 2)
        self.assertIn("b.png", result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)

    def test_csv_of_another_form_is_one_line(self):
        wrong = self.folder / "wrong.csv"
        wrong.write_text("a.jpg,1,2\n")

        result = shared.run_tool(
            "evaluate",
            f"--truth_csv={self.folder / 'truth.csv'}",
            f"--prediction_csv={wrong}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn("wrong.csv, line 1", result.stderr)

    @parameterized.named_parameters(
        ("nothing", [], "wrong flags"),
        ("half_a_pair", ["--truth_dir={maps}"], "--prediction_dir"),
        ("model_alone", ["--model={model}"], "--records"),
        (
            "both_kinds",
            ["--model={model}", "--records={records}", *_TWO_CSV],
            "found: both",
        ),
        (
            "output_folder",
            [*_TWO_CSV, "--output=/"],
            "not a file; where: --output=/;",
        ),
        (
            "no_prediction",
            ["--truth_csv={csv}", "--prediction_csv=none.csv"],
            "not found; where: --prediction_csv=none.csv",
        ),
        (
            "reading_of_no_poses",
            [
                "--truth_dir={maps}",
                "--prediction_dir={maps}",
                "--pose_reading=released",
            ],
            "not in use; where: --pose_reading=released",
        ),
        (
            "unknown_dataset",
            [*_TWO_CSV, "--dataset=wholebody"],
            "flag --dataset=wholebody",
        ),
    )
    def test_flags_that_do_not_fit_are_one_line(self, arguments, message):
        places = {
            "model": _model,
            "records": _folder / "records",
            "maps": self.truth,
            "csv": self.folder / "truth.csv",
        }

        result = shared.run_tool(
            "evaluate", *(word.format(**places) for word in arguments)
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)


if __name__ == "__main__":
    absltest.main()
