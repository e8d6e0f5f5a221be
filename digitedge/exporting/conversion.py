"""Convert in a process of its own, so that a crash of a converter is a message and the other files are still made.

The TFLite converter of TensorFlow 2.21 crashes on int8 recurrent layers (tensorflow#76672). The process is started
early, because importing TensorFlow takes seconds; it gets its job as one line of JSON, and answers with a line for each
file. After a crash a new process makes the files that remain.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.manifest import AdapterSpec, build_adapter
from digitedge.bundle.recipe import RECIPES, Artifact, CalibrationMethod, Format
from digitedge.errors import DigitEdgeError, InputError, ModelError, first_line
from digitedge.utils.drafts import temporary_folder

CRASH_ADVICE = (
    "Take another recipe, such as --dynamic or --float16. LSTM, GRU and SimpleRNN layers get int8 TFLite with "
    "unroll=True alone, which costs accuracy."
)
# With less, a conversion that failed is put down to the disk.
MIN_FREE_BYTES = 64_000_000
_CODE = "from digitedge.exporting.conversion import serve; serve()"


class Wanted(NamedTuple):
    """A file to make, and the images to calibrate it on, uint8 (N, 28, 28)."""

    artifact: Artifact
    calibration: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file to make, as a converter process is told of it; the calibration is the path of a .npy file."""

    target: str
    recipe: str
    format: str
    keep_float: list[str]
    method: str
    calibration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """How a converter process did with a file: `reason` says why it could not be made."""

    target: str
    reason: str | None
    is_wrong_input: bool = False


class Converter:
    """Converts one model in processes of their own; a context manager, which ends the last one.

    The first process is started with the context, before the model is known.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._stack = ExitStack()
        self._model: Path | None = None
        self._adapter: AdapterSpec | None = None

    def __enter__(self) -> Self:
        self._folder = self._stack.enter_context(temporary_folder())
        self._process = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._stack.close()

    def set_model(self, model: Path, adapter: AdapterSpec | None) -> None:
        """Say which file or folder is converted, and how it is used; None where it meets the model contract."""
        self._model, self._adapter = model, adapter

    def convert(self, files: Mapping[Path, Wanted]) -> dict[Path, str]:
        """Write files.

        Returns:
            Path -> why it could not be made, for those that could not.

        Raises:
            InputError: the name of a layer to keep in float that the model does not have.
            DigitEdgeError: one could not be made, and a disk is nearly full.
        """
        failed: dict[Path, str] = {}
        waiting = dict(files)
        while waiting:
            for answer in self._run(waiting):
                target = Path(answer.target)
                del waiting[target]
                if answer.reason is not None:
                    target.unlink(missing_ok=True)
                    failed[target] = answer.reason
                    if answer.is_wrong_input:
                        raise InputError(answer.reason)
                    _check_space(target.parent, self._folder)
        return failed

    def _run(self, files: Mapping[Path, Wanted]) -> list[_Answer]:
        """Let a process make files; the last answer is that of a crash if it did not answer for all."""
        listed = [asdict(_describe(path, wanted, self._folder)) for path, wanted in files.items()]
        job = {"model": str(self._model), "adapter": self._adapter and asdict(self._adapter), "files": listed}
        process = self._process or self._start()
        self._process = None
        answers: list[_Answer] = []
        with process:
            try:
                with suppress(BrokenPipeError):
                    print(json.dumps(job), file=process.stdin, flush=True)
                for line in process.stdout or ():
                    answers.append(_Answer(**json.loads(line)))
            except BaseException:  # Ctrl-C and SIGTERM, too
                process.kill()
                raise
        if len(answers) < len(listed):
            reason = _describe_end(process.returncode, self._errors.read_text(errors="replace"))
            answers.append(_Answer(target=listed[len(answers)]["target"], reason=reason))
        return answers

    @property
    def _errors(self) -> Path:
        """What the last process wrote to its stderr."""
        return self._folder / "stderr.txt"

    def _start(self) -> "subprocess.Popen[str]":
        with self._errors.open("w") as errors:
            return subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},  # as everything whose parity is checked
            )


def _check_space(*folders: Path) -> None:
    """After a failure: a converter that finds the disk full says so in many ways, and TensorFlow not at all."""
    for folder in filter(Path.exists, folders):
        free = shutil.disk_usage(folder).free
        if free < MIN_FREE_BYTES:
            raise DigitEdgeError(
                f"cannot convert in {folder}: expected {MIN_FREE_BYTES // 1_000_000} MB of free space, "
                f"got {free / 1e6:.1f} MB. Delete files; $TMPDIR may name another folder for temporary files."
            )


def _describe(path: Path, wanted: Wanted, folder: Path) -> _File:
    images = folder / f"{len(wanted.calibration)}.npy"
    if not images.exists():
        np.save(images, wanted.calibration)
    artifact = wanted.artifact
    return _File(
        target=str(path),
        recipe=artifact.recipe.name,
        format=str(artifact.format),
        keep_float=list(artifact.keep_float),
        method=str(artifact.method),
        calibration=str(images),
    )


def _describe_end(code: int, errors: str) -> str:
    if code < 0:
        return f"the converter crashed ({signal.strsignal(-code)}). {CRASH_ADVICE}"
    lines = errors.strip().splitlines() or ["no reason given"]
    return f"the converter ended with code {code}: {lines[-1]}"


def serve() -> None:
    """Do one job: read it from stdin, write an answer for each file to stdout. The main of a converter process."""
    from digitedge.exporting.converters import load_convertible

    answers = _own_stdout()
    line = sys.stdin.readline()
    if not line:
        return
    job: dict[str, Any] = json.loads(line)
    spec = None if job["adapter"] is None else AdapterSpec(**job["adapter"])
    model, problem = None, None
    try:
        model = load_convertible(Path(job["model"]), build_adapter(spec))
    except Exception as exc:  # one that no file can be made of, in whatever way
        problem = str(exc) if isinstance(exc, ModelError) else f"{type(exc).__name__}: {first_line(exc)}"
    for entry in job["files"]:
        file = _File(**entry)
        answer = _Answer(target=file.target, reason=problem) if problem else _make(model, file)
        print(json.dumps(asdict(answer)), file=answers, flush=True)


def _make(model: Any, file: _File) -> _Answer:
    from digitedge.exporting.converters import convert_file

    artifact = Artifact(
        RECIPES[file.recipe], Format(file.format), tuple(file.keep_float), CalibrationMethod(file.method)
    )
    try:
        Path(file.target).write_bytes(convert_file(model, artifact, np.load(file.calibration)))
    except (InputError, ModelError) as exc:
        return _Answer(target=file.target, reason=str(exc), is_wrong_input=isinstance(exc, InputError))
    return _Answer(target=file.target, reason=None)


def _own_stdout() -> Any:
    """The stdout of this process for answers alone; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    return answers
