import os
import random
import threading
import time

import numpy as np

from digitedge.camera.sources.mjpeg import decode, newest_frames, read_pipe, take_jpegs
from digitedge.utils.opencv import cv2


def test_images_are_cut_out_wherever_the_stream_is_torn(jpeg: bytes) -> None:
    tears = random.Random(0)
    stream = b"junk" + jpeg * 4 + jpeg[:50]
    buffer, found = bytearray(), []
    while stream:
        size = tears.randint(1, 900)
        buffer += stream[:size]
        stream = stream[size:]
        found += take_jpegs(buffer)
    assert found == [jpeg] * 4
    assert bytes(buffer) == jpeg[:50]


def test_a_thumbnail_in_the_header_does_not_end_the_image(jpeg: bytes) -> None:
    thumbnail = b"\xff\xe1" + (2 + len(jpeg)).to_bytes(2, "big") + jpeg
    image = jpeg[:2] + thumbnail + jpeg[2:]
    assert take_jpegs(bytearray(image * 2)) == [image, image]


def test_a_damaged_header_costs_one_image_only(jpeg: bytes) -> None:
    damaged = jpeg[:2] + b"\x00" + jpeg[3:]
    assert take_jpegs(bytearray(damaged + jpeg)) == [jpeg]


def test_a_image_that_breaks_off_is_not_filled_up_with_the_next(jpeg: bytes) -> None:
    half = jpeg[: len(jpeg) // 2]
    assert take_jpegs(bytearray(jpeg + half + b"\r\n--frame\r\n" + jpeg + half)) == [jpeg, jpeg]


def test_bytes_without_images_end_in_time(jpeg: bytes) -> None:
    drips = iter([jpeg, *[b"x"] * 1000])

    def drip() -> bytes:
        time.sleep(0.02)
        return next(drips)

    assert len(list(newest_frames(drip, limit_s=0.3))) == 1
    assert next(drips) == b"x"


def test_a_header_that_promises_more_pixels_than_can_be_is_no_image(jpeg: bytes) -> None:
    start = jpeg.index(b"\xff\xc0") + 5  # height and width of a baseline image
    huge = jpeg[:start] + b"\xff\xdc\xff\xdc" + jpeg[start + 4 :]
    batches = iter([huge, jpeg, b""])
    assert [frame.shape for frame in newest_frames(lambda: next(batches))] == [(240, 320, 3)]


def test_silence_ends_a_pipe_only_where_it_is_limited(jpeg: bytes) -> None:
    reading, writing = os.pipe()
    try:
        assert read_pipe(reading, limit_s=0.05) == b""
        threading.Timer(0.3, os.write, [writing, jpeg[:100]]).start()
        assert read_pipe(reading, limit_s=None) == jpeg[:100]
    finally:
        os.close(reading)
        os.close(writing)


def test_noise_never_hangs_the_search() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 200_000, np.uint8).tobytes()
    started = time.monotonic()
    take_jpegs(bytearray(noise))
    assert time.monotonic() - started < 5


def test_only_the_last_whole_image_of_a_batch_is_decoded(page) -> None:
    images = [cv2.imencode(".jpg", page(n))[1].tobytes() for n in range(4)]
    batches = iter([images[0] + images[1], images[2] + images[3][:300], images[3][300:], b""])
    frames = list(newest_frames(lambda: next(batches)))
    assert [np.array_equal(frame, decode(images[n])) for frame, n in zip(frames, (1, 2, 3), strict=True)] == [True] * 3


def test_a_damaged_image_is_left_out_for_the_one_before(jpeg: bytes) -> None:
    batches = iter([jpeg + b"\xff\xd8\xff\xdb\x00\x02\xff\xd9", b""])
    assert [frame.shape for frame in newest_frames(lambda: next(batches))] == [(240, 320, 3)]
