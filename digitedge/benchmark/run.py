"""Measure everything, one after the other, and return the report."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from digitedge.benchmark.advice import recommend
from digitedge.benchmark.cold_start import measure_cold_start
from digitedge.benchmark.compare import SCHEMA
from digitedge.benchmark.file_speed import find_file_adapter, measure_file
from digitedge.benchmark.footprint import try_footprint
from digitedge.benchmark.frame_speed import SIZES, measure_frames
from digitedge.benchmark.system import cores, describe_machine, find_disturbances, read_machine_state
from digitedge.bundle.bundle import is_bundle, load_bundle, load_model, read_entry, sha256_of
from digitedge.bundle.manifest import ModelFile
from digitedge.errors import ModelError
from digitedge.runtime import find_runtime
from digitedge.runtime.load import SAVED_MODEL
from digitedge.utils.subprocesses import call_in_new_process


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """Seconds for each file and thread count, and readings of each page in a block."""

    seconds: float
    rounds: int


FULL = BenchSettings(seconds=1.0, rounds=6)
QUICK = BenchSettings(seconds=0.1, rounds=1)


@dataclass(frozen=True, slots=True)
class BenchTarget:
    """A bundle or file, its files with their entries in the manifest, if any, and the file that reads frames."""

    model: Path
    files: dict[Path, ModelFile | None]
    preferred_file: Path


def find_target(model: Path) -> BenchTarget:
    """Check a bundle, a file of a bundle, or a lone file.

    Raises:
        ModelError: missing, damaged, or no file can run here.
    """
    if is_bundle(model):
        bundle = load_bundle(model)
        files: dict[Path, ModelFile | None] = {bundle.path / name: file for name, file in bundle.manifest.files.items()}
        return BenchTarget(model, files, bundle.preferred_file())
    path = load_model(model, force=True).path  # before read_entry: its message for a missing file is better
    return BenchTarget(model, {model: read_entry(model)}, path)


def thread_counts() -> list[int]:
    """Return 1, 2, 4 and so on, up to the number of cores that may be used."""
    return [2**power for power in range(cores().bit_length())]


def count_steps(target: BenchTarget, threads: Sequence[int], frame_threads: Sequence[int]) -> int:
    """Return how often `run_benchmark` calls `on_progress`."""
    return len(target.files) * len(threads) + len(SIZES) * len(frame_threads) + 1


def run_benchmark(
    target: BenchTarget,
    settings: BenchSettings,
    *,
    threads: Sequence[int],
    frame_threads: Sequence[int],
    on_progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Measure each file with each of `threads` and frames with each of `frame_threads`; return the report as JSON."""
    before = read_machine_state()
    files, skipped = measure_files(target.files, settings, threads=threads, on_progress=on_progress)
    frames: list[dict[str, Any]] = []
    for count in frame_threads:
        for size in SIZES:
            path, rounds = str(target.preferred_file), settings.rounds
            frames += call_in_new_process(measure_frames, path, threads=count, size=size, rounds=rounds)
            on_progress()
    cold_start = measure_cold_start(target.preferred_file)
    on_progress()
    after = read_machine_state()
    return {
        "schema": SCHEMA,
        "model": str(target.model),
        "preferred_file": target.preferred_file.name,
        "settings": asdict(settings),
        "system": {**asdict(describe_machine()), "before": asdict(before), "after": asdict(after)},
        "notes": find_disturbances(before, after),
        "files": files,
        "skipped": skipped,
        "frames": frames,
        "cold_start": cold_start,
        "recommendation": recommend(files, frames),
    }


def measure_files(
    files: dict[Path, ModelFile | None],
    settings: BenchSettings,
    *,
    threads: Sequence[int],
    on_progress: Callable[[], object] = lambda: None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure each file with each thread count.

    Returns:
        A row for each file and thread count that was measured, and one for each that was not, with the reason; `failed`
        is false if only the runtime is not installed.
    """
    measured, skipped = [], []
    for path, entry in files.items():
        runtime = find_runtime(path)
        about, adapter = about_file(path, entry), None
        for count in threads:
            row = {"file": path.name, "threads": count}
            if runtime.is_installed:
                try:
                    adapter = adapter or _adapter(path, entry)
                    speed = call_in_new_process(
                        measure_file, str(path), threads=count, seconds=settings.seconds, adapter=adapter
                    )
                    measured.append(row | about | speed)
                except ModelError as exc:
                    skipped.append({**row, "failed": True, "reason": str(exc)})
            else:
                skipped.append({**row, "failed": False, "reason": runtime.missing})
            on_progress()
    return measured, skipped


def _adapter(path: Path, entry: ModelFile | None) -> Any:
    """How a file is used, for `measure_file`."""
    if entry is None:
        return call_in_new_process(find_file_adapter, str(path))
    return None if entry.adapter is None else (entry.adapter.preprocessing, entry.adapter.softmax_scale)


def about_file(path: Path, entry: ModelFile | None) -> dict[str, Any]:
    """Return what is known of a file without measuring; null for what only a manifest has, or what cannot be read."""
    footprint, missing = try_footprint(path)
    # A SavedModel is a folder; its graph is in the first of these files.
    parts = [path / SAVED_MODEL, *path.glob("variables/*")] if path.is_dir() else [path]
    return {
        "runtime": find_runtime(path).title,
        "bytes": sum(one.stat().st_size for one in parts),
        "sha256": entry.sha256 if entry else sha256_of(parts[0]),
        "recipe": entry.recipe if entry else None,
        "top1": entry.top1 if entry else None,
        "passed": entry.passed if entry else None,
        "footprint": footprint and footprint.to_dict(),
        "footprint_missing": missing,
    }
