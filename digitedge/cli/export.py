"""`digitedge export`."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.bundle.recipe import RECIPES, Format, Tolerance, choose_artifacts
from digitedge.cli.common import (
    EXPORT_FOLDER,
    MAX_NAME_BYTES,
    RUNS_FOLDER,
    DataOption,
    PreprocessOption,
    check_model_file,
    check_name,
    echo,
    print_line,
    print_table,
    print_text,
)
from digitedge.errors import InputError, ModelError, ParityError
from digitedge.runtime.load import MODEL_SUFFIXES, is_saved_model

if TYPE_CHECKING:
    from digitedge.exporting.export import ModelSource
    from digitedge.training.run_folder import RunFolder

MIN_ACCURACY = 0.8  # digitedge.runtime.adapter_search.MIN_ACCURACY, which --help must not import


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
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN|MODEL",
            help=f"A run folder, a model file of anybody ({MODEL_SUFFIXES}), or a SavedModel folder. "
            "Default: the newest run.",
        ),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Weights and activations in int8, calibrated.")] = False,
    float16: Annotated[bool, typer.Option("--float16", help="Weights in float16; TFLite only.")] = False,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="Weights in int8, computation in float; TFLite only.")
    ] = False,
    keep_float: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER", help="Leave a layer of the int8 files in float; repeatable. See verify --layers."
        ),
    ] = None,
    auto: Annotated[
        bool,
        typer.Option("--auto", help="Try remedies for lost parity in each format, and export the smallest good one."),
    ] = False,
    file_format: Annotated[Format | None, typer.Option("--format", help="One format. Default: both.")] = None,
    preprocess: PreprocessOption = None,
    min_accuracy: Annotated[
        float, typer.Option(min=0, max=1, help="Smallest share of the training digits that the model must read right.")
    ] = MIN_ACCURACY,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(callback=check_name, help="Name of the bundle. Default: that of the run or file.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of the bundles.")] = EXPORT_FOLDER,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle of that name.")] = False,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Export the best weights so far of a training that did not end.")
    ] = False,
    tolerance: ToleranceOption = None,
) -> None:
    """Export a trained model to TFLite and ONNX, quantize it, and check the parity of every file with the original.

    float32 is always exported; without a recipe option, all recipes are. The command fails if a file is outside its
    tolerance or could not be made; the bundle is kept, and marked as failed where a file is outside.

    A model that was fine-tuned on own digits is also compared with the model that it came from: it must read them
    better, and must not be worse at all others.

    How a third-party model wants its pixels is found by its accuracy on training digits. Of an .onnx file, ONNX
    files are made; a .tflite file is kept as it is. Python code in model files is never run.

    Examples:
      digitedge export --int8
      digitedge export runs/train/mlp-1 --int8 --format tflite
      digitedge export mnist.h5
      digitedge export course.onnx --preprocess mean-std
      digitedge export --int8 --keep-float conv2d_1
      digitedge export --auto
    """
    limits = parse_limits(tolerance)
    flags = {"float16": float16, "dynamic": dynamic, "int8": int8}
    try:
        artifacts = choose_artifacts([recipe for recipe, wanted in flags.items() if wanted], file_format)
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint="--format") from exc
    if auto and (keep_float or any(flags.values())):
        raise typer.BadParameter("chooses the recipe and the layers itself", param_hint="--auto")
    if keep_float:
        if not any(artifact.recipe.calibrated for artifact in artifacts):
            raise typer.BadParameter("is for int8 files. Add --int8.", param_hint="--keep-float")
        kept = tuple(dict.fromkeys(keep_float))
        artifacts = [replace(one, keep_float=kept) if one.recipe.calibrated else one for one in artifacts]
    source, run = _find_source(model, name, preprocess, min_accuracy, unfinished)
    from digitedge.bundle.model_card import comparison_table
    from digitedge.datasets.load import choose_roles, load_training_digits
    from digitedge.exporting.export import check_target
    from digitedge.exporting.export import export as export_bundle
    from digitedge.exporting.fine_tuned import add_parent
    from digitedge.exporting.parent_check import CHANGED
    from digitedge.exporting.remedies import trials_table

    target = output / source.name
    check_target(target, overwrite)
    named = load_training_digits(data or (run.data_sources if run else None), log=echo)
    fine_tuning = run.fine_tuning if run else None
    data_name, dataset, own = choose_roles(named, split=run.split_again if run and fine_tuning else None, log=echo)
    if run and fine_tuning:
        source = add_parent(source, run, fine_tuning, own, RUNS_FOLDER, log=echo)
    exported = export_bundle(
        source,
        artifacts,
        dataset,
        data_name=data_name,
        target=target,
        overwrite=overwrite,
        limits=limits,
        auto=auto,
        log=echo,
    )
    for file_format, trials in exported.trials.items():
        print_text(trials_table(file_format, trials).text())
    print_table(exported.bundle.manifest)
    parent = exported.bundle.manifest.parent
    if parent is not None:
        print_text(comparison_table(parent).text())
    print_line(f"bundle: {exported.bundle.path}")
    missing = [f"{name}: {reason}" for name, reason in exported.not_made.items()]
    if exported.violations:
        raise ParityError(
            f"the exported files failed the parity check: {'; '.join([*exported.violations, *missing])}. The bundle is "
            f"kept, but refused without --force. Why: digitedge verify {exported.bundle.path} --layers; or train "
            "longer, or try remedies: digitedge export --auto"
        )
    if exported.parent_check and exported.parent_check.violations:
        raise ParityError(
            f"the model failed the comparison with its parent: {'; '.join(exported.parent_check.violations)}. The "
            f"bundle is kept, but refused without --force; {exported.bundle.path / CHANGED} shows what changed. "
            "Collect more digits and train again."
        )
    if missing:
        raise ModelError(f"{'; '.join(missing)} The bundle is kept, with the other files.")
    echo(f"next: digitedge camera demo --model {exported.bundle.path}")


def _find_fine_tuning(file: Path) -> "RunFolder | None":
    """Open the run folder that a file, or a copy of it, is from, if that fine-tuned on own digits; else None.

    So it is compared with its parent, however it is named.

    Raises:
        ModelError: the file is in the bundle of such a model.
    """
    from digitedge.bundle.bundle import MANIFEST, read_manifest, sha256_of
    from digitedge.training.run_folder import LAST, list_runs

    if (file.parent / MANIFEST).is_file() and read_manifest(file.parent).parent is not None:
        raise ModelError(
            f"{file} is in the bundle of a fine-tuned model. Export its run, so that it is compared with its parent."
        )
    runs = [run for folder in (RUNS_FOLDER, file.resolve().parent.parent) for run in list_runs(folder)]
    models = [(path, run) for run in runs for path in (run.model, run.path / LAST) if path.is_file()]
    size = file.stat().st_size
    same = (run for path, run in models if path.stat().st_size == size and sha256_of(path) == sha256_of(file))
    return next((run for run in same if run.fine_tuning), None)


def _find_source(
    model: Path | None, name: str | None, preprocess: str | None, min_accuracy: float, unfinished: bool
) -> tuple["ModelSource", "RunFolder | None"]:
    """Find what to export, and the run folder that it is from, if any."""
    foreign = None if model is None or (model.is_dir() and not is_saved_model(model)) else model
    if foreign is not None:
        check_model_file(foreign)  # before TensorFlow is imported
    from digitedge.exporting.export import ModelSource
    from digitedge.training.run_folder import check_finished, find_newest_run, find_run_of, load_run

    if foreign is not None:
        plain = re.sub(r"[^\w.+-]", "-", foreign.resolve().stem).lstrip(".+-")[:MAX_NAME_BYTES] or "model"
        training = find_run_of(foreign)
        run = _find_fine_tuning(foreign) if foreign.suffix.lower() == ".keras" else None
        return ModelSource(
            path=foreign,
            name=name or plain,
            preprocess=preprocess,
            min_accuracy=min_accuracy,
            unfinished=training is not None and not check_finished(training, allow_unfinished=unfinished),
            writers=run.writers if run else frozenset(),
        ), run
    run = find_newest_run(RUNS_FOLDER) if model is None else load_run(model)
    echo(f"run: {run.path}")
    finished = check_finished(run.path, allow_unfinished=unfinished)
    check_model_file(run.model)
    config = run.args["config"]
    source = ModelSource(
        path=run.model,
        name=name or run.path.name,
        architecture=config.get("architecture", "unknown"),
        seed=config.get("seed"),
        data_sha256=run.args.get("data_sha256"),
        preprocess=preprocess or "0-255",
        min_accuracy=min_accuracy,
        unfinished=not finished,
        writers=run.writers,
    )
    return source, run
