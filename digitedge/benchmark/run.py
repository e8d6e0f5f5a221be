"""Everything measured, one after the other: the report."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from digitedge.benchmark.advice import recommend
from digitedge.benchmark.cold_start import measure_cold_start
from digitedge.benchmark.frame_speed import SIZES
from digitedge.benchmark.system import cores, machine, remarks, state
from digitedge.bundle.bundle import load_bundle, load_model, read_entry, sha256_of
from digitedge.bundle.manifest import ModelFile
from digitedge.errors import ModelError
from digitedge.runtime import can_run
from digitedge.utils.subprocesses import call_in_new_process

SCHEMA = "digitedge.bench/1"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: seconds for each file and thread count, and readings of each page in a block."""

    seconds: float
    rounds: int


_FILE = "digitedge.benchmark.file_speed.measure_file"
_FRAMES = "digitedge.benchmark.frame_speed.measure_frames"

FULL, QUICK = Effort(seconds=1.0, rounds=6), Effort(seconds=0.1, rounds=1)


@dataclass(frozen=True, slots=True)
class Material:
    """What is measured.

    Attributes:
        model: the bundle or file.
        files: every file, with what the manifest says of it; None for a file that lies in no bundle.
        reader: the file that reads frames: the one that runs by default.
    """

    model: Path
    files: dict[Path, ModelFile | None]
    reader: Path


def find_material(model: Path) -> Material:
    """Check a bundle, a file of a bundle, or a lone file.

    Raises:
        ModelError: missing, damaged, or nothing in it can run here.
    """
    if model.is_dir():
        bundle = load_bundle(model)
        files: dict[Path, ModelFile | None] = {bundle.path / name: file for name, file in bundle.manifest.files.items()}
        return Material(model, files, bundle.preferred_file())
    reader = load_model(model, force=True).path  # first: a file that is not there has no entry either
    return Material(model, {model: read_entry(model)}, reader)


def thread_counts() -> list[int]:
    """1, 2, 4 and so on, up to the processors that we may use."""
    return [2**power for power in range(cores().bit_length())]


def count_steps(material: Material, threads: Sequence[int], frame_threads: Sequence[int]) -> int:
    """How often `bench` ticks."""
    return len(material.files) * len(threads) + len(SIZES) * len(frame_threads) + 1


def bench(
    material: Material,
    effort: Effort,
    *,
    threads: Sequence[int],
    frame_threads: Sequence[int],
    tick: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Measure everything.

    Args:
        material: from `find_material`.
        effort: how long.
        threads: that each file is measured with.
        frame_threads: that frames are read with.
        tick: called after each step.

    Returns:
        The report, plain JSON.
    """
    before = state()
    files, skipped = measure_files(material.files, effort, threads=threads, tick=tick)
    frames: list[dict[str, Any]] = []
    for count in frame_threads:
        for size in SIZES:
            frames += call_in_new_process(_FRAMES, str(material.reader), threads=count, size=size, rounds=effort.rounds)
            tick()
    cold_start = measure_cold_start(material.reader)
    tick()
    after = state()
    return {
        "schema": SCHEMA,
        "model": str(material.model),
        "reader": material.reader.name,
        "effort": asdict(effort),
        "system": {**asdict(machine()), "before": asdict(before), "after": asdict(after)},
        "remarks": remarks(before, after),
        "files": files,
        "skipped": skipped,
        "frames": frames,
        "cold_start": cold_start,
        "recommendation": recommend(files, frames),
    }


def measure_files(
    files: dict[Path, ModelFile | None],
    effort: Effort,
    *,
    threads: Sequence[int],
    tick: Callable[[], object] = lambda: None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure each file with each thread count; arguments as in `bench`.

    Returns:
        A line for each file and thread count that was measured, and one for each that was not, with the reason;
        `failed` says whether it should have been.
    """
    measured, skipped = [], []
    for path, entry in files.items():
        for count in threads:
            row = {"file": path.name, "threads": count}
            if can_run(path):
                try:
                    speed = call_in_new_process(_FILE, str(path), threads=count, seconds=effort.seconds)
                    measured.append(row | _said(path, entry) | speed)
                except ModelError as exc:
                    skipped.append({**row, "failed": True, "reason": str(exc)})
            else:
                skipped.append({**row, "failed": False, "reason": _missing(path)})
            tick()
    return measured, skipped


def _missing(path: Path) -> str:
    package = "ai-edge-litert" if path.suffix.lower() == ".tflite" else "onnxruntime"
    return f"{package} is not installed. Run: pip install {package}"


def _said(path: Path, entry: ModelFile | None) -> dict[str, Any]:
    """What the manifest says of a file; null for a lone one."""
    return {
        "runtime": "LiteRT" if path.suffix.lower() == ".tflite" else "ONNX Runtime",
        "bytes": path.stat().st_size,
        "sha256": entry.sha256 if entry else sha256_of(path),
        "recipe": entry.recipe if entry else None,
        "top1": entry.top1 if entry else None,
        "fit": entry.fit if entry else None,
    }
