"""Tests of searches that widen as they go."""

from absl.testing import absltest

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import phases
from nppnet_tf.training import run
from nppnet_tf.training.workdir import Workdir
from tests.tools import training_case

_GENOTYPE = genotypes.Genotype(
    genotypes.BASELINE, genotypes.OMIT, genotypes.SEARCH
)
_CONFIG = configuration.RunConfig(
    configuration.SearchConfig(epochs=2, warmup_epochs=1),
    configuration.NetworkConfig(channels=32, cells=4),
    configuration.InputConfig(image_size=(32, 32), batch_size=2),
    process=configuration.ProcessConfig(steps_per_epoch=1),
)


class _Listener(run.Report):
    """Keeps lines; stops the run after so many questions."""

    def __init__(self, left=1000):
        self.lines = []
        self.left = left

    def say(self, line):
        self.lines.append(line)

    def should_stop(self):
        self.left -= 1
        return self.left < 0


class PhasesTest(training_case.TrainingCase):
    def _search(self, name, report=None, widenings=1):
        return phases.search(
            self.records,
            _GENOTYPE,
            self.folder / name,
            _CONFIG,
            SearchSpace(channel_proportion=4),
            widenings,
            report=report or _Listener(),
        )

    def test_stopped_in_any_phase_it_goes_on(self):
        report = _Listener()
        straight = self._search("straight", report)
        for left in (3, 2):
            stopped = self._search("stopped", _Listener(left))
            self.assertFalse(stopped.is_complete)
        ended = self._search("stopped")

        self.assertTrue(straight.is_complete and ended.is_complete)
        for phase in ("k_4", "k_2"):
            self.assert_same_runs(
                self.folder / "straight" / phase,
                self.folder / "stopped" / phase,
            )
        last = self.folder / "straight" / "k_4" / "checkpoints" / "last.npz"
        starts = [line for line in report.lines if "starts from" in line]
        self.assertLen(starts, 1)
        self.assertStartsWith(starts[0], f"starts from {last}: ")
        settings = [
            Workdir(self.folder / "straight" / phase).settings()
            for phase in ("k_4", "k_2")
        ]
        self.assertEqual([each["warmup_epochs"] for each in settings], [1, 0])
        self.assertEqual(settings[0]["channel_proportion"], 4)

    def test_what_cannot_be_halved_is_refused_at_once(self):
        with self.assertRaisesRegex(UserError, "`widenings`.*multiple of 8"):
            self._search("run", widenings=3)
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    absltest.main()
