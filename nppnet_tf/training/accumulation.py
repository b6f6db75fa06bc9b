"""Steps whose batch is computed in parts, which takes less memory.

The losses of a batch are no sums over its samples: hard pixels are those of the
batch, and every mean has the batch's counts. So the parts' predictions come
first, without gradients; the loss of the whole batch is computed from these and
differentiated by them; and each part is computed once more, to take its
predictions' gradients back to the variables. What comes of it is the gradient
of the whole batch, but for normalizations: each part is normalized by itself.

Reference:
    Gao et al., Scaling deep contrastive learning batch size under memory
    limited setup, https://arxiv.org/abs/2101.06983, Sec. 3.2.
"""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.layers import normalization
from nppnet_tf.training import constants
from nppnet_tf.training import gradients as gradient_sums
from nppnet_tf.training.joint_model import JointModel
from nppnet_tf.training.joint_model import Step
from nppnet_tf.training.joint_model import means_of_replicas
from nppnet_tf.training.joint_model import variables_of


class Accumulation:
    """Takes the steps of a model on batches that come in parts.

    Args:
        model: A `JointModel`.
    """

    def __init__(self, model: JointModel) -> None:
        self._model = model
        self._traced: dict[tuple[str, str], Callable] = {}

    @property
    def is_step_traced(self) -> bool:
        """Whether `take_step` has nothing to trace any more."""
        return all(
            (step.__name__, self._move.__name__) in self._traced
            for step in self._model.steps
        )

    def take_step(self, parts: Sequence[Any]) -> dict[str, tf.Tensor]:
        """Takes the steps of one batch and returns their logs.

        Args:
            parts: Elements of `ReplicaBatches`, the parts of one batch.
        """
        logs = {}
        for step in self._model.steps:
            logs |= self._take(step, parts)
        return logs

    def _take(self, step: Step, parts: Sequence[Any]) -> dict[str, tf.Tensor]:
        predicted = [self._run(step, self._predict, (part,)) for part in parts]
        upstream, gradients = self._run(
            step, self._differentiate, tuple(parts), tuple(predicted)
        )
        del predicted
        for part, of_part in zip(parts, upstream, strict=True):
            gradients = self._run(
                step, self._take_back, (part,), of_part, gradients
            )
        return self._run(step, self._move, parts[-1:], gradients)

    def _run(self, step: Step, phase: Callable, parts, *arguments):
        """Runs a phase of a step on every replica, traced once.

        Args:
            step: A step of the model.
            phase: Method below.
            parts: Parts of the batch that the step is given as one.
            *arguments: Values of every replica that the phase is given.
        """
        name = step.__name__, phase.__name__
        if name not in self._traced:
            on_replica = functools.partial(self._on_replica, step, phase)
            model, strategy = self._model, self._model.distribute_strategy

            @tf.function(autograph=False, jit_compile=model.jit_compile)
            def function(parts, *arguments):
                with constants.shared():
                    found = strategy.run(on_replica, args=(parts, *arguments))
                    if phase != self._move:
                        return found
                    return means_of_replicas(strategy, found)

            self._traced[name] = function
        return self._traced[name](tuple(parts), *arguments)

    def _on_replica(self, step, phase, parts, *arguments):
        """Runs a phase where the model's step would descend."""
        found = []

        def descent(batch, updates, trackers):
            found.append(phase(batch, updates, trackers, *arguments))

        whole = tf.nest.map_structure(_joined, *parts)
        with self._model.compiling(), self._model.descending(descent):
            logs = step(whole)
        return logs if phase == self._move else found[0]

    def _predict(self, batch, updates, trackers):
        """Predicts a part as the last phase will, but moves no statistics."""
        del updates, trackers
        with normalization.frozen_statistics():
            return dict(self._model.network(batch[keys.IMAGE], training=True))

    def _differentiate(self, batch, updates, trackers, predicted):
        """Returns gradients of the whole batch's objective.

        By every part's predictions, and by the variables that the objective
        itself depends on: task weights, and what is penalized.
        """
        variables = variables_of(updates)
        whole = tf.nest.map_structure(_joined, *predicted)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((whole, variables))
            losses = self._model.joint_loss(batch, whole)
            objective = losses[keys.TOTAL_LOSS] + self._model.penalty(updates)
        upstream, gradients = tape.gradient(
            objective,
            (whole, variables),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        self._model.track(losses, trackers)
        return _divided(upstream, len(predicted)), gradients

    def _take_back(self, batch, updates, trackers, upstream, gradients):
        """Adds one part's gradients of the variables to those so far."""
        del trackers
        variables = variables_of(updates)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            predictions = self._model.network(batch[keys.IMAGE], training=True)
        of_part = tape.gradient(
            dict(predictions),
            variables,
            output_gradients=upstream,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return tf.nest.map_structure(
            lambda *values: gradient_sums.added_in_order(values),
            gradients,
            of_part,
        )

    def _move(self, batch, updates, trackers, gradients):
        """Moves the variables."""
        del batch, trackers
        self._model.apply(updates, gradients)


def _joined(*parts: tf.Tensor) -> tf.Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, 0)


def _divided(structure: Mapping, count: int) -> list[Mapping]:
    """Splits every tensor's first axis; returns one structure for each part."""
    parts = [tf.split(value, count, 0) for value in tf.nest.flatten(structure)]
    return [
        tf.nest.pack_sequence_as(structure, of_part)
        for of_part in zip(*parts, strict=True)
    ]
