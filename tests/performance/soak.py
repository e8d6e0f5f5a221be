"""Run the camera for a long time and check that memory, threads and open files do not grow.

A live source of rendered frames, lost and opened again every LOST_EVERY frames, is read at full speed, with sinks that
hold resources: JSON lines, crops, and the live page with a viewer if its packages are installed. After a fifth of the
frames as warm-up, resident memory may grow by MAX_GROWTH_MB, and no thread or open file may be left.

    python tests/performance/soak.py                  # 20,000 frames: make soak
    python tests/performance/soak.py --frames 1500    # as in the tests

Linux only: memory and open files are read from /proc.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Generator
from itertools import islice
from pathlib import Path
from typing import Any

from digitedge.camera import JsonSink, Source, Update, run
from digitedge.camera.sinks.crops import CropSink
from digitedge.camera.sources.base import Frame
from digitedge.errors import CameraError
from digitedge.reader import Reader
from digitedge.synthetic.scenes import render_clip

FRAMES = 20_000
LOST_EVERY = 500
MAX_GROWTH_MB = 5.0
# Frames that are rendered once and repeated, so that reading takes the time: twelve seconds of a clip.
LOOP = 120


class Loop(Source):
    """Repeats the same frames; the connection is lost now and then."""

    live = True

    def __init__(self, taken: threading.Event) -> None:
        super().__init__("loop")
        self._list = [scene.frame for scene in islice(render_clip(seed=0, width=640, height=480, fps=10), LOOP)]
        self._taken = taken
        self._number = self.opened = 0

    def _frames(self) -> Generator[Frame]:
        self.opened += 1
        while True:
            self._number += 1
            self._stamp()
            yield self._list[self._number % LOOP]
            self._taken.wait(1.0)  # the next one when this one is read, so that none is skipped
            self._taken.clear()
            if self._number % LOST_EVERY == 0:
                raise CameraError("lost")


class Gauge:
    """A sink that measures the memory of this process at every tenth frame."""

    def __init__(self, warm_up: int, taken: threading.Event) -> None:
        self._warm_up = warm_up
        self._taken = taken
        self.frames = 0
        self.memory_mb: list[float] = []

    def show(self, update: Update) -> bool:
        self.frames += update.is_new
        if update.is_new and self.frames >= self._warm_up and self.frames % 10 == 0:
            self.memory_mb.append(resident_mb())
        self._taken.set()
        return True


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def threads_and_files() -> tuple[int, int]:
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def soak(frames: int) -> dict[str, Any]:
    """Read frames and return what was measured."""
    taken = threading.Event()
    gauge = Gauge(frames // 5, taken)
    reader = Reader()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        sinks = [JsonSink(), stack.enter_context(CropSink(folder, quota=50)), gauge]
        if importlib.util.find_spec("uvicorn"):
            sinks.append(stack.enter_context(_watched_page(reader)))
        started = time.monotonic()
        source = Loop(taken)
        run(source, reader, sinks, max_frames=frames)
        seconds = time.monotonic() - started
    tenths = [gauge.memory_mb[len(gauge.memory_mb) * part // 10] for part in range(10)]
    return {
        "frames": gauge.frames,
        "opened": source.opened,
        "fps": round(gauge.frames / seconds, 1),
        "memory_mb": round(gauge.memory_mb[0], 1),
        "growth_mb": round(max(gauge.memory_mb) - gauge.memory_mb[0], 1),
        "tenths_mb": [round(megabytes - tenths[0], 1) for megabytes in tenths],
    }


@contextlib.contextmanager
def _watched_page(reader: Reader):
    """Yield the live page, with a viewer that receives every image."""
    from digitedge.web import WebSink, parse_address

    def watch(url: str) -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}stream.mjpg") as stream:
            while stream.read(1 << 16):
                pass

    with WebSink(parse_address("0"), reader) as page:
        viewer = threading.Thread(target=watch, args=[page.url])
        viewer.start()
        yield page
    viewer.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=FRAMES)
    frames = parser.parse_args().frames
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        soak(LOOP)  # imports, the threads that OpenCV and NumPy keep, and the memory that the largest frame takes
        before = threads_and_files()
        measured = soak(frames)
        time.sleep(0.5)
        after = threads_and_files()
    measured |= {"threads_left": after[0] - before[0], "files_left": after[1] - before[1]}
    print(json.dumps(measured))
    is_flat = measured["growth_mb"] <= MAX_GROWTH_MB and measured["threads_left"] <= 0 and measured["files_left"] <= 0
    sys.exit(not (is_flat and measured["frames"] == frames))


if __name__ == "__main__":
    main()
