import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import FrameList, JsonLines, RowLines, Source, State, View, capture, open_source, run
from digitedge.camera import motion as stillness
from digitedge.camera.loop import FrameRate
from digitedge.errors import CameraError, InputError
from digitedge.utils.opencv import cv2


class Recorder:
    """An output that keeps what it is shown, and ends the loop after `limit` readings."""

    def __init__(self, limit: int = 1000) -> None:
        self.seen: list = []
        self.limit = limit

    def show(self, update):
        self.seen.append(update)
        return len(self.seen) < self.limit


def test_every_frame_is_read_once_and_in_order(page, sevens) -> None:
    frames = [page(n) for n in (1, 3, 0)]
    output = Recorder()
    session = run(FrameList(frames, name="desk"), sevens, [output])
    assert session.frames == 3
    assert session.seconds > 0
    assert [update.frame is frame for update, frame in zip(output.seen, frames, strict=True)] == [True] * 3
    assert [len(update.reading.digits) for update in output.seen] == [1, 3, 3]  # the last ones are waited for
    assert [(update.reading.source, update.reading.frame) for update in output.seen] == [("desk", n) for n in range(3)]


def test_max_frames_takes_no_frame_more_than_that(page, sevens) -> None:
    frames = iter([page(1)] * 5)
    assert run(FrameList(frames), sevens, [], max_frames=2).frames == 2
    assert len(list(frames)) == 3


def test_one_output_that_wants_to_end_ends_the_loop_after_all_have_been_shown(page, sevens) -> None:
    first, second = Recorder(limit=2), Recorder()
    assert run(FrameList([page(1)] * 5), sevens, [first, second]).frames == 2
    assert len(first.seen) == len(second.seen) == 2


class Device(Source):
    """An endless device that knows whether it was released."""

    released = False

    def _frames(self):
        try:
            while True:
                yield np.full((48, 64), 200, np.uint8)
        finally:
            self.released = True


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_the_device_is_released_and_the_error_passes_when_an_output_fails(sevens, error: type[BaseException]) -> None:
    class Failing:
        def show(self, update):
            raise error

    device = Device("device")
    with pytest.raises(error):
        run(device, sevens, [Failing()])
    assert device.released


def test_the_device_is_released_at_a_regular_end(sevens) -> None:
    device = Device("device")
    run(device, sevens, [], max_frames=3)
    assert device.released


def test_json_lines_are_one_reading_each(page, sevens, capsys: pytest.CaptureFixture[str]) -> None:
    run(FrameList([page(1), page(2)], name="desk"), sevens, [JsonLines()])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["rows"] for line in lines] == [["7"], ["77"]]
    assert [line["frame"] for line in lines] == [0, 1]
    assert {line["schema"] for line in lines} == {"digitedge.reading/1"}
    assert np.allclose(lines[0]["digits"][0]["box"], [27, 87, 36, 56], atol=3)
    assert lines[0]["time"] <= lines[1]["time"]


class Film(Source):
    """Frames at a steady pace, as a video has it; of a live one, those that come in real time."""

    def __init__(self, frames, *, fps: float = 10, live: bool = False) -> None:
        super().__init__("film")
        self._list, self._fps, self.live = frames, fps, live

    def _frames(self):
        for number, frame in enumerate(self._list):
            self.time = number / self._fps
            if self.live:
                time.sleep(1 / self._fps)
            yield frame


def test_row_lines_are_printed_when_a_row_has_become_stable(page, sevens, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [page(n) for n in [0] * 5 + [2] * 12 + [0] * 4 + [2] * 12 + [3] * 24]
    run(Film(frames), sevens, [RowLines()])
    assert capsys.readouterr().out.splitlines() == ["77", "777"]


def test_lines_of_events_are_those_in_which_something_happens(page, sevens, capsys: pytest.CaptureFixture[str]) -> None:
    run(Film([page(n) for n in [1] * 12 + [0] * 20]), sevens, [JsonLines(events_only=True)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["change"], event["text"]) for line in lines for event in line["events"]] == [
        ("appeared", "7"),
        ("left", "7"),
    ]
    assert len(lines) == 2
    assert [row["text"] for row in lines[0]["stable"]] == ["7"]
    assert lines[1]["stable"] == []


def test_images_are_not_followed(page, sevens, tmp_path: Path) -> None:
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number}.png"), page(2))
    output = Recorder()
    run(open_source(str(tmp_path)), sevens, [output])
    assert not any(update.stable or update.events for update in output.seen)
    assert output.seen[0].reading.digits[0].track is None


def test_a_live_source_is_read_beside_a_screen(page, sevens) -> None:
    class Screen:
        shown = 0

        def show(self, update):
            self.newest = update
            return True

        def run(self, newest, ended):
            assert threading.current_thread() is threading.main_thread()
            while not ended.wait(0.01):
                self.shown += newest.newest is not None

    screen, output = Screen(), Recorder()
    session = run(Film([page(1)] * 8, fps=40, live=True), sevens, [output], screen=screen)
    assert 1 <= session.frames == sum(update.is_new for update in output.seen) <= 8
    assert screen.shown > 0
    assert screen.newest is output.seen[-1]


def test_an_error_in_the_reading_thread_reaches_the_caller(page, sevens) -> None:
    class Screen:
        def show(self, update):
            raise ZeroDivisionError

        def run(self, newest, ended):
            assert ended.wait(5)

    with pytest.raises(ZeroDivisionError):
        run(Film([page(1)] * 100, fps=50, live=True), sevens, screen=Screen())


def test_the_loop_ends_at_once_when_the_screen_does_though_no_frame_ever_came(sevens) -> None:
    class Silent(Source):
        live = True

        def _frames(self):
            time.sleep(2)
            yield np.zeros((48, 64), np.uint8)

    class Screen:
        def show(self, update):
            return True

        def run(self, newest, ended):
            time.sleep(0.1)

    started = time.monotonic()
    assert run(Silent("silent"), sevens, screen=Screen()).frames == 0
    assert time.monotonic() - started < 1.5
    assert not [thread for thread in threading.enumerate() if thread.name == "reader"]


def test_frames_that_were_read_are_counted_when_the_screen_ends(page, sevens) -> None:
    class Screen:
        def __init__(self):
            self.updates = 0

        def show(self, update):
            self.updates += 1
            return True

        def run(self, newest, ended):
            while self.updates < 3:
                time.sleep(0.01)

    assert run(Film([page(1)] * 1000, fps=50, live=True), sevens, screen=Screen()).frames >= 3


def test_the_rate_is_none_while_the_source_is_lost(page, sevens, monkeypatch: pytest.MonkeyPatch) -> None:
    class Once(Source):
        live = True
        pages = iter([page(1)] * 5)

        def _frames(self):
            for frame in self.pages:
                time.sleep(0.02)
                yield frame
            raise CameraError("lost")

    monkeypatch.setattr(capture, "HEARTBEAT_S", 0.1)
    output = Recorder()
    with pytest.raises(CameraError, match="did not come back"):
        run(Once("once"), sevens, [output], patience_s=0.5)
    lost = [update for update in output.seen if update.state is State.RECONNECTING]
    assert lost
    assert {update.fps for update in lost if not update.is_new} == {0.0}


def test_a_still_camera_that_falls_silent_is_told_of(page, sevens, monkeypatch: pytest.MonkeyPatch) -> None:
    class Still(Source):
        live = True
        pages = iter([page(1)] * 25)

        def _frames(self):
            for frame in self.pages:
                time.sleep(0.02)
                yield frame
            time.sleep(0.6)
            raise CameraError("lost")

    monkeypatch.setattr(stillness, "STILL_S", 0.1)
    monkeypatch.setattr(capture, "STALE_S", 0.2)
    output = Recorder()
    with pytest.raises(CameraError):
        run(Still("still"), sevens, [output], patience_s=0.5, idle_fps=0)
    assert len([update for update in output.seen if update.is_new]) < 15  # most frames were spared
    assert [state for state in (State.STALE, State.RECONNECTING) if state in [u.state for u in output.seen]] == [
        State.STALE,
        State.RECONNECTING,
    ]
    assert not output.seen[-1].is_new


def test_after_a_gap_nothing_appears_that_is_not_seen(page, sevens) -> None:
    """Two sevens for half a second, which is too short; a gap; an empty page."""

    class Gap(Source):
        def _frames(self):
            for number in range(5):
                self.time = number / 10
                yield page(2)
            for number in range(10):
                self.time = 8 + number / 10
                yield page(0)

    output = Recorder()
    run(Gap("gap"), sevens, [output])
    assert not any(update.events for update in output.seen)
    assert output.seen[5].reading.rows == ()


def test_a_screen_for_a_file_and_no_frames_at_all_are_refused(page, sevens) -> None:
    with pytest.raises(InputError, match="a screen shows live sources"):
        run(FrameList([page(1)]), sevens, screen=Recorder())
    with pytest.raises(InputError, match="1 frame or more"):
        run(FrameList([page(1)]), sevens, max_frames=0)


def test_what_lies_outside_the_region_is_not_read(page, sevens) -> None:
    output = Recorder()
    run(FrameList([page(3)]), sevens, [output], view=View(roi=(100, 0, 80, 240)))
    (digit,) = output.seen[0].reading.digits
    assert output.seen[0].frame.shape == (240, 80, 3)
    assert np.allclose(digit.box, [7, 87, 36, 56], atol=3)


def test_row_lines_name_every_image(page, sevens, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, digits in (("a.png", 2), ("b.png", 2), ("c.png", 0)):
        cv2.imwrite(str(tmp_path / name), page(digits))
    run(open_source(str(tmp_path)), sevens, [RowLines()])
    names = [str(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert capsys.readouterr().out.splitlines() == [f"{names[0]}: 77", f"{names[1]}: 77", f"{names[2]}: -"]


def test_the_frame_rate_is_that_of_the_last_frames() -> None:
    rate = FrameRate(span=4)
    slow_then_fast = [0, 1, 2, 2.1, 2.2, 2.3, 2.4]
    assert [round(rate.tick(now), 3) for now in slow_then_fast] == [0, 1, 1, 1.429, 1.818, 3.077, 10]


def test_two_frames_at_the_same_moment_have_no_rate() -> None:
    rate = FrameRate()
    assert [rate.tick(1.0), rate.tick(1.0)] == [0, 0]
