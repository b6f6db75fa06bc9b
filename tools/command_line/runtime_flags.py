"""Flags of what is written in the place of a SavedModel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nppnet_tf.errors import UserError
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes import table

from . import paths
from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.evaluation.runtime_export import Request

_SAVED_MODEL = "saved_model"


class RuntimeFlags:
    """`--format`, `--precision`, and what the report is made on.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._tool = tool
        self._format = tool.define_choice(
            "format",
            _SAVED_MODEL,
            [_SAVED_MODEL, *table.RUNTIMES],
            "What to write: a SavedModel, or a file of another runtime.",
        )
        self._precision = tool.define_choice(
            "precision",
            runtime.FLOAT32,
            runtime.PRECISIONS,
            "Precision of a file of another runtime: of weights for float16, "
            "of weights and arithmetic for int8.",
        )
        self._calibration_records = tool.define_path(
            "calibration_records",
            None,
            "Records whose pictures --precision=int8 measures activations on.",
            paths.require_records,
        )
        self._calibration_pictures = tool.define_count(
            "calibration_pictures",
            64,
            "How many of these, spread evenly.",
            1,
            100_000,
        )
        self._records = tool.define_path(
            "records",
            None,
            "Held-out records for the report on another runtime: mIoU and PCKh "
            "beside the SavedModel's.",
            paths.require_records,
        )
        self._limit = tool.define_count(
            "limit", None, "Only the first so many of --records.", 1, 1 << 31
        )

    @property
    def precision(self) -> str:
        """Precision of the file."""
        return self._precision.value

    def runtime(self, scales: Sequence[float]) -> runtime.Runtime | None:
        """Returns whose file is to be written; None for a SavedModel.

        Args:
            scales: Factors of the network's input to average over.

        Raises:
            UserError: It cannot have what is wanted, or is not installed.
        """
        if self._format.value != _SAVED_MODEL:
            if self._precision.value != runtime.INT8:
                self._tool.refuse_idle(
                    "--precision=int8", "calibration_pictures"
                )
            if self._records.value is None:
                self._tool.refuse_idle("--records", "limit")
            wanted = table.RUNTIMES[self._format.value]
            packages.require_one_scale(scales, wanted.name)
            wanted.require_packages(for_writing=True)
            return wanted
        flags = (
            self._precision,
            self._calibration_records,
            self._calibration_pictures,
            self._records,
            self._limit,
        )
        for flag in flags:
            if flag.value != flag.default:
                # It is equal to the run to the bit.
                raise UserError(
                    f"--format={_SAVED_MODEL} is float32 and has no report",
                    f"--{flag.name}={flag.value}",
                    f"--format={'|'.join(table.RUNTIMES)}",
                )
        return None

    def request(self) -> "Request":
        """Returns what is to be written, known to be possible.

        Raises:
            UserError: Something is not installed, missing, or cannot be read.
        """
        from nppnet_tf.evaluation import runtime_export

        return runtime_export.request(
            table.RUNTIMES[self._format.value],
            self._precision.value,
            self._calibration_records.value,
            self._calibration_pictures.value,
            self._records.value,
            self._limit.value,
        )
