import shutil
import subprocess
from pathlib import Path

import pytest

from digitedge.camera import open_source
from digitedge.errors import CameraError

GREY_TOLERANCE = 4  # grey levels; JPEG in a video is not exact


def test_all_frames_of_a_video_come_in_order_with_their_times(clip: Path) -> None:
    means, times = [], []
    with open_source(str(clip)) as source:
        for frame in source:
            assert frame.shape == (48, 64, 3)
            means.append(float(frame.mean()))
            times.append(source.time)
    assert times == pytest.approx([n / 25 for n in range(12)], abs=0.001)
    assert means == pytest.approx([16 * n + 8 for n in range(12)], abs=GREY_TOLERANCE)
    assert source.hold_s == pytest.approx(1 / 25)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed (apt install ffmpeg)")
def test_raw_h264_without_timestamps_runs_at_its_frame_rate(clip: Path, tmp_path: Path) -> None:
    raw = tmp_path / "clip.h264"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", str(clip), "-vf", "scale=320:240", str(raw)], check=True)
    with open_source(str(raw)) as source:
        times = [source.time for _ in source]
    assert len(times) == 12
    assert times == pytest.approx([number / 25 for number in range(12)])


def test_video_can_be_read_twice(clip: Path) -> None:
    with open_source(str(clip)) as source:
        assert len(list(source)) == len(list(source)) == 12


def test_colon_in_a_file_name_is_not_a_protocol(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    clip.rename(clip.with_name("tcp:1.avi"))
    assert len(list(open_source("tcp:1.avi"))) == 12


def test_file_that_is_not_a_video_is_an_error_without_other_messages(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "junk.mp4"
    path.write_bytes(b"junk" * 1000)
    with pytest.raises(CameraError, match=r"junk\.mp4: expected a video .* ffmpeg -i"):
        list(open_source(str(path)))
    assert capfd.readouterr() == ("", "")
