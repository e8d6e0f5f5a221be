"""`digitedge camera`: read digits live."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
from digitedge.errors import CameraError, InputError

if TYPE_CHECKING:
    from digitedge.camera import Output, Screen, Source, View
    from digitedge.reader.reader import Reader

app = typer.Typer(add_completion=False)

_CAMERA, _ROWS, _OUTPUTS = "Camera", "Which rows count", "Where readings go"
# digitedge.camera.capture.PATIENCE_S and digitedge.camera.sinks.crops.LIMIT, which --help must not import.
PATIENCE_S, CROPS_LIMIT = 60.0, 10_000
IDLE_FPS = 2.0


@app.command()
def camera(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A camera number, /dev/videoN, rpicam or picamera (ribbon camera of a Raspberry Pi), the address of a "
            "stream (rtsp://..., http://..., tcp://..., udp://...), a video, an image, a folder or pattern of "
            "images, - (JPEG images on standard input), or demo. Default: the ribbon camera of a Raspberry Pi "
            "that has one, else camera 0.",
            show_default=False,
        ),
    ] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Ask the camera for it.", rich_help_panel=_CAMERA)] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Ask the camera for it.", rich_help_panel=_CAMERA)] = None,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Ask the camera for it.", rich_help_panel=_CAMERA)] = None,
    rotate: Annotated[int, typer.Option(help="Degrees clockwise: 0, 90, 180 or 270.", rich_help_panel=_CAMERA)] = 0,
    flip: Annotated[
        Literal["horizontal", "vertical"] | None, typer.Option(help="Undo a mirror.", rich_help_panel=_CAMERA)
    ] = None,
    roi: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Read only this part of the turned frame, in pixels; boxes count from its corner.",
            rich_help_panel=_CAMERA,
        ),
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds to wait for a camera or stream that was lost, before it is an error.",
            rich_help_panel=_CAMERA,
        ),
    ] = PATIENCE_S,
    idle_fps: Annotated[
        float,
        typer.Option(
            min=0,
            help="Frames a second that are read while nothing moves, to save energy; the first that moves is read.",
            rich_help_panel=_CAMERA,
        ),
    ] = IDLE_FPS,
    expect_length: Annotated[
        int | None, typer.Option(min=1, help="Only rows of so many digits.", rich_help_panel=_ROWS)
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Only rows that match this regular expression as a whole.", rich_help_panel=_ROWS)
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Only rows whose every digit is so certain.", rich_help_panel=_ROWS)
    ] = 0.0,
    window: Annotated[
        bool | None,
        typer.Option(
            "--window/--headless",
            help="Default: a window where one can be shown, unless --json is given.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    json: JsonOption = False,
    events: Annotated[
        bool,
        typer.Option(
            "--events",
            help="JSON, but only lines in which a stable row appears, changes or leaves, or the state changes.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = False,
    web: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Show a live page there; 0.0.0.0:8000 for the whole network, with a token in its address.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    web_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="DIGITEDGE_WEB_TOKEN",
            help="What viewers of the page must bring. Default: beyond this machine a new one each time, here none.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="DIGITEDGE_MQTT",
            help="Publish rows to a broker, such as mqtt://user:password@broker.local/meter; mqtts:// with TLS.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record the frames: .mp4, .mkv or .avi.", rich_help_panel=_OUTPUTS),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --record.", rich_help_panel=_OUTPUTS)
    ] = False,
    save_crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Save the crops of stable rows, sorted by what was read.", rich_help_panel=_OUTPUTS
        ),
    ] = None,
    crops_limit: Annotated[
        int, typer.Option(min=1, help="Most files in the folder of --save-crops.", rich_help_panel=_OUTPUTS)
    ] = CROPS_LIMIT,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Of OpenCV and of the runtime. `digitedge bench` tells whether more help.")
    ] = 1,
    model: ModelOption = None,
    force: ForceOption = False,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
) -> None:
    """Read handwritten digits live: from a webcam, Pi camera, stream, video or images.

    A row is stable when frames agree on it for 0.6 seconds; it is reported once. A camera that is unplugged or a stream
    whose server is gone is opened again. In the window q or Esc ends; Ctrl-C ends everywhere.

    Examples:
      digitedge camera demo
      digitedge camera rpicam --web 0.0.0.0:8000
      digitedge camera 0 --events --mqtt mqtt://broker.local/meter
      digitedge camera rtsp://192.168.1.20/stream --roi 200,100,640,200 --expect-length 6
    """
    from digitedge.camera import Flip, Mode, Rules, View, open_source, parse_roi, run
    from digitedge.reader.reader import Reader
    from digitedge.utils.opencv import cv2
    from digitedge.utils.quiet import quiet_libraries

    json = json or events
    with _wrong_usage():
        view = View(rotate, None if flip is None else Flip(flip), None if roi is None else parse_roi(roi))
        rules = Rules(expect_length, pattern, min_confidence)
        frames = open_source(source, Mode(width, height, fps))
    cv2.setNumThreads(threads)
    has_window = _wants_window(window, json=json)
    reader = Reader(choose_model(model), threshold=threshold, force=force, threads=threads)
    with _wrong_usage():
        handed_on = _handed_on(reader, frames, mqtt, record, overwrite, save_crops, crops_limit, web, web_token)
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        outputs, screen = _shown(stack, frames, view, has_window=has_window, json=json, events=events)
        outputs += map(stack.enter_context, handed_on)
        session = run(
            frames,
            reader,
            outputs,
            screen=screen,
            view=view,
            rules=rules,
            max_frames=max_frames,
            patience_s=patience,
            idle_fps=idle_fps,
        )
    say(f"frames read: {session.frames}, in {session.seconds:.1f} s")


def _shown(
    stack: ExitStack, frames: "Source", view: "View", *, has_window: bool, json: bool, events: bool
) -> tuple[list["Output"], "Screen | None"]:
    """What is shown here: a window, or lines; `stack` closes it."""
    from digitedge.camera import JsonLines, LivePreview, Preview, RowLines, Window

    outputs: list[Output] = []
    screen: Screen | None = None
    if has_window:
        shown = stack.enter_context(Window())
        if frames.live:
            screen = LivePreview(shown, view)
        else:
            outputs.append(Preview(shown, frames))
    if json or not has_window:
        outputs.append(JsonLines(events_only=events) if json else RowLines())
    return outputs, screen


def _handed_on(
    reader: "Reader",
    frames: "Source",
    mqtt: str | None,
    record: Path | None,
    overwrite: bool,
    save_crops: Path | None,
    crops_limit: int,
    web: str | None,
    web_token: str | None,
) -> list[AbstractContextManager["Output"]]:
    """Where else readings go; nothing is open yet, and each is imported only where it is asked for."""
    outputs: list[AbstractContextManager[Output]] = []
    if mqtt is not None:
        from digitedge.camera.sinks.mqtt import Mqtt

        outputs.append(Mqtt(mqtt, log=say))
    if record is not None:
        from digitedge.camera.sinks.video import Recording

        outputs.append(Recording(record, frames, overwrite=overwrite, log=say))
    if save_crops is not None:
        from digitedge.camera.sinks.crops import CropSaver

        outputs.append(CropSaver(save_crops, reader, limit=crops_limit, log=say))
    if web is not None:
        from digitedge.web import WebPage, parse_address

        outputs.append(WebPage(parse_address(web), reader, token=web_token, log=say))
    return outputs


@contextmanager
def _wrong_usage() -> Iterator[None]:
    """An option that no part of the program takes is wrong usage: exit code 2."""
    try:
        yield
    except InputError as exc:
        raise typer.BadParameter(str(exc)) from exc


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
    say(f"no window, because {reason}. Printing the rows that stay, as --headless does.")
    return False
