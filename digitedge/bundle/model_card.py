"""The model card: what a stranger must know before using the files, with the figures of the manifest.

`digitedge eval --keep` adds what it measured: evaluation.json in the bundle, and its summary in the card.
"""

from collections.abc import Mapping
from typing import Any

from digitedge.bundle.bundle import Bundle
from digitedge.bundle.manifest import Manifest, ModelFile
from digitedge.errors import ModelError
from digitedge.utils.files import write_json, write_text
from digitedge.utils.loading import read_json
from digitedge.utils.tables import Table, percent

CARD = "README.md"
EVALUATION = "evaluation.json"
SCHEMA = "digitedge.eval/1"
FIGURES = {
    "right": "top1",
    "error, seen damage": "seen_error",
    "unseen damage": "unseen_error",
    "calibration error": "calibration_error",
    "non-digits accepted": "non_digits_accepted",
}
"""What sums up an examination: heading -> key in the JSON of a file."""


def keep_evaluation(bundle: Bundle, evaluation: Mapping[str, Any]) -> None:
    """Write what `digitedge eval` measured into a bundle, and its summary into the card.

    Args:
        bundle: whose files were examined.
        evaluation: the command's JSON.

    Raises:
        DigitEdgeError: the bundle's folder is not writable.
    """
    files = {name: {"sha256": bundle.manifest.files[name].sha256, **one} for name, one in evaluation["files"].items()}
    kept = {**evaluation, "model": bundle.manifest.name, "files": files}
    write_json(bundle.path / EVALUATION, kept)
    write_text(bundle.path / CARD, model_card(bundle.manifest, kept))


def read_evaluation(bundle: Bundle) -> dict[str, Any] | None:
    """Read what was kept; None where there is nothing.

    Raises:
        ModelError: damaged, or of other files than the bundle has.
    """
    path = bundle.path / EVALUATION
    if not path.is_file():
        return None
    advice = f"Measure again: digitedge eval {bundle.path} --keep"
    evaluation = read_json(path, error=ModelError, advice=advice)
    try:
        hashes = {name: one["sha256"] for name, one in evaluation["files"].items()}
        _examined(evaluation)  # has all that a card says
    except (TypeError, KeyError, AttributeError, ValueError, StopIteration) as exc:
        raise ModelError(f"{path}: expected what `digitedge eval --keep` writes, got something else. {advice}") from exc
    if hashes != {name: entry.sha256 for name, entry in bundle.manifest.files.items()}:
        raise ModelError(f"{path}: expected figures of this bundle's files, got those of others. {advice}")
    return dict(evaluation)


def rewrite_card(bundle: Bundle, manifest: Manifest) -> None:
    """Write the card of a manifest that changed; figures that cannot be read any more are left out.

    Raises:
        DigitEdgeError: the bundle's folder is not writable.
    """
    try:
        evaluation = read_evaluation(bundle)
    except ModelError:
        evaluation = None
    write_text(bundle.path / CARD, model_card(manifest, evaluation))


def evaluation_table(evaluation: Mapping[str, Any]) -> Table:
    """The summary of every file: accuracy, robustness, calibration, non-digits."""
    files = evaluation["files"].items()
    return Table("file", list(FIGURES), {name: [percent(one[key]) for key in FIGURES.values()] for name, one in files})


def model_card(manifest: Manifest, evaluation: Mapping[str, Any] | None = None) -> str:
    """Write a bundle's README.md: Markdown.

    Args:
        manifest: of the bundle.
        evaluation: see `keep_evaluation`; None leaves that section out.
    """
    verdict = (
        "Every file kept within its tolerance."
        if manifest.fit
        else "**Unfit: not every file kept within its tolerance.**"
    )
    rows = "\n".join(_row(name, entry) for name, entry in manifest.files.items())
    versions = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
    calibration = manifest.calibration
    observed = (
        f"int8 was calibrated on {calibration.samples} training images, as many of each digit (seed {calibration.seed})."
        if calibration
        else "No file needed calibration."
    )
    known = manifest.architecture != "unknown"
    origin = f"Trained on `{manifest.data.name}`" if known else f"Trained elsewhere, judged on `{manifest.data.name}`"
    return f"""# {manifest.name}

Reads one handwritten digit, 0 to 9, from a 28x28 crop. Architecture `{manifest.architecture}`, {manifest.parameters:,} parameters,
{manifest.macs / 1e6:.2f} million multiply-accumulates an image. {origin}, exported {manifest.created}.

## Measured

On {manifest.judged_on.samples:,} test images of `{manifest.data.name}`, image by image against the Keras original, which reads
{manifest.reference_top1:.2%}. {verdict}

| file | kB | right | same answer as Keras | largest difference | reject below | verdict |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
{rows}

{observed} `digitedge verify` on this folder measures all of this again. `parity.json` names the images that flipped,
`flipped.png` shows them, `confusion.png` shows what the original confuses. "Reject below" is the confidence that 99 of 100 digits reach
that are read rightly: training digits moved and bent, rendered ones, and ones cut out of rendered scenes.

## Use

Input `image`: {manifest.crop.dtype} pixels 0 to 255, {manifest.crop.polarity}; {manifest.crop.placement};
box {manifest.crop.box}x{manifest.crop.box}, field {manifest.crop.size}x{manifest.crop.size}. `digitedge.normalize_digit` makes such crops. Float TFLite files take the same values as float32. The division by 255
and the softmax are inside. Output `probabilities`: float32, column d is digit d.

`manifest.json` lists the hash, operators and minimum runtime of every file. `golden.npz` holds rendered crops with the answers given
here, so that another device can check its runtime; that proves the device, not the accuracy.

## Limits

It knows digits only: letters, signs and scribbles get a digit too, if a doubtful one. Accuracy on clean test images says little about
a camera: blur, shadows and other pens cost more than quantization does. `digitedge eval` on this folder measures both.

{_examined(evaluation) if evaluation else ""}Made with {versions}.
"""


def _examined(evaluation: Mapping[str, Any]) -> str:
    kinds = next(iter(evaluation["files"].values()))["damages"]
    unseen = ", ".join(kind["kind"] for kind in kinds if kind["unseen"])
    return f"""## Examined

On {evaluation["digits"]["images"]:,} digits of `{evaluation["digits"]["name"]}`, of which {evaluation["damaged"]["images"]:,} were damaged in {len(kinds)} ways at three strengths (those that no
training uses: {unseen}), and on {sum(evaluation["non_digits"]["crops"].values()):,} non-digits. "Accepted" are those as sure as 99 of 100 digits.
`evaluation.json` has every figure (an installed wheel leaves it out); `digitedge eval --keep` on this folder measures them again.

{evaluation_table(evaluation).markdown()}
"""


def _row(name: str, entry: ModelFile) -> str:
    difference = "not a number" if entry.max_abs_diff is None else f"{entry.max_abs_diff:.1g}"
    return (
        f"| `{name}` | {entry.bytes / 1000:.0f} | {entry.top1:.2%} | {entry.agreement:.2%} | {difference} | {entry.threshold:.2f} | "
        f"{'fit' if entry.fit else 'UNFIT'} |"
    )
