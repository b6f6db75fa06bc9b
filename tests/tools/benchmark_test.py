"""Tests of the benchmark: what it measures, not how fast.

A plain U-Net is measured, which is made and traced in a quarter of the time of
the published network. Tools that are measured are forked.
"""

import json
import os
import pathlib
import subprocess
import types
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.benchmarks import figures
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.models import latency_table
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from tests import forked_tools
from tests import shared
from tests.data import sample_records
from tests.models import nppnet_test

SIZES = ("--channels=16", "--cells=4", "--repeats=1")
SMALL = ("--genotype=unet", *SIZES)


def _popen(words, **others):
    return forked_tools.popen(words, forked_tools.environment(), **others)


def _run(words, check, **others):
    del check
    with _popen(words, **others) as process:
        return subprocess.CompletedProcess(words, process.wait())


class BenchmarkTest(parameterized.TestCase):
    def test_inference_is_measured(self):
        output = pathlib.Path(self.create_tempdir().full_path) / "result.json"

        result = shared.run_tool(
            "benchmark",
            "--what=inference",
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

    def test_a_training_step_has_few_nodes(self):
        result = shared.run_tool(
            "benchmark", "--what=train_step", "--image_size=32", *SMALL
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        # 1,915 of today's.
        self.assertLess(sum(found["graph_nodes"].values()), 2_300)
        self.assertAlmostEqual(
            sum(found["share_of_thread_time"].values()), 1, delta=0.01
        )

    def test_a_peer_takes_steps_in_turns(self):
        if not subjects.has_peer(subjects.TORCH):
            self.skipTest("torch is not installed")

        result = shared.run_tool(
            "benchmark",
            "--what=train_step",
            "--peer=torch",
            "--image_size=32",
            *SMALL,
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertLen(found["peer"]["seconds_of_each_step"], 1)

    def test_a_peer_that_is_not_installed_is_one_line(self):
        with mock.patch.object(subjects, "has_peer", lambda _: False):
            result = shared.run_tool(
                "benchmark", "--what=search_step", "--peer=torch"
            )

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(
            result.stderr,
            "nppnet-benchmark: peer is not installed; where: --peer; expected: "
            "pip install 'nppnet_tf[torch]'; found: no package torch\n",
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
        self.assertLen(found["milliseconds"]["form"]["samples"], 1)
        for share in found["share_of_roofline"].values():
            self.assertGreater(share, 0)

    def test_operations_are_timed_for_a_search(self):
        output = pathlib.Path(self.create_tempdir().full_path) / "table.json"

        result = shared.run_tool(
            "benchmark",
            "--what=latency_table",
            "--num_fusion_cells=1",
            "--image_size=32",
            "--head_channels=8",
            f"--output={output}",
            *SMALL,
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        start = stages.start(stages.INTERACTION_FUSION, published.unet())
        config = NetworkConfig(16, 4, num_fusion_cells=1, head_channels=8)
        found = latency_table.read(output)
        costs = found.costs(start, config, (32, 32))
        self.assertGreater(costs.tables["pose/interaction"].sum(), 0)
        skip = primitives.PAPER.index(primitives.SKIP_CONNECT)
        # A state as it is takes no time, between levels its projection does.
        self.assertEqual(costs.tables["pose/fusion"][0, skip], 0)
        self.assertGreater(costs.tables["pose/interaction"][1, skip], 0)

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
        self.assertLen(found["samples_of_each_second"], 1)
        for value in (found["samples_per_cpu_second"], *parts.values()):
            self.assertGreater(value, 0)
        idle = shared.run_tool(
            "benchmark", "--what=reading", f"--records={folder / 'records'}"
        )
        self.assertEqual(idle.exit_code, 2)
        self.assertIn("expected: with it --what=input_pipeline", idle.stderr)

    def test_import_is_measured_in_a_process_of_its_own(self):
        programs = types.SimpleNamespace(
            Popen=_popen, DEVNULL=subprocess.DEVNULL
        )
        with mock.patch.object(measuring, "subprocess", programs):
            result = shared.run_tool("benchmark", "--what=import", *SIZES)

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = json.loads(result.stdout)
        self.assertEqual(
            found["parameters"],
            nppnet_test.released_parameters(8, 4, 20, 16),
        )
        self.assertGreater(found["file_mb"], 4 * found["parameters"] / 1e6)
        self.assertGreater(found["seconds"], 0)
        self.assertGreater(found["peak_memory_gb"], 0)

    @parameterized.named_parameters(
        ("nothing", (), "nothing to measure; where: --what"),
        (
            "all_without_a_folder",
            ("--what=all",),
            "flag is missing; where: --output",
        ),
        (
            "flag_that_all_has_not",
            ("--what=all", "--output=figures", "--cells=4"),
            "flag sets what is not in use; where: --cells=4; expected: with "
            "it --what=search_step or ",
        ),
        (
            "unknown_figure",
            ("--what=all", "--output=figures", "--figures=reading,riding"),
            "no such figure; where: --figures",
        ),
        (
            "figures_of_one_thing",
            ("--what=reading", "--figures=reading"),
            "expected --figures with --what=all alone",
        ),
        (
            "nothing_to_compare_with",
            ("--output=new.json", "--compare=old.json"),
            "not found; where: --output=new.json",
        ),
        (
            "unknown_genotype",
            ("--what=inference", "--genotype=relesed", *SIZES),
            "not found; where: --genotype=relesed",
        ),
        (
            "stage_of_training",
            ("--what=train_step", "--stage=encoder_decoder"),
            "where: --stage=encoder_decoder; expected: with it "
            "--what=search_step or latency_table,",
        ),
        (
            "genotype_beside_a_preset",
            ("--what=inference", "--preset=released", "--genotype=unet"),
            "--genotype=unet; expected: with it no --preset, or none",
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
        self.assertFalse(os.path.exists("figures"))

    def test_reading_is_kept_beside_figures_and_the_failed_one_is_named(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        table = {
            name: figures.Figure(name, arguments)
            for name, arguments in (
                ("there", ("--what=nothing",)),
                ("impossible", ("--what=inference", "--channels=10")),
                (
                    "small",
                    ("--what=reading", "--image_size=32", "--repeats=1"),
                ),
            )
        }
        table["there"].file_in(folder).write_text("{}")
        programs = types.SimpleNamespace(run=_run, DEVNULL=subprocess.DEVNULL)
        self.enter_context(mock.patch.object(figures, "TABLE", table))
        self.enter_context(mock.patch.object(figures, "subprocess", programs))

        result = shared.run_tool(
            "benchmark", "--what=all", f"--output={folder}"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn("found: impossible", result.stderr)
        self.assertEqual(table["there"].file_in(folder).read_text(), "{}")
        made = table["small"].file_in(folder)
        self._assert_reading(json.loads(made.read_text())["milliseconds"])

        same = shared.run_tool(
            "benchmark", f"--output={made}", f"--compare={made}"
        )

        self.assertIn("milliseconds, jpeg, 1, reading: ", same.stdout)
        self.assertNotIn("CHANGED", same.stdout)
        idle = shared.run_tool(
            "benchmark",
            f"--output={made}",
            f"--compare={made}",
            "--repeats=3",
        )
        self.assertEqual(idle.exit_code, 2)
        self.assertIn("not in use; where: --repeats=3", idle.stderr)

    def _assert_reading(self, cases):
        """Reading beside bare decoding, of every kind of picture."""
        self.assertGreater(cases.pop("a byte that is no picture")["median"], 0)
        self.assertEqual(
            list(cases), ["jpeg, 1", "jpeg, 8", "png, 1", "png, 8"]
        )
        for case in cases.values():
            self.assertLen(case["reading"]["samples"], 10)
            ratio = case["reading"]["median"] / case["bare"]["median"]
            self.assertAlmostEqual(case["ratio"], ratio, delta=0.1)


if __name__ == "__main__":
    absltest.main()
