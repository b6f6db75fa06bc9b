"""What both protocols share in one server."""

import dataclasses

from nppnet_tf.serving import failures
from nppnet_tf.serving.access_log import Recorder
from nppnet_tf.serving.answering import Answering
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.limits import Room
from nppnet_tf.serving.metrics import Metrics
from nppnet_tf.serving.token import Token
from nppnet_tf.serving.versions import ModelStore


@dataclasses.dataclass
class Services:
    """Parts of one server.

    Attributes:
        store: The models.
        answering: Runs them.
        limits: Bounds of requests.
        room: Bytes of requests that are being answered.
        metrics: Figures for Prometheus.
        recorder: Takes every request down.
        token: What clients have to show.
        is_draining: Whether the server is about to end.
    """

    store: ModelStore
    answering: Answering
    limits: Limits
    room: Room
    metrics: Metrics
    recorder: Recorder
    token: Token
    is_draining: bool = False

    def is_ready(self) -> bool:
        """Whether new requests should come here."""
        return self.store.is_ready() and not self.is_draining

    def require_ready(self) -> None:
        """Refuses new work where the server is about to end."""
        if self.is_draining:
            raise RequestError(
                failures.UNAVAILABLE, "the server is ending", retry_after=1
            )
