"""Tests of evaluation.runtime_export, and of the report it writes."""

import dataclasses
import json
import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import runtime_export
from nppnet_tf.evaluation import runtime_parity
from nppnet_tf.inference import predictor
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes import table
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.data import sample_records
from tests.inference import stand_in

_SIZE = (64, 64)


class RuntimeExportTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        genotype = dataclasses.replace(
            published.unet(),
            interaction=genotypes.OMIT,
            fusion=genotypes.OMIT,
        )
        config = NetworkConfig(channels=8, cells=4, num_fusion_cells=1)
        cls.network = NPPNet(genotype, config)
        cls.description = predictor.describe(
            cls.network, "people", 1, LIP, _SIZE, True, (1.0,)
        )
        cls.records = (
            pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
            / "r"
        )
        record_writer.write_records(
            sample_records.make_records(3), cls.records, LIP
        )

    def setUp(self):
        super().setUp()
        self.output = pathlib.Path(self.create_tempdir().full_path)

    def _request(self, precision=runtime.FLOAT32, calibration=None, **changes):
        return dataclasses.replace(
            runtime_export.request(
                table.RUNTIMES["onnx"], precision, calibration, 2, None, None
            ),
            **changes,
        )

    def _export(self, request):
        return runtime_export.export(
            self.network, self.description, request, self.output
        )

    def test_model_description_and_report_lie_side_by_side(self):
        wanted = runtime_export.request(
            table.RUNTIMES["onnx"], "float32", None, 2, self.records, 2
        )

        folder, report = self._export(wanted)

        self.assertEqual(folder, self.output / "people-onnx-float32")
        self.assertCountEqual(
            [path.name for path in folder.iterdir()],
            ["model.onnx", "model.json", "parity.json"],
        )
        text = (folder / "parity.json").read_text()
        self.assertEqual(json.loads(text), report)
        for value in report["largest_difference"].values():
            self.assertLess(value, 1e-4)
        self.assertEqual(report["labels_equal"], 1)
        self.assertEqual(report["compared_on"], "held-out pictures")
        self.assertEqual(report["scores"]["pictures"], 2)
        change = report["scores"]["mean_iou"]["change_in_points"]
        self.assertAlmostEqual(change, 0, delta=1e-2)
        self.assertIn("mIoU", runtime_parity.to_text(report))
        loaded = Predictor.from_directory(folder)
        self.assertTrue(loaded.description.flip)
        self.assertEqual(
            loaded.description.weights_sha256, self.description.weights_sha256
        )
        loaded.predict([stand_in.picture(40, 30)])
        with self.assertRaisesRegex(UserError, "already there"):
            self._export(wanted)

    def test_scores_that_nobody_can_measure_are_left_out(self):
        people = sample_records.make_records(2)
        for person in people:
            # Nobody has a head.
            person.visibility[LIP.keypoints.index("head_top")] = ABSENT
        records = self.output / "records"
        record_writer.write_records(people, records, LIP)
        wanted = runtime_export.request(
            table.RUNTIMES["onnx"], "float32", None, 2, records, 2
        )

        folder, report = self._export(wanted)

        self.assertCountEqual(report["scores"], ["pictures", "mean_iou"])
        self.assertNotIn("NaN", (folder / "parity.json").read_text())

    def test_integers_are_calibrated_on_pictures(self):
        _, report = self._export(self._request(runtime.INT8, self.records))

        self.assertEqual(report["calibration_pictures"], 2)
        self.assertEqual(report["compared_on"], "noise")
        self.assertLess(
            report["bytes"]["model.onnx"], report["weights_bytes"] / 2
        )
        with self.assertRaisesRegex(UserError, "calibration_records"):
            self._request(runtime.INT8)

    def test_records_of_other_people_are_refused(self):
        self.description = dataclasses.replace(
            self.description, descriptor=PASCAL_PERSON_PART
        )

        with self.assertRaisesRegex(UserError, "records have other classes"):
            self._export(self._request(runtime.INT8, self.records))

        self.assertEmpty(list(self.output.iterdir()))

    def test_nothing_is_left_of_an_export_that_fails(self):
        with (
            mock.patch.object(
                runtime_parity, "compare", side_effect=OSError("full")
            ),
            self.assertRaisesRegex(OSError, "full"),
        ):
            self._export(self._request())

        self.assertEmpty(list(self.output.iterdir()))


if __name__ == "__main__":
    absltest.main()
