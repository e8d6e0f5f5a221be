"""`digitedge export`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.bundle.recipe import RECIPES, Format, InputRange, Tolerance, choose_artifacts
from digitedge.cli.common import EXPORT_FOLDER, RUNS_FOLDER, DataOption, check_keras_file, check_name, echo, print_table
from digitedge.errors import InputError, ParityError

if TYPE_CHECKING:
    from digitedge.exporting.export import KerasModelSource


def _format_limits(tolerance: Tolerance) -> str:
    return ",".join(f"{name}={limit:g}" for name, limit in asdict(tolerance).items() if limit is not None)


ToleranceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tolerance",
        metavar="NAME=VALUE",
        help="Limits of the parity check for all files, 0 to 1, repeatable or comma-joined: agreement (smallest share "
        "of equal predictions), top1_drop (largest loss of top-1), max_abs_diff (largest probability difference). "
        f"Default: {'; '.join(f'{recipe.name} {_format_limits(recipe.tolerance)}' for recipe in RECIPES.values())}.",
    ),
]


def parse_limits(values: list[str] | None) -> dict[str, float]:
    """Parse the values of --tolerance, such as ["agreement=0.99,top1_drop=0.01"], into fields of `Tolerance`."""
    limits: dict[str, float] = {}
    for item in ",".join(values).split(",") if values else []:
        name, _, limit = item.partition("=")
        if name in limits:
            raise typer.BadParameter(f"expected every limit once, got {name} twice", param_hint="--tolerance")
        try:
            limits[name] = float(limit)
            Tolerance(**{"agreement": 1.0, **limits})
        except (TypeError, ValueError) as exc:
            names = " or ".join(asdict(Tolerance(agreement=1)))
            expected = f"expected {names} with a number from 0 to 1, such as agreement=0.99"
            raise typer.BadParameter(f"{expected}, got {item!r}", param_hint="--tolerance") from exc
    return limits


def export(
    model: Annotated[Path | None, typer.Argument(metavar="RUN|FILE.keras", help="Default: the newest run.")] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Weights and activations in int8, calibrated.")] = False,
    float16: Annotated[bool, typer.Option("--float16", help="Weights in float16; TFLite only.")] = False,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="Weights in int8, computation in float; TFLite only.")
    ] = False,
    file_format: Annotated[Format | None, typer.Option("--format", help="One format. Default: both.")] = None,
    input_range: Annotated[
        InputRange | None, typer.Option(help="Pixel values that a foreign .keras file was trained on.")
    ] = None,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the bundle. Default: that of the run or file.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of the bundles.")] = EXPORT_FOLDER,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle of that name.")] = False,
    tolerance: ToleranceOption = None,
) -> None:
    """Export a trained model to TFLite and ONNX, quantize it, and check the parity of every file with the original.

    float32 is always exported; without a recipe option, all recipes are. The command fails if a file is outside its
    tolerance; the bundle is kept, marked as failed.

    Examples:
      digitedge export --int8
      digitedge export runs/train/mlp-1 --int8 --format tflite
      digitedge export mine.keras --input-range 0-1 --data synthetic
    """
    limits = parse_limits(tolerance)
    flags = {"float16": float16, "dynamic": dynamic, "int8": int8}
    try:
        artifacts = choose_artifacts([recipe for recipe, wanted in flags.items() if wanted], file_format)
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint="--format") from exc
    source, trained_on = _find_source(model, name, input_range)
    from digitedge.datasets.load import load_dataset
    from digitedge.exporting.export import check_target
    from digitedge.exporting.export import export as export_bundle

    target = output / source.name
    check_target(target, overwrite)
    data_name, digits = load_dataset(data or trained_on)
    exported = export_bundle(
        source, artifacts, digits, data_name=data_name, target=target, overwrite=overwrite, limits=limits, log=echo
    )
    print_table(exported.bundle.manifest)
    typer.echo(f"bundle: {exported.bundle.path}")
    if exported.violations:
        raise ParityError(
            f"the exported files failed the parity check: {'; '.join(exported.violations)}. Train longer and export "
            "again; the bundle is kept, but refused without --force."
        )
    echo(f"next: digitedge camera demo --model {exported.bundle.path}")


def _find_source(
    model: Path | None, name: str | None, input_range: InputRange | None
) -> tuple["KerasModelSource", str | None]:
    """Find what to export, and the data set it was trained on if that is not MNIST in its usual place."""
    if model is not None and model.suffix == ".keras":
        check_keras_file(model)  # before TensorFlow is imported
    from digitedge.exporting.export import KerasModelSource
    from digitedge.training.run_folder import find_newest_run, load_run

    if model is not None and model.suffix == ".keras":
        return KerasModelSource(path=model, name=name or model.stem, input_range=input_range), None
    run = find_newest_run(RUNS_FOLDER) if model is None else load_run(model)
    echo(f"run: {run.path}")
    check_keras_file(run.model)
    config = run.args["config"]
    source = KerasModelSource(
        path=run.model,
        name=name or run.path.name,
        architecture=config.get("architecture", "unknown"),
        seed=config.get("seed"),
        data_sha256=run.args.get("data_sha256"),
        input_range=input_range,
    )
    return source, run.data_source
