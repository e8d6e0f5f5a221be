"""What is handed from the loop's thread to the viewers, without a server."""

import asyncio
import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from digitedge.camera import State, Update
from digitedge.reader.reader import Reader, Reading
from digitedge.web import hub as hub_module
from digitedge.web.encoded_frames import LONGEST_SIDE, Images, to_jpeg
from digitedge.web.hub import HISTORY, Hub


class Nothing:
    """A classifier that is never asked."""

    def probabilities(self, crops):
        raise AssertionError


def update(number: int, *, is_new: bool = True, state: State = State.LIVE, events=()) -> Update:
    reading = Reading((), (), 64, 48, 1.0, frame=number)
    return Update(np.zeros((48, 64), np.uint8), reading, state, is_new, 5.0, 20.0, events=events)


class Event:
    def __init__(self, number: int) -> None:
        self.number = number

    def to_dict(self):
        return {"text": str(self.number)}


def test_a_loop_that_hangs_is_stale_in_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> list[str]:
        hub = Hub(Reader.of(Nothing()))
        hub.start()
        hub.put(update(1))
        await hub.news(0)
        answers = [json.loads(hub.reading_json())["state"]]
        monkeypatch.setattr(hub_module, "SILENCE_S", -1.0)
        return [*answers, json.loads(hub.reading_json())["state"], hub.state]

    assert asyncio.run(ask()) == ["live", "stale", "stale"]


def test_a_frame_that_cannot_be_encoded_costs_that_frame_only(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> int:
        hub = Hub(Reader.of(Nothing()))
        hub.start()
        images = Images(hub)
        encoder = asyncio.create_task(images.run())
        waiting = asyncio.create_task(images.after(0))
        hub.put(replace(update(1), frame=np.zeros((3, 3, 7), np.uint8)))
        await asyncio.sleep(0.3)
        hub.put(update(2))
        image = await waiting
        hub.end()
        images.end()
        await encoder
        return image.number

    assert asyncio.run(ask()) == 2
    assert "no image of a frame" in caplog.text


def test_updates_of_another_thread_wake_those_who_wait() -> None:
    async def wait() -> tuple[int, int]:
        hub = Hub(Reader.of(Nothing()))
        hub.start()
        threading.Thread(
            target=lambda: [hub.put(update(0)), hub.put(update(1, is_new=False)), hub.put(update(1))]
        ).start()
        await asyncio.wait_for(hub.frame_after(1), 5)
        return hub.frames, hub.version

    assert asyncio.run(wait()) == (2, 3)  # one of three was no new frame


def test_an_update_after_the_end_is_harmless() -> None:
    async def start(hub: Hub) -> None:
        hub.start()

    hub = Hub(Reader.of(Nothing()))
    hub.put(update(0))
    asyncio.run(start(hub))
    hub.put(update(1))
    assert hub.newest is None


def test_only_the_last_events_are_kept() -> None:
    async def fill() -> list:
        hub = Hub(Reader.of(Nothing()))
        hub.start()
        for number in range(HISTORY + 10):
            hub.put(update(number, events=(Event(number),)))
        await hub.frame_after(HISTORY + 9)
        return [event["text"] for event in hub.events]

    assert asyncio.run(fill()) == [str(number) for number in range(10, HISTORY + 10)]


def test_a_loop_that_hangs_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SILENCE_S", 0.05)

    async def hang() -> list[str]:
        hub = Hub(Reader.of(Nothing()))
        states = [hub.state]
        hub.start()
        hub.put(update(0))
        await hub.frame_after(0)
        states.append(hub.state)
        time.sleep(0.1)
        return [*states, hub.state]

    assert asyncio.run(hang()) == ["waiting", "live", "stale"]


def test_images_are_no_larger_than_a_screen() -> None:
    from digitedge.camera.sources.mjpeg import decode

    jpeg = to_jpeg(np.zeros((3000, 4000, 3), np.uint8))
    assert decode(jpeg).shape == (LONGEST_SIDE * 3 // 4, LONGEST_SIDE, 3)
