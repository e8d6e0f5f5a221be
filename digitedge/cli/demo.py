"""`digitedge demo`: train, export, verify and read, in a few minutes."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import DataOption, echo
from digitedge.errors import DataError, ParityError

if TYPE_CHECKING:
    from digitedge.datasets.dataset import Dataset
    from digitedge.exporting.export import ExportResult
    from digitedge.metrics.detection import DetectionScore
    from digitedge.training.train import TrainResult

DEMO_FOLDER = Path("runs")
# Epochs that reach 98.5 % validation accuracy. Rendered digits are fewer, so their epochs are shorter; they are not
# augmented, because the renderer varies each of them already.
EPOCHS = {"mnist": 3, "synthetic": 8}
# Rendered scenes for training, about six seconds of rendering: enough for low confidence on most non-digits.
SCENES = 100
CLIP_SEED = 7
CLIP_FRAMES = 120  # about five seconds of the demo clip, with two sheets


@dataclass(frozen=True, slots=True, eq=False)
class _ClipReport:
    """Result of reading the demo clip."""

    score: "DetectionScore"
    frame_ms: float
    image: Path


def demo(
    data: DataOption = None,
    output: Annotated[Path, typer.Option(help="Folder in which a new folder is created.")] = DEMO_FOLDER,
) -> None:
    """Train briefly, export, verify and read a rendered clip, in a few minutes.

    Uses MNIST if it is available, else rendered digits. All results are in runs/demo-K.

    Examples:
      digitedge demo
      digitedge demo --data synthetic
    """
    from digitedge.training.architectures import ARCHITECTURES
    from digitedge.training.run_folder import new_run_folder, report_interruption
    from digitedge.training.train import train

    name, digits = _find_data(data)
    folder = new_run_folder(output, "demo")
    run = folder / "train"
    echo(f"1/3 training the cnn for {EPOCHS[name]} epochs on {name}")
    defaults = ARCHITECTURES["cnn"].defaults
    augment = defaults.augment if name == "mnist" else ()
    config = replace(defaults, epochs=EPOCHS[name], augment=augment, scenes=SCENES)
    with report_interruption(run, echo):
        result = train(config, digits, data_name=name, folder=run, log=echo)
    echo("2/3 exporting and verifying")
    exported = _export(run, folder / "bundle", name, digits)
    echo("3/3 reading the demo clip with the int8 file")
    clip = _read_clip(exported.bundle.path, folder / "reading.png")
    _print_summary(name, result, exported, clip)
    typer.echo(f"image: {clip.image}\nbundle:  {exported.bundle.path}")
    if exported.violations:
        raise ParityError("; ".join(exported.violations))
    echo("next: digitedge train mlp; digitedge export --int8; digitedge camera demo")


def _find_data(source: str | None) -> "tuple[str, Dataset]":
    from digitedge.datasets.load import SYNTHETIC, load_dataset
    from digitedge.datasets.mnist import find_mnist

    try:
        return load_dataset(source)
    except DataError:
        if source is not None or find_mnist() is not None:
            raise
        echo("MNIST is not available and cannot be downloaded; using rendered digits")
        return load_dataset(SYNTHETIC)


def _export(run: Path, target: Path, data_name: str, digits: "Dataset") -> "ExportResult":
    from digitedge.bundle.recipe import choose_artifacts
    from digitedge.exporting.export import KerasModelSource, export
    from digitedge.training.architectures import ARCHITECTURES

    seed = ARCHITECTURES["cnn"].defaults.seed
    source = KerasModelSource(path=run / "model.keras", name="demo", architecture="cnn", seed=seed)
    return export(source, choose_artifacts([]), digits, data_name=data_name, target=target, log=echo)


def _read_clip(bundle: Path, image: Path) -> _ClipReport:
    """Read the first frames of the demo clip, score them, and save the last one with its reading."""
    from digitedge.metrics.detection import DetectionScore, score_reading
    from digitedge.reader import Reader
    from digitedge.synthetic.scenes import render_clip
    from digitedge.utils.images import write_image

    reader = Reader(bundle, force=True)  # parity is reported at the end, with the figures
    score, spent_ms = DetectionScore(), 0.0
    for index, scene in enumerate(islice(render_clip(seed=CLIP_SEED), CLIP_FRAMES)):
        reading = reader.read(scene.frame, source="demo", index=index)
        score += score_reading(scene, reading)
        spent_ms += reading.ms
    write_image(image, reading.draw(scene.frame))
    return _ClipReport(score, spent_ms / CLIP_FRAMES, image)


def _print_summary(name: str, result: "TrainResult", exported: "ExportResult", clip: _ClipReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="digitedge demo", show_header=False)
    table.add_row("trained on", f"{name}, best epoch {result.best_epoch}")
    table.add_row("validation / test accuracy", f"{result.validation_accuracy:.2%} / {result.test_accuracy:.2%}")
    for file_name, entry in exported.bundle.manifest.files.items():
        outcome = "passed" if entry.passed else "FAILED"
        figures = f"{entry.bytes / 1000:5.0f} kB  top-1 {entry.top1:.2%}  agreement {entry.agreement:.2%}"
        table.add_row(file_name, f"{figures}  {outcome}")
    score = clip.score
    correct = f"{score.correct} of {score.digits} correct ({score.recall:.2%})"
    table.add_row("digits of the demo clip", f"{correct}, {score.detections + score.negative_detections} reported")
    table.add_row("time of a frame", f"{clip.frame_ms:.1f} ms, mean over {CLIP_FRAMES} frames of 640x480")
    Console(soft_wrap=True).print(table)
