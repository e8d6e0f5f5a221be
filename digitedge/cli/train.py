"""`digitedge train`."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from digitedge.cli.common import RUNS_FOLDER, DataOption, check_name, say


class Architecture(StrEnum):
    """What can be trained; the names in `digitedge.training.models.ARCHITECTURES`."""

    CNN = "cnn"
    MLP = "mlp"


def train(
    architecture: Annotated[
        Architecture, typer.Argument(help="cnn: small convolutions; mlp: the textbook's dense net.")
    ] = Architecture.CNN,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the images. Default: cnn 8, mlp 10.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per step.")] = 128,
    dropout: Annotated[float, typer.Option(min=0.0, max=0.99, help="Share of units dropped while training.")] = 0.2,
    scenes: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rendered scenes to cut up and train on too, digits and what is none; 0: only the data set. "
            "Default: cnn 400, mlp 0.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same machine: same figures.")] = 0,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the run. Default: the architecture.")
    ] = None,
) -> None:
    """Train a digit classifier on MNIST, or on rendered digits with --data synthetic.

    The cnn also learns from rendered scenes, as a camera's search cuts them up, to be unsure of what is no digit.

    The run folder runs/train/NAME-K gets the best weights, the history, curves, a confusion matrix and the figures.
    Ctrl-C keeps the best weights so far.

    Examples:
      digitedge train
      digitedge train mlp --epochs 5
      digitedge train cnn --data synthetic --name rendered
      digitedge train cnn --scenes 0
    """
    from digitedge.data.load import load_dataset
    from digitedge.training.fit import train as fit
    from digitedge.training.plan import DEFAULT_PLANS
    from digitedge.training.run import new_run_folder, telling_what_is_kept

    default = DEFAULT_PLANS[architecture]
    plan = replace(
        default,
        epochs=epochs or default.epochs,
        batch_size=batch_size,
        dropout=dropout,
        scenes=default.scenes if scenes is None else scenes,
        seed=seed,
    )
    data_name, digits = load_dataset(data)
    folder = new_run_folder(RUNS_FOLDER, name or architecture)
    with telling_what_is_kept(folder, say):
        fit(plan, digits, data_name=data_name, data_path=data, folder=folder, tell=typer.echo)
    typer.echo(f"run folder: {folder}")
    say("next: digitedge export --int8")
