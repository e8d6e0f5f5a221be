"""docs/limits: the program that measures, and the committed page."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitedge.metrics.detection import DetectionScore
from digitedge.utils.opencv import cv2

LIMITS = Path(__file__).parents[2] / "docs" / "limits"
IMAGE_BYTES = 60_000
ALL_IMAGES_BYTES = 600_000
MARKED = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


@pytest.fixture
def program(monkeypatch):
    """Make the modules beside make.py importable."""
    monkeypatch.syspath_prepend(LIMITS)


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-W", "error", LIMITS / "make.py", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def text_of(page):
    """The text without the tables."""
    return MARKED.sub(lambda match: f"<!-- {match[1]} -->", page)


@pytest.mark.slow
def test_make_writes_the_page_and_its_images(tmp_path):
    done = run("--digits", "1", "--images", "1", "--output", "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    page = (tmp_path / "out/README.md").read_text()
    assert text_of(page) == text_of((LIMITS / "README.md").read_text())
    filled = dict(MARKED.findall(page))
    assert set(done.stderr.split()) == filled.keys() - {"summary", "conditions"}
    assert (
        filled["small"].splitlines()[0]
        == "| small digits: height in pixels | 48 | 32 | 24 | 18 | 14 | 12 | 10 | 8 | 6 |"
    )
    assert filled["small"].splitlines()[2].startswith("| **F1** | 100 |")
    assert "on at least 1 digits" in filled["conditions"]
    images = IMAGE.findall(page)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"README.md", *images}
    for name in images:
        assert (tmp_path / "out" / name).stat().st_size <= IMAGE_BYTES
        assert cv2.imread(str(tmp_path / "out" / name)).shape[1] in (734, 744)  # two wide tiles, or three narrow ones


def test_the_committed_page_has_all_tables_and_images():
    page = (LIMITS / "README.md").read_text()
    assert all(body.strip() for _, body in MARKED.findall(page))
    sizes = [(LIMITS / name).stat().st_size for name in IMAGE.findall(page)]
    assert len(sizes) == 21
    assert max(sizes) <= IMAGE_BYTES
    assert sum(sizes) <= ALL_IMAGES_BYTES
    assert set(IMAGE.findall(page)) == {path.name for path in LIMITS.glob("*.jpg")}


def test_zero_digits_are_refused(tmp_path):
    done = run("--digits", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "must be 1 or more" in done.stderr


def test_a_missing_model_is_one_line_and_exit_code_1(tmp_path):
    done = run("--model", "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: .*none.*\n", done.stderr)


def test_the_first_failure_is_the_first_value_under_95_percent(program):
    from measure import PointResult
    from sweeps import SWEEPS
    from tables import first_failure, summary_table

    def results(*correct):
        scores = [DetectionScore(digits=100, detections=100, correct=n) for n in correct]
        return [PointResult(SWEEPS[0].points[i], score, 0, None) for i, score in enumerate(scores)]

    assert first_failure(SWEEPS[0], results(100, 95, 94, 99)) == 2
    assert first_failure(SWEEPS[0], results(100, 95)) is None
    assert summary_table([(SWEEPS[0], results(100, 95, 94, 99))]).splitlines()[-1].endswith("| 48 | 32 | 24 |")
    assert summary_table([(SWEEPS[0], results(90))]).splitlines()[-1].endswith("| 48 | none | 48 |")


def test_a_percentage_is_never_rounded_to_0_or_100(program):
    from tables import _percent

    assert [_percent(share) for share in (0, 0.002, 0.114, 0.998, 1)] == ["0", "0.2", "11", "99.8", "100"]


@pytest.mark.parametrize("gap", [0.25, 0.1, 0.0], ids=str)
def test_neighbours_have_the_gap_of_the_setting(program, gap):
    from setting import Setting, write_rows

    for row in write_rows(Setting(height=100, gap=gap), np.random.default_rng(5)):
        for left, right in zip(row[0], row[0][1:], strict=False):
            canvas = [np.zeros((1400, 1400), np.uint8) for _ in "lr"]
            for page, placed in zip(canvas, (left, right), strict=True):
                height, width = placed.ink.shape
                page[placed.y : placed.y + height, placed.x : placed.x + width] = placed.ink >= 72
            assert not (canvas[0] & canvas[1]).any()
            distance = cv2.distanceTransform(1 - canvas[0], cv2.DIST_L2, 5)[canvas[1] > 0].min()
            assert 100 * gap <= distance <= 100 * gap * 1.5 + 2


def test_a_shadow_changes_the_light_and_not_the_digits(program):
    from setting import Setting

    easy = Setting().render(np.random.default_rng(3))
    shaded = replace(Setting(), shadow=0.5).render(np.random.default_rng(3))
    assert (shaded.digits, shaded.rows) == (easy.digits, easy.rows)
    assert shaded.frame.mean() < 0.9 * easy.frame.mean()
    assert np.median([digit.box[3] for digit in easy.digits]) == pytest.approx(48, abs=1)


def test_every_sweep_changes_the_image(program):
    from sweeps import SWEEPS

    for sweep in SWEEPS:
        easy, hard = (sweep.points[index].render(np.random.default_rng(0)) for index in (0, -1))
        assert (easy.frame != hard.frame).mean() > 0.05, sweep.name
        assert len({point.label for point in sweep.points}) == len(sweep.points)


def test_seven_segment_digits_have_their_segments(program):
    from cases import _LIT_SEGMENTS, _SEGMENTS, _seven_segment_digit
    from setting import Setting

    for digit, lit in enumerate(_LIT_SEGMENTS):
        ink = _seven_segment_digit(str(digit), None, replace(Setting(), height=100), None)
        assert ink.shape[0] == 100
        parts, *_ = cv2.connectedComponents((ink > 128).astype(np.uint8))
        assert parts - 1 == len(lit)
    assert set("".join(_LIT_SEGMENTS)) == set(_SEGMENTS)
