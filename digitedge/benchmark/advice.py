"""What follows from the figures, in words."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from digitedge.benchmark.compare import Verdict, judge
from digitedge.benchmark.timing import counted
from digitedge.utils.tables import percent

# Files this close to the fastest are as fast: then fewer threads win, then accuracy.
CLOSE = 1.05
# Milliseconds between two frames of a camera at 30 a second.
BETWEEN_FRAMES = 33.3


def recommend(files: Sequence[dict[str, Any]], frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Draw the conclusions.

    Args:
        files: lines of the report, one for each file and thread count.
        frames: lines of the report, one for each size and number of digits.

    Returns:
        The file and the threads to use (None where no file is fit), and what to say.
    """
    usable = _at_their_threads([file for file in files if file["fit"] is not False])
    best = _best(usable)
    text = [*_about_file(files, best), *_about_int8(usable, best), *_about_frames(frames)]
    return {"file": best and best["file"], "threads": best and best["threads"], "text": text}


def _at_their_threads(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each file once: with its fewest threads, unless more are faster beyond noise and stumble no more often.

    Nets this small gain microseconds from a second thread, and wait milliseconds for it when another program has it.
    """
    chosen: dict[str, dict[str, Any]] = {}
    for file in sorted(files, key=lambda file: file["threads"]):
        fewer = chosen.setdefault(file["file"], file)
        faster = judge(fewer["medians_ms"], file["medians_ms"]) is Verdict.FASTER
        if faster and file["p95_ms"] <= fewer["p95_ms"]:
            chosen[file["file"]] = file
    return list(chosen.values())


def _best(files: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The fastest file; of files as fast the one with fewest threads, then the most accurate."""
    fastest = min((file["p50_ms"] for file in files), default=0)
    close = [file for file in files if file["p50_ms"] <= CLOSE * fastest]
    return min(close, key=lambda file: (file["threads"], -(file["top1"] or 0), file["p50_ms"]), default=None)


def _about_file(files: Sequence[dict[str, Any]], best: dict[str, Any] | None) -> list[str]:
    unfit = sorted({file["file"] for file in files if file["fit"] is False})
    said = [f"Unfit, so never recommended: {', '.join(unfit)}."] if unfit else []
    if best is None:
        return [*said, "No file can be recommended."]
    if best["fit"] is None:
        accuracy = "It has no manifest, so nothing is known of its accuracy."
    else:
        accuracy = f"It is within the parity tolerance and reads {percent(best['top1'])} of its test images rightly."
    return [f"Use {_name(best)}: {_ms(best['p50_ms'])} a digit. {accuracy}", *said]


def _about_int8(files: Sequence[dict[str, Any]], best: dict[str, Any] | None) -> list[str]:
    """Whether int8 is the fastest, and by how much not. The file to use need not be: see `_best`."""
    rivals = [file for file in files if file["recipe"] == "int8"]
    if best is None or not rivals:
        return []
    fastest, int8 = (min(group, key=lambda file: file["p50_ms"]) for group in (files, rivals))
    chosen, times = best["recipe"] == "int8", int8["p50_ms"] / fastest["p50_ms"]
    if chosen and times == 1:
        return ["int8 is the fastest here."]
    if chosen:
        return [f"int8 is about as fast as the fastest here: {_takes(fastest)}."]
    if int8["p50_ms"] < best["p50_ms"]:
        return [f"int8 is a little faster here: {_takes(int8)}."]
    if times <= CLOSE:
        return [f"int8 is as fast here: {_takes(int8)}."]
    than = "" if fastest is best else f" as {_name(fastest)}"
    return [f"int8 is not the fastest here: {_takes(int8)}, {times:.2f} times as long{than}."]


def _about_frames(frames: Sequence[dict[str, Any]]) -> list[str]:
    """Whether a camera's frames are read as fast as they come, and which size to ask for where they are not."""
    if not frames:
        return []
    totals = dict.fromkeys([frame["threads"] for frame in frames], 0.0)
    for frame in frames:
        totals[frame["threads"]] += frame["total_ms"]
    threads = min(totals, key=lambda count: totals[count])
    said = [f"Frames are read fastest with {counted(threads, 'thread')}."] if len(totals) > 1 else []
    return [*said, _about_sizes([frame for frame in frames if frame["threads"] == threads])]


def _about_sizes(frames: Sequence[dict[str, Any]]) -> str:
    """The largest size that is read in time with any number of digits."""
    slowest: dict[tuple[int, int], dict[str, Any]] = {}
    for frame in frames:
        size = frame["width"], frame["height"]
        slowest[size] = max(frame, slowest.get(size, frame), key=lambda one: one["total_ms"])
    in_order = sorted(slowest.values(), key=lambda frame: frame["width"] * frame["height"])
    in_time = list(takewhile(lambda frame: frame["total_ms"] <= BETWEEN_FRAMES, in_order))
    if len(in_time) == len(in_order):
        return f"Every size is read within the {BETWEEN_FRAMES:.0f} ms between two frames of a camera."
    late = in_order[len(in_time)]
    said = (
        f"Reading {late['width']}x{late['height']} takes {late['total_ms']:.0f} ms with "
        f"{counted(late['digits'], 'digit')}, longer than the {BETWEEN_FRAMES:.0f} ms between two frames of a camera:"
    )
    if in_time:
        chosen = in_time[-1]
        option = f"--width {chosen['width']} --height {chosen['height']}"
        return f"{said} ask for {option} ({chosen['total_ms']:.0f} ms)."
    option = f"--width {late['width']} --height {late['height']}"
    return f"{said} ask for {option}, of which about {1000 / late['total_ms']:.0f} frames a second are read."


def _name(file: dict[str, Any]) -> str:
    return f"{file['file']} with {counted(file['threads'], 'thread')}"


def _takes(file: dict[str, Any]) -> str:
    return f"{_name(file)} takes {_ms(file['p50_ms'])}"


def _ms(ms: float) -> str:
    """Microseconds where milliseconds would be mostly zeros."""
    return f"{1000 * ms:.0f} us" if ms < 1 else f"{ms:.1f} ms"
