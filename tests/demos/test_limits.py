"""The page of strengths and limits: it is made anew in a folder of its own, and what is committed is whole."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitedge.metrics.detection import Score
from digitedge.utils.opencv import cv2

LIMITS = Path(__file__).parents[2] / "demos" / "limits"
LARGEST, ALL = 60_000, 600_000  # bytes of an image, and of all
MARKED = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


@pytest.fixture
def program(monkeypatch):
    """The modules beside make.py, importable as they are to it."""
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
    """What was written by hand."""
    return MARKED.sub(lambda match: f"<!-- {match[1]} -->", page)


@pytest.mark.slow
def test_the_page_and_its_images_are_made_anew(tmp_path):
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
    assert "from 1 digits" in filled["conditions"]
    images = IMAGE.findall(page)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"README.md", *images}
    for name in images:
        assert (tmp_path / "out" / name).stat().st_size <= LARGEST
        assert cv2.imread(str(tmp_path / "out" / name)).shape[1] in (734, 744)  # two wide tiles, or three narrow ones


def test_the_committed_page_has_its_tables_and_images():
    page = (LIMITS / "README.md").read_text()
    assert all(body.strip() for _, body in MARKED.findall(page))
    sizes = [(LIMITS / name).stat().st_size for name in IMAGE.findall(page)]
    assert len(sizes) == 20
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= ALL
    assert set(IMAGE.findall(page)) == {path.name for path in LIMITS.glob("*.jpg")}


def test_every_command_of_the_page_exists(digitedge):
    commands = {
        re.sub(r"\s+", " ", command)
        for command in re.findall(r"`digitedge ([^`]+)`", text_of((LIMITS / "README.md").read_text()))
    }
    assert len(commands) >= 6
    for command in commands:
        words = command.split()
        name = words[:2] if words[0] == "eval" else words[:1]
        usage = digitedge(*name, "--help")
        assert usage.returncode == 0, command
        for option in re.findall(r"--[a-z-]+", command):
            assert re.search(rf"{option}\b", usage.stdout), command


def test_nothing_measured_is_refused(tmp_path):
    done = run("--digits", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "must be 1 or more" in done.stderr


def test_a_model_that_is_not_there_is_one_line_and_exit_code_1(tmp_path):
    done = run("--model", "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: .*none.*\n", done.stderr)


def test_a_page_without_the_place_of_a_table_is_refused(program):
    from digitedge import DataError
    from digitedge.utils.tables import put_into

    assert put_into("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", "x", "new\n") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    with pytest.raises(DataError, match="one place <!-- y --> in the page, got 0"):
        put_into("<!-- x -->\n<!-- /x -->\n", "y", "")


def test_the_edge_is_the_first_value_under_95_percent(program):
    from measure import Measured
    from page import edge, summary
    from sweeps import SWEEPS

    def measured(*right):
        points = SWEEPS[0].points
        return [Measured(points[i], Score(true=100, read=100, right=n), 0, None) for i, n in enumerate(right)]

    assert edge(SWEEPS[0], measured(100, 95, 94, 99)) == 2
    assert edge(SWEEPS[0], measured(100, 95)) is None
    assert summary([(SWEEPS[0], measured(100, 95, 94, 99))]).splitlines()[-1].endswith("| 48 | 32 | 24 |")
    assert summary([(SWEEPS[0], measured(90))]).splitlines()[-1].endswith("| 48 | none | 48 |")


def test_a_percentage_is_never_rounded_to_all_or_nothing(program):
    from page import _percent

    assert [_percent(share) for share in (0, 0.002, 0.114, 0.998, 1)] == ["0", "0.2", "11", "99.8", "100"]


@pytest.mark.parametrize("gap", [0.25, 0.1, 0.0], ids=str)
def test_ink_keeps_the_gap_it_is_told(program, gap):
    from setting import Setting, write_rows

    for row in write_rows(Setting(height=100, gap=gap), np.random.default_rng(5)):
        for left, right in zip(row[0], row[0][1:], strict=False):
            canvas = [np.zeros((1400, 1400), np.uint8) for _ in "lr"]
            for page, mark in zip(canvas, (left, right), strict=True):
                page[mark.y : mark.y + mark.ink.shape[0], mark.x : mark.x + mark.ink.shape[1]] = mark.ink >= 72
            assert not (canvas[0] & canvas[1]).any()
            away = cv2.distanceTransform(1 - canvas[0], cv2.DIST_L2, 5)[canvas[1] > 0].min()
            assert 100 * gap <= away <= 100 * gap * 1.5 + 2


def test_a_setting_changes_nothing_but_what_it_is_told(program):
    from setting import Setting

    easy = Setting().take(np.random.default_rng(3))
    shaded = replace(Setting(), shadow=0.5).take(np.random.default_rng(3))
    assert (shaded.digits, shaded.rows) == (easy.digits, easy.rows)
    assert shaded.frame.mean() < 0.9 * easy.frame.mean()
    assert np.median([digit.box[3] for digit in easy.digits]) == pytest.approx(48, abs=1)


def test_a_sweep_changes_the_image(program):
    from sweeps import SWEEPS

    for sweep in SWEEPS:
        easy, hard = (sweep.points[index].take(np.random.default_rng(0)) for index in (0, -1))
        assert (easy.frame != hard.frame).mean() > 0.05, sweep.name
        assert len({point.label for point in sweep.points}) == len(sweep.points)


def test_seven_segments_show_the_digits_that_they_should(program):
    from cases import _BARS, _LIT, _segments
    from setting import Setting

    for digit, lit in enumerate(_LIT):
        ink = _segments(str(digit), None, replace(Setting(), height=100), None)
        assert ink.shape[0] == 100
        parts, *_ = cv2.connectedComponents((ink > 128).astype(np.uint8))
        assert parts - 1 == len(lit)
    assert set("".join(_LIT)) == set(_BARS)
