"""The import of OpenCV, and the typed wrappers."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, decode_image, encode_image, resize, to_bgr, to_grey


def import_with(cv2_source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Import digitedge.utils.opencv in a fresh process that finds this instead of the real cv2."""
    (folder / "cv2.py").write_text(cv2_source)
    code = "from digitedge.utils.opencv import cv2; print('imported')"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("library", ["libGL.so.1", "libxcb.so.1", "libgthread-2.0.so.0"])
def test_a_missing_shared_object_raises_one_line_with_both_fixes(tmp_path: Path, library: str) -> None:
    reason = f"{library}: cannot open shared object file: No such file or directory"
    done = import_with(f"raise ImportError({reason!r})", tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        f"digitedge.errors.MissingExtraError: OpenCV cannot start: {reason}. "
        "Run: sudo apt install libgl1 libglib2.0-0; without root, after every pip install of digitedge: "
        "pip uninstall --yes opencv-python opencv-python-headless && pip install opencv-python-headless"
    )


def test_another_import_error_is_not_changed(tmp_path: Path) -> None:
    done = import_with("raise ImportError('numpy.core.multiarray failed to import')", tmp_path)
    assert done.stderr.splitlines()[-1] == "ImportError: numpy.core.multiarray failed to import"


@pytest.mark.parametrize("log_level", [None, "ERROR"], ids=["unset", "set by the user"])
def test_the_log_level_is_silent_unless_the_user_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_level: str | None
) -> None:
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    if log_level:
        monkeypatch.setenv("OPENCV_LOG_LEVEL", log_level)
    done = import_with("import os; IMREAD_COLOR = 1; print(os.environ['OPENCV_LOG_LEVEL'])", tmp_path)
    assert done.stdout.split() == [log_level or "SILENT", "imported"]


def test_a_missing_camera_prints_nothing() -> None:
    code = "from digitedge.utils.opencv import cv2; print([cv2.VideoCapture(n).isOpened() for n in (77, 'no.mp4')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[False, False]\n", "")


def gradient() -> NDArray[np.uint8]:
    """Return a BGR image of 8 x 16 pixels, smooth enough for JPEG."""
    rows, columns = np.indices((8, 16))
    return np.stack([8 * rows, 8 * columns, 100 + 4 * rows], axis=2).astype(np.uint8)


def test_uint8_array_is_returned_without_a_copy() -> None:
    image = gradient()
    assert as_uint8(image) is image


def test_resized_image_has_the_given_width_and_height() -> None:
    resized = resize(gradient(), (5, 3), cv2.INTER_AREA)
    assert (resized.shape, resized.dtype) == ((3, 5, 3), np.uint8)
    constant = np.full((8, 16), 77, np.uint8)
    np.testing.assert_array_equal(resize(constant, (5, 3), cv2.INTER_LINEAR), np.full((3, 5), 77))


def test_colour_becomes_grey_and_grey_stays_as_it_is() -> None:
    colour = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]], np.uint8)
    grey = to_grey(colour)
    assert (grey.tolist(), grey.dtype) == ([[255, 0, 29, 76]], np.uint8)  # 0.114 of blue, 0.299 of red
    assert to_grey(grey) is grey


def test_grey_becomes_bgr_and_colour_stays_as_it_is() -> None:
    grey = gradient()[..., 0]
    colour = to_bgr(grey)
    np.testing.assert_array_equal(colour, np.dstack([grey] * 3))
    assert colour.dtype == np.uint8
    assert to_bgr(colour) is colour


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_encoded_and_decoded_image_is_equal(suffix: str) -> None:
    content = encode_image(gradient(), suffix)
    assert isinstance(content, bytes)
    decoded = decode_image(content)
    assert decoded is not None
    np.testing.assert_array_equal(decoded, gradient())


def test_parameters_and_flags_are_passed_to_opencv() -> None:
    low = encode_image(gradient(), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 10)
    high = encode_image(gradient(), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95)
    assert low.startswith(b"\xff\xd8\xff")
    assert len(low) < len(high)
    grey = decode_image(high, cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    assert (grey.shape, grey.dtype) == ((8, 16), np.uint8)
    assert np.abs(grey.astype(int) - to_grey(gradient())).max() <= 6


@pytest.mark.parametrize(
    "content",
    [b"", b"seven", b"\xff\xd8\xff", encode_image(gradient(), ".png")[:40]],
    ids=["empty", "text", "start of a JPEG", "start of a PNG"],
)
def test_damaged_image_is_decoded_to_none(content: bytes) -> None:
    assert decode_image(content) is None


def test_image_with_too_many_pixels_is_decoded_to_none() -> None:
    header = bytearray(encode_image(np.zeros((1, 1), np.uint8), ".bmp"))
    header[18:26] = struct.pack("<ii", 100_000, 100_000)  # width and height
    assert decode_image(bytes(header)) is None
