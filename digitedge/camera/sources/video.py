"""Video files, decoded by the FFmpeg in OpenCV."""

from collections.abc import Generator
from pathlib import Path

from digitedge.camera.sources.base import Frame, Source
from digitedge.errors import CameraError
from digitedge.utils.opencv import as_uint8, cv2

USUAL_FPS = 25.0


class VideoFile(Source):
    """Every frame of a video file, in order. In a window it plays at its own speed."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def _frames(self) -> Generator[Frame]:
        # The absolute path, because FFmpeg takes "clip:1.mp4" for the protocol "clip".
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        count = 0
        try:
            fps = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0.0
            self.hold_s = 1 / fps if fps > 0 else 0.0
            while (read := capture.read())[0]:
                position_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                # Raw H.264 has no timestamps: every frame would be at 0.
                self.time = position_s if position_s > 0 or not count else count / (fps or USUAL_FPS)
                count += 1
                yield as_uint8(read[1])
        finally:
            capture.release()
        if not count:
            raise CameraError(
                f"{self._path}: expected a video that FFmpeg can read, got no frame. Is the file complete? "
                "Convert it with: ffmpeg -i FILE out.mp4. Without a video: digitedge camera demo"
            )
