"""Frames in, readings out, live: the room between a camera and a screen.

In: what the user types ("0", "desk.mp4", "rtsp://...", "rpicam", "demo"), which `open_source` turns into a `Source`.
Out: readings, on a window, as JSON lines, as plain lines; every one of them is an `Output` of the loop in `run`.

    from digitedge import Reader
    from digitedge.camera import JsonLines, open_source, run

    run(open_source("0"), Reader(), [JsonLines()])

A frame walks through `frames.Source` (webcam, video, rpicam, sources), `live.run`, the reader, and `overlay` to the
`window`. Later rooms (web page, tracking, message broker) are further outputs or sources.
"""

from digitedge.camera.frames import Frame, Source
from digitedge.camera.live import FrameReader, JsonLines, Output, Preview, RowLines, Session, run
from digitedge.camera.overlay import draw_reading
from digitedge.camera.sources import FrameList, open_source
from digitedge.camera.window import Window, why_no_window

__all__ = [
    "Frame",
    "FrameList",
    "FrameReader",
    "JsonLines",
    "Output",
    "Preview",
    "RowLines",
    "Session",
    "Source",
    "Window",
    "draw_reading",
    "open_source",
    "run",
    "why_no_window",
]
