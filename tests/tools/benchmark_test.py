"""Tests of the benchmark: what it measures, not how fast."""

import json
import math
import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.models.nppnet import NPPNet
from tests import shared
from tests.data import sample_records

SMALL = ("--channels=16", "--cells=4", "--repeats=1")


class BenchmarkTest(parameterized.TestCase):
    def test_inference_is_measured(self):
        output = pathlib.Path(self.create_tempdir().full_path) / "result.json"

        result = shared.run_tool(
            "benchmark",
            "--what=inference",
            "--genotype=baseline",
            "--image_size=32",
            f"--output={output}",
            *SMALL,
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(output.read_text())
        for name in (
            "seconds_to_first_step",
            "seconds_per_step",
            "graph_nodes",
            "peak_memory_gb",
            "parameters",
            "gmac",
            "published_gmac",
        ):
            self.assertGreater(found[name], 0, name)
        self.assertAlmostEqual(
            sum(found["published_gmac_by_part"].values()),
            found["published_gmac"],
            delta=0.05,
        )
        self.assertLen(found["seconds_of_each_step"], 1)
        self.assertLess(
            found["seconds_per_step"], found["seconds_to_first_step"]
        )
        self.assertEqual(found["rules"][0]["rule"], "as published")
        self.assertContainsSubset(
            {"layers", "saved model", "ONNX Runtime, as published"},
            found["milliseconds"],
        )

    def test_share_of_the_roofline_is_measured(self):
        result = shared.run_tool(
            "benchmark", "--what=roofline", "--image_size=32", *SMALL
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertGreater(
            found["convolutions"], found["different_convolutions"]
        )
        for share in found["share_of_roofline"].values():
            self.assertGreater(share, 0)

    def test_input_pipeline_is_measured(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        record_writer.write_records(
            sample_records.make_records(4), folder / "records", LIP
        )

        result = shared.run_tool(
            "benchmark",
            "--what=input_pipeline",
            f"--records={folder / 'records'}",
            "--image_size=32",
            "--batch_size=2",
            "--repeats=1",
            "--input_workers=2",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertEqual(found["input_workers"], 2)
        if found["cores"] > 1:
            self.assertBetween(found["share_of_lock"], 0, 1)
        self.assertEqual(found["targets"]["heatmaps"], "float32 [8, 8, 16]")
        self.assertEqual(found["pictures"]["records"], 4)
        self.assertEqual(found["pictures"]["median_height"], 40)
        parts = found["milliseconds_of_one_sample"]
        self.assertContainsSubset(["read", "pose_targets"], parts)
        self.assertEqual(found["cores"], len(os.sched_getaffinity(0)))
        for value in (found["samples_per_cpu_second"], *parts.values()):
            self.assertGreater(value, 0)

    def test_reading_is_measured_beside_bare_decoding(self):
        result = shared.run_tool(
            "benchmark", "--what=reading", "--image_size=32", "--repeats=1"
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        cases = found["milliseconds"]
        self.assertGreater(cases.pop("a byte that is no picture")["median"], 0)
        self.assertEqual(
            list(cases), ["jpeg, 1", "jpeg, 8", "png, 1", "png, 8"]
        )
        for case in cases.values():
            ratio = case["reading"]["median"] / case["bare"]["median"]
            self.assertAlmostEqual(case["ratio"], ratio, delta=0.1)

    def test_import_is_measured_in_a_process_of_its_own(self):
        result = shared.run_tool("benchmark", "--what=import", *SMALL)

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        network = NPPNet.from_preset("released", channels=16, cells=4)
        weights = network.trainable_weights
        self.assertEqual(
            found["parameters"], sum(math.prod(w.shape) for w in weights)
        )
        self.assertGreater(found["file_mb"], 4 * found["parameters"] / 1e6)
        self.assertGreater(found["seconds"], 0)
        self.assertGreater(found["peak_memory_gb"], 0)

    @parameterized.named_parameters(
        ("nothing", (), "nothing to measure; where: --what"),
        (
            "no_records",
            ("--what=input_pipeline",),
            "where: --records",
        ),
        (
            "unknown_genotype",
            ("--what=inference", "--genotype=relesed", *SMALL),
            "not found; where: --genotype=relesed",
        ),
        (
            "impossible_size",
            ("--what=inference", "--channels=10", "--cells=4"),
            "no network has this size; where: --channels",
        ),
    )
    def test_bad_input_is_one_line(self, arguments, text):
        result = shared.run_tool("benchmark", *arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertIn(text, result.stderr)


if __name__ == "__main__":
    absltest.main()
