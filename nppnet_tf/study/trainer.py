"""Trains one network again and again, traced once.

Tracing a network takes as long as a hundred of its steps. So a genotype's
steps are traced once, and every training with another seed or learning rate
draws all variables anew: they are those of a model that was made for it.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.samples import batches
from nppnet_tf.evaluation import evaluation
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.study.people import People
from nppnet_tf.study.settings import StudyConfig
from nppnet_tf.training import checkpoints
from nppnet_tf.training import distribution
from nppnet_tf.training import joint_model
from nppnet_tf.training import retrain

# Decimals of what is written: scores, losses and seconds.
_DIGITS = 6

MEASURES = ("mean_iou", "pckh")


class Trainer:
    """One network of a study, for all its trainings.

    Args:
        genotype: A derived genotype.
        network: Size of the network.
        config: Sizes of the study.
        people: Sets to train on, to choose by, and to measure.
        seed: Seed of the first training; its weights need not be drawn twice.
    """

    def __init__(
        self,
        genotype: Genotype,
        network: NetworkConfig,
        config: StudyConfig,
        people: People,
        seed: int = 0,
    ) -> None:
        self._genotype = genotype
        self._network = network
        self._config = config
        self._people = people
        self._selection = batches.make_dataset(
            people.selection, config.inputs(0), training=False
        ).cache()
        self.model = self._new(seed)
        self._drawn = seed, checkpoints.arrays_of(self.model)
        self.step(self.some_batch())

    def train(
        self, seed: int, learning_rate: float, steps: int
    ) -> dict[str, Any]:
        """Trains from new weights and measures the best epoch.

        Args:
            seed: Seed of weights, of the order and of every drawn transform.
            learning_rate: Learning rate of the weights before its drops.
            steps: Steps of the whole training, a part of them each epoch.

        Returns:
            "curve": of each epoch its last "step", "loss" and the "mean_iou"
            and "pckh" on the selection set at the network's size;
            "best_epoch", "selection_score" (their mean, 0 where the training
            failed), "test" with "mean_iou" and "pckh" by the protocol of
            `evaluation`; "seconds" and "processor_seconds" of the steps, and
            "seconds_in_all".
        """
        started = time.perf_counter()
        self.draw_anew(seed, learning_rate)
        curve: list[dict[str, float]] = []
        best, best_epoch, best_arrays = -1.0, None, None
        clock = _Clock()
        data = iter(self._training_data(seed, steps))
        ends = np.linspace(0, steps, self._config.evaluations + 1).astype(int)
        for epoch, (start, end) in enumerate(itertools.pairwise(ends)):
            with clock:
                loss = self._train_epoch(epoch, data, end - start)
            if not math.isfinite(loss):
                break
            scores = self._validate()
            curve.append({"step": int(end), "loss": loss, **scores})
            if score(scores) > best:
                best, best_epoch = score(scores), epoch
                best_arrays = checkpoints.arrays_of(self.model)
        test = {"mean_iou": 0.0, "pckh": 0.0}
        if best_arrays is not None:
            _assign(self.model, best_arrays)
            test = self._test()
        return {
            "steps": steps,
            "curve": [_rounded(point) for point in curve],
            "best_epoch": best_epoch,
            "selection_score": round(max(best, 0.0), _DIGITS),
            "test": _rounded(test),
            "seconds": round(clock.seconds, 3),
            "processor_seconds": round(clock.processor_seconds, 3),
            "seconds_in_all": round(time.perf_counter() - started, 3),
        }

    def draw_anew(self, seed: int, learning_rate: float) -> None:
        """Gives every variable what it has in a model made for this."""
        if self._drawn[0] != seed:
            self._drawn = seed, checkpoints.arrays_of(self._new(seed))
        _assign(self.model, self._drawn[1])
        self.model.updates = tuple(
            update._replace(
                schedule=dataclasses.replace(
                    update.schedule, initial=learning_rate
                )
            )
            if update.name == joint_model.WEIGHT_OPTIMIZER
            else update
            for update in self.model.updates
        )

    def step(self, batch: Mapping[str, tf.Tensor]) -> float:
        """Takes one step, waits until it is done and returns the loss."""
        return float(self.model.take_step(batch)["loss"])

    def some_batch(self) -> Mapping[str, tf.Tensor]:
        """Returns a batch of the training set."""
        return next(iter(self._training_data(0, 1)))

    def _new(self, seed: int) -> retrain.RetrainModel:
        keras.utils.set_random_seed(seed)
        descriptor = self._people.train.descriptor
        sizes = self._network.for_data(descriptor)
        return retrain.make_retrain_model(
            self._genotype,
            sizes,
            self._config.loss(),
            self._config.training(),
            descriptor,
            distribution.make_strategy("default"),
        )

    def _training_data(self, seed: int, steps: int) -> tf.data.Dataset:
        inputs = self._config.inputs(seed)
        every = batches.steps_per_epoch(self._people.train, inputs)
        return batches.make_dataset(
            self._people.train,
            inputs,
            training=True,
            num_epochs=-(-steps // every),
        ).take(steps)

    def _train_epoch(
        self, epoch: int, data: Iterator[Mapping[str, tf.Tensor]], steps: int
    ) -> float:
        """Takes so many steps and returns their mean loss."""
        self.model.begin_epoch(epoch)
        self.model.reset_metrics()
        loss = 0.0
        for batch in itertools.islice(data, int(steps)):
            loss = self.model.take_step(batch)["loss"]
        return float(loss)

    def _validate(self) -> dict[str, float]:
        self.model.reset_metrics()
        for batch in self._selection:
            logs = self.model.validate(batch)
        return {name: float(logs[name]) for name in MEASURES}

    def _test(self) -> dict[str, float]:
        predictor = Predictor.from_network(
            self.model.network,
            self._people.test.descriptor,
            self._config.image_size,
        )
        found = evaluation.evaluate_records(predictor, self._people.test)
        return {
            "mean_iou": found["parsing"]["mean_iou"],
            "pckh": found["pose"]["pckh"],
        }


def score(measures: Mapping[str, float]) -> float:
    """Returns the mean of mIoU and PCKh, by which everything is chosen."""
    found = [measures[name] for name in MEASURES]
    return sum(0.0 if math.isnan(each) else each for each in found) / len(found)


class _Clock:
    """Adds up the seconds of the blocks that it is entered for."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.processor_seconds = 0.0

    def __enter__(self) -> None:
        self._starts = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        start, processor_start = self._starts
        self.seconds += time.perf_counter() - start
        self.processor_seconds += time.process_time() - processor_start


def _assign(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Gives a model the variables of an equal one, by their order."""
    # Names may differ by a number that Keras adds to a second model's.
    variables = checkpoints.named_variables(model).values()
    for variable, value in zip(variables, arrays.values(), strict=True):
        variable.assign(value)


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in values.items()
    }
