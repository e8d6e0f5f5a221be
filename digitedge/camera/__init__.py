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
from digitedge.camera.frames import Frame, Mode, Source
from digitedge.camera.lines import JsonLines, RowLines
from digitedge.camera.live import FrameReader, Output, Screen, Session, Update, run
from digitedge.camera.preview import LivePreview, Preview
from digitedge.camera.sources import FrameList, default_source, open_source
from digitedge.camera.stable import Change, RowEvent, Rules, StableRow
from digitedge.camera.view import Flip, View, parse_roi
from digitedge.camera.window import Window, why_no_window
from digitedge.overlay import draw_reading

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
