"""Tests of tools.export."""

import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from tests import schemas
from tests import shared
from tests.data import sample_records
from tests.inference import stand_in
from tests.inference import stand_in_models


class ExportTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.run_folder = self.folder / "run"
        self.run_folder.mkdir()
        (self.run_folder / "network.json").write_text("{}")
        self.output = self.folder / "models"

    def _export(self, *arguments, is_supernet=False):
        with stand_in_models.load_stand_in_for_any_run(is_supernet=is_supernet):
            return shared.run_tool(
                "export",
                f"--model={self.run_folder}",
                f"--output={self.output}",
                *arguments,
            )

    def test_run_becomes_a_version_whose_card_tells_how_good_it_is(self):
        (self.run_folder / "run.json").write_text(
            '{"settings": {"records": "64 records, 906c"}}'
        )
        self._export()
        extra = self.output / "nppnet/1/assets.extra"
        weights = json.loads((extra / "model.json").read_text())
        result = {
            "format": "nppnet_tf.evaluation",
            "pose": {"pckh": 0.5},
            "protocol": {"weights_sha256": weights["weights_sha256"]},
        }
        right = self.create_tempfile(content=json.dumps(result)).full_path
        result["protocol"]["weights_sha256"] = "0" * 64
        wrong = self.create_tempfile(content=json.dumps(result)).full_path

        card = (extra / "MODEL_CARD.md").read_text()
        measured = self._export(
            "--name=people",
            "--version=7",
            f"--results={right}",
            "--weights_license=Ours",
        )
        records = self.folder / "records"
        record_writer.write_records(
            sample_records.make_records(2), records, LIP
        )
        refused = self._export(
            f"--results={right},{wrong}", f"--calibrate={records}"
        )

        self.assertIn("| records | 64 records, 906c |", card)
        self.assertIn("## Measured\n\nNothing.", card)
        self.assertEqual(measured.exit_code, 0, measured.stderr)
        self._assert_served(self.output / "people" / "7", measured.stdout)
        extra = self.output / "people/7/assets.extra"
        card = (extra / "MODEL_CARD.md").read_text()
        self.assertIn("| PCKh@0.5 | 0.5000 |", card)
        self.assertEndsWith(card, "Ours\n")
        self.assertEqual(refused.exit_code, 2)
        self.assertIn("belongs to other weights", refused.stderr)
        self.assertIn(wrong, refused.stderr)
        # Before anything takes long.
        self.assertNotIn("joints from a score", refused.stdout)
        self.assertFalse((self.output / "nppnet/2").exists())

    def _assert_served(self, version, said):
        """A version that the server finds."""
        self.assertIn(str(version), said)
        self.assertTrue((version / "saved_model.pb").exists())
        self.assertTrue(
            (version / "assets.extra/tf_serving_warmup_requests").exists()
        )
        self.assertIn("people", (self.output / "models.config").read_text())

    def test_scores_are_calibrated_on_records_and_predict_follows(self):
        records = self.folder / "records"
        record_writer.write_records(
            sample_records.make_records(16), records, LIP
        )

        result = self._export(f"--calibrate={records}")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertRegex(result.stdout, r"joints from a score of 0\.\d+ on")
        version = self.output / "nppnet" / "1"
        model = json.loads((version / "assets.extra/model.json").read_text())
        self.assertEqual(model["calibration"]["pictures"], 16)
        picture = self.folder / "a.png"
        Image.fromarray(stand_in.picture(40, 30)).save(picture)
        result = shared.run_tool(
            "predict",
            picture,
            f"--model={version}",
            f"--output={self.folder / 'out'}",
            "--quality",
        )
        self.assertEqual(result.exit_code, 0, result.stderr)
        document = json.loads((self.folder / "out/a.json").read_text())
        self.assertEqual(document["score_threshold"], model["score_threshold"])
        self.assertEmpty(schemas.faults(document, "prediction"))
        self.assertIsNotNone(document["quality"]["expected_part_accuracy"])

    def test_score_is_stated_or_measured(self):
        records = self.folder / "records"
        record_writer.write_records(
            sample_records.make_records(1), records, LIP
        )

        result = self._export(f"--calibrate={records}", "--score_threshold=0.2")

        self.assertEqual(result.exit_code, 2)
        self.assertIn("stated and measured", result.stderr)

    def test_supernet_is_refused(self):
        result = self._export(is_supernet=True)

        self.assertEqual(result.exit_code, 2)
        self.assertIn("supernet cannot be served", result.stderr)

    def test_version_that_is_there_is_not_replaced(self):
        (self.output / "nppnet/2").mkdir(parents=True)

        result = self._export("--version=2")

        self.assertEqual(result.exit_code, 2)
        self.assertIn("version cannot be used", result.stderr)
        self.assertEqual(list((self.output / "nppnet/2").iterdir()), [])

    @parameterized.named_parameters(
        ("name", ["--name=a/b"], "wrong name"),
        ("version", ["--version=0"], "version"),
        ("scales", ["--scales="], "--scales"),
        ("word", ["run"], "run"),
    )
    def test_wrong_flags_are_one_line(self, arguments, message):
        result = self._export(*arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)

    @parameterized.named_parameters(
        ("format", ["--format=tflite"], "litert"),
        ("precision", ["--precision=int8"], "--format=onnx|openvino|litert"),
        ("report", ["--limit=2"], "saved_model is float32 and has no report"),
        (
            "scales",
            ["--format=litert", "--scales=0.5,1"],
            "format litert takes inputs of one size; where: --scales",
        ),
        (
            "uncalibrated",
            ["--format=openvino", "--precision=int8"],
            "quantized on pictures; where: --calibration_records",
        ),
    )
    def test_what_a_format_cannot_be_is_one_line(self, arguments, message):
        result = self._export(*arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertFalse(self.output.exists())

    def test_a_model_that_is_there_is_not_replaced(self):
        (self.output / "nppnet-onnx-float32").mkdir(parents=True)

        result = self._export("--format=onnx")

        self.assertEqual(result.exit_code, 2)
        self.assertIn("already there", result.stderr)
        self.assertIn("another --name", result.stderr)

    @parameterized.named_parameters(
        ("missing", "absent", "not found"), ("empty", "empty", "empty folder")
    )
    def test_run_that_is_none_is_one_line(self, name, message):
        (self.folder / "empty").mkdir()

        result = shared.run_tool(
            "export",
            f"--model={self.folder / name}",
            f"--output={self.output}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, rf"\A\S+: {message}.*\n\Z")

    def test_folder_without_a_network_is_one_line(self):
        result = shared.run_tool(
            "export", f"--model={self.run_folder}", f"--output={self.output}"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, r"\A\S+: .*network.json.*\n\Z")


if __name__ == "__main__":
    absltest.main()
