"""A rendered clip in place of a camera."""

import time
from collections.abc import Generator

from digitedge.camera.sources.base import Frame, Source

FPS = 25.0


class Demo(Source):
    """An endless clip of handwritten numbers, rendered in real time."""

    live = True

    def _frames(self) -> Generator[Frame]:
        from digitedge.synthetic.scenes import render_clip  # slow to import, and only the demo needs it

        due = time.monotonic()
        for scene in render_clip(seed=0, width=640, height=480, fps=FPS):
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1 / FPS) + 1 / FPS
            self._stamp()
            yield scene.frame
