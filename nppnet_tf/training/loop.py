"""The epochs of a run, search or retraining."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf.training import callbacks as training_callbacks
from nppnet_tf.training import recording


@dataclasses.dataclass(frozen=True)
class EpochLoop:
    """Calls `fit` for one epoch after the other and records each.

    One call per epoch, since the data of an epoch are a function of its
    number: a run that is resumed sees what it would have seen.

    Attributes:
        model: A `JointModel`.
        recorder: Of the run.
        make_dataset: Returns the training data of an epoch, from a step on,
            counted from 0.
        epochs: Of the run, in all.
        callbacks: Keras callbacks of every step.
        make_validation: Returns the validation data, or None for none.
        validate_every: Epochs between two validations; the last is always one.
        on_epoch: Called with an epoch's record.
        save_every: Steps between two checkpoints within an epoch; 0 for none.
        should_stop: Asked after every step: whether to save and end early.
    """

    model: keras.Model
    recorder: recording.RunRecorder
    make_dataset: Callable[[int, int], tf.data.Dataset]
    epochs: int
    callbacks: Sequence[keras.callbacks.Callback] = ()
    make_validation: Callable[[], tf.data.Dataset] | None = None
    validate_every: int = 1
    on_epoch: Callable[[dict], None] = lambda record: None
    save_every: int = 0
    should_stop: Callable[[], bool] = lambda: False

    def run(self, first_epoch: int = 0) -> None:
        """Runs the epochs that are left, or until it should stop.

        Args:
            first_epoch: What `recorder.resume()` returned.

        Raises:
            UserError: If a loss is not finite.
        """
        for epoch in range(first_epoch, self.epochs):
            if self.should_stop():
                return
            saver = training_callbacks.EpochPartSaver(
                self.recorder, self.save_every, self.should_stop
            )
            self._train(epoch, saver)
            if self.model.stop_training:
                return
            logs = {**saver.logs, **self._validate(epoch)}
            self.on_epoch(self.recorder.record(epoch, logs, saver.seconds))

    def _train(
        self, epoch: int, saver: training_callbacks.EpochPartSaver
    ) -> None:
        """Takes the steps of an epoch that are left."""
        self.model.begin_epoch(epoch)
        dataset = self.make_dataset(epoch, self.recorder.progress.part.step)
        if dataset.cardinality() == 0:
            # The run was stopped between the last step and the validation.
            return
        self.model.fit(
            dataset,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[*self.callbacks, saver],
        )

    def _validate(self, epoch: int) -> dict[str, float]:
        done = epoch + 1
        is_due = done % self.validate_every == 0 or done == self.epochs
        if self.make_validation is None or not is_due:
            return {}
        results = self.model.evaluate(
            self.make_validation(), verbose=0, return_dict=True
        )
        return {
            f"{recording.VALIDATION_PREFIX}{name}": value
            for name, value in results.items()
        }
