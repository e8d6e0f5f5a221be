"""Recommendations from the figures of a report."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from digitedge.benchmark.compare import Trend, trend_of
from digitedge.benchmark.timing import pluralize
from digitedge.utils.tables import percent

# Ratio to the fastest file up to which a file counts as fast as it: then fewer threads win, then accuracy.
CLOSE = 1.05
# Milliseconds between two frames of a camera at 30 frames a second.
FRAME_INTERVAL_MS = 33.3


def recommend(files: Sequence[dict[str, Any]], frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Recommend a file and a thread count, null if no file passed, and a frame size, from the rows of a report."""
    usable = _at_best_threads([file for file in files if file["passed"] is not False])
    best = _best(usable)
    advice = [*_about_file(files, best), *_about_int8(usable, best), *_about_frames(frames)]
    return {"file": best and best["file"], "threads": best and best["threads"], "advice": advice}


def _at_best_threads(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep each file once: with fewest threads, unless more are faster beyond noise at no higher p95.

    A second thread saves microseconds of such small models, and costs milliseconds if another program has the core.
    """
    chosen: dict[str, dict[str, Any]] = {}
    for file in sorted(files, key=lambda file: file["threads"]):
        fewer = chosen.setdefault(file["file"], file)
        is_faster = trend_of(fewer["medians_ms"], file["medians_ms"]) is Trend.FASTER
        if is_faster and file["p95_ms"] <= fewer["p95_ms"]:
            chosen[file["file"]] = file
    return list(chosen.values())


def _best(files: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the fastest file; of those close to it the one with fewest threads, then the most accurate."""
    fastest = min((file["p50_ms"] for file in files), default=0)
    close = [file for file in files if file["p50_ms"] <= CLOSE * fastest]
    return min(close, key=lambda file: (file["threads"], -(file["top1"] or 0), file["p50_ms"]), default=None)


def _about_file(files: Sequence[dict[str, Any]], best: dict[str, Any] | None) -> list[str]:
    failed = sorted({file["file"] for file in files if file["passed"] is False})
    excluded = [f"Failed parity, so not recommended: {', '.join(failed)}."] if failed else []
    if best is None:
        return [*excluded, "No file can be recommended."]
    if best["passed"] is None:
        accuracy = "It has no manifest, so its accuracy is unknown."
    else:
        accuracy = f"It passed parity; its top-1 on the test images is {percent(best['top1'])}."
    return [f"Use {_name(best)}: {_duration(best['p50_ms'])} per digit. {accuracy}", *excluded]


def _about_int8(files: Sequence[dict[str, Any]], best: dict[str, Any] | None) -> list[str]:
    """Compare int8 with the fastest file, which need not be the recommended one: see `_best`."""
    int8_files = [file for file in files if file["recipe"] == "int8"]
    if best is None or not int8_files:
        return []
    fastest, int8 = (min(group, key=lambda file: file["p50_ms"]) for group in (files, int8_files))
    ratio = int8["p50_ms"] / fastest["p50_ms"]
    if ratio == 1:
        return ["int8 is the fastest here." if int8 is best else f"int8 is the fastest here: {_takes(int8)}."]
    rank = "about as fast as the fastest" if ratio <= CLOSE else "not the fastest"
    return [f"int8 is {rank} here: {_takes(int8)}, {ratio:.2f} times as long as {_name(fastest)}."]


def _about_frames(frames: Sequence[dict[str, Any]]) -> list[str]:
    """State whether frames are read as fast as a camera delivers them, else which size to request."""
    if not frames:
        return []
    totals = dict.fromkeys([frame["threads"] for frame in frames], 0.0)
    for frame in frames:
        totals[frame["threads"]] += frame["total_ms"]
    threads = min(totals, key=lambda count: totals[count])
    advice = [f"Frames are read fastest with {pluralize(threads, 'thread')}."] if len(totals) > 1 else []
    return [*advice, _about_sizes([frame for frame in frames if frame["threads"] == threads])]


def _about_sizes(frames: Sequence[dict[str, Any]]) -> str:
    """Recommend the largest size that is read in time with any number of digits."""
    slowest: dict[tuple[int, int], dict[str, Any]] = {}
    for frame in frames:
        size = frame["width"], frame["height"]
        slowest[size] = max(frame, slowest.get(size, frame), key=lambda one: one["total_ms"])
    sizes = sorted(slowest.values(), key=lambda frame: frame["width"] * frame["height"])
    in_time = list(takewhile(lambda frame: frame["total_ms"] <= FRAME_INTERVAL_MS, sizes))
    interval = f"the {FRAME_INTERVAL_MS:.0f} ms between two frames of a camera"
    if len(in_time) == len(sizes):
        return f"Every size is read within {interval}."
    late = sizes[len(in_time)]
    duration = (
        f"Reading {late['width']}x{late['height']} takes {late['total_ms']:.0f} ms with "
        f"{pluralize(late['digits'], 'digit')}, longer than {interval}."
    )
    if in_time:
        chosen, result = in_time[-1], f"takes {in_time[-1]['total_ms']:.0f} ms"
    else:
        chosen, result = late, f"reads about {1000 / late['total_ms']:.0f} frames a second"
    return f"{duration} --width {chosen['width']} --height {chosen['height']} {result}."


def _name(file: dict[str, Any]) -> str:
    return f"{file['file']} with {pluralize(file['threads'], 'thread')}"


def _takes(file: dict[str, Any]) -> str:
    return f"{_name(file)} takes {_duration(file['p50_ms'])}"


def _duration(ms: float) -> str:
    return f"{1000 * ms:.0f} us" if ms < 1 else f"{ms:.1f} ms"
