"""Tests of a study from its people to its page.

A stand-in takes the network's place in every training; what networks cost is
counted in real ones, and tests/user_paths/study_test.py trains one.
"""

import json
import pathlib
from unittest import mock

import keras
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.study import report
from nppnet_tf.study import results
from nppnet_tf.study import summary
from nppnet_tf.study.plan import Plan
from nppnet_tf.study.results import Results
from nppnet_tf.study.settings import StudyConfig
from nppnet_tf.study.study import Study
from nppnet_tf.study.trainer import Trainer
from nppnet_tf.training import checkpoints
from nppnet_tf.training import run
from tests.training import tiny_network

CONFIG = StudyConfig(
    seeds=2,
    samples=0,
    image_size=(32, 32),
    channels=8,
    batch_size=2,
    steps=2,
    evaluations=1,
    train_people=4,
    selection_people=2,
    test_people=2,
    picture_size=(32, 32),
)
# What no two trainings have in common.
_TIMES = (
    "seconds",
    "processor_seconds",
    "seconds_in_all",
    "seconds_of_tracing",
)


class _Network(tiny_network.TinyNetwork):
    """Of weights that follow from the seed, as those of real networks."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        for weight in self.trainable_variables:
            weight.assign(keras.random.normal(weight.shape, stddev=0.3))


class _Silent(run.Report):
    def say(self, line):
        del line


def _study(folder, name, report=None):
    found = Results(folder / name, CONFIG.digest())
    units = Plan(CONFIG, [], ["unet"], found)
    return Study(units, found, folder / "work", report or _Silent()), units


class StudyTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        network = mock.patch("nppnet_tf.training.retrain.NPPNet", _Network)
        cls.enterClassContext(network)
        cls.folder = pathlib.Path(
            absltest.get_default_test_tmpdir(), "study_test"
        )
        cls.study, cls.units = _study(cls.folder, "whole.jsonl")
        cls.is_complete = cls.study.run()

    def test_a_study_that_is_stopped_at_any_unit_ends_as_one_that_is_not(self):
        # What a process leaves that is killed while it writes a line.
        lines = (self.folder / "whole.jsonl").read_text().splitlines(True)
        stopped = self.folder / "stopped.jsonl"
        stopped.write_text("".join(lines[:4]) + lines[4][:60])

        again, _ = _study(self.folder, "stopped.jsonl")
        again._trainers = self.study._trainers
        self.assertFalse(again.run(most=1))
        again, _ = _study(self.folder, "stopped.jsonl")
        again._trainers = self.study._trainers
        self.assertTrue(again.run())

        self.assertTrue(self.is_complete)
        self.assertEqual(
            [records.manifest["dataset"] for records in self.study._people],
            ["lip"] * 3,
        )
        self.assertEqual(_lines(stopped), _lines(self.folder / "whole.jsonl"))

    def test_threads_are_set_before_any_unit_computes(self):
        called = mock.Mock()
        called.unit.side_effect = InterruptedError
        study, _ = _study(self.folder, "threads.jsonl")
        study._work = dict.fromkeys(study._work, called.unit)
        with mock.patch(
            "nppnet_tf.training.distribution.share_cores", called.share_cores
        ):
            with self.assertRaises(InterruptedError):
                study.run()

        self.assertEqual(
            [call[0] for call in called.mock_calls], ["share_cores", "unit"]
        )

    def test_a_finished_study_does_nothing(self):
        said = []

        class Heard(run.Report):
            def say(self, line):
                said.append(line)

        before = (self.folder / "whole.jsonl").read_text()

        study, _ = _study(self.folder, "whole.jsonl", Heard())

        self.assertTrue(study.run())
        self.assertEmpty(said)
        self.assertEqual((self.folder / "whole.jsonl").read_text(), before)

    def test_costs_and_speeds_of_another_reference_are_refused(self):
        copy = self.folder / "copy.jsonl"
        text = (self.folder / "whole.jsonl").read_text()
        copy.write_text(text)
        found = Results(copy, CONFIG.digest())
        units = Plan(CONFIG, [], ["random", "unet"], found)
        other = Study(units, found, self.folder / "work", _Silent())

        with self.assertRaisesRegex(
            UserError, "another system.*network, unet.*random.*found: unet"
        ):
            other.run()

        self.assertEqual(copy.read_text(), text)

    def test_variables_drawn_anew_are_those_of_a_model_made_for_them(self):
        people, used = self.study._people, self._trainer()
        fresh = Trainer(used._genotype, used._network, CONFIG, people, seed=7)

        again = used.train(7, 0.004, 2)
        other = self.units._results[self.units.training("unet", 1)]

        self.assertEqual(_untimed(fresh.train(7, 0.004, 2)), _untimed(again))
        self.assertNotEqual(_untimed(other), _untimed(again))

    def test_variables_of_equal_networks_have_one_order(self):
        # By which a model gets those that are drawn anew.
        trainer = self._trainer()
        with mock.patch("nppnet_tf.training.retrain.NPPNet", NPPNet):
            models = [trainer._new(seed) for seed in (0, 1)]

        first, second = (
            [
                (variable.name, variable.shape)
                for variable in checkpoints.named_variables(model).values()
            ]
            for model in models
        )

        self.assertGreater(len(first), 400)
        self.assertEqual(first, second)

    def _trainer(self):
        """That of the study's only network."""
        (network,) = {
            json.dumps(found, sort_keys=True)
            for found in self.units._results.of_kind(results.NETWORK).values()
        }
        return self.study._trainers[network]

    def test_figures_and_page_are_made_of_it(self):
        figures = summary.of(self.units, self.units._results)
        page = self.folder / "page.html"

        report.write(figures, page)

        text = page.read_text()
        self.assertIn("<svg", text)
        self.assertIn("U-Net", text)
        self.assertNotIn("nan", text)
        self.assertEqual(figures["budgets"]["steps"]["unet"]["seeds"], [0, 1])


def _untimed(result):
    return {key: value for key, value in result.items() if key not in _TIMES}


def _lines(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["unit"], _untimed(line["result"])) for line in lines]


if __name__ == "__main__":
    absltest.main()
