"""What search and retraining share: network, joint loss, one descent."""

import contextlib
import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf import replicas
from nppnet_tf import resampling
from nppnet_tf.data import descriptors
from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.metrics.pck import HeatmapPCKh
from nppnet_tf.models.budget import Budget
from nppnet_tf.training import constants
from nppnet_tf.training import distribution
from nppnet_tf.training import gradients as gradient_sums
from nppnet_tf.training import schedules
from nppnet_tf.training.adam import Adam

WEIGHT_OPTIMIZER = "weight_optimizer"
TASK_WEIGHT_OPTIMIZER = "task_weight_optimizer"

# Takes a batch, moves variables, returns metrics.
Step = Callable[[Any], dict[str, tf.Tensor]]

# Takes a batch, updates and trackers of a step and descends.
Descent = Callable[[Any, Sequence["Update"], Mapping], None]

# Makes an optimizer, of (learning_rate=..., name=...).
OptimizerMaker = Callable[..., keras.optimizers.Optimizer]


class Update(NamedTuple):
    """Variables that one optimizer moves at its own learning rate.

    Attributes:
        name: Name of the optimizer, in checkpoints and records.
        optimizer: Built on `variables`.
        variables: The ones it moves.
        schedule: Learning rate of every epoch.
    """

    name: str
    optimizer: keras.optimizers.Optimizer
    variables: Sequence[keras.Variable]
    schedule: schedules.StepDecay


def make_update(
    name: str,
    variables: Sequence[keras.Variable],
    schedule: schedules.StepDecay,
    make_optimizer: OptimizerMaker = Adam,
) -> Update:
    """Builds an optimizer on its variables, in the strategy's scope.

    Args:
        name: Name of the optimizer.
        variables: What it moves.
        schedule: Learning rates of the optimizer.
        make_optimizer: Makes it, of (learning_rate=..., name=...).
    """
    optimizer = make_optimizer(learning_rate=schedule(0), name=name)
    # An optimizer that Keras builds at its first step fails on two replicas.
    optimizer.build(list(variables))
    return Update(name, optimizer, list(variables), schedule)


def weight_updates(
    network: keras.Model,
    joint_loss: keras.layers.Layer,
    schedule: schedules.StepDecay,
    task_weight_learning_rate: float,
    optimizers: Mapping[str, OptimizerMaker] | None = None,
) -> list[Update]:
    """Returns the updates of network weights and of the loss's task weights.

    Both drop at the same epochs, as in the release.

    Args:
        network: Network with `network_weights`.
        joint_loss: Loss with the task weights.
        schedule: Learning rates of the network weights.
        task_weight_learning_rate: Learning rate of the task weights in the
            first epoch.
        optimizers: See `JointModel`.
    """
    optimizers = optimizers or {}
    task_schedule = dataclasses.replace(
        schedule, initial=task_weight_learning_rate
    )
    moved = {
        WEIGHT_OPTIMIZER: (network.network_weights, schedule),
        TASK_WEIGHT_OPTIMIZER: (joint_loss.trainable_variables, task_schedule),
    }
    return [
        make_update(name, variables, rates, optimizers.get(name, Adam))
        for name, (variables, rates) in moved.items()
        # A loss of one term has no weights to learn.
        if variables
    ]


def variables_of(updates: Sequence[Update]) -> list[list[tf.Variable]]:
    """Returns TensorFlow's own variables, which tapes want, by update."""
    return [
        [variable.value for variable in update.variables] for update in updates
    ]


def loss_trackers(
    joint_loss: keras.layers.Layer, prefix: str = ""
) -> dict[str, keras.metrics.Mean]:
    """Returns a running mean for every term of the loss, by the term."""
    return {
        name: keras.metrics.Mean(f"{prefix}{name}")
        for name in joint_loss.term_names
    }


def scores_of(
    descriptor: descriptors.DatasetDescriptor,
) -> list[MeanIoU | HeatmapPCKh]:
    """Returns mIoU and PCKh@0.5 at the size of the network.

    Not the published protocols, which measure at the size of each picture.
    PCKh is left out of data without heads.
    """
    scores = [MeanIoU(descriptor.num_classes)]
    if descriptor.head_segment:
        scores.append(HeatmapPCKh.from_descriptor(descriptor))
    return scores


def results(metrics: Iterable[keras.metrics.Metric]) -> dict[str, tf.Tensor]:
    """Returns what `train_step` reports: the metrics' values by name."""
    return {metric.name: metric.result() for metric in metrics}


class JointModel(keras.Model):
    """A network with the joint loss of both tasks, ready for `fit`.

    Subclasses list their `updates` and the `steps` of a batch, each a descent;
    `train_step` takes them one after the other, and training traces each by
    itself. Data are batches by the names of `keys`. Works under any strategy
    whose scope it was made in: losses come as this replica's share of the
    global batch, so that gradients summed over the replicas need no division.

    Subclasses take `optimizers`: what makes another optimizer than `Adam`, by
    the name of its update, a class of `keras.optimizers` or a
    `functools.partial` of one. It is called in the scope of the strategy with
    the learning rate of the first epoch and the name; learning rates follow
    the configuration.

    Where `jit_compile` is set before the first step, XLA compiles the steps.

    Args:
        network: An `NPPNet`, or what predicts something else.
        joint_loss: A `JointLoss` for as many stages as the network predicts, or
            a layer that takes batch and predictions likewise and returns a
            scalar for each of its `term_names`, `keys.TOTAL_LOSS` among them.
    """

    def __init__(
        self,
        network: keras.Model,
        joint_loss: keras.layers.Layer,
    ) -> None:
        super().__init__()
        gradient_sums.add_in_order()
        self.network = network
        self.joint_loss = joint_loss
        self.loss_trackers = loss_trackers(joint_loss)
        self.updates: tuple[Update, ...] = ()
        # Of a run that was ruined by larger learning rates.
        self.rate_factor = 1.0
        self._traced_steps: dict[str, Callable] = {}
        self._descent = replicas.Setting[Descent | None](None)
        self.built = True

    @property
    def trackers(self) -> list[keras.metrics.Mean]:
        """Everything that adds up over the steps of an epoch."""
        return list(self.loss_trackers.values())

    @property
    def budget(self) -> Budget | None:
        """What the derived network of a search is to cost, if anything."""
        return None

    @property
    def kept_variables(self) -> dict[str, list[keras.Variable]]:
        """What else a checkpoint holds, by the name of a group."""
        return {}

    @property
    def learning_rates(self) -> dict[str, float]:
        """Present learning rate of every optimizer, by its name."""
        return {
            update.name: float(
                keras.ops.convert_to_numpy(update.optimizer.learning_rate)
            )
            for update in self.updates
        }

    @property
    def task_weights(self) -> dict[str, float]:
        """Learned factors of the tasks, "pose_stage_0" and so on."""
        return {
            name: float(keras.ops.convert_to_numpy(value))
            for name, value in self.joint_loss.task_weights.items()
        }

    def begin_epoch(self, epoch: int) -> None:
        """Sets everything that follows the epoch, counted from 0."""
        for update in self.updates:
            rate = update.schedule(epoch) * self.rate_factor
            update.optimizer.learning_rate = rate

    def call(self, image, training=None):
        return self.network(image, training=training)

    def predict_for_pictures(
        self, batch: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[np.ndarray, ...]]:
        """Predicts a batch that pictures are drawn of, eagerly."""
        predictions = self._predict(batch[keys.IMAGE])
        return tf.nest.map_structure(
            keras.ops.convert_to_numpy, dict(predictions)
        )

    def _predict(self, image):
        return self.network(image, training=False)

    def _ready(
        self,
        updates: Sequence[Update],
        optimizers: Mapping[str, OptimizerMaker] | None,
    ) -> None:
        """Takes the updates; the last thing a constructor does.

        Args:
            updates: Updates in the order of the steps.
            optimizers: That were asked for.

        Raises:
            ValueError: If there is no update for one of them.
        """
        known = [update.name for update in updates]
        unknown = [name for name in optimizers or {} if name not in known]
        if unknown:
            raise ValueError(
                f"optimizers are by name, of {', '.join(known)}. "
                f"Received: {', '.join(unknown)}"
            )
        self.updates = tuple(updates)
        # Keras saves and restores what is an attribute.
        for update in self.updates:
            setattr(self, update.name, update.optimizer)
        self.compile(
            optimizer=self.updates[0].optimizer,
            jit_compile=False,
        )

    def _descend(
        self,
        batch: Mapping[str, tf.Tensor],
        updates: Sequence[Update],
        trackers: Mapping[str, keras.metrics.Mean],
    ) -> None:
        """Moves the variables of some updates one step down on one batch."""
        if self._descent.value is not None:
            self._descent.value(batch, updates, trackers)
            return
        variables = variables_of(updates)
        # What is not watched is not differentiated: a descent of alpha traces
        # no gradients of kernels.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            predictions = self.network(batch[keys.IMAGE], training=True)
            losses = self.joint_loss(batch, predictions)
            objective = losses[keys.TOTAL_LOSS] + self.penalty(updates)
        gradients = tape.gradient(
            objective,
            variables,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        self.apply(updates, gradients)
        self.track(losses, trackers)

    def apply(
        self, updates: Sequence[Update], gradients: Sequence[Sequence]
    ) -> None:
        """Moves the variables of updates, by gradients as `variables_of`."""
        for update, of_update in zip(updates, gradients, strict=True):
            update.optimizer.apply(of_update, update.variables)

    def descending(self, descent: Descent) -> AbstractContextManager[None]:
        """Lets steps that are traced in a block descend otherwise."""
        return self._descent.within(descent)

    def take_step(self, data) -> dict[str, tf.Tensor]:
        """Takes the traced steps of one batch and returns their logs.

        Args:
            data: Element of `ReplicaBatches`, or of an iterator of
                `tf.distribute`.
        """
        logs = {}
        for step in self.steps:
            logs |= self.traced(step)(data)
        return logs

    def validate(self, data) -> dict[str, tf.Tensor]:
        """Shows the metrics one batch and returns their values so far."""
        return self.traced(self.test_step)(data)

    @property
    def is_step_traced(self) -> bool:
        """Whether `take_step` has nothing to trace any more."""
        return all(step.__name__ in self._traced_steps for step in self.steps)

    @property
    def is_validation_traced(self) -> bool:
        """Whether `validate` has nothing to trace any more."""
        return self.test_step.__name__ in self._traced_steps

    def make_train_function(self, force=False):
        """Makes what `fit` calls with an iterator; part of Keras' contract.

        Keras would trace all steps as one function, and all of it anew when
        one of them is switched on.
        """
        self.train_function = lambda iterator: self.take_step(next(iterator))

    def make_test_function(self, force=False):
        """Makes what `evaluate` calls with an iterator, likewise."""
        self.test_function = lambda iterator: self.validate(next(iterator))

    @property
    def steps(self) -> Sequence[Step]:
        """What a batch of this epoch takes, methods of one argument."""
        raise TypeError(f"{type(self).__name__} has no steps")

    def train_step(self, data) -> dict[str, tf.Tensor]:
        """Takes the steps of one batch, as Eq. 7 has them one by one."""
        logs = {}
        for step in self.steps:
            logs |= step(data)
        return logs

    def traced(self, step: Step):
        """Returns the traced function of a step, the same for every call.

        Args:
            step: One of `steps`, or `test_step`.
        """
        return self._traced(step.__name__)

    def _traced(self, name: str):
        if name not in self._traced_steps:
            step = getattr(self, name)
            strategy = self.distribute_strategy

            def on_replica(data):
                with self.compiling():
                    return step(data)

            @tf.function(autograph=False, jit_compile=self.jit_compile)
            def function(data):
                with constants.shared():
                    logs = strategy.run(on_replica, args=(data,))
                    return means_of_replicas(strategy, logs)

            self._traced_steps[name] = function
        return self._traced_steps[name]

    def compiling(self) -> AbstractContextManager[None]:
        """Traces a block as what compiles the steps needs it."""
        if self.jit_compile:
            return resampling.for_xla()
        return contextlib.nullcontext()

    def penalty(self, updates: Sequence[Update]):
        """A term of the objective that depends on no data.

        Args:
            updates: What descends: a term that does not depend on their
                variables may be left out.
        """
        del updates
        return 0.0

    def track(self, losses, trackers):
        """Adds this replica's shares of losses to their trackers."""
        # The mean over replicas of n times the share is the global loss.
        count = self.distribute_strategy.num_replicas_in_sync
        for name, tracker in trackers.items():
            tracker.update_state(losses[name] * count)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: the network is built, and Keras would reduce a batch.

        Under a strategy Keras averages a whole batch over the replicas here
        and calls the model on all of it.
        """


def means_of_replicas(
    strategy: tf.distribute.Strategy, logs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Returns the means of values that every replica of a strategy has."""
    if logs and distribution.is_divided(strategy):
        # One message for all of them.
        joined = strategy.run(_joined, args=(list(logs.values()),))
        mean = (
            strategy.reduce("SUM", joined, axis=None)
            / strategy.num_replicas_in_sync
        )
        shapes = [
            strategy.experimental_local_results(value)[0].shape
            for value in logs.values()
        ]
        parts = tf.split(mean, [shape.num_elements() for shape in shapes])
        return {
            name: tf.reshape(part, shape)
            for name, part, shape in zip(logs, parts, shapes, strict=True)
        }
    return {
        name: _mean_of_replicas(strategy, value) for name, value in logs.items()
    }


def _joined(values: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.concat([tf.reshape(value, [-1]) for value in values], 0)


def _mean_of_replicas(strategy: tf.distribute.Strategy, value) -> tf.Tensor:
    # `strategy.reduce` would add them in whatever order they come.
    values = strategy.experimental_local_results(value)
    return gradient_sums.added_in_order(values) / len(values)
