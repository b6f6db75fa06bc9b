"""Takes the units of a study one after the other."""

import collections
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import nppnet_tf
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import choice_costs
from nppnet_tf.models import cost
from nppnet_tf.models import equal_cost
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.study import people
from nppnet_tf.study import plan
from nppnet_tf.study import results as kinds
from nppnet_tf.study.plan import Plan
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit
from nppnet_tf.study.searches import Search
from nppnet_tf.study.trainer import Trainer
from nppnet_tf.training import distribution
from nppnet_tf.training import run

# Networks that are kept traced: those of the first seed are timed together.
_KEPT = 8

# Rounds of timing, each of so many steps of every system.
_ROUNDS, _ROUND_STEPS = 12, 2

_FIXED = {
    plan.UNET: published.unet,
    plan.RESNET: published.baseline,
    plan.RELEASED: published.released,
}
_REFERENCE = "reference"
_EQUALIZED = (plan.UNET, plan.RESNET)
_ALL_SEARCHED = Genotype(genotypes.SEARCH, genotypes.SEARCH, genotypes.SEARCH)
_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "pillow")

# What the rows of Table 5 have in place of a gene.
_ROWS = {
    "row_1": dict(
        encoder_decoder=genotypes.BASELINE,
        interaction=genotypes.OMIT,
        fusion=genotypes.OMIT,
    ),
    "row_2": dict(interaction=genotypes.OMIT, fusion=genotypes.OMIT),
    "row_3": dict(encoder_decoder=genotypes.BASELINE, fusion=genotypes.OMIT),
    "row_4": dict(fusion=genotypes.OMIT),
    "row_5": dict(
        encoder_decoder=genotypes.BASELINE, interaction=genotypes.OMIT
    ),
    "row_6": dict(interaction=genotypes.OMIT),
    "row_7": dict(encoder_decoder=genotypes.BASELINE),
}


class Study:
    """Everything that finishes a unit of a plan.

    Args:
        study: Units and settings.
        results: Where finished units are, and are added.
        folder: Folder of people and searches, for these settings alone.
        report: Takes lines.
        command: Command line, for the record.
        num_workers: Processes that draw people.
    """

    def __init__(
        self,
        study: Plan,
        results: Results,
        folder: str | os.PathLike[str],
        report: run.Report,
        command: str = "",
        num_workers: int = 1,
    ) -> None:
        self._plan = study
        self._config = study.config
        self._results = results
        self._folder = pathlib.Path(folder)
        self._report = report
        self._command = command
        self._num_workers = num_workers
        self._trainers: collections.OrderedDict[str, Trainer] = (
            collections.OrderedDict()
        )
        self._lazy_people: people.People | None = None
        self._lazy_costs: choice_costs.ChoiceCosts | None = None
        self._work: dict[str, Callable[[Unit], dict[str, Any]]] = {
            kinds.SEARCH: self._search,
            kinds.NETWORK: self._network,
            kinds.SPEED: self._speed,
            kinds.SUPERNET: self._supernet,
            kinds.TRAINING: self._train,
        }

    def run(self, most: int | None = None) -> bool:
        """Finishes the units that are left.

        Args:
            most: Units after which to end; None for all.

        Returns:
            Whether all are finished.

        Raises:
            UserError: Costs and speeds that are there are those of another
                system.
        """
        self._require_reference()
        # It sets threads, which must come before TensorFlow's first operation:
        # a study that goes on with any unit computes as one from its start.
        distribution.make_strategy("default")
        # Of many traced networks, which is what a study has.
        tf.get_logger().setLevel("ERROR")
        self._record_settings()
        done = 0
        for unit in self._plan.units():
            if self._is_finished(unit):
                continue
            if done == most:
                return False
            started = time.perf_counter()
            result = self._work[unit.kind](unit)
            if self._depends_on_reference(unit):
                result[_REFERENCE] = self._plan.reference
            self._results.add(unit, result)
            done += 1
            self._report.say(
                f"{unit}: {time.perf_counter() - started:.0f} s{_told(result)}"
            )
        return True

    def _require_reference(self) -> None:
        """Refuses results that were held against another system."""
        for kind in (kinds.NETWORK, kinds.SPEED):
            for unit, found in self._results.of_kind(kind).items():
                # Older lines do not name it.
                other = found.get(_REFERENCE, self._plan.reference)
                if other != self._plan.reference:
                    raise UserError(
                        "results are held against another system",
                        f"{self._results.path}, {unit}",
                        f"{self._plan.reference}, the first that is compared "
                        "now, or other `results`",
                        other,
                    )

    def _depends_on_reference(self, unit: Unit) -> bool:
        """Whether a result is made for the system that others are held to."""
        if unit.kind == kinds.NETWORK:
            return unit.system in (*_EQUALIZED, plan.RANDOM)
        return unit.kind == kinds.SPEED

    def _is_finished(self, unit: Unit) -> bool:
        """Whether there is a result, and of as much as is asked for now."""
        if unit not in self._results:
            return False
        if unit.kind != kinds.SUPERNET:
            return True
        return len(self._results[unit]["scores"]) >= self._config.samples

    @property
    def _people(self) -> people.People:
        if self._lazy_people is None:
            self._report.say("people: drawing those that are not there yet")
            self._lazy_people = people.drawn(
                self._folder, self._config, self._num_workers
            )
        return self._lazy_people

    def _record_settings(self) -> None:
        """Adds a line where the circumstances are not those of the last."""
        found = {
            "record": self._config.record(),
            "command": self._command,
            "versions": {
                "nppnet_tf": nppnet_tf.__version__,
                "python": platform.python_version(),
                **{
                    name: importlib.metadata.version(name) for name in _PACKAGES
                },
            },
            "processors": len(os.sched_getaffinity(0)),
        }
        known = self._results.settings
        if not known or known[-1] != json.loads(json.dumps(found)):
            self._results.add(Unit(kinds.SETTINGS), found)

    def _search(self, unit: Unit) -> dict[str, Any]:
        return self._search_of(unit.system, unit.seed).run()

    def _search_of(self, strategy: str, seed: int) -> Search:
        return Search(
            self._config,
            strategy,
            seed,
            self._people,
            self._folder / "searches",
            self._report,
        )

    def _network(self, unit: Unit) -> dict[str, Any]:
        """Returns what a system is made of, and what it costs."""
        genotype, config = self._made_of(unit)
        found = cost.cost(NPPNet(genotype, config), self._config.image_size)
        return {
            "genotype": genotype.to_values(),
            "channels": config.channels,
            "baseline_width": config.baseline_width,
            "parameters": found.parameters,
            "macs": found.macs,
        }

    def _made_of(self, unit: Unit) -> tuple[Genotype, NetworkConfig]:
        system, seed, config = unit.system, unit.seed, self._config.network()
        if system in self._plan.strategies:
            return self._searched(system, seed), config
        if system == plan.SAMPLE:
            return self._samples()[seed], config
        if system in _ROWS:
            searched = self._searched(self._plan.reference, seed)
            return dataclasses.replace(searched, **_ROWS[system]), config
        if system == plan.RANDOM:
            return self._random(seed), config
        genotype = _FIXED[system]()
        if system in _EQUALIZED and system != self._plan.reference:
            config = self._equalized(unit, genotype)
        return genotype, config

    def _searched(self, strategy: str, seed: int) -> Genotype:
        found = self._results[Unit(kinds.SEARCH, strategy, seed)]
        return _genotype(found)

    def _target_macs(self, seed: int) -> int:
        """Cost of the searched network, which others of the seed have, too."""
        unit = Unit(kinds.NETWORK, self._plan.reference, seed)
        return self._results[unit]["macs"]

    def _random(self, seed: int) -> Genotype:
        random = np.random.default_rng(seed)
        if self._plan.reference == plan.RANDOM:
            return random_genotype.draw(_ALL_SEARCHED, random)
        if self._lazy_costs is None:
            self._lazy_costs = choice_costs.measure(
                _ALL_SEARCHED, self._config.network(), self._config.image_size
            )
        return random_genotype.draw_within(
            _ALL_SEARCHED,
            random,
            self._lazy_costs.of,
            self._target_macs(seed),
            equal_cost.TOLERANCE,
        )

    def _samples(self) -> list[Genotype]:
        """Random interactions and fusions for the first search's encoders."""
        start = stages.start(
            stages.INTERACTION_FUSION, self._searched(self._plan.reference, 0)
        )
        random = np.random.default_rng(self._config.people_seed)
        return [
            random_genotype.draw(start, random)
            for _ in range(self._config.samples)
        ]

    def _equalized(self, unit: Unit, genotype: Genotype) -> NetworkConfig:
        """Returns a size that costs what the searched network does.

        That of an earlier seed where it fits: it is traced already.
        """
        target = self._target_macs(unit.seed)
        for seed in range(unit.seed):
            known = self._results[dataclasses.replace(unit, seed=seed)]
            if abs(known["macs"] / target - 1) <= equal_cost.TOLERANCE:
                return self._size(known)
        return equal_cost.of_equal_cost(
            genotype, self._config.network(), self._config.image_size, target
        )

    def _size(self, network: dict[str, Any]) -> NetworkConfig:
        return dataclasses.replace(
            self._config.network(),
            channels=network["channels"],
            baseline_width=network["baseline_width"],
        )

    def _trainer(self, system: str, seed: int) -> Trainer:
        """Returns the trainer of a network, traced now or before."""
        network = self._results[Unit(kinds.NETWORK, system, seed)]
        key = json.dumps(network, sort_keys=True)
        if key not in self._trainers:
            while len(self._trainers) >= _KEPT:
                self._trainers.popitem(last=False)
            self._trainers[key] = Trainer(
                _genotype(network),
                self._size(network),
                self._config,
                self._people,
                seed,
            )
        self._trainers.move_to_end(key)
        return self._trainers[key]

    def _train(self, unit: Unit) -> dict[str, Any]:
        started = time.perf_counter()
        trainer = self._trainer(unit.system, unit.seed)
        tracing = time.perf_counter() - started
        found = trainer.train(unit.seed, unit.learning_rate, self._steps(unit))
        return {**found, "seconds_of_tracing": round(tracing, 3)}

    def _steps(self, unit: Unit) -> int:
        """Steps that equal time buys, or those that all take."""
        if unit.budget == plan.STEPS:
            return self._config.steps
        share = self._results[Unit(kinds.SPEED, unit.system)]["share"]
        return max(round(self._config.steps * share), 1)

    def _speed(self, unit: Unit) -> dict[str, Any]:
        """Times steps of two systems in turns: they share every disturbance."""
        names = (unit.system, self._plan.reference)
        trainers = [self._trainer(name, 0) for name in names]
        batch = trainers[0].some_batch()
        times = np.zeros([_ROUNDS, len(names)])
        for number in range(_ROUNDS):
            for column, trainer in enumerate(trainers):
                started = time.perf_counter()
                for _ in range(_ROUND_STEPS):
                    trainer.step(batch)
                taken = time.perf_counter() - started
                times[number, column] = taken / _ROUND_STEPS
        ours, theirs = np.median(times, axis=0)
        shares = times[:, 1] / times[:, 0]
        return {
            "seconds_per_step": round(float(ours), 5),
            "reference_seconds_per_step": round(float(theirs), 5),
            # Of rounds, not of medians: a disturbance is within a round.
            "share": round(float(np.median(shares)), 4),
            "quartiles": np.quantile(shares, (0.25, 0.75)).round(4).tolist(),
            "rounds": _ROUNDS,
        }

    def _supernet(self, unit: Unit) -> dict[str, Any]:
        search = self._search_of(unit.system, unit.seed)
        # Where another machine has run the search, its supernet is not here.
        search.run()
        return {"scores": search.supernet_scores(self._samples())}


def _genotype(result: dict[str, Any]) -> Genotype:
    return Genotype.from_values(result["genotype"])


def _told(result: dict[str, Any]) -> str:
    """Returns what a line says of a training."""
    if "test" not in result:
        return ""
    test = result["test"]
    return (
        f", {result['steps']} steps, selection {result['selection_score']:.3f},"
        f" test mIoU {test['mean_iou']:.3f}, PCKh {test['pckh']:.3f}"
    )
