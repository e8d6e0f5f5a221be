"""The model card: what a stranger must know before using the files, with the figures of the manifest."""

from digitedge.manifest import Manifest, ModelFile

CARD = "README.md"


def model_card(manifest: Manifest) -> str:
    """Write a bundle's README.md: Markdown."""
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
that are read rightly: training digits moved and bent a little, rendered ones, and ones cut out of rendered scenes.

## Use

Input `image`: {manifest.crop.dtype} pixels 0 to 255, {manifest.crop.polarity}; {manifest.crop.placement};
box {manifest.crop.box}x{manifest.crop.box}, field {manifest.crop.size}x{manifest.crop.size}. `digitedge.normalize_digit` makes such crops. Float TFLite files take the same values as float32. The division by 255
and the softmax are inside. Output `probabilities`: float32, column d is digit d.

`manifest.json` lists the hash, operators and minimum runtime of every file. `golden.npz` holds rendered crops with the answers given
here, so that another device can check its runtime; that proves the device, not the accuracy.

## Limits

It knows digits only: letters, signs and scribbles get a digit too. Accuracy on clean test images says little about a camera: blur,
shadows and other pens cost more than quantization does. `digitedge eval` on this folder measures both.

Made with {versions}.
"""


def _row(name: str, entry: ModelFile) -> str:
    difference = "not a number" if entry.max_abs_diff is None else f"{entry.max_abs_diff:.1g}"
    return (
        f"| `{name}` | {entry.bytes / 1000:.0f} | {entry.top1:.2%} | {entry.agreement:.2%} | {difference} | {entry.threshold:.2f} | "
        f"{'fit' if entry.fit else 'UNFIT'} |"
    )
