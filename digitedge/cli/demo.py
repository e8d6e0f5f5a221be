"""`digitedge demo`: the whole way once, small."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import DataOption, say
from digitedge.errors import DataError, ParityError

if TYPE_CHECKING:
    from digitedge.datasets.dataset import Dataset
    from digitedge.exporting.export import Exported
    from digitedge.metrics.detection import Score
    from digitedge.training.train import Outcome

app = typer.Typer(add_completion=False)

DEMO_FOLDER = Path("runs")
# Enough epochs for 98.5 % of the validation images on either data set; rendered digits are fewer, so their epochs are
# short; they are neither moved nor spoiled in training, because the renderer has moved each of them already.
EPOCHS = {"mnist": 3, "synthetic": 8}
# Scenes to cut up, a tenth of a minute of rendering: enough to doubt most of what is no digit.
SCENES = 100
CLIP_SEED = 7
CLIP_FRAMES = 120  # four seconds of the demo clip, with two sheets


@dataclass(frozen=True, slots=True, eq=False)
class _ClipReport:
    """How the demo clip was read."""

    score: "Score"
    frame_ms: float
    image: Path


@app.command()
def demo(
    data: DataOption = None,
    output: Annotated[Path, typer.Option(help="Folder that gets a new folder with everything in it.")] = DEMO_FOLDER,
) -> None:
    """Train shortly, export, verify, and read a rendered clip: the whole way in a few minutes.

    Uses MNIST if it can be had, else rendered digits. Everything lands in runs/demo-K.

    Examples:
      digitedge demo
      digitedge demo --data synthetic
    """
    from digitedge.training.config import CAMERA, DEFAULT_PLANS
    from digitedge.training.run_folder import new_run_folder, telling_what_is_kept
    from digitedge.training.train import train

    name, digits = _find_data(data)
    folder = new_run_folder(output, "demo")
    run = folder / "train"
    say(f"1/3 training the cnn for {EPOCHS[name]} epochs on {name}")
    plan = replace(DEFAULT_PLANS["cnn"], epochs=EPOCHS[name], augment=CAMERA if name == "mnist" else (), scenes=SCENES)
    with telling_what_is_kept(run, say):
        outcome = train(plan, digits, data_name=name, folder=run, log=say)
    say("2/3 exporting and verifying")
    exported = _export(run, folder / "bundle", name, digits)
    say("3/3 reading the demo clip with the int8 file")
    clip = _read_clip(exported.bundle.path, folder / "reading.png")
    _print_summary(name, outcome, exported, clip)
    typer.echo(f"image: {clip.image}\nbundle:  {exported.bundle.path}")
    if exported.violations:
        raise ParityError("; ".join(exported.violations))
    say("next: digitedge train mlp; digitedge export --int8; digitedge camera demo")


def _find_data(source: str | None) -> "tuple[str, Dataset]":
    from digitedge.datasets.load import SYNTHETIC, load_dataset
    from digitedge.datasets.mnist import find_mnist

    try:
        return load_dataset(source)
    except DataError:
        if source is not None or find_mnist() is not None:
            raise
        say("no MNIST here, and it cannot be downloaded: going on with rendered digits")
        return load_dataset(SYNTHETIC)


def _export(run: Path, target: Path, data_name: str, digits: "Dataset") -> "Exported":
    from digitedge.bundle.recipe import choose_artifacts
    from digitedge.exporting.export import Source, export
    from digitedge.training.config import DEFAULT_PLANS

    source = Source(path=run / "model.keras", name="demo", architecture="cnn", seed=DEFAULT_PLANS["cnn"].seed)
    return export(source, choose_artifacts([]), digits, data_name=data_name, target=target, log=say)


def _read_clip(bundle: Path, image: Path) -> _ClipReport:
    """Read the first frames of the demo clip, count what was right, and keep the last frame as an image."""
    from digitedge.metrics.detection import Score, score_reading
    from digitedge.reader.overlay import draw_reading
    from digitedge.reader.reader import Reader
    from digitedge.synthetic.scenes.clip import render_clip
    from digitedge.utils.images import write_image

    reader = Reader(bundle, force=True)  # parity is reported at the end, with the figures
    score, spent_ms = Score(), 0.0
    for index, scene in enumerate(islice(render_clip(seed=CLIP_SEED), CLIP_FRAMES)):
        reading = reader.read(scene.frame, source="demo", index=index)
        score += score_reading(scene, reading)
        spent_ms += reading.ms
    write_image(image, draw_reading(scene.frame, reading))
    return _ClipReport(score, spent_ms / CLIP_FRAMES, image)


def _print_summary(name: str, outcome: "Outcome", exported: "Exported", clip: _ClipReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="digitedge demo", show_header=False)
    table.add_row("trained on", f"{name}, best epoch {outcome.best_epoch}")
    table.add_row("validation / test accuracy", f"{outcome.validation_accuracy:.2%} / {outcome.test_accuracy:.2%}")
    for file_name, entry in exported.bundle.manifest.files.items():
        verdict = "fit" if entry.fit else "UNFIT"
        figures = f"{entry.bytes / 1000:5.0f} kB  right {entry.top1:.2%}  agrees {entry.agreement:.2%}"
        table.add_row(file_name, f"{figures}  {verdict}")
    score = clip.score
    table.add_row(
        "digits of the demo clip",
        f"{score.right} of {score.true} read rightly ({score.recall:.2%}), {score.read + score.false} reported",
    )
    table.add_row(
        "time for a frame", f"{clip.frame_ms:.1f} ms with the runtime, mean over {CLIP_FRAMES} frames of 640x480"
    )
    Console(soft_wrap=True).print(table)
