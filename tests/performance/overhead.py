"""Overhead of digitedge over the libraries that it uses, measured beside the bare library. Part of `make bench`.

- start: `digitedge --help` beside an empty Typer program with as many commands; `digitedge predict` of one image
  beside a Typer program that only imports NumPy, OpenCV and LiteRT.
- call: `probabilities` of one crop beside the bare calls of LiteRT and of ONNX Runtime with the same file.

Medians of alternating runs, so that a busy machine slows both. To time the start, install the package, but not
editable: an editable one may compile every file again (PYTHONDONTWRITEBYTECODE).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from digitedge.bundle.bundle import released_bundle
from digitedge.cli.app import app
from digitedge.runtime import load_classifier
from digitedge.synthetic.scenes import Difficulty, render_scene
from digitedge.utils.opencv import cv2

STARTS = 15
CALLS = 3000

MANY_COMMANDS = """import typer
app = typer.Typer()
for number in range({count}):
    def command(name: str = "", count: int = 1) -> None:
        "Do nothing."
    app.command(f"command{{number}}")(command)
app()
"""
ONE_COMMAND = """import typer
app = typer.Typer()
@app.command()
def main(image: str) -> None:
    import numpy, cv2
    from ai_edge_litert.interpreter import Interpreter
app()
"""


def alternate(rounds: int, bare: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of both in alternating runs, after a warm-up of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for run, taken in zip((bare, ours), times, strict=True):
            started = time.perf_counter()
            run()
            taken.append(1000 * (time.perf_counter() - started))
    return median(times[0][1:]), median(times[1][1:])


def program(*command: str) -> Callable[[], object]:
    """Return a function that runs a Python program."""
    return lambda: subprocess.run([sys.executable, *command], capture_output=True, check=True)


def time_starts(folder: Path) -> None:
    many, one, image = folder / "many.py", folder / "one.py", folder / "one.jpg"
    many.write_text(MANY_COMMANDS.format(count=len(app.registered_commands) + len(app.registered_groups)))
    one.write_text(ONE_COMMAND)
    cv2.imwrite(str(image), render_scene(seed=3, difficulty=Difficulty.PLAIN).frame)
    pairs = {
        "--help": (program(str(many), "--help"), program("-m", "digitedge", "--help")),
        "predict": (program(str(one), str(image)), program("-m", "digitedge", "predict", str(image))),
    }
    for name, (bare, ours) in pairs.items():
        theirs, mine = alternate(STARTS, bare, ours)
        print(f"digitedge {name:8} {mine:6.0f} ms, {mine / theirs:.2f} x the {theirs:.0f} ms of a bare Typer program")


def time_calls() -> None:
    crop = np.zeros((1, 28, 28), np.uint8)
    crop[0, 4:24, 13:16] = 255
    bundle = released_bundle()
    for name in sorted(path.name for path in bundle.iterdir() if path.suffix in {".tflite", ".onnx"}):
        classifier = load_classifier(bundle / name)
        bare = bare_litert(bundle / name, crop) if name.endswith(".tflite") else bare_onnx(bundle / name, crop)
        theirs, mine = alternate(CALLS, bare, partial(classifier.probabilities, crop))
        print(f"{name:22} {1000 * mine:6.1f} us a call, {1000 * (mine - theirs):.1f} us over the bare runtime")


def bare_litert(path: Path, crop: np.ndarray) -> Callable[[], object]:
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    values = crop.reshape(source["shape"]).astype(source["dtype"])

    def call() -> object:
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    return call


def bare_onnx(path: Path, crop: np.ndarray) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    values = crop.reshape(1, 28, 28, 1).astype(np.uint8 if source.type == "tensor(uint8)" else np.float32)
    return lambda: session.run(None, {source.name: values})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        time_starts(Path(folder))
    time_calls()
