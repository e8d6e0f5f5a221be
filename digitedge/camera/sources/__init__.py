"""Sources of frames. In: what the user types ("0", "desk.mp4", "rtsp://...", "demo"). Out: a `Source`."""

from digitedge.camera.sources.base import Camera, Frame, Mode, Source
from digitedge.camera.sources.frame_list import FrameList
from digitedge.camera.sources.open import default_source, open_source

__all__ = ["Camera", "Frame", "FrameList", "Mode", "Source", "default_source", "open_source"]
