"""Several models in one table: size, time, MACs, memory of activations, arena, accuracy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from digitedge.benchmark.footprint import footprint_cells, runtime_lines
from digitedge.benchmark.footprint.text import HEADS, MEANING
from digitedge.benchmark.run import BenchSettings, about_file, measure_files
from digitedge.benchmark.system import describe_machine, find_disturbances, read_machine_state
from digitedge.bundle.bundle import is_bundle, load_bundle, load_model, read_entry
from digitedge.bundle.manifest import ModelFile
from digitedge.errors import ModelError
from digitedge.runtime import find_runtime
from digitedge.utils.tables import Table, percent

SCHEMA = "digitedge.bench.models/1"


def find_files(models: Sequence[Path]) -> dict[Path, ModelFile | None]:
    """Return the file of each model, with its entry in a manifest, if any: of a bundle, the one that runs by default.

    A file outside of a bundle is not loaded: what it needs can be read even if digitedge cannot run it.

    Raises:
        ModelError: missing, damaged, of another kind, or a bundle of which no file can run here.
    """
    files: dict[Path, ModelFile | None] = {}
    for model in models:
        if is_bundle(model):
            bundle = load_bundle(model)
            path = bundle.preferred_file()
            files[path] = bundle.manifest.files[path.name]
            continue
        if not model.exists():
            raise ModelError(f"nothing at {model}: expected a bundle or a model file.")
        find_runtime(model)
        files[model] = read_entry(model)
        if files[model]:
            load_model(model, force=True)  # checks its hash
    return files


def compare_models(
    files: dict[Path, ModelFile | None],
    settings: BenchSettings,
    *,
    threads: Sequence[int],
    on_progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Measure each file with each thread count; return the report as JSON.

    A row of `models` for each, with what is known of the file and, where it ran, its times; `reason` says why it did
    not, and `failed` is false if only its runtime is not installed.
    """
    before = read_machine_state()
    rows = [row for path, entry in files.items() for row in _rows(path, entry, settings, threads, on_progress)]
    after = read_machine_state()
    return {
        "schema": SCHEMA,
        "settings": asdict(settings),
        "system": {**asdict(describe_machine()), "before": asdict(before), "after": asdict(after)},
        "notes": find_disturbances(before, after),
        "models": rows,
    }


def _rows(
    path: Path,
    entry: ModelFile | None,
    settings: BenchSettings,
    threads: Sequence[int],
    on_progress: Callable[[], object],
) -> Iterator[dict[str, Any]]:
    measured, skipped = measure_files({path: entry}, settings, threads=threads, on_progress=on_progress)
    for row in measured:
        yield row | {"file": str(path), "failed": False, "reason": None}
    if skipped:
        about = about_file(path, entry)
        for row in skipped:
            yield {**about, "p50_ms": None, **row, "file": str(path)}


def models_text(report: dict[str, Any]) -> str:
    """Return one line for each file, then what each needs of a runtime."""
    rows = report["models"]
    several = len({row["threads"] for row in rows}) > 1
    lines = {f"{row['file']} x {row['threads']}" if several else row["file"]: _cells(row) for row in rows}
    heads = ["bytes", "p50 ms", *HEADS, "top-1"]
    table = Table("file x threads" if several else "file", heads, lines)
    known = {row["file"]: row["footprint"] for row in rows if row["footprint"]}
    missing = dict.fromkeys(f"no footprint: {row['footprint_missing']}" for row in rows if not row["footprint"])
    skipped = dict.fromkeys(f"skipped: {row['file']}: {row['reason']}" for row in rows if row["reason"])
    return "\n".join([table.text(), f"{MEANING}.", *missing, *skipped, "", *runtime_lines(known)])


def _cells(row: dict[str, Any]) -> list[str]:
    p50 = "-" if row["p50_ms"] is None else f"{row['p50_ms']:.3f}"
    return [f"{row['bytes']:,}", p50, *footprint_cells(row["footprint"]), percent(row["top1"])]
