"""What one request asks for, whatever protocol it came by."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from collections.abc import Sequence

import numpy as np

from nppnet_tf.inference import serving_graph
from nppnet_tf.serving import failures
from nppnet_tf.serving import servable
from nppnet_tf.serving.access_log import Record
from nppnet_tf.serving.batching import Batcher
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.metrics import Metrics
from nppnet_tf.serving.servable import LoadedModel

Arrays = dict[str, np.ndarray]


class Answering:
    """Answers requests of both protocols.

    Args:
        batcher: Runs the models.
        limits: Bounds of a request.
        metrics: Counts pictures.
    """

    def __init__(
        self, batcher: Batcher, limits: Limits, metrics: Metrics
    ) -> None:
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics

    @contextlib.asynccontextmanager
    async def in_time(self, asked: float | None) -> AsyncIterator[None]:
        """A context that ends a request when its time is over.

        Args:
            asked: Seconds that the client waits; None where it does not say.

        Raises:
            RequestError: The time is over.
        """
        seconds = self._limits.seconds_for(asked)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                yield
        except TimeoutError:
            raise RequestError(
                failures.DEADLINE_EXCEEDED,
                f"no answer within {seconds:.3g} seconds",
            ) from None

    async def predict(
        self,
        model: LoadedModel,
        signature: str,
        inputs: Arrays,
        wanted: Sequence[str],
        record: Record,
    ) -> Arrays:
        """Runs a signature.

        Args:
            model: The model.
            signature: Name of the signature, or "".
            inputs: Arrays by name, as they came.
            wanted: Names of outputs; none for all.
            record: Is told of the request.

        Returns:
            Outputs by name.

        Raises:
            RequestError: The request is wrong, too much, or cannot be
                answered now.
        """
        definition = model.signature_def(signature)
        inputs = servable.checked(definition, inputs)
        names = _filtered(sorted(definition.outputs), wanted)
        record.signature = signature or servable.DEFAULT_SIGNATURE
        record.pictures = max(map(_rows, inputs.values()), default=0)
        if record.pictures > self._limits.pictures:
            raise failures.invalid(
                f"{record.pictures} pictures, at most "
                f"{self._limits.pictures} in a request"
            )
        outputs = await self._batcher.run(model, record.signature, inputs)
        if serving_graph.STATUS in outputs:
            self._metrics.count_pictures(outputs[serving_graph.STATUS])
        outputs = {name: outputs[name] for name in names}
        self._require_sendable(outputs)
        return outputs

    def _require_sendable(self, outputs: Arrays) -> None:
        size = sum(map(_size, outputs.values()))
        if size > self._limits.answer_bytes:
            raise RequestError(
                failures.OUT_OF_RANGE,
                f"the answer has {size} bytes, at most "
                f"{self._limits.answer_bytes}: ask for fewer or smaller "
                f"pictures, or for {serving_graph.PNG_SIGNATURE}",
            )


def _filtered(names: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """Returns the outputs that a request asks for."""
    for name in wanted:
        if name not in names:
            raise failures.invalid(
                f"output tensor alias not found in signature: {name} Outputs "
                f"expected to be in the set {{{','.join(names)}}}."
            )
        if list(wanted).count(name) > 1:
            raise failures.invalid(f"duplicate output tensor alias: {name}")
    return wanted or names


def _rows(array: np.ndarray) -> int:
    return len(array) if array.ndim else 1


def _size(array: np.ndarray) -> int:
    if array.dtype == object:
        return sum(map(len, array.flat))
    return array.nbytes
