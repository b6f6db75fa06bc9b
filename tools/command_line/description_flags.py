"""Flags of what is said of a model beside its graph."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf.data import visibility
from nppnet_tf.errors import UserError

from . import console
from . import paths
from .progress import Progress
from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.data.descriptors import DatasetDescriptor
    from nppnet_tf.inference.calibration import Calibration
    from nppnet_tf.inference.model_description import ModelDescription


class DescriptionFlags:
    """`--score_threshold`, `--calibrate`, and what the card tells.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._score_threshold = tool.define_number(
            "score_threshold",
            None,
            "Least score of a joint that counts as found; for the model's "
            "description, which tools.predict follows. "
            f"{visibility.SCORE_THRESHOLD} by default.",
            0,
            1,
        )
        self._calibrate = tool.define_path(
            "calibrate",
            None,
            "Records that the run was not trained on, to measure the least "
            "score of a found joint and what scores mean; for the model's "
            "description.",
            paths.require_records,
        )
        self._results = tool.define_paths(
            "results",
            "Results of tools.evaluate of this run, for the model's card.",
            paths.require_file,
        )
        self._weights_license = tool.define_text(
            "weights_license",
            None,
            "Who may use the weights for what; for the model's card.",
        )

    def require_one_threshold(self) -> None:
        """Raises a UserError where a score is both stated and measured."""
        if self._calibrate.value and self._score_threshold.value is not None:
            raise UserError(
                "score is stated and measured",
                "--score_threshold, --calibrate",
                "one of them",
                "both",
            )

    def calibrated(
        self,
        network: Any,
        descriptor: "DatasetDescriptor",
        image_size: tuple[int, int],
        flip: bool,
        scales: tuple[float, ...],
    ) -> "tuple[float, Calibration | None]":
        """Returns the least score of a found joint, measured where asked."""
        if not self._calibrate.value:
            stated = self._score_threshold.value
            if stated is None:
                return visibility.SCORE_THRESHOLD, None
            return stated, None

        from nppnet_tf.data.records.record_set import RecordSet
        from nppnet_tf.evaluation import calibrating
        from nppnet_tf.inference.predictor import Predictor

        records = RecordSet.open(self._calibrate.value)
        threshold, calibration = calibrating.calibrate(
            Predictor.from_network(
                network, descriptor, image_size, flip, scales
            ),
            records,
            Progress(records.count, "calibrating").over,
        )
        console.say(
            f"joints from a score of {threshold:g} on count as found: right "
            f"for {calibration.balanced_accuracy:.1%} of those that pictures "
            "show and of those that they do not, on average"
        )
        return threshold, calibration

    def card(
        self, run: str, network: Any
    ) -> "Callable[[ModelDescription], str]":
        """Returns what makes the card of a model.

        Args:
            run: Working directory that the model is made of.
            network: The network of the run, whose results are read at once.

        Raises:
            UserError: Results belong to other weights, or are none.
        """
        from nppnet_tf.inference import model_description
        from nppnet_tf.reports import model_card

        settings = model_card.read_settings(run)
        results = model_card.read_results(
            self._results.value,
            model_description.weights_sha256(network.variables),
        )

        def text(description: "ModelDescription") -> str:
            return model_card.text(
                description, settings, results, self._weights_license.value
            )

        return text
