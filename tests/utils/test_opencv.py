import os
import subprocess
import sys
from pathlib import Path

import pytest


def import_with(cv2_source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Import digitedge.utils.opencv in a fresh process that finds this instead of the real cv2."""
    (folder / "cv2.py").write_text(cv2_source)
    code = "from digitedge.utils.opencv import cv2; print('imported')"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("library", ["libGL.so.1", "libxcb.so.1", "libgthread-2.0.so.0"])
def test_a_missing_shared_object_is_explained_with_both_fixes(tmp_path: Path, library: str) -> None:
    reason = f"{library}: cannot open shared object file: No such file or directory"
    done = import_with(f"raise ImportError({reason!r})", tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        f"digitedge.errors.MissingExtraError: OpenCV cannot start: {reason}. "
        "Run: sudo apt install libgl1 libglib2.0-0, or, without a screen: pip uninstall opencv-python; "
        "pip install opencv-python-headless"
    )


def test_another_import_error_keeps_its_own_words(tmp_path: Path) -> None:
    done = import_with("raise ImportError('numpy.core.multiarray failed to import')", tmp_path)
    assert done.stderr.splitlines()[-1] == "ImportError: numpy.core.multiarray failed to import"


@pytest.mark.parametrize("log_level", [None, "ERROR"], ids=["unset", "set by the user"])
def test_the_log_level_is_set_before_opencv_loads_and_the_users_own_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_level: str | None
) -> None:
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    if log_level:
        monkeypatch.setenv("OPENCV_LOG_LEVEL", log_level)
    done = import_with("import os; print(os.environ['OPENCV_LOG_LEVEL'])", tmp_path)
    assert done.stdout.split() == [log_level or "SILENT", "imported"]


def test_a_missing_camera_says_nothing_by_itself() -> None:
    code = "from digitedge.utils.opencv import cv2; print([cv2.VideoCapture(n).isOpened() for n in (77, 'no.mp4')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[False, False]\n", "")
