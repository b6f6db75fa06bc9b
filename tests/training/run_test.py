"""Tests of nppnet_tf.training.run: what command lines do, called by Python."""

import contextlib
import dataclasses
import io
from unittest import mock

from absl.testing import absltest

from nppnet_tf import config
from nppnet_tf.data import descriptors
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.training import recording
from nppnet_tf.training import run
from tests.data import sample_records
from tests.tools import training_case

_NETWORK = config.NetworkConfig(channels=16, cells=4)
_INPUTS = config.InputConfig(image_size=(32, 32), batch_size=2)
_SEARCH = config.RunConfig(
    config.SearchConfig(epochs=2, warmup_epochs=1), _NETWORK, _INPUTS
)
_RETRAIN = config.RunConfig(config.RetrainConfig(epochs=2), _NETWORK, _INPUTS)
_NARROW = dataclasses.replace(
    _RETRAIN,
    schedule=config.RetrainConfig(epochs=2, precision=config.BFLOAT16),
)
_SECOND = stages.start(
    stages.INTERACTION_FUSION, published.baseline(), genotypes.OMIT
)


class _Killed(BaseException):
    """Stands for the end of a process that is killed."""


class _Listener(run.Report):
    """Keeps what it is told; stops the run after so many questions."""

    def __init__(self, stop_after=None):
        self.lines = []
        self.notes = []
        self.steps = []
        self.counted = []
        self.left = stop_after
        self.drawn = []

    def say(self, line):
        self.lines.append(line)

    @contextlib.contextmanager
    def progress(self, steps):
        self.steps.append(steps)
        self.counted.append(0)
        yield self._count

    def _count(self, note):
        self.notes.append(note())
        self.counted[-1] += 1

    def draw(self, workdir):
        self.drawn.append(workdir.completed_epochs())
        if self.drawn == [2]:
            raise RuntimeError("no room\nfor a page")

    def should_stop(self):
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0


class RunTest(training_case.TrainingCase):
    def _search(self, name, report=None, genotype=_SECOND, settings=_SEARCH):
        return run.search(
            self.records,
            genotype,
            self.folder / name,
            settings,
            report=report or _Listener(),
        )

    def _retrain(self, name, report=None, settings=_RETRAIN, **more):
        return run.retrain(
            self.records,
            published.baseline(),
            self.folder / name,
            settings,
            report=report or _Listener(),
            **more,
        )

    def test_a_search_equals_that_of_the_command_line(self):
        flags = ("--epochs=2", "--warmup_epochs=1", "--genotype=baseline")
        self.assert_ends_well(
            self.run_tool(
                "search",
                "--stage=interaction_fusion",
                "--interaction=omit",
                f"--workdir={self.folder / 'tool'}",
                *flags,
            )
        )

        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            result = run.search(
                self.records, _SECOND, self.folder / "python", _SEARCH
            )

        self.assertRegex(stdout.getvalue(), r"(?m)^epoch 2/2: loss \d")
        self.assertTrue(result.is_complete)
        self.assertEqual(result.workdir, self.folder / "python")
        self.assert_same_runs(self.folder / "tool", result.workdir)
        self.assertEqual(
            genotypes.load(result.genotype),
            genotypes.load(self.folder / "tool" / "genotype.json"),
        )
        self._assert_left_as_it_is("python")

    def _assert_left_as_it_is(self, name):
        """A search that is complete, and not that of other settings."""
        report = _Listener()

        result = self._search(name, report)

        self.assertTrue(result.is_complete)
        self.assertLen(report.lines, 1)
        self.assertIn("nothing is left to do", report.lines[0])
        for group, setting in (
            ("inputs", {"flip_probability": 0.0}),
            ("schedule", {"precision": config.BFLOAT16}),
        ):
            changed = dataclasses.replace(getattr(_SEARCH, group), **setting)
            other = dataclasses.replace(_SEARCH, **{group: changed})
            (word,) = setting
            with self.assertRaisesRegex(UserError, f"`{word}`, `workdir`"):
                self._search(name, settings=other)

    def test_a_page_is_drawn_when_due_and_at_the_end(self):
        process = config.ProcessConfig(report_every=2)
        report = _Listener()
        self._retrain(
            "run",
            report,
            dataclasses.replace(
                _RETRAIN,
                schedule=config.RetrainConfig(epochs=5),
                process=process,
            ),
        )

        self.assertEqual(report.drawn, [2, 4, 5])
        self.assertIn(
            "the page of epoch 2 is not drawn: no room for a page", report.lines
        )

    def test_a_training_equals_that_of_the_command_line(self):
        self.assert_ends_well(
            self.run_tool(
                "train",
                "--genotype=baseline",
                "--epochs=2",
                f"--validation_records={self.records}",
                f"--workdir={self.folder / 'tool'}",
            )
        )

        result = self._retrain("python", validation_records=self.records)

        self.assert_same_runs(self.folder / "tool", result.workdir)

    def test_each_goes_on_with_what_the_other_began(self):
        words = ["--genotype=baseline", f"--workdir={self.folder / 'run'}"]
        short = dataclasses.replace(
            _RETRAIN, schedule=config.RetrainConfig(epochs=1)
        )
        self._retrain("run", settings=short)

        resumed = self.run_tool("train", "--epochs=2", *words)

        self.assert_ends_well(resumed)
        self.assertIn("resuming after 1 epochs", resumed.stdout)
        self.assertTrue(self._retrain("run").is_complete)
        self.assertEqual(self._retrain("straight").is_complete, True)
        self.assert_same_runs(self.folder / "run", self.folder / "straight")

    def test_a_stopped_run_goes_on_as_if_never_stopped(self):
        report = _Listener(stop_after=2)
        stopped = self._retrain("stopped", report)

        self.assertFalse(stopped.is_complete)
        self.assertRegex(
            report.lines[-1], "^stopped on request after .* goes on from there$"
        )
        self.assertTrue(self._retrain("stopped").is_complete)
        self._retrain("straight")
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")

    def test_a_stopped_run_goes_on_in_bfloat16(self):
        schedule = dataclasses.replace(
            _SEARCH.schedule, precision=config.BFLOAT16
        )
        narrow = dataclasses.replace(_SEARCH, schedule=schedule)

        first = self._search("stopped", _Listener(5), settings=narrow)
        self._search("stopped", settings=narrow)
        self._search("straight", settings=narrow)
        self._search("wide")

        self.assertFalse(first.is_complete)
        self.assert_same_runs(self.folder / "straight", self.folder / "stopped")
        # The setting has reached the network.
        with self.assertRaises(AssertionError):
            self.assert_same_runs(
                self.folder / "straight", self.folder / "wide"
            )

    def test_a_run_keeps_its_precision(self):
        for settings, flags, words in (
            (
                _RETRAIN,
                ["--precision=bfloat16"],
                "expected: the default; found: bfloat16",
            ),
            (_NARROW, [], "expected: bfloat16; found: the default"),
        ):
            name = settings.schedule.precision
            self._retrain(name, settings=settings)

            result = self.run_tool(
                "train",
                "--epochs=3",
                "--genotype=baseline",
                f"--workdir={self.folder / name}",
                *flags,
            )

            self.assert_user_error(result, f"another run.*--precision.*{words}")

    def test_progress_counts_the_steps_behind_the_traced_one(self):
        report = _Listener()

        self._retrain("run", report)

        self.assertEqual(report.steps, [2 * 4 - 1])
        self.assertLen(report.notes, 2 * 4 - 1)
        self.assertRegex(report.notes[-1], r"^loss \d\S+, input \d+\.\d%$")

    def test_progress_begins_anew_where_a_run_goes_back(self):
        report = _Listener()
        schedule = config.RetrainConfig(
            epochs=4, learning_rate=1e6, task_weight_learning_rate=1e6
        )
        process = config.ProcessConfig(
            on_nonfinite="rollback", max_rollbacks=60, check_every=2
        )

        self._retrain(
            "run",
            report,
            dataclasses.replace(_RETRAIN, schedule=schedule, process=process),
        )

        self.assertGreater(len(report.steps), 1)
        for steps, counted in zip(report.steps, report.counted, strict=True):
            self.assertLessEqual(counted, steps)
        # No step is told that was not to come, none is missed.
        self.assertEqual(report.steps[-1], report.counted[-1])
        back = [each for each in report.lines if "rollback" in each]
        self.assertRegex(back[0], r"^\S.* of at most 60, back to \d+ epochs")

    def test_a_ruined_run_says_what_goes_on_and_when_it_is_used_up(self):
        schedule = config.RetrainConfig(epochs=2, task_weight_learning_rate=1e6)
        ruinous = dataclasses.replace(_RETRAIN, schedule=schedule)

        with self.assertRaisesRegex(
            UserError, "`on_nonfinite`=rollback lowers learning rates"
        ):
            self._retrain("run", settings=ruinous)
        report = _Listener()
        back = config.ProcessConfig(on_nonfinite="rollback", max_rollbacks=1)
        with self.assertRaisesRegex(UserError, "not finite"):
            self._retrain(
                "run", report, dataclasses.replace(ruinous, process=back)
            )

        self.assertEqual(
            report.lines[-1], "no further rollback: 1 are done, of at most 1"
        )

    def test_what_is_used_up_is_not_advised(self):
        schedule = config.RetrainConfig(epochs=2, task_weight_learning_rate=1e6)
        back = config.ProcessConfig(on_nonfinite="rollback", max_rollbacks=1)
        ruinous = dataclasses.replace(_RETRAIN, schedule=schedule, process=back)

        with self.assertRaisesRegex(
            UserError,
            "expected: finite losses; `max_rollbacks` above 1 lowers learning",
        ):
            self._retrain("run", settings=ruinous)

    def test_an_alarm_of_the_last_epoch_stops_once_also_after_a_kill(self):
        # Sick on purpose: alpha cannot move.
        schedule = config.SearchConfig(
            epochs=4,
            warmup_epochs=0,
            architecture_learning_rate=0,
            on_alarm="stop",
        )
        process = config.ProcessConfig(steps_per_epoch=1)
        sick = dataclasses.replace(_SEARCH, schedule=schedule, process=process)
        with mock.patch.object(
            recording.RunRecorder, "note_stop", side_effect=_Killed
        ):
            with self.assertRaises(_Killed):
                self._search("run", settings=sick)
        report = _Listener()

        again = self._search("run", report, settings=sick)

        self.assertTrue(again.is_alarmed and again.is_complete)
        self.assertRegex(report.lines[-2], "alarm in epoch 4, frozen: alpha")
        self.assertEqual(
            report.lines[-1],
            "ended by an alarm after 4 epochs; nothing is left to do",
        )
        report = _Listener()
        read = self._search("run", report, settings=sick)
        self.assertFalse(read.is_alarmed)
        self.assertTrue(read.is_complete)
        self.assertEndsWith(
            report.lines[-1], "left to do; an alarm had stopped the run there"
        )

    def test_wrong_values_are_named_as_arguments(self):
        for wrong, pattern in (
            ({"inputs": config.InputConfig(batch_size=0)}, "`batch_size`"),
            (
                {"process": config.ProcessConfig(strategy="all")},
                "`strategy`.*default or mirrored or .*; found: all",
            ),
            (
                {"network": config.NetworkConfig(channels=9)},
                "`channels`.*multiple of",
            ),
        ):
            with self.assertRaisesRegex(UserError, pattern):
                self._search(
                    "run", settings=dataclasses.replace(_SEARCH, **wrong)
                )
        self.assertFalse((self.folder / "run").exists())

    def test_a_rule_that_compares_gradients_takes_whole_batches(self):
        settings = dataclasses.replace(
            _SEARCH,
            schedule=dataclasses.replace(_SEARCH.schedule, stop_rule="oles"),
            process=config.ProcessConfig(accumulate_steps=2),
        )

        with self.assertRaisesRegex(
            UserError, "`stop_rule`, `accumulate_steps`.*found: oles, 2"
        ):
            self._search("run", settings=settings)

    def test_what_is_still_searched_is_not_retrained(self):
        with self.assertRaisesRegex(UserError, "still searched.*`genotype`"):
            run.retrain(
                self.records,
                genotypes.Genotype(genotypes.SEARCH),
                self.folder / "run",
            )

    def test_records_without_a_task_are_refused_unless_asked_for(self):
        records = [
            dataclasses.replace(
                record,
                keypoints_xy=record.keypoints_xy if number else None,
                visibility=record.visibility if number else None,
                label_map=None,
            )
            for number, record in enumerate(sample_records.make_records(3))
        ]
        self.records = self.folder / "poses"
        record_writer.write_records(records, self.records, descriptors.LIP)

        def settings(tasks):
            return dataclasses.replace(
                _RETRAIN,
                schedule=config.RetrainConfig(epochs=1),
                process=config.ProcessConfig(tasks=tasks),
            )

        for tasks in ("both", "parsing"):
            with self.assertRaisesRegex(
                UserError,
                "no label map of 3 samples.*poses.*or `tasks`=pose",
            ):
                self._retrain("run", settings=settings(tasks))
        report = _Listener()
        self._retrain("run", report, settings("pose"))
        self.assertIn("0 of 3 label maps, 2 of 3 poses", report.lines[0])


if __name__ == "__main__":
    absltest.main()
