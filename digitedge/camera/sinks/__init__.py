"""Sinks. In: the updates of the loop. Out: a window, lines, a video, crops, or messages to a broker."""

from digitedge.camera.sinks.crops import CropSink
from digitedge.camera.sinks.mqtt import MqttSink
from digitedge.camera.sinks.preview import LivePreviewSink, PreviewSink
from digitedge.camera.sinks.stdout import JsonSink, RowSink
from digitedge.camera.sinks.video import VideoSink
from digitedge.camera.sinks.window import Window, find_window_problem

__all__ = [
    "CropSink",
    "JsonSink",
    "LivePreviewSink",
    "MqttSink",
    "PreviewSink",
    "RowSink",
    "VideoSink",
    "Window",
    "find_window_problem",
]
