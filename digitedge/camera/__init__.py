"""Frames in, readings out, live: the room between a camera and whoever wants to know.

In: what the user types ("0", "desk.mp4", "rtsp://...", "rpicam", "demo"), which `open_source` turns into a `Source`.
Out: updates; whatever takes them (window, lines, web page, message broker) is an `Output` of the loop in `run`.

    from digitedge import Reader
    from digitedge.camera import JsonLines, open_source, run

    run(open_source("0"), Reader(), [JsonLines()])

A frame walks through `frames.Source` (webcam, rpicam, picamera, video, sources), `capture`, `live.run`, `view`, the
reader, `tracking` and `stable` to the outputs: `lines` and `preview` (with `window`); and those that few want, which
are imported by their own names: `recording`, `crops`, `mqtt`, and `digitedge.web`.
"""

from digitedge.camera.capture import NewestFrame, State
from digitedge.camera.loop import FrameReader, Output, Screen, Session, Update, run
from digitedge.camera.sinks.preview import LivePreview, Preview
from digitedge.camera.sinks.stdout import JsonLines, RowLines
from digitedge.camera.sinks.window import Window, why_no_window
from digitedge.camera.sources.base import Frame, Mode, Source
from digitedge.camera.sources.open import FrameList, default_source, open_source
from digitedge.camera.tracking.stable_rows import Change, RowEvent, Rules, StableRow
from digitedge.camera.transform import Flip, View, parse_roi
from digitedge.reader.overlay import draw_reading

__all__ = [
    "Change",
    "Flip",
    "Frame",
    "FrameList",
    "FrameReader",
    "JsonLines",
    "LivePreview",
    "Mode",
    "NewestFrame",
    "Output",
    "Preview",
    "RowEvent",
    "RowLines",
    "Rules",
    "Screen",
    "Session",
    "Source",
    "StableRow",
    "State",
    "Update",
    "View",
    "Window",
    "default_source",
    "draw_reading",
    "open_source",
    "parse_roi",
    "run",
    "why_no_window",
]
