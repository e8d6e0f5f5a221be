"""`digitedge train`."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from digitedge.bundle.architectures import SUMMARIES, ArchitectureName
from digitedge.cli.common import RELEASED, RUNS_FOLDER, DataOption, check_name, echo, parse_path, print_line
from digitedge.utils.files import check_creatable

if TYPE_CHECKING:
    from digitedge.training.config import TrainConfig
    from digitedge.training.run_folder import RunFolder


class TrainCommand(TyperCommand):
    """Allows --resume without a value; options of typer cannot have an optional one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the folder of all runs after a --resume that nothing follows."""
        for index, arg in enumerate(args, 1):
            if arg == "--resume" and (index == len(args) or args[index].startswith("-")):
                args = [*args[:index], str(RUNS_FOLDER), *args[index:]]
                break
        return super().parse_args(ctx, args)


def train(
    ctx: typer.Context,
    architecture: Annotated[
        ArchitectureName,
        typer.Argument(
            help="; ".join(f"{name}: {summary}" for name, summary in SUMMARIES.items())
            + ". Default: cnn, or that of --from.",
            show_default=False,
        ),
    ] = ArchitectureName.CNN,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the training images; on own digits, 6 times 50 batches. Default: 8; mlp: 10."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per step.")] = 128,
    dropout: Annotated[
        float | None, typer.Option(min=0.0, max=0.99, help="Share of units dropped in training. Default: 0; mlp: 0.2.")
    ] = None,
    scenes: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rendered scenes whose digits and non-digits are trained on too; on own digits, 100. "
            "Default: 400; mlp: 0.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            parser=parse_path,
            metavar="RUN|BUNDLE|FILE.keras",
            help=f"Fine-tune this model instead of new weights: a run, a bundle, a .keras file, or '{RELEASED}' for "
            "the released model. With --data of your own, it learns your hand and keeps what it knows.",
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(metavar="RUN|FILE.keras", help="Distil from this model too: a run, a bundle or a .keras file."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="On one machine, the same seed gives the same figures.")] = 0,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the run. Default: the architecture.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="[RUN]",
            help="Resume an interrupted run with its own settings. Default: the newest one in runs/train.",
        ),
    ] = None,
) -> None:
    """Train a digit classifier on MNIST, on rendered digits with --data synthetic, or fine-tune one on your own digits.

    cnn and small also train on crops of rendered scenes, so that they are not confident about non-digits.

    The run folder runs/train/NAME-K gets the best weights, the history, plots and the test accuracy.
    Ctrl-C keeps the best weights so far; --resume continues after the last complete epoch, even after a power cut.

    Examples:
      digitedge train
      digitedge train mlp --epochs 5
      digitedge train cnn --data synthetic --name rendered
      digitedge train small --teacher export/cnn
      digitedge train --from released --data my-digits
      digitedge train cnn --from export/cnn --epochs 5 --scenes 2000
      digitedge train --resume
      digitedge train --resume runs/train/cnn-2
    """
    if resume is not None:
        folder = _resume(ctx, resume, data)
    else:
        check_creatable(RUNS_FOLDER / (name or architecture))  # before minutes of loading and rendering
        from digitedge.training.architectures import ARCHITECTURES, find_architecture

        if start is not None and _is_default(ctx, "architecture"):
            architecture = ArchitectureName(find_architecture(Path(_keras_file(start) or start)))
        defaults = ARCHITECTURES[architecture].defaults
        config = replace(
            defaults,
            epochs=epochs or defaults.epochs,
            batch_size=batch_size,
            dropout=defaults.dropout if dropout is None else dropout,
            scenes=defaults.scenes if scenes is None else scenes,
            seed=seed,
            start=_keras_file(start),
            teacher=_keras_file(teacher),
        )
        folder = _train(config, data, name=name or architecture, epochs=epochs, scenes=scenes)
    print_line(f"run folder: {folder}")
    echo("next: digitedge export --int8")


def _resume(ctx: typer.Context, resume: Path, data: list[str] | None) -> Path:
    """Resume an interrupted run with its own settings; return its folder."""
    from digitedge.datasets.load import choose_roles, load_training_digits
    from digitedge.training import train as training
    from digitedge.training.devices import describe_device
    from digitedge.training.run_folder import find_interrupted_run, report_interruption

    run = find_interrupted_run(resume)
    _refuse_other_settings(ctx, run)
    echo(f"run: {run.path}")
    echo(f"training on: {describe_device()}")
    digits = load_training_digits(data or run.data_sources, log=echo)
    _, dataset, own = choose_roles(digits, split=run.split_again if run.config.own_share else None, log=echo)
    with report_interruption(run.path, echo):
        training.resume(run, dataset, own=own, non_digits=digits.non_digits, log=print_line)
    return run.path


def _train(config: "TrainConfig", data: list[str] | None, *, name: str, epochs: int | None, scenes: int | None) -> Path:
    """Train in a new run folder, and return it; a model that is fine-tuned on own digits gets the settings for these.

    `epochs` and `scenes` are those that the user gave.
    """
    from digitedge.datasets.load import OWN, choose_roles, load_training_digits
    from digitedge.training import train as training
    from digitedge.training.devices import describe_device
    from digitedge.training.own_hand import find_writers, for_own_digits, split_for
    from digitedge.training.run_folder import new_run_folder, report_interruption

    digits = load_training_digits(data, log=echo)
    split = None
    if config.start is not None and digits.own is not None:
        split = partial(split_for, Path(config.start), runs=RUNS_FOLDER, log=echo)
        config = for_own_digits(config, epochs=epochs, scenes=scenes)
    elif digits.name == OWN:
        count = len(digits.joined().x_train)
        echo(f"note: new weights learn from {count} digits alone. To teach the released model: --from {RELEASED}")
    data_name, dataset, own = choose_roles(digits, split=split, log=echo)
    models = [Path(one) for one in (config.start, config.teacher) if one is not None]
    writers = frozenset().union(digits.own.writers if digits.own else (), *map(find_writers, models))
    echo(f"training on: {describe_device()}")
    with new_run_folder(RUNS_FOLDER, name) as folder, report_interruption(folder, echo):
        training.train(
            config,
            dataset,
            data_name=data_name,
            data_sources=data,
            folder=folder,
            own=own,
            non_digits=digits.non_digits,
            writers=writers,
            log=print_line,
        )
    return folder


def _keras_file(path: Path | None) -> str | None:
    """Return the path of the .keras file in a run or bundle, or of the file itself."""
    from digitedge.training.run_folder import BEST

    return None if path is None else str(path / BEST if path.is_dir() else path)


def _is_default(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter has its default, because the user did not give it."""
    source = ctx.get_parameter_source(name)
    return source is None or source.name != "COMMANDLINE"


def _refuse_other_settings(ctx: typer.Context, run: "RunFolder") -> None:
    """Refuse options beside --resume that would change the settings of the run."""
    options = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    for name, value in ctx.params.items():
        if _is_default(ctx, name) or name in ("resume", "data"):
            continue
        if name == "architecture" and value == run.config.architecture:
            continue
        option = value if name == "architecture" else options[name]
        raise typer.BadParameter(f"uses the settings of {run.path}; leave out {option}", param_hint="--resume")
