"""The searches of a study, and what their supernets say of genotypes."""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import RunConfig
from nppnet_tf.data.samples import batches
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.layers import normalization
from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.metrics.pck import HeatmapPCKh
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.search_space import strategies
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.study.people import People
from nppnet_tf.study.settings import StudyConfig
from nppnet_tf.training import run
from nppnet_tf.training import supernets
from nppnet_tf.training.workdir import Workdir

# A softmax makes of it 1 and, elsewhere, nothing that float32 would add.
_CERTAIN = 30.0


def check_strategy(name: str, config: StudyConfig) -> None:
    """Raises UserError where there is no such search of this size."""
    names = [
        strategy.name
        for strategy in strategies.known()
        if strategy.name != strategies.RANDOM
    ]
    if name not in names:
        raise UserError(
            "unknown strategy", "`strategies`", ", ".join(names), name
        )
    for stage, known in (
        (stages.ENCODER_DECODER, None),
        (stages.INTERACTION_FUSION, published.released()),
    ):
        stages.start(stage, known).check_size(config.network(), space_of(name))


def space_of(strategy: str) -> SearchSpace:
    """Returns the operations and channels that a strategy searches."""
    proportion = strategies.named(strategy).channel_proportion
    if proportion is None:
        return PAPER
    return SearchSpace(PAPER.primitives, proportion)


@dataclasses.dataclass(frozen=True)
class Search:
    """Both stages of one search.

    Attributes:
        config: Sizes of the study.
        strategy: Name of the strategy.
        seed: Seed of the search.
        people: The training set is searched on.
        folder: Folder of both runs; a search that was stopped goes on there.
        report: Takes lines.
    """

    config: StudyConfig
    strategy: str
    seed: int
    people: People
    folder: pathlib.Path
    report: run.Report

    def run(self) -> dict[str, Any]:
        """Runs what is not done yet.

        Returns:
            "genotype"; by stage "health", the last and the largest values of
            its records, and "seconds" of its epochs; "seconds_in_all" of this
            call.
        """
        started = time.perf_counter()
        genotype, found = None, {}
        for stage in stages.NAMES:
            workdir = self._workdir(stage)
            result = run.search(
                self.people.train,
                stages.start(stage, genotype),
                workdir,
                self.run_config(),
                space_of(self.strategy),
                self.report,
            )
            genotype = genotypes.load(result.genotype)
            found[stage] = _facts(Workdir(workdir).metrics_file)
        return {
            "genotype": genotype.to_values(),
            "stages": found,
            "seconds": round(sum(f["seconds"] for f in found.values()), 3),
            "seconds_in_all": round(time.perf_counter() - started, 3),
        }

    def supernet_scores(
        self, samples: Sequence[Genotype]
    ) -> list[dict[str, float]]:
        """Measures genotypes with the weights that the supernet has for them.

        Args:
            samples: Genotypes with this search's encoder-decoder.

        Returns:
            Of each "mean_iou" and "pckh" on the selection set, at the
            network's size and, as a supernet has no others, with the statistics
            of batches.
        """
        network = supernets.restored(
            self._workdir(stages.INTERACTION_FUSION),
            self.people.train.descriptor,
        ).network

        @tf.function(autograph=False)
        def predict(image: tf.Tensor) -> Mapping[str, Any]:
            with normalization.frozen_statistics():
                return network(image, training=True)

        selection = list(
            batches.make_dataset(
                self.people.selection,
                self.config.inputs(self.seed),
                training=False,
            )
        )
        found = []
        for genotype in samples:
            choose(network, genotype)
            found.append(self._measured(predict, selection))
        return found

    def _measured(
        self,
        predict: Callable[[tf.Tensor], Mapping[str, Any]],
        selection: Iterable[Mapping[str, tf.Tensor]],
    ) -> dict[str, float]:
        descriptor = self.people.selection.descriptor
        metrics = (
            MeanIoU(descriptor.num_classes),
            HeatmapPCKh.from_descriptor(descriptor),
        )
        for batch in selection:
            predictions = predict(batch[keys.IMAGE])
            for metric in metrics:
                metric.update(batch, predictions)
        return {
            metric.name: round(float(metric.result()), 6) for metric in metrics
        }

    def run_config(self) -> RunConfig:
        """Returns a stage of the search, with the strategy's components."""
        config = self.config.search(self.seed)
        settings = dict(strategies.named(self.strategy).settings)
        schedule = dataclasses.replace(config.schedule, **settings)
        # Of searches of fifty epochs; ours is as long as it is.
        epochs = self.config.search_epochs
        schedule = dataclasses.replace(
            schedule,
            regularizer_ramp_epochs=min(
                schedule.regularizer_ramp_epochs, epochs - 1
            ),
            perturbation_ramp_epochs=(
                schedule.perturbation_ramp_epochs
                if schedule.perturbation == strategies.NONE
                else min(schedule.perturbation_ramp_epochs, epochs)
            ),
        )
        return dataclasses.replace(config, schedule=schedule)

    def _workdir(self, stage: str) -> pathlib.Path:
        return self.folder / f"{self.strategy}_{self.seed}" / stage


def choose(network: Any, genotype: Genotype) -> None:
    """Gives all weight of a supernet to the choices of a genotype.

    Args:
        network: Supernet; its alpha and beta are replaced.
        genotype: What is chosen in each searched part. Choices on one edge get
            equal weights, and so do the edges of a node.
    """
    primitives = network.space.primitives
    for part in genotypes.searched_parts(network.genotype):
        parameters = network.architecture[part.name]
        alpha = np.zeros(parameters.alpha.shape, np.float32)
        beta = np.zeros(parameters.beta.shape, np.float32)
        for places in genotypes.places_of(genotype, part, primitives):
            for row, column in places:
                alpha[row, column] = _CERTAIN
                beta[row] = _CERTAIN
        parameters.alpha.assign(alpha)
        parameters.beta.assign(beta)


def _facts(metrics_file: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns what the records of a search tell of its health."""
    records = [
        json_documents.parse(line, metrics_file)
        for line in text_files.read(metrics_file).splitlines()
    ]
    skips = [
        max(part["skip_share"] for part in record["parts"].values())
        for record in records
    ]
    return {
        "largest_skip_share": round(max(skips), 4),
        "last_skip_share": round(skips[-1], 4),
        "entropy": [round(record["entropy_mean"], 4) for record in records],
        "losses": [
            {
                name: round(record["losses"][name], 4)
                for name in ("loss", "architecture_loss")
                if name in record["losses"]
            }
            for record in records
        ],
        "seconds": round(sum(record["seconds"] for record in records), 3),
    }
