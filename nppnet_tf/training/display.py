"""What is shown of a run after each of its epochs."""

import dataclasses
from collections.abc import Mapping

from nppnet_tf import config as configuration
from nppnet_tf import errors
from nppnet_tf.data.samples import batches
from nppnet_tf.drawing import prediction_grid
from nppnet_tf.training import alarms
from nppnet_tf.training import recording
from nppnet_tf.training import report as reports
from nppnet_tf.training.opening import OpenRun

# Characters that tell why a page is not drawn.
_MOST_REASON = 300

# People whose predictions are drawn for TensorBoard.
_PICTURES = 4


class EpochDisplay:
    """A line, alarms, and where they are due, predictions and the page.

    Args:
        run: The run.
        recorder: Recorder of the run.
    """

    def __init__(self, run: OpenRun, recorder: recording.RunRecorder) -> None:
        self._run = run
        self._recorder = recorder

    def show(self, record: Mapping) -> None:
        """Shows an epoch.

        Args:
            record: What was recorded of it.
        """
        run, recorder = self._run, self._recorder
        history = recorder.progress.history
        run.report.say(reports.epoch_line(record, history, run.epochs))
        for line in alarms.raised(history):
            run.report.say(line)
        epoch, every = record["epoch"], run.config.process.picture_every
        if every and (epoch % every == 0 or epoch + 1 == run.epochs):
            recorder.events.write_picture("predictions", self._grid(), epoch)
        self.draw_page()

    def draw_page(self, is_last: bool = False) -> None:
        """Draws the page of the run, where it is due.

        Args:
            is_last: Whether no epoch follows; a page is due then, unless the
                epoch has had one.
        """
        done, every = self._recorder.progress.epoch, self._every
        if not every or (done % every == 0) == is_last:
            return
        try:
            self._run.report.draw(self._run.workdir)
        except Exception as error:
            # A picture of a run is worth less than the run.
            self._run.report.say(
                f"the page of epoch {done} is not drawn: "
                f"{errors.shorten(errors.printable(error), _MOST_REASON)}"
            )

    @property
    def _every(self) -> int:
        return self._run.config.process.report_every

    def _grid(self):
        """Draws predictions for the first records."""
        run = self._run
        config = dataclasses.replace(
            run.config.inputs,
            batch_size=min(_PICTURES, run.records.count),
            share=configuration.Share(),
        )
        dataset = batches.make_dataset(run.records, config, training=False)
        batch = next(dataset.take(1).as_numpy_iterator())
        predictions = self._recorder.model.predict_for_pictures(batch)
        return prediction_grid.prediction_grid(
            batch, predictions, run.descriptor
        )
