"""The epochs of a run, search or retraining."""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf.training import callbacks as training_callbacks
from nppnet_tf.training import checkpoints
from nppnet_tf.training import recording
from nppnet_tf.training import replica_batches
from nppnet_tf.training import stall
from nppnet_tf.training.accumulation import Accumulation
from nppnet_tf.training.joint_model import JointModel


@dataclasses.dataclass(frozen=True)
class EpochLoop:
    """Takes the steps of one epoch after the other and records each.

    Each epoch has a dataset of its own, since its data are a function of its
    number: a run that is resumed sees what it would have seen. It is read by
    `ReplicaBatches`, which ends with the epoch, whatever ends that. Callbacks
    see what they would see of Keras' `fit`, called for one epoch.

    Attributes:
        model: A `JointModel`.
        recorder: Recorder of this run.
        make_dataset: Returns the training data of an epoch, from a step on,
            counted from 0.
        epochs: Number of epochs of the run, in all.
        callbacks: Keras callbacks of every step.
        make_validation: Returns the validation data, or None for none.
        validate_every: Epochs between two validations; the last is always one.
        on_epoch: Called with an epoch's record.
        save_every: Steps between two checkpoints within an epoch; 0 for none.
        should_stop: Asked after every step: whether to save and end early.
        ends_with: Asked after every epoch, with its record: why the run ends
            with it, whether epochs are left or not; "" where it goes on.
        accumulate_steps: Parts that each batch is computed in.
        goes_back: Called where losses or weights are not finite: lets the
            recorder go back to a checkpoint, from where the loop goes on, or
            raises the error.
        watch: Told what the run waits for.
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
    ends_with: Callable[[dict], str] = lambda record: ""
    accumulate_steps: int = 1
    goes_back: Callable[[checkpoints.RuinedError], None] | None = None
    watch: stall.StallWatch = dataclasses.field(default_factory=stall.silent)

    def run(self, first_epoch: int = 0) -> str:
        """Runs the epochs that are left, or until it should stop.

        Args:
            first_epoch: What `recorder.resume()` returned.

        Returns:
            What `ends_with` said, if it ended the run.

        Raises:
            UserError: If a loss is not finite.
        """
        epoch = first_epoch
        while epoch < self.epochs and not self.should_stop():
            try:
                record = self._epoch(epoch)
            except checkpoints.RuinedError as error:
                if self.goes_back is None:
                    raise
                self.goes_back(error)
                epoch = self.recorder.progress.epoch
                continue
            if record is None:
                break
            if reason := self.ends_with(record):
                return reason
            epoch += 1
        return ""

    def _epoch(self, epoch: int) -> dict | None:
        """Returns the record of an epoch, None where it was stopped in it."""
        saver = training_callbacks.EpochPartSaver(
            self.recorder, self.save_every, self.should_stop
        )
        input_share = self.watch.share_of(stall.TRAINING_INPUT)
        self._train(epoch, saver)
        if self.model.stop_training:
            return None
        input_wait = input_share()
        logs = {**saver.logs, **self._validate(epoch)}
        self.watch.waits(stall.RECORD)
        record = self.recorder.record(epoch, logs, saver.seconds, input_wait)
        self.on_epoch(record)
        self.watch.is_done()
        return record

    def _train(
        self, epoch: int, saver: training_callbacks.EpochPartSaver
    ) -> None:
        """Takes the steps of an epoch that are left."""
        self.model.begin_epoch(epoch)
        self.watch.waits(stall.TRAINING_INPUT)
        dataset = self.make_dataset(epoch, self.recorder.progress.part.step)
        if dataset.cardinality() == 0:
            # The run was stopped between the last step and the validation.
            return
        self.model.stop_training = False
        callbacks = keras.callbacks.CallbackList(
            [*self.callbacks, _BeforeSaving(self.watch), saver],
            model=self.model,
        )
        callbacks.on_train_begin()
        self.model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        with self._batches(dataset, self.accumulate_steps) as batches:
            logs = self._take_steps(batches, callbacks)
        callbacks.on_epoch_end(epoch, logs)
        callbacks.on_train_end(logs)

    def _take_steps(
        self,
        batches: replica_batches.ReplicaBatches,
        callbacks: keras.callbacks.CallbackList,
    ) -> Mapping[str, tf.Tensor]:
        """Takes a step of every batch; returns the logs of the last."""
        for step in range(batches.steps):
            callbacks.on_train_batch_begin(step)
            self.watch.waits(stall.TRAINING_INPUT)
            batch = next(batches)
            is_traced = self._stepping.is_step_traced
            self.watch.waits(stall.STEP if is_traced else stall.TRACING)
            logs = self._stepping.take_step(batch)
            callbacks.on_train_batch_end(step, logs)
            self.watch.is_done()
            if self.model.stop_training:
                break
        return logs

    def _validate(self, epoch: int) -> dict[str, float]:
        done = epoch + 1
        is_due = done % self.validate_every == 0 or done == self.epochs
        if self.make_validation is None or not is_due:
            return {}
        self.model.reset_metrics()
        self.watch.waits(stall.VALIDATION_INPUT)
        with self._batches(self.make_validation()) as batches:
            for batch in batches:
                is_traced = self.model.is_validation_traced
                self.watch.waits(
                    stall.VALIDATION if is_traced else stall.TRACING
                )
                self.model.validate(batch)
                self.watch.is_done()
                self.watch.waits(stall.VALIDATION_INPUT)
        return {
            f"{recording.VALIDATION_PREFIX}{name}": float(
                keras.ops.convert_to_numpy(value)
            )
            for name, value in self.model.get_metrics_result().items()
        }

    @functools.cached_property
    def _stepping(self) -> JointModel | Accumulation:
        """What takes the steps of a batch."""
        if self.accumulate_steps == 1:
            return self.model
        return Accumulation(self.model)

    def _batches(
        self, dataset: tf.data.Dataset, parts: int = 1
    ) -> replica_batches.ReplicaBatches:
        return replica_batches.ReplicaBatches(
            dataset, self.model.distribute_strategy, parts
        )


class _BeforeSaving(keras.callbacks.Callback):
    """Notes that the callbacks before it are done, and the next one saves."""

    def __init__(self, watch: stall.StallWatch) -> None:
        super().__init__()
        self.watch = watch

    def on_train_batch_end(self, batch, logs=None):
        self.watch.waits(stall.CHECKPOINT)
