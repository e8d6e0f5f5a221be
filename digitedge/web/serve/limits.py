"""What one request may take, and how many there may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServeLimits:
    """Limits of `digitedge serve`. See docs/guide/serve.md.

    Attributes:
        body_bytes: of the body of a request.
        pages: of a document.
        memory_mb: what decoding an image may take, unless $DIGITEDGE_MEMORY_MB says otherwise; see
            `digitedge.utils.memory_limit`. 260 MB are 40 megapixels of a JPEG.
        time_s: for reading all pages of a request; then its worker is ended.
        wait_s: for a free worker.
        requests_per_worker: how many requests are received, wait or are read at once; others get 429.
        held_bytes: of the bodies of all these.
    """

    body_bytes: int = 20_000_000
    pages: int = 100
    memory_mb: int = 260
    time_s: float = 60.0
    wait_s: float = 30.0
    requests_per_worker: int = 4
    held_bytes: int = 160_000_000
