"""`digitedge camera`: read digits live."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    ForceOption,
    JsonOption,
    ModelOption,
    ThresholdOption,
    choose_model,
    say,
)
from digitedge.errors import CameraError

if TYPE_CHECKING:
    from digitedge.camera import Output


def camera(
    source: Annotated[
        str,
        typer.Argument(
            help="A camera number, /dev/videoN, a video, a picture, a folder or pattern of pictures, the address of a "
            "stream (rtsp://..., http://..., tcp://..., udp://...), rpicam, or demo."
        ),
    ] = "0",
    window: Annotated[
        bool | None,
        typer.Option("--window/--headless", help="Default: a window where one can be shown, unless --json is given."),
    ] = None,
    json: JsonOption = False,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    model: ModelOption = None,
    force: ForceOption = False,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
) -> None:
    """Read handwritten digits live: from a webcam, Pi camera, stream, video or pictures.

    In the window q or Esc ends; Ctrl-C ends everywhere.

    Examples:
      digitedge camera demo
      digitedge camera rpicam --headless --json
      digitedge camera rtsp://192.168.1.20/stream --model export/cnn-1
    """
    from digitedge.camera import JsonLines, Preview, RowLines, Window, open_source, run
    from digitedge.reader import Reader

    frames = open_source(source)
    has_window = _wants_window(window, json=json)
    reader = Reader(choose_model(model), threshold=threshold, force=force)
    with ExitStack() as stack:
        outputs: list[Output] = []
        if has_window:
            outputs.append(Preview(stack.enter_context(Window()), frames))
        if json or not has_window:
            outputs.append(JsonLines() if json else RowLines())
        session = run(frames, reader, outputs, max_frames=max_frames)
    say(f"frames read: {session.frames}, in {session.seconds:.1f} s")


def _wants_window(asked: bool | None, *, json: bool) -> bool:
    """Decide about the window: what was asked for, else where one works; lines of JSON are for programs, so without.

    Raises:
        CameraError: asked for, but it cannot be shown here.
    """
    from digitedge.camera import why_no_window

    if asked is False or (asked is None and json):
        return False
    reason = why_no_window()
    if reason is None:
        return True
    if asked:
        raise CameraError(
            f"cannot show a window: {reason}. Use --headless, or let DISPLAY name your screen and see that "
            "opencv-python has what it needs: sudo apt install libgl1 libglib2.0-0"
        )
    say(f"no window, because {reason}. Printing the rows whenever they change, as --headless does.")
    return False
