"""Latency, throughput and memory of one exported file. Runs in a process of its own."""

import importlib
from dataclasses import asdict
from itertools import cycle
from typing import Any

from digitedge.benchmark.memory import peak_bytes, reset_peak
from digitedge.benchmark.timing import rounded, time_call, time_calls
from digitedge.bundle.bundle import load_model
from digitedge.bundle.manifest import AdapterSpec, build_adapter
from digitedge.runtime import find_runtime, load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

# Digits of a full page, which the reader classifies in one call.
PAGE = 50
MEGA = 1e6


def find_file_adapter(path: str) -> tuple[str, float | None] | None:
    """Find how a third-party file is used: preprocessing and scale of the softmax; None by the model contract."""
    adapter = load_model(path, force=True).adapter
    return None if adapter is None else (str(adapter.preprocessing), adapter.softmax_scale)


def measure_file(
    path: str, *, threads: int, seconds: float, adapter: tuple[str, float | None] | None = None
) -> dict[str, Any]:
    """Load a file and let it classify rendered digits, for `seconds` one by one and again in pages of crops.

    `adapter` is what `find_file_adapter` returns.

    Returns:
        import_ms: import of the runtime. load_ms: loading and checking the file, which calls it once. first_ms: the
        first call after that. p50_ms, p95_ms, p99_ms, medians_ms: calls with one crop after warm-up. images_per_s: in
        calls with a page. memory_mb: peak that the file added. process_mb: peak of the whole process.
    """
    crops = synthetic_digits(PAGE, seed=0)[0]
    runtime = find_runtime(path)
    import_ms = time_call(lambda: importlib.import_module(runtime.module))
    reset_peak()
    before = peak_bytes()
    loaded = []
    used = None if adapter is None else build_adapter(AdapterSpec(preprocessing=adapter[0], softmax_scale=adapter[1]))
    load_ms = time_call(lambda: loaded.append(load_classifier(path, threads=threads, adapter=used)))
    (classifier,) = loaded
    single = cycle([crops[index : index + 1] for index in range(PAGE)])
    first_ms = time_call(lambda: classifier.probabilities(next(single)))
    latency = time_calls(lambda: classifier.probabilities(next(single)), seconds=seconds)
    page = time_calls(lambda: classifier.probabilities(crops), seconds=seconds, min_calls=1)
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
