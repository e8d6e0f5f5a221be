import os
import random
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from digitedge.camera import Frame
from digitedge.camera.sources.mjpeg import IMAGE_LIMIT_BYTES, extract_jpegs, newest_frames, read_pipe
from digitedge.utils.opencv import cv2, decode_image


def test_images_are_found_wherever_the_stream_is_divided(jpeg: bytes) -> None:
    sizes = random.Random(0)
    stream = b"junk" + jpeg * 4 + jpeg[:50]
    buffer, found = bytearray(), []
    while stream:
        size = sizes.randint(1, 900)
        buffer += stream[:size]
        stream = stream[size:]
        found += extract_jpegs(buffer)
    assert found == [jpeg] * 4
    assert bytes(buffer) == jpeg[:50]


def test_thumbnail_in_the_header_does_not_end_the_image(jpeg: bytes) -> None:
    thumbnail = b"\xff\xe1" + (2 + len(jpeg)).to_bytes(2, "big") + jpeg
    image = jpeg[:2] + thumbnail + jpeg[2:]
    assert extract_jpegs(bytearray(image * 2)) == [image, image]


def test_damaged_header_costs_one_image_only(jpeg: bytes) -> None:
    damaged = jpeg[:2] + b"\x00" + jpeg[3:]
    assert extract_jpegs(bytearray(damaged + jpeg)) == [jpeg]


def test_image_that_is_cut_short_is_not_filled_up_with_the_next(jpeg: bytes) -> None:
    half = jpeg[: len(jpeg) // 2]
    assert extract_jpegs(bytearray(jpeg + half + b"\r\n--frame\r\n" + jpeg + half)) == [jpeg, jpeg]


def test_bytes_without_images_end_after_the_limit(jpeg: bytes) -> None:
    batches = iter([jpeg, *[b"x"] * 1000])

    def slow_batches() -> Iterator[bytes]:
        for batch in batches:
            time.sleep(0.02)
            yield batch

    assert len(list(newest_frames(slow_batches(), limit_s=0.3))) == 1
    assert next(batches) == b"x"


def test_header_with_too_many_pixels_is_skipped(jpeg: bytes) -> None:
    start = jpeg.index(b"\xff\xc0") + 5  # height and width of a baseline image
    huge = jpeg[:start] + b"\xff\xdc\xff\xdc" + jpeg[start + 4 :]
    batches = iter([huge, jpeg])
    assert [frame.shape for frame in newest_frames(batches)] == [(240, 320, 3)]


def test_silence_ends_a_pipe_only_with_a_limit(jpeg: bytes) -> None:
    reading, writing = os.pipe()
    try:
        assert list(read_pipe(reading, limit_s=0.05)) == []
        threading.Timer(0.3, os.write, [writing, jpeg[:100]]).start()
        assert next(read_pipe(reading, limit_s=None)) == jpeg[:100]
    finally:
        os.close(reading)
        os.close(writing)


def test_noise_is_searched_in_time() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 200_000, np.uint8).tobytes()
    started = time.monotonic()
    extract_jpegs(bytearray(noise))
    assert time.monotonic() - started < 5


def test_only_the_last_complete_image_of_a_batch_is_decoded(page: Callable[[int], Frame]) -> None:
    images = [cv2.imencode(".jpg", page(n))[1].tobytes() for n in range(4)]
    batches = iter([images[0] + images[1], images[2] + images[3][:300], images[3][300:]])
    frames = list(newest_frames(batches))
    expected = [decode_image(images[n]) for n in (1, 2, 3)]
    assert all(np.array_equal(*pair) for pair in zip(frames, expected, strict=True))


def test_damaged_image_is_replaced_by_the_one_before(jpeg: bytes) -> None:
    batches = iter([jpeg + b"\xff\xd8\xff\xdb\x00\x02\xff\xd9"])
    assert [frame.shape for frame in newest_frames(batches)] == [(240, 320, 3)]


def test_image_that_would_take_gigabytes_is_skipped(jpeg: bytes) -> None:
    start = jpeg.index(b"\xff\xc0") + 5  # height and width of a baseline image
    huge = jpeg[:start] + b"\x3e\x80\x3e\x80" + jpeg[start + 4 :]  # 16,000 x 16,000
    started = time.monotonic()
    assert [frame.shape for frame in newest_frames(iter([huge, jpeg]))] == [(240, 320, 3)]
    assert time.monotonic() - started < 1


def test_image_without_end_in_small_batches_is_searched_once_and_dropped(jpeg: bytes) -> None:
    batches = [jpeg[:-2], *[bytes(1000)] * (IMAGE_LIMIT_BYTES // 1000), jpeg]
    started = time.process_time()
    assert len(list(newest_frames(iter(batches)))) == 1
    assert time.process_time() - started < 3
