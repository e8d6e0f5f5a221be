import threading
import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
import pytest

from digitedge.camera import CameraState, Frame, LiveCapture, Source, capture
from digitedge.errors import CameraError

FPS = 50
Script = Callable[[], Iterator[Frame]]


class Device(Source):
    """A camera that plays one script each time it is opened, and is lost at its end."""

    live = True

    def __init__(self, *scripts: Script) -> None:
        super().__init__("device")
        self._scripts = list(scripts)
        self.opened = 0
        self.is_open = False

    def _frames(self) -> Generator[Frame]:
        self.opened += 1
        if not self._scripts:
            raise CameraError("gone for good")
        self.is_open = True
        try:
            for frame in self._scripts.pop(0)():
                self._stamp()
                yield frame
        finally:
            self.is_open = False
        raise CameraError("lost")


class Sensor(Device):
    has_noise = True


def noise(count: int, pause_s: float = 1 / FPS) -> Script:
    def frames() -> Iterator[Frame]:
        for number in range(count):
            time.sleep(pause_s)
            yield np.random.default_rng(number).integers(0, 256, (48, 64), np.uint8)

    return frames


def repeat(count: int) -> Script:
    def frames() -> Iterator[Frame]:
        for _ in range(count):
            time.sleep(1 / FPS)
            yield np.full((48, 64), 90, np.uint8)

    return frames


def one_frame_then_silence(seconds: float) -> Script:
    def frames() -> Iterator[Frame]:
        yield np.zeros((48, 64), np.uint8)
        time.sleep(seconds)

    return frames


def closed() -> Iterator[Frame]:
    raise CameraError("not there")
    yield


def states_of(device: Device, *, patience_s: float = 0.3) -> list[tuple[CameraState, int]]:
    """Every state with the number of the newest frame, until the end, which must be an error."""
    states: list[tuple[CameraState, int]] = []
    with LiveCapture(device, patience_s=patience_s) as live, pytest.raises(CameraError, match="did not come back"):
        for captured in live:
            states.append((live.state, captured.number))
    return states


def test_slow_reader_gets_the_newest_frame_and_no_frame_twice() -> None:
    numbers, ages = [], []
    with LiveCapture(Device(noise(40))) as live:
        for captured in live:
            ages.append(time.monotonic() - captured.arrival)
            numbers.append(captured.number)
            if len(numbers) == 5:
                break
            time.sleep(0.1)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 10
    assert max(ages) < 0.5  # seconds; queued frames would get older and older


def test_lost_camera_is_reopened_and_frames_are_numbered_on() -> None:
    device = Device(noise(5), closed, closed, noise(5))
    states = states_of(device, patience_s=1.5)
    assert CameraState.RECONNECTING in [state for state, _ in states]
    assert states[-1][1] == 9
    assert device.opened >= 5  # and more tries until patience ends


def test_pause_between_tries_grows_to_the_upper_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BACK_OFF_S", (0.05, 0.2))
    device = Device(noise(2))
    states_of(device, patience_s=1.0)
    assert 4 <= device.opened <= 9  # after 0.05, 0.1, 0.2, 0.2, ...: not 20


def test_camera_that_never_gave_a_frame_is_an_error_at_once() -> None:
    with LiveCapture(Device(closed), patience_s=60) as live, pytest.raises(CameraError, match="not there"):
        list(live)


def test_silent_camera_is_stale_then_reconnecting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "STALE_S", 0.2)
    states = states_of(Device(one_frame_then_silence(0.6)))
    assert [state for state, _ in states][:3] == [CameraState.LIVE, CameraState.STALE, CameraState.RECONNECTING]
    assert {number for _, number in states} == {0}


def test_unchanged_state_is_repeated_every_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "HEARTBEAT_S", 0.1)
    states = states_of(Device(one_frame_then_silence(1.0)))
    assert len([state for state, _ in states if state is CameraState.LIVE]) >= 4


def test_frozen_sensor_is_reopened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "FROZEN_S", 0.2)
    device = Sensor(repeat(1000), repeat(40))
    started = time.monotonic()
    with LiveCapture(device, patience_s=0.5) as live, pytest.raises(CameraError):
        for _ in live:
            pass
    assert device.opened >= 3  # frozen; the same image again, so it has no noise; gone for good
    assert time.monotonic() - started > 40 / FPS


def test_virtual_camera_with_slides_is_reopened_once_and_then_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def slides() -> Iterator[Frame]:
        for number in range(160):
            time.sleep(1 / FPS)
            yield np.full((48, 64), number // 40, np.uint8)

    monkeypatch.setattr(capture, "FROZEN_S", 0.3)
    device = Sensor(slides, slides)
    with LiveCapture(device, patience_s=0.5) as live, pytest.raises(CameraError):
        for _ in live:
            pass
    assert device.opened - 2 <= 4  # the slides twice, then some tries until patience ends


def test_read_that_never_returns_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "HANG_S", 0.2)
    device = Device(one_frame_then_silence(3))
    with LiveCapture(device, patience_s=0.3) as live, pytest.raises(CameraError, match="has not answered"):
        for _ in live:
            pass


def test_still_image_from_a_stream_is_not_a_freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "FROZEN_S", 0.1)
    device = Device(repeat(20))
    assert {state for state, number in states_of(device, patience_s=0) if number < 19} == {CameraState.LIVE}
    assert device.opened == 1


def test_leaving_the_block_releases_the_device_and_ends_the_thread() -> None:
    before = set(threading.enumerate())
    device = Device(noise(1000))
    with LiveCapture(device) as live:
        next(iter(live))
    assert not device.is_open
    assert not set(threading.enumerate()) - before


def test_device_that_does_not_answer_does_not_delay_the_end() -> None:
    with LiveCapture(Device(one_frame_then_silence(2))) as live:
        next(iter(live))
        started = time.monotonic()
    assert time.monotonic() - started < 0.9


def test_exception_in_a_source_is_raised_and_not_retried() -> None:
    def broken() -> Iterator[Frame]:
        yield np.zeros((4, 4), np.uint8)
        raise ZeroDivisionError

    with LiveCapture(Device(broken)) as live, pytest.raises(ZeroDivisionError):
        list(live)
