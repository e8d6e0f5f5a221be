import json
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import (
    CameraState,
    Frame,
    FrameList,
    JsonSink,
    LiveCapture,
    RowSink,
    Source,
    Transform,
    Update,
    capture,
    motion,
    open_source,
    run,
)
from digitedge.camera.loop import FrameRate
from digitedge.errors import CameraError, InputError
from digitedge.reader import Reader
from digitedge.utils.opencv import cv2

Page = Callable[[int], Frame]
Timed = Callable[..., Source]


class ListSink:
    """A sink that keeps all updates, and ends the loop after `limit` of them."""

    def __init__(self, limit: int = 1000) -> None:
        self.updates: list[Update] = []
        self.limit = limit

    def show(self, update: Update) -> bool:
        self.updates.append(update)
        return len(self.updates) < self.limit


class CountingDisplay(ListSink):
    """A display that ends after `end_after` updates, or with the loop, and counts how often there was a frame."""

    def __init__(self, end_after: int | None = None) -> None:
        super().__init__()
        self.end_after = end_after
        self.frames = 0

    def run(self, capture: LiveCapture, ended: threading.Event) -> None:
        assert threading.current_thread() is threading.main_thread()
        while not ended.wait(0.01) and len(self.updates) != self.end_after:
            self.frames += capture.latest is not None


class Device(Source):
    """An endless device that records whether it was released."""

    released = False

    def _frames(self) -> Generator[Frame]:
        try:
            while True:
                yield np.full((48, 64), 200, np.uint8)
        finally:
            self.released = True


class LosingCamera(Source):
    """A live source that gives frames once, is silent for a while, and is lost for good."""

    live = True

    def __init__(self, frames: list[Frame], silence_s: float = 0.0) -> None:
        super().__init__("losing")
        self._remaining = iter(frames)
        self._silence_s = silence_s

    def _frames(self) -> Generator[Frame]:
        for frame in self._remaining:
            time.sleep(0.02)
            yield frame
        time.sleep(self._silence_s)
        raise CameraError("lost")


def test_every_frame_is_read_once_and_in_order(page: Page, sevens: Reader) -> None:
    frames = [page(n) for n in (1, 3, 0)]
    sink = ListSink()
    session = run(FrameList(frames, name="desk"), sevens, [sink])
    assert session.frames == 3
    assert session.seconds > 0
    assert [update.frame is frame for update, frame in zip(sink.updates, frames, strict=True)] == [True] * 3
    assert [len(update.reading.digits) for update in sink.updates] == [1, 3, 3]  # missed digits are kept for a moment
    assert [(update.reading.source, update.reading.frame) for update in sink.updates] == [("desk", n) for n in range(3)]


def test_max_frames_takes_no_further_frame(page: Page, sevens: Reader) -> None:
    frames = iter([page(1)] * 5)
    assert run(FrameList(frames), sevens, [], max_frames=2).frames == 2
    assert len(list(frames)) == 3


def test_sink_that_returns_false_ends_the_loop_after_all_sinks_were_called(page: Page, sevens: Reader) -> None:
    first, second = ListSink(limit=2), ListSink()
    assert run(FrameList([page(1)] * 5), sevens, [first, second]).frames == 2
    assert len(first.updates) == len(second.updates) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_device_is_released_when_a_sink_raises(sevens: Reader, error: type[BaseException]) -> None:
    class Failing:
        def show(self, update: Update) -> bool:
            raise error

    device = Device("device")
    with pytest.raises(error):
        run(device, sevens, [Failing()])
    assert device.released


def test_device_is_released_at_the_end(sevens: Reader) -> None:
    device = Device("device")
    run(device, sevens, [], max_frames=3)
    assert device.released


def test_json_sink_prints_one_reading_per_line(page: Page, sevens: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    run(FrameList([page(1), page(2)], name="desk"), sevens, [JsonSink()])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["rows"] for line in lines] == [["7"], ["77"]]
    assert [line["frame"] for line in lines] == [0, 1]
    assert {line["schema"] for line in lines} == {"digitedge.reading/1"}
    assert np.allclose(lines[0]["digits"][0]["box"], [27, 87, 36, 56], atol=3)
    assert lines[0]["time"] <= lines[1]["time"]


def test_row_sink_prints_rows_when_they_become_stable(
    page: Page, sevens: Reader, timed: Timed, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [page(n) for n in [0] * 5 + [2] * 12 + [0] * 4 + [2] * 12 + [3] * 24]
    run(timed(frames, fps=10), sevens, [RowSink()])
    assert capsys.readouterr().out.splitlines() == ["77", "777"]


def test_json_sink_of_events_prints_only_updates_with_an_event(
    page: Page, sevens: Reader, timed: Timed, capsys: pytest.CaptureFixture[str]
) -> None:
    run(timed([page(n) for n in [1] * 12 + [0] * 20], fps=10), sevens, [JsonSink(events_only=True)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["change"], event["text"]) for line in lines for event in line["events"]] == [
        ("appeared", "7"),
        ("left", "7"),
    ]
    assert len(lines) == 2
    assert [row["text"] for row in lines[0]["stable"]] == ["7"]
    assert lines[1]["stable"] == []


def test_images_are_not_tracked(page: Page, sevens: Reader, tmp_path: Path) -> None:
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number}.png"), page(2))
    sink = ListSink()
    run(open_source(str(tmp_path)), sevens, [sink])
    assert not any(update.stable or update.events for update in sink.updates)
    assert sink.updates[0].reading.digits[0].track is None


def test_live_source_is_read_in_a_thread_beside_a_display(page: Page, sevens: Reader, timed: Timed) -> None:
    display, sink = CountingDisplay(), ListSink()
    session = run(timed([page(1)] * 8, fps=40, live=True), sevens, [sink], display=display)
    assert 1 <= session.frames == sum(update.is_new for update in sink.updates) <= 8
    assert display.frames > 0
    assert display.updates[-1] is sink.updates[-1]


def test_exception_in_the_reading_thread_is_raised_in_the_caller(page: Page, sevens: Reader, timed: Timed) -> None:
    class Failing(CountingDisplay):
        def show(self, update: Update) -> bool:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(timed([page(1)] * 100, fps=50, live=True), sevens, display=Failing())


def test_loop_ends_with_the_display_even_if_no_frame_came(sevens: Reader) -> None:
    class Silent(Source):
        live = True

        def _frames(self) -> Generator[Frame]:
            time.sleep(2)
            yield np.zeros((48, 64), np.uint8)

    started = time.monotonic()
    assert run(Silent("silent"), sevens, display=CountingDisplay(end_after=0)).frames == 0
    assert time.monotonic() - started < 1.5
    assert not [thread for thread in threading.enumerate() if thread.name == "reader"]


def test_frames_are_counted_when_the_display_ends(page: Page, sevens: Reader, timed: Timed) -> None:
    source = timed([page(1)] * 1000, fps=50, live=True)
    assert run(source, sevens, display=CountingDisplay(end_after=3)).frames >= 3


def test_rate_is_0_while_the_source_is_lost(page: Page, sevens: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "HEARTBEAT_S", 0.1)
    sink = ListSink()
    with pytest.raises(CameraError, match="did not come back"):
        run(LosingCamera([page(1)] * 5), sevens, [sink], patience_s=0.5)
    lost = [update for update in sink.updates if update.state is CameraState.RECONNECTING]
    assert lost
    assert {update.fps for update in lost if not update.is_new} == {0.0}


def test_idle_camera_that_falls_silent_is_reported(page: Page, sevens: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "STILL_S", 0.1)
    monkeypatch.setattr(capture, "STALE_S", 0.2)
    sink = ListSink()
    with pytest.raises(CameraError):
        run(LosingCamera([page(1)] * 25, silence_s=0.6), sevens, [sink], patience_s=0.5, idle_fps=0)
    assert len([update for update in sink.updates if update.is_new]) < 15  # most frames were skipped
    assert {CameraState.STALE, CameraState.RECONNECTING} <= {update.state for update in sink.updates}
    assert not sink.updates[-1].is_new


def test_row_that_is_not_shown_after_a_gap_does_not_appear(page: Page, sevens: Reader) -> None:
    """Two sevens for half a second, which is too short; a gap; an empty page."""

    class Gap(Source):
        def _frames(self) -> Generator[Frame]:
            for number in range(5):
                self.time = number / 10
                yield page(2)
            for number in range(10):
                self.time = 8 + number / 10
                yield page(0)

    sink = ListSink()
    run(Gap("gap"), sevens, [sink])
    assert not any(update.events for update in sink.updates)
    assert sink.updates[5].reading.rows == ()


def test_display_for_a_file_is_an_error(page: Page, sevens: Reader) -> None:
    with pytest.raises(InputError, match="a display shows live sources"):
        run(FrameList([page(1)]), sevens, display=CountingDisplay())


def test_max_frames_of_0_is_an_error(page: Page, sevens: Reader) -> None:
    with pytest.raises(InputError, match="1 frame or more"):
        run(FrameList([page(1)]), sevens, max_frames=0)


def test_only_the_region_of_interest_is_read(page: Page, sevens: Reader) -> None:
    sink = ListSink()
    run(FrameList([page(3)]), sevens, [sink], transform=Transform(roi=(100, 0, 80, 240)))
    (digit,) = sink.updates[0].reading.digits
    assert sink.updates[0].frame.shape == (240, 80, 3)
    assert np.allclose(digit.box, [7, 87, 36, 56], atol=3)


def test_row_sink_names_every_image(
    page: Page, sevens: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, digits in (("a.png", 2), ("b.png", 2), ("c.png", 0)):
        cv2.imwrite(str(tmp_path / name), page(digits))
    run(open_source(str(tmp_path)), sevens, [RowSink()])
    names = [str(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert capsys.readouterr().out.splitlines() == [f"{names[0]}: 77", f"{names[1]}: 77", f"{names[2]}: no digits"]


def test_frame_rate_is_that_of_the_last_frames() -> None:
    rate = FrameRate(span=4)
    slow_then_fast = [0, 1, 2, 2.1, 2.2, 2.3, 2.4]
    assert [round(rate.tick(now), 3) for now in slow_then_fast] == [0, 1, 1, 1.429, 1.818, 3.077, 10]


def test_frame_rate_of_two_frames_at_the_same_time_is_0() -> None:
    rate = FrameRate()
    assert [rate.tick(1.0), rate.tick(1.0)] == [0, 0]
