"""Every demo in a real process, with small settings and in a folder of its own."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2

DEMOS = Path(__file__).parents[2] / "demos"
PAGE_ROWS = ["4270583", "9717343", "6972930"]


def run(demo, *arguments, cwd, python=("-W", "error")):
    """Run a demo; on the edge a warning is an error."""
    return subprocess.run(
        [sys.executable, *python, DEMOS / demo, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_demo_says_how_it_is_run_and_is_tested_here():
    tests = Path(__file__).read_text()
    for demo in DEMOS.glob("*.py"):
        assert f"python demos/{demo.name}" in demo.read_text()
        assert f'"{demo.name}"' in tests


def test_the_page_is_read_rightly_and_annotated(tmp_path):
    done = run("read_image.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows, *digits, last = done.stdout.splitlines()
    assert rows == f"rows: {' | '.join(PAGE_ROWS)}"
    assert "".join(line[0] for line in digits) == "".join(PAGE_ROWS)
    assert last == f"annotated copy: {Path('runs/annotated.png')}"
    page, annotated = cv2.imread(str(DEMOS / "page.jpg")), cv2.imread(str(tmp_path / "runs/annotated.png"))
    assert annotated.shape == page.shape
    assert (annotated != page).any()


def test_a_page_rendered_anew_is_read_as_it_was_written(tmp_path):
    written = run("render_page.py", "mine.png", "--seed", "2", cwd=tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    done = run("read_image.py", "mine.png", "--annotated", "read.jpg", cwd=tmp_path)
    assert done.stdout.splitlines()[0] == f"rows: {' | '.join(written.stdout.splitlines())}"
    assert (tmp_path / "read.jpg").is_file()


def test_a_line_appears_when_the_rows_change_and_only_then(tmp_path):
    scenes = [render_scene(seed=seed, medium=Medium.PAPER, clean=True) for seed in (0, 0, 1)]
    for number, scene in enumerate(scenes):
        cv2.imwrite(str(tmp_path / f"{number}.png"), scene.frame)
    done = run("follow_clip.py", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    expected = [f"frame    0: {'  '.join(scenes[0].rows)}", f"frame    2: {'  '.join(scenes[2].rows)}"]
    assert done.stdout.splitlines() == expected


def test_the_demo_clip_is_followed_for_so_many_frames(tmp_path):
    done = run("follow_clip.py", "--frames", "90", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) >= 2  # the first sheet stays for 76 frames
    assert all(re.fullmatch(r"frame +\d{1,2}: (nothing|\d+(  \d+)*)", line) for line in lines)


@pytest.mark.parametrize("demo", ["read_image.py", "follow_clip.py"])
def test_what_is_not_there_is_one_line_and_exit_code_1(demo, tmp_path):
    done = run(demo, "none.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: .*none\.png.*\n", done.stderr)


@pytest.mark.skipif(not importlib.util.find_spec("onnxruntime"), reason="wants onnxruntime")
def test_the_onnx_file_runs_without_digitedge_opencv_or_tensorflow(tmp_path, released):
    absent = ["digitedge", "cv2", "tensorflow", "keras", "ai_edge_litert"]
    block = f"import sys, runpy; sys.modules.update(dict.fromkeys({absent})); runpy.run_path(sys.argv[1])"
    done = run("onnx_alone.py", cwd=tmp_path, python=("-W", "error", "-c", block))
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    answers = np.array([line.split() for line in lines], int).ravel()
    with np.load(released / "golden.npz") as golden:
        expected = golden["model_int8.onnx"].argmax(axis=1)
    assert answers.shape == expected.shape
    assert (answers == expected).mean() >= 0.99  # near ties may fall the other way on another processor
    assert re.fullmatch(r"2(4[7-9]|50) of 250 answers are those of the Keras original", last)


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="wants TensorFlow")
def test_the_first_steps_lead_from_the_data_to_a_bundle(tmp_path):
    settings = ("--data", "synthetic", "--images", "4000", "--epochs", "1", "--output", "out")
    done = run("first_steps.py", *settings, cwd=tmp_path, python=())
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", done.stdout, re.MULTILINE)]
    assert steps == list(range(1, 12)), done.stderr
    before, after = map(float, re.findall(r"Test accuracy[ a-z]*: (\d+\.\d{4})%", done.stdout))
    assert before < 30 < 60 < after
    assert "mlp: 669,706 parameters,   668,672 multiplications an image" in done.stdout
    files = ["six-images.png", "one-image.png", "filters.png", "mlp.keras", "cnn.keras", "bundle/model_int8.tflite"]
    assert all((tmp_path / "out" / name).stat().st_size > 1000 for name in files)
    row = r"model_int8\.tflite: +\d+\.\d kB, right (.*)%, same answer as Keras (.*)%, (fit|UNFIT)$"
    right, agreement, verdict = re.search(row, done.stdout, re.MULTILINE).groups()
    assert float(right) > 90
    assert float(agreement) > 99
    # So short a training ends near the tolerance, on which side depends on the machine; the exit code must tell.
    assert (done.returncode, "error: model_int8" in done.stderr) == ((0, False) if verdict == "fit" else (1, True))


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="wants TensorFlow")
def test_first_steps_without_data_is_one_line_and_exit_code_1(tmp_path):
    done = run("first_steps.py", "--data", "nowhere", cwd=tmp_path, python=())
    assert done.returncode == 1
    assert re.fullmatch(r"error: no MNIST at nowhere .*\n", done.stderr)
