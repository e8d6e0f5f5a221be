"""What is counted, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)
MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The figures of one server, in a registry of their own."""

    def __init__(self, *, requests_now: Callable[[], int], ready_workers: Callable[[], int]) -> None:
        """Set up all figures at 0."""
        registry = self._registry = CollectorRegistry()
        self.requests = Counter("digitedge_requests", "Requests to read, by status", ["status"], registry=registry)
        self.pages = Counter("digitedge_pages", "Pages that were read", registry=registry)
        self.digits = Counter("digitedge_digits", "Digits that were found", registry=registry)
        self.seconds = Histogram(
            "digitedge_request_seconds", "Seconds from head to answer", buckets=SECONDS, registry=registry
        )
        self.restarts = Counter("digitedge_worker_restarts", "Workers that were replaced", registry=registry)
        now = Gauge("digitedge_requests_now", "Requests that are received, wait or are read", registry=registry)
        now.set_function(requests_now)
        ready = Gauge("digitedge_workers_ready", "Workers that have loaded the model", registry=registry)
        ready.set_function(ready_workers)

    def text(self) -> bytes:
        """All figures in the text format."""
        return generate_latest(self._registry)
