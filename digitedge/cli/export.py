"""`digitedge export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.bundle.recipe import Format, InputRange, choose_artifacts
from digitedge.cli.common import (
    EXPORT_FOLDER,
    RUNS_FOLDER,
    DataOption,
    check_keras_file,
    check_name,
    print_table,
    say,
)
from digitedge.errors import InputError, ParityError

if TYPE_CHECKING:
    from digitedge.exporting.export import Source

app = typer.Typer(add_completion=False)


AgreementOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Least share of equal answers, 0 to 1, for all files.")
]
DropOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Largest loss of top-1, 0 to 1 (0.001 is 0.1 pp), for all files.")
]
DifferenceOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Largest difference of a probability, for all files.")
]


@app.command()
def export(
    model: Annotated[Path | None, typer.Argument(metavar="[RUN|FILE.keras]", help="Default: the newest run.")] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Weights and activations in int8, calibrated.")] = False,
    float16: Annotated[bool, typer.Option("--float16", help="Weights in float16; TFLite only.")] = False,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="Weights in int8, computed in float; TFLite only.")
    ] = False,
    float32: Annotated[bool, typer.Option("--float32", help="The yardstick alone; it is always made.")] = False,
    file_format: Annotated[Format | None, typer.Option("--format", help="One format. Default: both.")] = None,
    input_range: Annotated[
        InputRange | None, typer.Option(help="Pixel values that a .keras file from elsewhere was trained on.")
    ] = None,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the bundle. Default: that of the run or file.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder that gets the bundle.")] = EXPORT_FOLDER,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle of that name.")] = False,
    agreement: AgreementOption = None,
    top1_drop: DropOption = None,
    max_abs_diff: DifferenceOption = None,
) -> None:
    """Export a trained model to TFLite and ONNX, shrink it, and prove that every file answers like the original.

    Without a recipe flag all recipes of both formats are made. A file outside its tolerance makes the command fail; the
    bundle is kept, marked unfit.

    Examples:
      digitedge export --int8
      digitedge export runs/train/mlp-1 --int8 --format tflite
      digitedge export mine.keras --input-range 0-1 --data synthetic
    """
    flags = {"float32": float32, "float16": float16, "dynamic": dynamic, "int8": int8}
    try:
        artifacts = choose_artifacts([recipe for recipe, wanted in flags.items() if wanted], file_format)
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint="recipe") from exc
    source, trained_on = _find_source(model, name, input_range)
    from digitedge.datasets.load import load_dataset
    from digitedge.exporting.export import check_target
    from digitedge.exporting.export import export as export_bundle

    check_target(output / source.name, overwrite)
    data_name, digits = load_dataset(data or trained_on)
    exported = export_bundle(
        source,
        artifacts,
        digits,
        data_name=data_name,
        target=output / source.name,
        overwrite=overwrite,
        limits={"agreement": agreement, "top1_drop": top1_drop, "max_abs_diff": max_abs_diff},
        log=say,
    )
    manifest = exported.bundle.manifest
    print_table(manifest)
    typer.echo(f"bundle: {exported.bundle.path}")
    if exported.violations:
        raise ParityError(
            f"the exported files do not answer like the original: {'; '.join(exported.violations)}. Train longer and "
            "export again; the bundle is kept, but refused without --force."
        )
    say(f"next: digitedge camera demo --model {exported.bundle.path}")


def _find_source(model: Path | None, name: str | None, input_range: InputRange | None) -> tuple["Source", str | None]:
    """Say what to export, and the data set it was trained on where that is not MNIST's usual place."""
    if model is not None and model.suffix == ".keras":
        check_keras_file(model)  # before TensorFlow is imported
    from digitedge.exporting.export import Source
    from digitedge.training.run_folder import load_run, newest_run

    if model is not None and model.suffix == ".keras":
        return Source(path=model, name=name or model.stem, input_range=input_range), None
    run = newest_run(RUNS_FOLDER) if model is None else load_run(model)
    say(f"run: {run.path}")
    check_keras_file(run.model)
    plan = run.args["plan"]
    source = Source(
        path=run.model,
        name=name or run.path.name,
        architecture=plan.get("architecture", "unknown"),
        seed=plan.get("seed"),
        data_sha256=run.args.get("data_sha256"),
        input_range=input_range,
    )
    return source, run.data_source
