"""`digitedge demo`: train, export, verify and read, in a few minutes."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import DataOption, echo, print_text
from digitedge.errors import ParityError

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
    from digitedge.datasets.load import load_dataset, load_mnist_or_rendered
    from digitedge.training.run_folder import new_run_folder

    name, digits = load_dataset(data) if data else load_mnist_or_rendered(log=echo)
    with new_run_folder(output, "demo") as folder:
        _train_export_and_read(folder, name, data or [name], digits)
    echo("next: digitedge train mlp; digitedge export --int8; digitedge camera demo")


def _train_export_and_read(folder: Path, name: str, sources: list[str], digits: "Dataset") -> None:
    from digitedge.bundle.recipe import choose_artifacts
    from digitedge.exporting.export import ModelSource, export
    from digitedge.training.architectures import ARCHITECTURES
    from digitedge.training.run_folder import BEST, report_interruption
    from digitedge.training.train import train

    run = folder / "train"
    echo(f"1/3 training the cnn for {EPOCHS[name]} epochs on {name}")
    defaults = ARCHITECTURES["cnn"].defaults
    augment = defaults.augment if name == "mnist" else ()
    config = replace(defaults, epochs=EPOCHS[name], augment=augment, scenes=SCENES)
    with report_interruption(run, echo):
        result = train(config, digits, data_name=name, data_sources=sources, folder=run, log=echo)
    echo("2/3 exporting and verifying")
    source = ModelSource(path=run / BEST, name="demo", architecture="cnn", seed=defaults.seed)
    exported = export(source, choose_artifacts([]), digits, data_name=name, target=folder / "bundle", log=echo)
    echo("3/3 reading the demo clip with the int8 file")
    image = folder / "reading.png"
    score, frame_ms = _read_clip(exported.bundle.path, image)
    _print_summary(name, result, exported, score, frame_ms)
    print_text(f"image: {image}\nbundle:  {exported.bundle.path}")
    if exported.violations:
        raise ParityError("; ".join(exported.violations))


def _read_clip(bundle: Path, image: Path) -> "tuple[DetectionScore, float]":
    """Read the first frames of the demo clip, and save the last reading; return the score and the mean time in ms."""
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
    return score, spent_ms / CLIP_FRAMES


def _print_summary(
    name: str, result: "TrainResult", exported: "ExportResult", score: "DetectionScore", frame_ms: float
) -> None:
    from rich.console import Console
    from rich.table import Table

    from digitedge.utils.tables import percent

    table = Table(title="digitedge demo", show_header=False)
    table.add_row("trained on", f"{name}, best epoch {result.best_epoch}")
    accuracies = f"{percent(result.validation_accuracy)} / {percent(result.test_accuracy)}"
    table.add_row("validation / test accuracy", accuracies)
    for file_name, entry in exported.bundle.manifest.files.items():
        outcome = "passed" if entry.passed else "FAILED"
        figures = f"{entry.bytes / 1000:5.0f} kB  top-1 {percent(entry.top1)}  agreement {percent(entry.agreement)}"
        table.add_row(file_name, f"{figures}  {outcome}")
    correct = f"{score.correct} of {score.digits} correct ({percent(score.recall)})"
    table.add_row("digits of the demo clip", f"{correct}, {score.detections + score.negative_detections} reported")
    table.add_row("time of a frame", f"{frame_ms:.1f} ms, mean over {CLIP_FRAMES} frames of 640x480")
    Console(soft_wrap=True).print(table)
