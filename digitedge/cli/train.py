"""`digitedge train`."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from digitedge.cli.common import RUNS_FOLDER, DataOption, check_name, say
from digitedge.utils.files import check_place

if TYPE_CHECKING:
    from digitedge.training.run_folder import Run

app = typer.Typer(add_completion=False)


class Architecture(StrEnum):
    """What can be trained; the names in `digitedge.training.architectures.ARCHITECTURES`."""

    CNN = "cnn"
    SMALL = "small"
    MLP = "mlp"


class TrainCommand(TyperCommand):
    """Lets --resume stand alone: typer's options cannot have an optional value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the folder of all runs after a --resume that nothing follows."""
        for index, arg in enumerate(args, 1):
            if arg == "--resume" and (index == len(args) or args[index].startswith("-")):
                args = [*args[:index], str(RUNS_FOLDER), *args[index:]]
                break
        return super().parse_args(ctx, args)


@app.command(cls=TrainCommand)
def train(
    ctx: typer.Context,
    architecture: Annotated[
        Architecture,
        typer.Argument(help="cnn: convolutions; small: fewer, for the weakest device; mlp: the textbook's dense net."),
    ] = Architecture.CNN,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the images. Default: 8, mlp 10.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per step.")] = 128,
    dropout: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.99, help="Share of units dropped while training. Default: 0, mlp 0.2."),
    ] = None,
    scenes: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rendered scenes to cut up and train on too, digits and what is none; 0: only the data set. "
            "Default: 400, mlp 0.",
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|FILE.keras",
            help="Learn from this net's answers too: a run, a bundle or a .keras file under the contract.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same machine: same figures.")] = 0,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the run. Default: the architecture.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="[RUN]",
            help="Go on with an interrupted run, with its own plan. Default: the newest one in runs/train.",
        ),
    ] = None,
) -> None:
    """Train a digit classifier on MNIST, or on rendered digits with --data synthetic.

    The cnn and small also learn from rendered scenes, as a camera's search cuts them up: to doubt what is no digit.

    The run folder runs/train/NAME-K gets the best weights, the history, curves, a confusion matrix and the figures.
    Ctrl-C keeps the best weights so far; --resume goes on after the last whole epoch, after a power cut too.

    Examples:
      digitedge train
      digitedge train mlp --epochs 5
      digitedge train cnn --data synthetic --name rendered
      digitedge train cnn --scenes 0
      digitedge train small --teacher export/cnn
      digitedge train --resume
    """
    if resume is None:
        check_place(RUNS_FOLDER / (name or architecture))  # before minutes of loading and rendering
    from digitedge.datasets.load import load_dataset
    from digitedge.training.config import DEFAULT_PLANS
    from digitedge.training.run_folder import BEST, new_run_folder, telling_what_is_kept
    from digitedge.training.train import train as fit

    if resume is not None:
        folder = _resume(ctx, resume, data)
    else:
        default = DEFAULT_PLANS[architecture]
        plan = replace(
            default,
            epochs=epochs or default.epochs,
            batch_size=batch_size,
            dropout=default.dropout if dropout is None else dropout,
            scenes=default.scenes if scenes is None else scenes,
            seed=seed,
            teacher=None if teacher is None else str(teacher / BEST if teacher.is_dir() else teacher),
        )
        data_name, digits = load_dataset(data)
        folder = new_run_folder(RUNS_FOLDER, name or architecture)
        with telling_what_is_kept(folder, say):
            fit(plan, digits, data_name=data_name, data_path=data, folder=folder, log=typer.echo)
    typer.echo(f"run folder: {folder}")
    say("next: digitedge export --int8")


def _resume(ctx: typer.Context, path: Path, data: str | None) -> Path:
    """Go on with an interrupted run, and return its folder."""
    from digitedge.datasets.load import load_dataset
    from digitedge.training.run_folder import interrupted_run, telling_what_is_kept
    from digitedge.training.train import resume

    run = interrupted_run(path)
    _refuse_another_plan(ctx, run)
    say(f"run: {run.path}")
    _, digits = load_dataset(data or run.data_source)
    with telling_what_is_kept(run.path, say):
        resume(run, digits, log=typer.echo)
    return run.path


def _refuse_another_plan(ctx: typer.Context, run: "Run") -> None:
    """Refuse options beside --resume that would change what the run began with."""
    for name, value in ctx.params.items():
        source = ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in ("resume", "data"):
            continue
        if name == "architecture" and value == run.plan.architecture:
            continue
        option = value if name == "architecture" else f"--{name.replace('_', '-')}"
        raise typer.BadParameter(f"goes on with the plan of {run.path}; leave out {option}", param_hint="--resume")
