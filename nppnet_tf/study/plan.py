"""Which units a study has, the most telling first."""

from collections.abc import Iterator
from collections.abc import Sequence

from nppnet_tf.errors import UserError
from nppnet_tf.study import results as kinds
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit
from nppnet_tf.study.settings import StudyConfig

# What systems have as much of as the others.
STEPS = "steps"
TIME = "time"
BUDGETS = (STEPS, TIME)

RANDOM = "random"
UNET = "unet"
RESNET = "resnet"
RELEASED = "released"

# One system for each row of Table 5 [mIoU, PCK of the paper, in percent]. The
# last one is the searched network itself.
TABLE_5 = {
    "row_1": (46.72, 84.0),
    "row_2": (51.13, 85.6),
    "row_3": (50.31, 85.7),
    "row_4": (55.74, 87.6),
    "row_5": (48.05, 85.2),
    "row_6": (53.58, 86.9),
    "row_7": (52.03, 86.5),
    "row_8": (57.14, 88.3),
}
SAMPLE = "sample"

# Compared by steps and by time, at all seeds.
COMPARED = (RANDOM, UNET, RESNET, RELEASED)
ROWS = "rows"
SAMPLES = "samples"
SYSTEMS = (*COMPARED, ROWS, SAMPLES)


class Plan:
    """The units of a study, as far as its results say which they are.

    Args:
        config: Sizes of the study.
        strategies: Names of searches.
        systems: Names of `SYSTEMS`. The first system of all, mostly a search,
            is what others are held against.
        results: What is known already.

    Raises:
        UserError: There is no such system, or none to compare; or searched
            networks are missing that others are made of.
    """

    def __init__(
        self,
        config: StudyConfig,
        strategies: Sequence[str],
        systems: Sequence[str],
        results: Results,
    ) -> None:
        unknown = [name for name in systems if name not in SYSTEMS]
        if unknown:
            raise UserError(
                "unknown system", "`systems`", ", ".join(SYSTEMS), unknown[0]
            )
        self.config = config
        self.strategies = tuple(strategies)
        self.systems = tuple(systems)
        if not self.compared:
            raise UserError(
                "nothing to compare",
                "`strategies`, `systems`",
                f"a search, or one of {', '.join(COMPARED)}",
                "none",
            )
        if not strategies and {ROWS, SAMPLES} & set(systems):
            raise UserError(
                "rows and samples are made of a searched network",
                "`strategies`",
                "a search",
                "none",
            )
        self._results = results

    @property
    def reference(self) -> str:
        """The system that everything is held against."""
        return self.compared[0]

    @property
    def compared(self) -> tuple[str, ...]:
        """Systems that are trained by both budgets, in order."""
        chosen = (name for name in COMPARED if name in self.systems)
        return (*self.strategies, *chosen)

    def units(self) -> Iterator[Unit]:
        """Returns all units in order; each may need those before it."""
        for seed in range(self.config.seeds):
            for strategy in self.strategies:
                yield Unit(kinds.SEARCH, strategy, seed)
            for system in self.compared:
                yield from self._trainings(system, seed)
            for system in self.compared:
                if system != self.reference:
                    yield Unit(kinds.SPEED, system)
                    yield self.training(system, seed, TIME)
        if SAMPLES in self.systems and self.config.samples:
            yield Unit(kinds.SUPERNET, self.reference)
            for number in range(self.config.samples):
                yield Unit(kinds.NETWORK, SAMPLE, number)
                yield self.training(SAMPLE, number)
        if ROWS in self.systems:
            for seed in range(self.config.seeds):
                for row in list(TABLE_5)[:-1]:
                    yield from self._trainings(row, seed)

    def training(self, system: str, seed: int, budget: str = STEPS) -> Unit:
        """Returns the training with the learning rate that was chosen."""
        rate = self.learning_rate(system)
        return Unit(kinds.TRAINING, system, seed, budget, rate)

    def is_rate_known(self, system: str) -> bool:
        """Whether all trainings that choose the learning rate are finished."""
        return all(
            unit in self._results for unit in self._of_rates(system).values()
        )

    def learning_rate(self, system: str) -> float:
        """Returns the rate with the best score on the selection set."""
        units = self._of_rates(system)
        return max(
            units,
            key=lambda rate: self._results[units[rate]]["selection_score"],
        )

    def _of_rates(self, system: str) -> dict[float, Unit]:
        """Returns trainings by the rates that they are made with."""
        if system == SAMPLE:
            # Eight genotypes of one search space: as those that are drawn of
            # all of it, which are trained before.
            system = RANDOM if RANDOM in self.systems else self.reference
        return {
            rate: Unit(kinds.TRAINING, system, 0, STEPS, rate)
            for rate in self.config.learning_rates
        }

    def _trainings(self, system: str, seed: int) -> Iterator[Unit]:
        """What a system is made of, then by steps, with all rates at first."""
        yield Unit(kinds.NETWORK, system, seed)
        if seed == 0:
            for rate in self.config.learning_rates:
                yield Unit(kinds.TRAINING, system, 0, STEPS, rate)
        else:
            yield self.training(system, seed)
