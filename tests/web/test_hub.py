"""Hub and encoder without a server."""

import asyncio
import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.camera import CameraState, Update
from digitedge.reader import Reader, Reading
from digitedge.web import hub as hub_module
from digitedge.web.encoded_frames import MAX_SIDE, FrameEncoder, to_jpeg
from digitedge.web.hub import MAX_EVENTS, Hub


class UnusedClassifier:
    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise AssertionError


def update(number: int, *, is_new: bool = True, state: CameraState = CameraState.LIVE, events=()) -> Update:
    reading = Reading((), (), 64, 48, 1.0, frame=number)
    return Update(np.zeros((48, 64), np.uint8), reading, state, is_new, 5.0, 20.0, events=events)


class Event:
    def __init__(self, number: int) -> None:
        self.number = number

    def to_dict(self) -> dict[str, str]:
        return {"text": str(self.number)}


def test_a_hanging_loop_is_stale_in_reading_and_state(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_states() -> list[str]:
        hub = Hub(Reader(UnusedClassifier()))
        hub.start()
        hub.publish(update(1))
        await hub.change_since(0)
        states = [json.loads(hub.reading_json())["state"]]
        monkeypatch.setattr(hub_module, "STALE_AFTER_S", -1.0)
        return [*states, json.loads(hub.reading_json())["state"], hub.state]

    assert asyncio.run(read_states()) == ["live", "stale", "stale"]


def test_a_frame_that_cannot_be_encoded_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    async def encode_two() -> int:
        hub = Hub(Reader(UnusedClassifier()))
        hub.start()
        encoder = FrameEncoder(hub)
        running = asyncio.create_task(encoder.run())
        waiting = asyncio.create_task(encoder.after(0))
        hub.publish(replace(update(1), frame=np.zeros((3, 3, 7), np.uint8)))
        await asyncio.sleep(0.3)
        hub.publish(update(2))
        frame = await waiting
        hub.close()
        encoder.close()
        await running
        assert frame is not None
        return frame.number

    assert asyncio.run(encode_two()) == 2
    assert "cannot encode a frame" in caplog.text


def test_updates_of_another_thread_wake_waiting_tasks() -> None:
    async def wait() -> int:
        hub = Hub(Reader(UnusedClassifier()))
        hub.start()
        threading.Thread(
            target=lambda: [hub.publish(update(0)), hub.publish(update(1, is_new=False)), hub.publish(update(1))]
        ).start()
        await asyncio.wait_for(hub.frame_after(1), 5)
        return hub.frame_count

    assert asyncio.run(wait()) == 2  # one of three updates has no new frame


def test_a_busy_event_loop_receives_only_the_newest_update_and_the_last_events_once() -> None:
    async def be_busy() -> tuple[Hub, int | None]:
        hub = Hub(Reader(UnusedClassifier()))
        hub.start()
        for number in range(1000):
            hub.publish(update(number, events=(Event(number),)))
        await hub.change_since(0)
        await asyncio.sleep(0)
        return hub, hub.newest and hub.newest.reading.frame

    hub, newest = asyncio.run(be_busy())
    assert newest == 999
    assert hub.version == 1  # the event loop was woken once
    assert hub.frame_count == 1000
    assert [event["text"] for event in hub.events] == [str(number) for number in range(1000 - MAX_EVENTS, 1000)]


def test_an_update_outside_the_event_loop_is_ignored() -> None:
    async def start(hub: Hub) -> None:
        hub.start()

    hub = Hub(Reader(UnusedClassifier()))
    hub.publish(update(0))
    asyncio.run(start(hub))
    hub.publish(update(1))
    assert hub.newest is None


def test_the_hub_keeps_the_last_events() -> None:
    async def fill() -> list[str]:
        hub = Hub(Reader(UnusedClassifier()))
        hub.start()
        for number in range(MAX_EVENTS + 10):
            hub.publish(update(number, events=(Event(number),)))
        await hub.frame_after(MAX_EVENTS + 9)
        return [event["text"] for event in hub.events]

    assert asyncio.run(fill()) == [str(number) for number in range(10, MAX_EVENTS + 10)]


def test_the_state_is_waiting_then_live_then_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "STALE_AFTER_S", 0.05)

    async def hang() -> list[str]:
        hub = Hub(Reader(UnusedClassifier()))
        states = [hub.state]
        hub.start()
        hub.publish(update(0))
        await hub.frame_after(0)
        states.append(hub.state)
        time.sleep(0.1)
        return [*states, hub.state]

    assert asyncio.run(hang()) == ["waiting", "live", "stale"]


def test_large_images_are_scaled_down_to_max_side() -> None:
    from digitedge.utils.opencv import decode_image

    jpeg = to_jpeg(np.zeros((3000, 4000, 3), np.uint8))
    assert decode_image(jpeg).shape == (MAX_SIDE * 3 // 4, MAX_SIDE, 3)
