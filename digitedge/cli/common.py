"""What several commands share: their common options, the choice of the model, and how results are printed."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.errors import ModelError

if TYPE_CHECKING:
    from digitedge.bundle.manifest import Manifest

EXPORT_FOLDER = Path("export")
RUNS_FOLDER = Path("runs/train")
LONGEST_NAME = 100  # bytes; file systems take 255, and drafts and numbers come around it

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="A bundle or a .tflite or .onnx file. Default: the newest fit bundle in ./export, else the released one.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Use a model that failed parity.")]
ThresholdOption = Annotated[
    float,
    typer.Option("--threshold", min=0, max=1, help="Least confidence of a digit, whatever else speaks for it."),
]
LEAST_CONFIDENCE = 0.25  # digitedge.reader.rejection.LEAST, which --help must not import
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Folder or mnist.npz, or 'synthetic'. Default: $DIGITEDGE_DATA, the cache, ~/.keras, else download.",
    ),
]


def choose_model(model: Path | None) -> Path:
    """Choose the model asked for, else the newest fit one here, else the released one, and say so on stderr."""
    from digitedge.bundle.bundle import newest_fit_bundle, released_bundle

    chosen = model or newest_fit_bundle(EXPORT_FOLDER, log=say) or released_bundle()
    say(f"model: {chosen}")
    return chosen


def check_name(name: str | None) -> str | None:
    """Refuse a --name that is no plain folder name, or too long for one."""
    if name is not None and not (re.fullmatch(r"\w[\w.+-]*", name) and len(os.fsencode(name)) <= LONGEST_NAME):
        expected = f"letters, digits, dots, dashes, at most {LONGEST_NAME} bytes"
        raise typer.BadParameter(f"expected {expected}, got {name!r}", param_hint="--name")
    return name


def check_keras_file(path: Path) -> None:
    """Refuse what cannot be a .keras file before the data is loaded, which takes longer.

    Raises:
        ModelError: no such file, or no archive.
    """
    import zipfile  # which no reading needs

    if not path.is_file():
        raise ModelError(f"no Keras file at {path}. Train one: digitedge train")
    if not zipfile.is_zipfile(path):
        what = "one that is damaged or of another kind" if path.stat().st_size else "an empty file"
        raise ModelError(f"{path}: expected a model saved by Keras 3, got {what}. Save it again.")


def say(line: str) -> None:
    """Print progress or a remark to stderr."""
    typer.echo(line, err=True)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once."""
    print(json.dumps(value), flush=True)


def print_table(manifest: "Manifest") -> None:
    """Print a line for every exported file of a bundle: size, accuracy, agreement, verdict."""
    for name, entry in manifest.files.items():
        difference = "not a number" if entry.max_abs_diff is None else f"{entry.max_abs_diff:.1e}"
        typer.echo(
            f"{name:24} {entry.bytes / 1000:7.1f} kB  right {entry.top1:.2%}  agreement {entry.agreement:.2%}  "
            f"difference {difference}  {'fit' if entry.fit else 'UNFIT'}"
        )
