"""Figures of a running server, for Prometheus."""

from collections.abc import Callable

import numpy as np
import prometheus_client

# Seconds: a small network answers in hundredths, a large one in seconds.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64)

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST


class Metrics:
    """Counts what one server does.

    Labels hold names that the server knows, never what a client made up.
    """

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)
        prometheus_client.PlatformCollector(registry=self._registry)
        self._requests = prometheus_client.Counter(
            "nppnet_requests",
            "Requests answered, by gRPC's names of codes.",
            ("protocol", "call", "model", "code"),
            registry=self._registry,
        )
        self._seconds = prometheus_client.Histogram(
            "nppnet_request_seconds",
            "Time from a request's first byte to its answer.",
            ("protocol", "call"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._pictures = prometheus_client.Counter(
            "nppnet_pictures",
            "Pictures answered, by their status.",
            ("status",),
            registry=self._registry,
        )
        self._batch_size = prometheus_client.Histogram(
            "nppnet_batch_size",
            "Pictures of a run of the graph.",
            buckets=_SIZES,
            registry=self._registry,
        )
        self._batch_seconds = prometheus_client.Histogram(
            "nppnet_batch_seconds",
            "Time of a run of the graph.",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Adds a value that is read when it is asked for."""
        gauge = prometheus_client.Gauge(name, meaning, registry=self._registry)
        gauge.set_function(read)

    def count_request(
        self, protocol: str, call: str, model: str, code: str, seconds: float
    ) -> None:
        """Counts an answered request."""
        self._requests.labels(protocol, call, model, code).inc()
        self._seconds.labels(protocol, call).observe(seconds)

    def count_pictures(self, statuses: np.ndarray) -> None:
        """Counts pictures by the statuses that the graph gave them."""
        for status, count in zip(
            *np.unique(statuses, return_counts=True), strict=True
        ):
            self._pictures.labels(str(int(status))).inc(int(count))

    def count_batch(self, size: int, seconds: float) -> None:
        """Counts a run of the graph."""
        self._batch_size.observe(size)
        self._batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """Returns all figures as Prometheus reads them."""
        return prometheus_client.generate_latest(self._registry)
