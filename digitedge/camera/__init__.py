"""Read a camera live.

In: a `Source` of frames (webcam, Raspberry Pi camera, stream, video, images), see `open_source`.
Out: an `Update` for every frame, with its reading and the stable rows, for each `Sink` passed to `run`.

    from digitedge import Reader
    from digitedge.camera import JsonSink, open_source, run

    run(open_source("0"), Reader(), [JsonSink()])
"""

from digitedge.camera.capture import CameraState, LiveCapture
from digitedge.camera.loop import Display, FrameReader, Session, Sink, Update, run
from digitedge.camera.sinks import (
    CropSink,
    JsonSink,
    LivePreviewSink,
    MqttSink,
    PreviewSink,
    RowSink,
    VideoSink,
    Window,
    find_window_problem,
)
from digitedge.camera.sources import Camera, Frame, FrameList, Mode, Source, default_source, open_source
from digitedge.camera.tracking import Change, RowEvent, StableRow
from digitedge.reader.row_filter import RowFilter
from digitedge.utils.transform import Flip, Transform, parse_roi

__all__ = [
    "Camera",
    "CameraState",
    "Change",
    "CropSink",
    "Display",
    "Flip",
    "Frame",
    "FrameList",
    "FrameReader",
    "JsonSink",
    "LiveCapture",
    "LivePreviewSink",
    "Mode",
    "MqttSink",
    "PreviewSink",
    "RowEvent",
    "RowFilter",
    "RowSink",
    "Session",
    "Sink",
    "Source",
    "StableRow",
    "Transform",
    "Update",
    "VideoSink",
    "Window",
    "default_source",
    "find_window_problem",
    "open_source",
    "parse_roi",
    "run",
]
