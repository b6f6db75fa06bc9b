"""The search on a command line: both stages, resuming, wrong input."""

import json

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import shared
from tests.tools import training_case

_SECOND = ("--stage=interaction_fusion", "--genotype=baseline")
# One part of two: less to trace.
_FUSION = (*_SECOND, "--interaction=omit")


class SearchTest(training_case.TrainingCase):
    def _search(self, workdir, *arguments, stage=_FUSION):
        return self.run_tool(
            "search", f"--workdir={self.folder / workdir}", *stage, *arguments
        )

    def test_first_stage_leaves_the_other_parts_out(self):
        result = self._search(
            "run",
            "--epochs=1",
            "--warmup_epochs=0",
            stage=["--stage=encoder_decoder"],
        )

        self.assert_ends_well(result)
        derived = genotypes.load(self.folder / "run" / "genotype.json")
        self.assertIsInstance(
            derived.encoder_decoder, genotypes.EncoderDecoderGene
        )
        self.assertEqual((derived.interaction, derived.fusion), ("omit",) * 2)

    def test_second_stage_keeps_the_encoder_decoder(self):
        first = self.folder / "first.json"
        genotypes.save(published.released(), first)

        result = self._search(
            "run",
            "--epochs=1",
            "--warmup_epochs=0",
            stage=["--stage=interaction_fusion", f"--genotype={first}"],
        )

        self.assert_ends_well(result)
        derived = genotypes.load(self.folder / "run" / "genotype.json")
        self.assertEqual(
            derived.encoder_decoder, published.released().encoder_decoder
        )
        self.assertFalse(derived.is_searched)

    def test_stop_rule_of_a_strategy_ends_the_run(self):
        flags = (
            "--search_strategy=drnas",
            "--channel_proportion=2",
            "--skip_dropout=0.2",
            "--stop_rule=darts_plus",
            "--stop_stable_epochs=1",
            "--architecture_learning_rate=0",
            "--stop_skips=8",
            "--warmup_epochs=0",
            "--epochs=9",
        )

        first = self._search("run", *flags)
        again = self._search("run", *flags)

        self.assert_ends_well(first)
        reason = "no edge has changed the order of operations in 1 epochs"
        self.assertIn(f"is over after 2 epochs: {reason}", first.stdout)
        self.assertIn(f"over after 2 epochs: {reason}", again.stdout)
        settings = json.loads((self.folder / "run" / "run.json").read_text())
        self.assertEqual(settings["settings"]["relaxation"], "dirichlet")
        wide = self._search(
            "wide",
            "--search_strategy=drnas",
            "--channel_proportion=1",
            f"--widens={self.folder / 'run'}",
            "--epochs=1",
        )
        self.assert_ends_well(wide)
        self.assertRegex(wide.stdout, r"starts from .*last.npz: \d+ variables")
        output = self.folder / "selected.json"
        derived = shared.run_tool(
            "derive",
            f"--workdir={self.folder / 'run'}",
            "--selection=perturbation",
            f"--records={self.records}",
            "--selection_batches=1",
            f"--output={output}",
            "--nocost",
        )
        self.assert_ends_well(derived)
        self.assertIn("pose/fusion: decided, loss", derived.stdout)
        self.assertFalse(genotypes.load(output).is_searched)

    def test_a_genotype_is_drawn_without_records(self):
        drawn = shared.run_tool(
            "search",
            "--search_strategy=random",
            f"--workdir={self.folder / 'drawn'}",
            *_SECOND,
        )

        self.assert_ends_well(drawn)
        found = genotypes.load(self.folder / "drawn" / "genotype.json")
        self.assertFalse(found.is_searched)

    def test_goes_on_after_every_step_as_if_never_stopped(self):
        # What is drawn follows from the step as well.
        more = (
            "--warmup_epochs=1",
            "--entropy_start_epoch=1",
            "--relaxation=gumbel",
        )

        self.assert_ends_well(
            self._search("straight", "--epochs=2", *more, "--profile_steps=2:3")
        )
        for epoch, step in ((0, 1), (0, 2), (1, 1), (1, 2)):
            with training_case.terminated(1):
                stopped = self._search(
                    "stopped", f"--epochs={1 + epoch}", *more
                )
            self.assert_terminated(stopped, f"{epoch} epochs and {step} steps")
            if (epoch, step) == (0, 2):
                # The last of the first command's epochs: more may follow.
                self.assert_ends_well(
                    self._search("stopped", "--epochs=1", *more)
                )
        self.assert_ends_well(self._search("stopped", "--epochs=2", *more))
        again = self._search("stopped", "--epochs=2", *more)

        self.assert_ends_well(again)
        self.assertIn("nothing is left to do", again.stdout)
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")
        traces = (self.folder / "straight").rglob("*.xplane.pb")
        self.assertNotEmpty([path for path in traces if path.stat().st_size])
        lines = (self.folder / "stopped" / "metrics.jsonl").read_text()
        records = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual([record["epoch"] for record in records], [0, 1])
        self.assertEqual(
            [record["temperature"] for record in records], [10.0, 9.0]
        )
        output = self.folder / "genotype.json"
        self.assert_ends_well(
            shared.run_tool(
                "derive",
                f"--workdir={self.folder / 'stopped'}",
                f"--output={output}",
                "--nocost",
            )
        )
        self.assertEqual(
            genotypes.load(output),
            genotypes.load(self.folder / "straight" / "genotype.json"),
        )

    def test_another_run_s_folder_is_refused_by_the_flag(self):
        self.assert_ends_well(self._search("run", "--epochs=1"))

        for flag, arguments in {
            "seed": ["--seed=1"],
            "genotype": ["--genotype=released"],
            "image_size": ["--image_size=64"],
            "channel_proportion": ["--channel_proportion=4"],
            "primitives": ["--primitives=released_interaction_fusion"],
            "relaxation": ["--relaxation=gumbel"],
        }.items():
            self.assert_user_error(
                self._search("run", "--epochs=1", *arguments),
                f"workdir of another run.*--{flag}",
            )

        document = json.loads((self.folder / "run" / "run.json").read_text())
        # A run that was begun before a flag came goes on with its default.
        self.assertNoCommonElements(
            document["settings"],
            ("channel_proportion", "primitives", "relaxation"),
        )

    def test_loss_that_is_not_finite_stops_the_run(self):
        result = self._search(
            "run",
            "--epochs=1",
            "--warmup_epochs=1",
            "--learning_rate=1e6",
            "--task_weight_learning_rate=1e6",
        )

        self.assert_user_error(result, "loss is not finite.*epoch 0, step")


class WrongInputTest(training_case.TrainingCase):
    @parameterized.named_parameters(
        ("no_stage", ["--workdir=x"], "--stage"),
        ("no_workdir", [*_SECOND], "--workdir"),
        ("unknown_stage", ["--stage=third"], "stage"),
        ("word_for_a_number", ["--epochs=many"], "epochs"),
        ("negative_rate", ["--learning_rate=-1"], "learning_rate"),
        ("drops", ["--drop_epochs=a", "--workdir=x", *_SECOND], "drop_epochs"),
        (
            "genotype_in_the_first_stage",
            ["--stage=encoder_decoder", "--workdir=x", "--genotype=released"],
            "--genotype",
        ),
        (
            "second_stage_without_one",
            ["--stage=interaction_fusion", "--workdir=x"],
            "--genotype",
        ),
        (
            "missing_genotype",
            [_SECOND[0], "--workdir=x", "--genotype=absent.json"],
            "absent.json",
        ),
        (
            "nothing_searched",
            [*_SECOND, "--workdir=x", "--fusion=omit", "--interaction=omit"],
            "nothing is searched",
        ),
        ("size", [*_SECOND, "--workdir=x", "--image_size=50"], "image_size"),
        (
            "relaxation",
            [*_SECOND, "--workdir=x", "--relaxation=argmax"],
            "relaxation.*softmax.*gumbel",
        ),
        (
            "window",
            [*_SECOND, "--workdir=x", "--profile_steps=5"],
            "FIRST:LAST",
        ),
    )
    def test_is_one_line(self, arguments, pattern):
        self.assert_user_error(self.run_tool("search", *arguments), pattern)

    def test_folder_without_records_is_named(self):
        result = shared.run_tool(
            "search", "--records=absent", "--workdir=x", *_SECOND
        )

        self.assert_user_error(result, "--records=absent")

    def test_empty_folder_is_named(self):
        empty = self.folder / "empty"
        empty.mkdir()

        result = shared.run_tool(
            "search", f"--records={empty}", "--workdir=x", *_SECOND
        )

        self.assert_user_error(result, "empty folder")

    def test_too_few_records_for_two_halves(self):
        result = self.run_tool(
            "search",
            *_SECOND,
            f"--workdir={self.folder / 'run'}",
            "--batch_size=5",
        )

        self.assert_user_error(result, "too few records.*at least 10.*found: 8")

    def test_folder_with_other_things_is_refused(self):
        result = self.run_tool("search", *_SECOND, f"--workdir={self.records}")

        self.assert_user_error(result, "not empty and not a run")

    def test_damaged_checkpoint_is_named(self):
        folder = self.folder / "run"
        arguments = (*_SECOND, f"--workdir={folder}")
        self.run_tool("search", *arguments, "--epochs=1")
        (folder / "checkpoints" / "last.npz").write_bytes(b"half")

        result = self.run_tool("search", *arguments, "--epochs=2")

        self.assert_user_error(result, "checkpoint cannot be read.*last.npz")

    def test_damaged_records_stop_the_run_past_the_limit(self):
        shard = next(self.records.glob("*.tfrecord"))
        content = bytearray(shard.read_bytes())
        content[200] ^= 255
        shard.write_bytes(content)
        arguments = (*_SECOND, f"--workdir={self.folder / 'run'}", "--epochs=1")

        strict = self.run_tool("search", *arguments)
        lenient = self.run_tool("search", *arguments, "--max_bad_records=1")

        self.assert_user_error(strict, "person_0")
        self.assertEqual(lenient.exit_code, 0)


if __name__ == "__main__":
    absltest.main()
