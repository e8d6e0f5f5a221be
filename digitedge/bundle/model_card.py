"""The model card: README.md of a bundle, with its figures, how to use its files, and their limits.

`digitedge eval --save` writes what it measured into the bundle: evaluation.json, and a summary in the card.
"""

from collections.abc import Mapping
from typing import Any

from digitedge.bundle.bundle import Bundle
from digitedge.bundle.manifest import Manifest, Parent
from digitedge.bundle.recipe import CalibrationMethod
from digitedge.errors import ModelError
from digitedge.utils.files import write_json, write_text
from digitedge.utils.loading import read_json
from digitedge.utils.tables import Table, percent

CARD = "README.md"
EVALUATION = "evaluation.json"
SCHEMA = "digitedge.eval/1"
FIGURES = {
    "top-1": "top1",
    "error, seen corruptions": "seen_corruption_error",
    "error, unseen corruptions": "unseen_corruption_error",
    "calibration error": "calibration_error",
    "non-digits, mean FPR at 99 % TPR": "mean_fpr_at_99_tpr",
}
"""The figures of an evaluation's summary: heading -> key in the JSON of a file."""


def save_evaluation(bundle: Bundle, evaluation: Mapping[str, Any]) -> None:
    """Write the JSON of `digitedge eval` into the bundle that it evaluated, and a summary into the card.

    Raises:
        DigitEdgeError: the bundle's folder is not writable.
    """
    files = {name: {"sha256": bundle.manifest.files[name].sha256, **one} for name, one in evaluation["files"].items()}
    saved = {**evaluation, "model": bundle.manifest.name, "files": files}
    write_json(bundle.path / EVALUATION, saved)
    write_text(bundle.path / CARD, model_card(bundle.manifest, saved))


def read_evaluation(bundle: Bundle) -> dict[str, Any] | None:
    """Read what `save_evaluation` wrote; None if there is nothing.

    Raises:
        ModelError: damaged, or of other files than those of the bundle.
    """
    path = bundle.path / EVALUATION
    if not path.is_file():
        return None
    advice = f"Measure again: digitedge eval {bundle.path} --save"
    evaluation = read_json(path, error=ModelError, advice=advice)
    try:
        hashes = {name: one["sha256"] for name, one in evaluation["files"].items()}
        _evaluation_section(evaluation)  # has every key that the card needs
    except (TypeError, KeyError, AttributeError, ValueError, StopIteration) as exc:
        raise ModelError(f"{path}: expected what `digitedge eval --save` writes, got something else. {advice}") from exc
    if hashes != {name: entry.sha256 for name, entry in bundle.manifest.files.items()}:
        raise ModelError(f"{path}: expected figures of this bundle's files, got those of others. {advice}")
    return dict(evaluation)


def rewrite_card(bundle: Bundle, manifest: Manifest) -> None:
    """Write the card of a manifest that changed; an evaluation that cannot be read is left out.

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
    """Write a bundle's README.md, with a section on its evaluation (see `save_evaluation`) if there is one."""
    failed = "**Failed: not every file is within its tolerance.**"
    within = all(entry.passed for entry in manifest.files.values())
    result = "Every file is within its tolerance." if within else failed
    versions = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
    calibration = manifest.calibration
    observed = (
        f"int8 was calibrated on {calibration.samples} training images, class-balanced (seed {calibration.seed})."
        if calibration
        else "No file needed calibration."
    )
    known = manifest.architecture != "unknown"
    unfinished = "**Unfinished: the training was interrupted, and its confidence was not calibrated.** "
    origin = f"Trained on `{manifest.data.name}`" if known else f"Trained elsewhere, verified on `{manifest.data.name}`"
    return f"""# {manifest.name}

Reads one handwritten digit, 0 to 9, from a 28x28 crop. Architecture `{manifest.architecture}`, {manifest.parameters:,} parameters,
{_macs(manifest)} an image. {origin}, exported {manifest.created}.

## Figures

On {manifest.verified_on.samples:,} test images of `{manifest.data.name}`, image by image against {_original(manifest)}, whose top-1 is
{percent(manifest.reference_top1)}. {unfinished if manifest.unfinished else ""}{result}

{_parity_table(manifest).markdown()}
{_origin_line(manifest)}{_kept_layers(manifest)}{observed} `digitedge verify` on this folder measures these figures again. `parity.json` lists the
images whose prediction changed, `flipped.png` shows them, `confusion.png` shows what the original confuses. The reject threshold is the
confidence that 99 % of the correctly classified digits reach: augmented training images, rendered digits, and crops of rendered scenes.

{_parent_section(manifest)}## Use

Input `image`: {manifest.crop.dtype} pixels from 0 to 255, {manifest.crop.polarity}; {manifest.crop.placement};
box {manifest.crop.box}x{manifest.crop.box}, field {manifest.crop.size}x{manifest.crop.size}. `digitedge.normalize_digit` makes such crops. Float TFLite files take the same values as float32. The
division by 255 and the softmax are inside. Output `probabilities`: float32, column d is digit d.

`manifest.json` lists the hash, operators and minimum runtime of every file. `golden.npz` holds rendered crops with the probabilities of
the exporting machine, so that another device can check its runtime; this proves the device, not the accuracy.

## Limits

The model knows digits only: letters, signs and scribbles get a digit too, usually with low confidence. Accuracy on clean test images says
little about a camera: blur, shadows and other pens cost more than quantization. `digitedge eval` on this folder measures both.

{_evaluation_section(evaluation) if evaluation else ""}Made with {versions}.
"""


def _macs(manifest: Manifest) -> str:
    if manifest.macs is None:
        return "an unknown number of multiply-accumulates (MACs)"
    return f"{manifest.macs / 1e6:.2f} million multiply-accumulates (MACs)"


def _original(manifest: Manifest) -> str:
    return "the Keras original" if manifest.origin is None else f"the original, `{manifest.origin.file}`"


def _origin_line(manifest: Manifest) -> str:
    """How a third-party model takes its pixels, a line; "" for one of digitedge."""
    origin = manifest.origin
    if origin is None:
        return ""
    inside = "The files below have that inside" if manifest.files and not _has_adapters(manifest) else "They are fed so"
    return (
        f"`{origin.file}` takes pixels as `{origin.adapter.preprocessing}`: so it reads {percent(origin.accuracy)} of "
        f"{origin.digits:,} training digits. {inside}.\n\n"
    )


def _has_adapters(manifest: Manifest) -> bool:
    return any(entry.adapter is not None for entry in manifest.files.values())


def _parity_table(manifest: Manifest) -> Table:
    reference = "Keras" if manifest.origin is None else "the original"
    heads = ["kB", "top-1", f"agreement with {reference}", "largest difference", "reject threshold", "parity"]
    lines = {
        f"`{name}`": [
            f"{entry.bytes / 1000:.0f}",
            percent(entry.top1),
            percent(entry.agreement),
            "not a number" if entry.max_abs_diff is None else f"{entry.max_abs_diff:.1g}",
            f"{entry.reject_threshold:.2f}",
            "passed" if entry.passed else "FAILED",
        ]
        for name, entry in manifest.files.items()
    }
    return Table("file", heads, lines)


def _parent_section(manifest: Manifest) -> str:
    """How a fine-tuned model compares with its parent; "" for others."""
    parent, own = manifest.parent, manifest.own
    if parent is None or own is None:
        return ""
    result = "Every comparison passed." if parent.passed else "**Failed: not every comparison passed.**"
    return f"""## Fine-tuned

Fine-tuned from `{parent.name}` (sha256 {parent.sha256[:12]}...) on {own.training:,} own digits; {own.held_out:,} others judge the gain: {own.split}.
{result} Both models saw the same images; p is McNemar's. `changed.png` shows what changed.

{comparison_table(parent).markdown()}
"""


def comparison_table(parent: Parent) -> Table:
    """The comparison of a fine-tuned model with its parent: shares that are right, and what is allowed."""
    lines: dict[str, list[str]] = {}
    for one in parent.comparisons:
        limit = "must rise" if one.max_drop is None else f"-{100 * one.max_drop:.1f} points"
        result = "passed" if one.passed else "FAILED"
        figures = [f"{one.images:,}", *_change(one.before, one.after), f"{one.mcnemar_p:.2g}"]
        lines[one.name] = [*figures, limit, result]
        if one.soft_error_before is not None and one.soft_error_after is not None:
            changed = _change(one.soft_error_before, one.soft_error_after)
            lines["  their soft error (1 - probability)"] = ["", *changed, "", "", ""]
    return Table("compared with its parent", ["images", "before", "after", "change", "p", "limit", "result"], lines)


def _change(before: float, after: float) -> list[str]:
    return [percent(before), percent(after), f"{100 * (after - before):+.2f} points"]


def _kept_layers(manifest: Manifest) -> str:
    """How files differ from their recipe, a line each; "" if none does."""
    lines = []
    for name, entry in manifest.files.items():
        if entry.keep_float:
            lines.append(f"`{name}` computes in float: {', '.join(entry.keep_float)}.")
        if entry.calibration_method is not CalibrationMethod.MINMAX or entry.calibration_samples is not None:
            samples = "" if entry.calibration_samples is None else f", on {entry.calibration_samples} training images"
            lines.append(f"`{name}` was calibrated by {entry.calibration_method}{samples}.")
    return "\n".join([*lines, "", ""]) if lines else ""


def _evaluation_section(evaluation: Mapping[str, Any]) -> str:
    corruptions = next(iter(evaluation["files"].values()))["corruptions"]
    unseen = ", ".join(corruption["name"] for corruption in corruptions if corruption["unseen"])
    return f"""## Evaluated

On {evaluation["digits"]["images"]:,} digits of `{evaluation["digits"]["name"]}`, on {evaluation["corrupted"]["images"]:,} of them under {len(corruptions)} corruptions at three severities, and on
{sum(evaluation["non_digits"]["crops"].values()):,} non-digits. Unseen corruptions, which no training uses: {unseen}. The FPR at 99 % TPR is the share
of the non-digits that are as confident as 99 % of the digits.
`evaluation.json` has every figure (an installed wheel leaves it out); `digitedge eval --save` on this folder measures them again.

{evaluation_table(evaluation).markdown()}
"""
