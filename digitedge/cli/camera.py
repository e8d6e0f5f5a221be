"""`digitedge camera`: read digits live."""

import os
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    AdaptationOption,
    ForceOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    ThresholdOption,
    choose_model,
    echo,
    load_adapted,
    usage_error,
)
from digitedge.cli.selection import (
    PART_PANEL,
    FlipOption,
    LengthOption,
    PatternOption,
    RoiOption,
    build_row_filter,
    build_transform,
)
from digitedge.errors import CameraError

if TYPE_CHECKING:
    from digitedge.camera import CropSink, Display, Sink, Source, Transform
    from digitedge.reader import Reader
    from digitedge.web import Address

_camera_option = partial(typer.Option, rich_help_panel="Camera")
_sink_option = partial(typer.Option, rich_help_panel="Where readings go")
PATIENCE_S = 60.0  # digitedge.camera.capture.PATIENCE_S, which --help must not import


def camera(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            envvar="DIGITEDGE_SOURCE",
            help="A camera number, /dev/videoN, rpicam or picamera (ribbon camera of a Raspberry Pi), the address of a "
            "stream (rtsp://..., http://..., tcp://..., udp://...), a video, an image, a folder or pattern of "
            "images, - (JPEG images on standard input), or demo. Default: the ribbon camera of a Raspberry Pi "
            "that has one, else camera 0.",
            show_default=False,
        ),
    ] = None,
    width: Annotated[int | None, _camera_option(min=1, help="Width that a camera is asked for, in pixels.")] = None,
    height: Annotated[int | None, _camera_option(min=1, help="Height that a camera is asked for, in pixels.")] = None,
    fps: Annotated[float | None, _camera_option(min=0.1, help="Frames per second that a camera is asked for.")] = None,
    patience: Annotated[float, _camera_option(min=0, help="Seconds to wait for a lost camera or stream.")] = PATIENCE_S,
    idle_fps: Annotated[
        float,
        _camera_option(
            min=0, help="Frames read per second while nothing moves, to save energy. The first that moves is read."
        ),
    ] = 2.0,
    rotate: Annotated[int, typer.Option(rich_help_panel=PART_PANEL, help="Degrees clockwise: 0, 90, 180 or 270.")] = 0,
    flip: FlipOption = None,
    roi: RoiOption = None,
    expect_length: LengthOption = None,
    pattern: PatternOption = None,
    window: Annotated[
        bool | None,
        _sink_option("--window/--headless", help="Default: a window where one can be shown, unless --json is given."),
    ] = None,
    json: Annotated[bool, _sink_option("--json", help="Print JSON, one object a line.")] = False,
    events: Annotated[
        bool,
        _sink_option(
            "--events", help="Print JSON only when a stable row appears, changes or leaves, or the state changes."
        ),
    ] = False,
    web: Annotated[
        str | None,
        _sink_option(
            metavar="[HOST:]PORT",
            help="Serve a live page; 0.0.0.0:8000 for the whole network, with a token in its address: "
            "$DIGITEDGE_WEB_TOKEN, else a new one each time.",
        ),
    ] = None,
    mqtt: Annotated[
        str | None,
        _sink_option(
            metavar="URL",
            envvar="DIGITEDGE_MQTT",
            help="Publish rows to a broker, such as mqtt://broker.local/meter; mqtts:// with TLS. A login stands "
            "before the host: user:password@.",
        ),
    ] = None,
    record: Annotated[Path | None, _sink_option(metavar="FILE", help="Record the frames: .mp4, .mkv or .avi.")] = None,
    overwrite: Annotated[bool, _sink_option("--overwrite", help="Replace the file of --record.")] = False,
    save_crops: Annotated[
        Path | None,
        _sink_option(
            metavar="DIR",
            help="Save the crops of stable rows, or of photographs, by digit: at most 60 a minute, doubtful ones "
            "first, and 1,000 of each digit. `digitedge label DIR` corrects them.",
        ),
    ] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="For OpenCV and the runtime. `digitedge bench` shows whether more help.")
    ] = 1,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    adaptation: AdaptationOption = True,
    force: ForceOption = False,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    _require_signature: SignatureOption = None,
) -> None:
    """Read handwritten digits live: from a webcam, Pi camera, stream, video or images.

    A row is stable when frames agree on it for 0.6 seconds; it is reported once. A camera or stream that was lost is
    opened again. In the window q or Esc quits; Ctrl-C quits everywhere. Boxes count in the frame that is read: rotated,
    flipped, and from the corner of the region.

    An address with a password belongs into an environment variable, DIGITEDGE_SOURCE or DIGITEDGE_MQTT: the command
    line shows in the list of processes.

    Examples:
      digitedge camera demo
      digitedge camera rpicam --web 0.0.0.0:8000
      digitedge camera 0 --events --mqtt mqtt://broker.local/meter
      digitedge camera rtsp://192.168.1.20/stream --roi 200,100,640,200 --expect-length 6
    """
    from digitedge.camera import Mode, open_source, run
    from digitedge.camera.heartbeat import Heartbeat
    from digitedge.camera.model_watcher import ModelWatcher
    from digitedge.reader import Reader
    from digitedge.utils.opencv import cv2
    from digitedge.utils.quiet import quiet_libraries

    json = json or events
    if overwrite and record is None:
        raise typer.BadParameter("expected --record FILE with it", param_hint="--overwrite")
    transform = build_transform(rotate, flip, roi)
    row_filter = build_row_filter(expect_length, pattern)
    with usage_error("SOURCE"):
        frames = open_source(source, Mode(width, height, fps))
    optional = _optional_sinks(frames, mqtt, record, overwrite)
    crops = _crop_sink(save_crops)
    if crops is not None:
        optional.append(crops)
    address = None
    if web is not None:
        from digitedge.web import parse_address

        with usage_error("--web"):
            address = parse_address(web)
    cv2.setNumThreads(threads)
    has_window = _wants_window(window, json=json)
    load = partial(load_adapted, adapted=adaptation, force=force, preprocess=preprocess, threads=threads)
    chosen = choose_model(model)
    reader = Reader(load(chosen), threshold=threshold)
    if address is not None:
        optional.append(_web_sink(address, reader, crops))  # after the crops, so that it is closed before them
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        sinks, display = _local_sinks(stack, frames, transform, has_window=has_window, json=json, events=events)
        sinks += map(stack.enter_context, optional)
        if model is not None and model != chosen:  # a version folder, of which `chosen` is the current one
            stack.enter_context(ModelWatcher(model, chosen, reader, load, log=echo))
        session = run(
            frames,
            reader,
            sinks,
            display=display,
            transform=transform,
            row_filter=row_filter,
            max_frames=max_frames,
            patience_s=patience,
            idle_fps=idle_fps,
            heartbeat=Heartbeat().beat,
        )
    echo(f"frames read: {session.frames}, in {session.seconds:.1f} s")


def _local_sinks(
    stack: ExitStack, frames: "Source", transform: "Transform", *, has_window: bool, json: bool, events: bool
) -> tuple[list["Sink"], "Display | None"]:
    """Open the window, which `stack` closes, and choose the lines on stdout."""
    from digitedge.camera import JsonSink, LivePreviewSink, PreviewSink, RowSink, Window

    sinks: list[Sink] = []
    display: Display | None = None
    if has_window:
        opened = stack.enter_context(Window())
        if frames.live:
            display = LivePreviewSink(opened, transform)
        else:
            sinks.append(PreviewSink(opened, frames))
    if json or not has_window:
        sinks.append(JsonSink(events_only=events) if json else RowSink())
    return sinks, display


def _optional_sinks(
    frames: "Source", mqtt: str | None, record: Path | None, overwrite: bool
) -> list[AbstractContextManager["Sink"]]:
    """Create the sinks that were asked for; each is opened by its `with` block."""
    from digitedge.camera.sinks import MqttSink, VideoSink

    sinks: list[AbstractContextManager[Sink]] = []
    if mqtt is not None:
        with usage_error("--mqtt"):
            sinks.append(MqttSink(mqtt, log=echo))
    if record is not None:
        with usage_error("--record"):
            sinks.append(VideoSink(record, frames, overwrite=overwrite, log=echo))
    return sinks


def _crop_sink(folder: Path | None) -> "CropSink | None":
    from digitedge.camera.sinks import CropSink

    return None if folder is None else CropSink(folder, log=echo)


def _web_sink(address: "Address", reader: "Reader", crops: "CropSink | None") -> AbstractContextManager["Sink"]:
    from digitedge.web import WebSink

    with usage_error("$DIGITEDGE_WEB_TOKEN"):
        token = os.environ.get("DIGITEDGE_WEB_TOKEN") or None
        return WebSink(address, reader, crops=crops, token=token, log=echo)


def _wants_window(requested: bool | None, *, json: bool) -> bool:
    """Decide about the window: as requested, else where one can be shown, but not with --json."""
    from digitedge.camera import find_window_problem

    if requested is False or (requested is None and json):
        return False
    problem = find_window_problem()
    if problem is None:
        return True
    if requested:
        raise CameraError(
            f"cannot show a window: {problem}. Use --headless, or set DISPLAY to your screen and install what "
            "opencv-python needs: sudo apt install libgl1 libglib2.0-0"
        )
    echo(f"no window, because {problem}. Printing the stable rows, as --headless does.")
    return False
