"""One exported file with so many threads. To be called in a process of its own; see `process`."""

import importlib
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from typing import Any

from digitedge.benchmark.memory import forget_peak, peak_bytes
from digitedge.benchmark.timing import rounded, time_call, time_calls
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

# Digits of a full page, which the reader scores in one call.
PAGE = 50
MEGA = 1e6

# What is imported before the clock runs: the library is the same for every file.
_LIBRARIES = {".tflite": "ai_edge_litert.interpreter", ".onnx": "onnxruntime"}


def measure_file(path: str, *, threads: int, seconds: float) -> dict[str, Any]:
    """Load a file and let it score rendered digits.

    Args:
        path: a `.tflite` or `.onnx` file whose runtime is installed.
        threads: of the runtime.
        seconds: that the calls with one crop may take; those with a page take as long.

    Returns:
        import_ms and load_ms: of the library, and of the file with the check of its contract, which asks it once.
        first_ms: the first call after that. p50_ms, p95_ms, p99_ms, medians_ms: one crop a call, after warm-up.
        images_per_s: in calls of a page. memory_mb: what the file added at the peak; process_mb: the whole process.
    """
    library = _LIBRARIES[Path(path).suffix.lower()]
    crops = synthetic_digits(PAGE, seed=0)[0]
    import_ms = time_call(lambda: importlib.import_module(library))
    forget_peak()
    before = peak_bytes()
    loaded = []
    load_ms = time_call(lambda: loaded.append(load_classifier(path, threads=threads)))
    (classifier,) = loaded
    ones = cycle([crops[index : index + 1] for index in range(PAGE)])
    first_ms = time_call(lambda: classifier.probabilities(next(ones)))
    latency = time_calls(lambda: classifier.probabilities(next(ones)), seconds=seconds)
    page = time_calls(lambda: classifier.probabilities(crops), seconds=seconds, least=1)
    after = peak_bytes()
    return {
        "import_ms": rounded(import_ms),
        "load_ms": rounded(load_ms),
        "first_ms": rounded(first_ms),
        **asdict(latency),
        "images_per_s": round(1000 * PAGE / page.p50_ms),
        "memory_mb": None if before is None or after is None else round((after - before) / MEGA, 2),
        "process_mb": None if after is None else round(after / MEGA, 1),
    }
