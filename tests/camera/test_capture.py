import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from digitedge.camera import NewestFrame, Source, State, capture
from digitedge.errors import CameraError

FPS = 50


class Device(Source):
    """A camera whose every opening plays one part of a script: frames until the part ends, then it is lost."""

    live = True

    def __init__(self, *parts: Callable[[], Iterator[np.ndarray]]) -> None:
        super().__init__("device")
        self._parts = list(parts)
        self.opened = 0
        self.is_open = False

    def _frames(self):
        self.opened += 1
        if not self._parts:
            raise CameraError("gone for good")
        self.is_open = True
        try:
            for frame in self._parts.pop(0)():
                self._stamp()
                yield frame
        finally:
            self.is_open = False
        raise CameraError("lost")


def noise(count: int, pause_s: float = 1 / FPS) -> Callable[[], Iterator[np.ndarray]]:
    def frames() -> Iterator[np.ndarray]:
        for number in range(count):
            time.sleep(pause_s)
            yield np.random.default_rng(number).integers(0, 256, (48, 64), np.uint8)

    return frames


def silence(seconds: float) -> Callable[[], Iterator[np.ndarray]]:
    def frames() -> Iterator[np.ndarray]:
        yield np.zeros((48, 64), np.uint8)
        time.sleep(seconds)

    return frames


def closed() -> Iterator[np.ndarray]:
    raise CameraError("not there")
    yield


def states_of(device: Device, *, patience_s: float = 0.3) -> list[tuple[State, int]]:
    """Every state with the number of the frame at hand, until the end, which must be an error."""
    seen: list[tuple[State, int]] = []
    with NewestFrame(device, patience_s=patience_s) as newest, pytest.raises(CameraError, match="did not come back"):
        for shot in newest:
            seen.append((newest.state, shot.number))
    return seen


def test_a_slow_reader_gets_the_newest_frame_and_no_frame_twice() -> None:
    numbers, ages = [], []
    with NewestFrame(Device(noise(40))) as newest:
        for shot in newest:
            ages.append(time.monotonic() - shot.taken)
            numbers.append(shot.number)
            if len(numbers) == 5:
                break
            time.sleep(0.1)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 10
    assert max(ages) < 0.5  # seconds; what lay in a queue would be older and older


def test_frames_go_on_after_a_loss_and_are_numbered_on() -> None:
    device = Device(noise(5), closed, closed, noise(5))
    seen = states_of(device, patience_s=1.5)
    assert State.RECONNECTING in [state for state, _ in seen]
    assert seen[-1][1] == 9
    assert device.opened >= 5  # and then again and again until patience ends


def test_the_pause_between_tries_grows_to_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BACK_OFF_S", (0.05, 0.2))
    device = Device(noise(2))
    states_of(device, patience_s=1.0)
    assert 4 <= device.opened <= 9  # after 0.05, 0.1, 0.2, 0.2, ...: not 20


def test_a_camera_that_never_was_there_is_an_error_at_once() -> None:
    with NewestFrame(Device(closed), patience_s=60) as newest, pytest.raises(CameraError, match="not there"):
        list(newest)


def test_a_silent_camera_is_stale_and_the_reader_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "STALE_S", 0.2)
    seen = states_of(Device(silence(0.6)))
    assert [state for state, _ in seen][:3] == [State.LIVE, State.STALE, State.RECONNECTING]
    assert {number for _, number in seen} == {0}


def test_an_unchanged_state_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "HEARTBEAT_S", 0.1)
    seen = states_of(Device(silence(1.0)))
    assert len([state for state, _ in seen if state is State.LIVE]) >= 4


class Frozen(Device):
    has_noise = True


def still(count: int) -> Callable[[], Iterator[np.ndarray]]:
    def frames() -> Iterator[np.ndarray]:
        for _ in range(count):
            time.sleep(1 / FPS)
            yield np.full((48, 64), 90, np.uint8)

    return frames


def test_a_sensor_that_repeats_one_frame_is_opened_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "FROZEN_S", 0.2)
    device = Frozen(still(1000), still(40))
    started = time.monotonic()
    with NewestFrame(device, patience_s=0.5) as newest, pytest.raises(CameraError):
        for _ in newest:
            pass
    assert device.opened >= 3  # frozen; the same again, so that it is what it shows; gone for good
    assert time.monotonic() - started > 40 / FPS


def test_a_virtual_camera_with_slides_is_opened_again_once_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def slides() -> Iterator[np.ndarray]:
        for number in range(160):
            time.sleep(1 / FPS)
            yield np.full((48, 64), number // 40, np.uint8)

    monkeypatch.setattr(capture, "FROZEN_S", 0.3)
    device = Frozen(slides, slides)
    with NewestFrame(device, patience_s=0.5) as newest, pytest.raises(CameraError):
        for _ in newest:
            pass
    assert device.opened - 2 <= 4  # twice the slides, then some tries until patience ends


def test_a_read_that_never_comes_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "HANG_S", 0.2)
    with (
        NewestFrame(Device(silence(3)), patience_s=0.3) as newest,
        pytest.raises(CameraError, match="has not answered"),
    ):
        for _ in newest:
            pass


def test_a_still_image_over_a_network_is_no_freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "FROZEN_S", 0.1)
    device = Device(still(20))
    assert {state for state, number in states_of(device, patience_s=0) if number < 19} == {State.LIVE}
    assert device.opened == 1


def test_leaving_releases_the_device_and_ends_the_thread() -> None:
    before = set(threading.enumerate())
    device = Device(noise(1000))
    with NewestFrame(device) as newest:
        next(iter(newest))
    assert not device.is_open
    assert not set(threading.enumerate()) - before


def test_a_device_that_does_not_answer_does_not_hold_up_the_end() -> None:
    with NewestFrame(Device(silence(2))) as newest:
        next(iter(newest))
        started = time.monotonic()
    assert time.monotonic() - started < 0.9


def test_a_bug_in_a_source_is_no_loss() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield np.zeros((4, 4), np.uint8)
        raise ZeroDivisionError

    with NewestFrame(Device(broken)) as newest, pytest.raises(ZeroDivisionError):
        list(newest)
