"""Options, checks and output that several commands share."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.errors import InputError, ModelError
from digitedge.runtime.load import MODEL_SUFFIXES
from digitedge.utils.secrets import hide_in_message
from digitedge.utils.text import printable

if TYPE_CHECKING:
    from digitedge.bundle.bundle import Model
    from digitedge.bundle.manifest import Manifest
    from digitedge.reader.reader_spec import ReaderSpec

EXPORT_FOLDER = Path("export")
RUNS_FOLDER = Path("runs/train")
MAX_NAME_BYTES = 100  # file systems take 255, and drafts and run numbers lengthen the name
RELEASED = "released"
"""Word for the path of the released bundle."""
DEFAULT_MODEL = "Default: the newest bundle in ./export that was exported here and passed, else the released one."
MODEL_HELP = (
    f"A bundle, a version folder of `digitedge update`, a model file ({MODEL_SUFFIXES}), also a third-party one, a "
    f"SavedModel folder, or '{RELEASED}'. {DEFAULT_MODEL}"
)


def parse_path(text: str) -> Path:
    """Parse the path of a model, or the word RELEASED.

    An empty path, for example of a variable that is not set, is refused.
    """
    if not text:
        raise typer.BadParameter("expected a path, got an empty text")
    if text == RELEASED:
        from digitedge.bundle.bundle import released_bundle

        return released_bundle()
    return Path(text)


ModelOption = Annotated[Path | None, typer.Option("--model", parser=parse_path, metavar="PATH", help=MODEL_HELP)]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Use a model that failed the parity check, or reads too few digits.")
]


def check_preprocess(text: str | None) -> str | None:
    """Check the text of --preprocess."""
    if text is None:
        return None
    from digitedge.runtime.adapter import Preprocessing

    try:
        return str(Preprocessing.parse(text))
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint="--preprocess") from exc


PreprocessOption = Annotated[
    str | None,
    typer.Option(
        "--preprocess",
        callback=check_preprocess,
        metavar="PIXELS[,...]",
        help="What a third-party model wants: 0-255, 0-1, -1..1, -0.5..0.5, mean-std or imagenet, and after it, "
        "with commas, inverted (dark ink), transposed, pad, crop or resize. Default: the one with the best accuracy.",
    ),
]
AdaptationOption = Annotated[
    bool,
    typer.Option(
        "--adaptation/--no-adaptation",
        help="Use what `digitedge adapt` has learned for the model here, if it passed its check.",
    ),
]
POLICY_VARIABLE = "DIGITEDGE_REQUIRE_SIGNATURE"  # digitedge.bundle.signature.POLICY_VARIABLE


def apply_policy(required: bool | None) -> bool | None:
    """Let --require-signature hold for this process and for its children, which load files too (bench).

    The environment is the only carrier of the policy in the program: `is_signature_required` reads it wherever a file
    is loaded, so no command can forget to pass it on. The commands declare the option and do not read it; hence the
    underscore of their parameter. The `require_signature=` of the library is for programs that use it.
    """
    if required is not None:
        os.environ[POLICY_VARIABLE] = "1" if required else "0"
    return required


SignatureOption = Annotated[
    bool | None,
    typer.Option(
        "--require-signature/--no-require-signature",
        callback=apply_policy,
        help="Load only bundles that a trusted key has signed (see `digitedge trust`). "
        f"Default: ${POLICY_VARIABLE} (1 or 0), else no.",
        show_default=False,
    ),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="File whose first line is the passphrase of an encrypted private key. Default: $DIGITEDGE_KEY_PASSPHRASE.",
    ),
]
ThresholdOption = Annotated[
    float,
    typer.Option("--threshold", min=0, max=1, help="Minimum confidence of a digit, regardless of other evidence."),
]
LEAST_CONFIDENCE = 0.25  # digitedge.reader.rejection.MIN_CONFIDENCE, which --help must not import
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
DATA_HELP = (
    "'mnist', its folder or mnist.npz; 'synthetic' for rendered digits; or digits of your own: a collection, a folder "
    "of images, an .npz with x and y, or a .csv. Repeatable. Default: MNIST at $DIGITEDGE_DATA, in the cache or "
    "~/.keras, else downloaded."
)
DataOption = Annotated[list[str] | None, typer.Option("--data", metavar="DIGITS", show_default=False, help=DATA_HELP)]
DatasetOption = Annotated[
    list[str] | None, typer.Option("--dataset", "--data", metavar="DIGITS", show_default=False, help=DATA_HELP)
]
PlotsOption = Annotated[
    Path | None,
    typer.Option(
        "--plots",
        metavar="DIR",
        help="Write images into this folder: confusion.png, precision-recall.png and errors.png, the worst errors.",
    ),
]


def choose_model(model: Path | None, *, name_it: str = "--model ") -> Path:
    """The given model, else the newest bundle in ./export that was exported here and passed, else the released one.

    A version folder stands for its current bundle. A default is printed to stderr, and so is a newer
    bundle that was not exported here; `name_it` is how to name a bundle.
    """
    from digitedge.bundle.bundle import newest_passed_bundle, released_bundle
    from digitedge.bundle.versions import current_bundle
    from digitedge.utils.drafts import sweep_drafts

    if model is not None:
        sweep_drafts(model.parent)  # may put back a bundle that a killed export had moved away
        return current_bundle(model)
    chosen = newest_passed_bundle(EXPORT_FOLDER, log=echo, name_it=name_it) or released_bundle()
    echo(f"model: {chosen}")
    return chosen


def load_chosen(model: Path, *, force: bool, preprocess: str | None, threads: int = 1) -> "Model":
    """Load a model; how a third-party one is used is found on MNIST if this machine has it, and reported on stderr."""
    from digitedge.bundle.bundle import load_model
    from digitedge.datasets.mnist import local_training_digits

    return load_model(
        model, force=force, threads=threads, preprocess=preprocess, digits=local_training_digits, log=echo
    )


def load_adapted(model: Path, *, adapted: bool, force: bool, preprocess: str | None, threads: int = 1) -> "Model":
    """Load a model, with what `digitedge adapt` has learned for it here if that passed; said on stderr."""
    return _load_with_adaptation(model, adapted=adapted, force=force, preprocess=preprocess, threads=threads)[0]


def describe_reader(
    model: Path, *, adapted: bool, force: bool, preprocess: str | None, threshold: float
) -> "ReaderSpec":
    """As `load_adapted`, but for other processes, which make the same reader; errors are raised here."""
    from digitedge.reader.reader_spec import ReaderSpec

    loaded, adaptation = _load_with_adaptation(model, adapted=adapted, force=force, preprocess=preprocess)
    return ReaderSpec.of(loaded, force=force, threshold=threshold, adaptation=adaptation)


def _load_with_adaptation(
    model: Path, *, adapted: bool, force: bool, preprocess: str | None, threads: int = 1
) -> "tuple[Model, Path | None]":
    from digitedge.bundle.adaptation import adapt_model, find_adaptation

    loaded = load_chosen(model, force=force, preprocess=preprocess, threads=threads)
    if not adapted:
        return loaded, None
    try:
        found = find_adaptation(loaded, EXPORT_FOLDER)
        if found is None:
            return loaded, None
        path, adaptation = found
        loaded = adapt_model(loaded, adaptation, path)
    except ModelError as exc:  # the model runs without it
        echo(f"adaptation not used: {exc}")
        return loaded, None
    echo(f"adaptation: {path}, of {adaptation.info.digits} digits; without it: --no-adaptation")
    return loaded, path


@contextmanager
def usage_error(option: str) -> Iterator[None]:
    """Turn an InputError into wrong usage of an option: exit code 2."""
    try:
        yield
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint=option) from exc


def check_image_file(option: str, path: Path) -> None:
    """Check that OpenCV can write an image at the path that an option gives."""
    from digitedge.utils.files import check_file_creatable
    from digitedge.utils.opencv import can_encode

    if not can_encode(path.suffix):
        raise InputError(f"{option} {path}: expected a suffix such as .png or .jpg, got {path.suffix!r}.")
    check_file_creatable(path)


def check_name(name: str | None) -> str | None:
    """Check that a --name is a plain folder name and not too long for one."""
    if name is not None and not (re.fullmatch(r"\w[\w.+-]*", name) and len(os.fsencode(name)) <= MAX_NAME_BYTES):
        expected = f"letters, digits, dots, dashes, at most {MAX_NAME_BYTES} bytes"
        raise typer.BadParameter(f"expected {expected}, got {name!r}", param_hint="--name")
    return name


def check_model_file(path: Path) -> None:
    """Check that a model is there and of a kind that digitedge knows, before the data is loaded, which takes longer.

    Raises:
        ModelError: no such file, another kind, or a damaged archive.
    """
    import zipfile  # only needed here

    from digitedge.runtime import find_runtime

    if not path.exists():
        raise ModelError(f"nothing at {path}: expected a model file ({MODEL_SUFFIXES}). Train one: digitedge train")
    find_runtime(path)
    if path.suffix.lower() == ".keras" and not zipfile.is_zipfile(path):
        what = "one that is damaged or of another kind" if path.stat().st_size else "an empty file"
        raise ModelError(f"{path}: expected a model saved by Keras 3, got {what}. Save it again.")


def echo(line: str) -> None:
    """Print a line of progress, a note or an error to stderr, without secrets.

    A command does not end because nobody reads them.
    """
    with suppress(OSError):
        typer.echo(printable(hide_in_message(line)), err=True)


def print_line(line: str) -> None:
    """Print one line of results to stdout, at once; names from outside cannot add another or steer the terminal."""
    typer.echo(printable(line))


def print_text(text: str) -> None:
    """Print results of several lines to stdout."""
    for line in text.split("\n"):
        print_line(line)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once."""
    print(json.dumps(value, allow_nan=False), flush=True)


def print_table(manifest: "Manifest") -> None:
    """Print a line for every exported file of a bundle: size, top-1, agreement, difference, parity."""
    from digitedge.utils.tables import Table, percent

    lines = {}
    for name, entry in manifest.files.items():
        difference = "not a number" if entry.max_abs_diff is None else f"{entry.max_abs_diff:.1e}"
        figures = [f"{entry.bytes / 1000:.1f}", percent(entry.top1), percent(entry.agreement), difference]
        lines[name] = [*figures, "passed" if entry.passed else "FAILED"]
    print_text(Table("file", ["kB", "top-1", "agreement", "difference", "parity"], lines).text())
