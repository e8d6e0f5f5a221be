"""`digitedge info`."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import JsonOption, choose_model, print_json, print_table

app = typer.Typer(add_completion=False)


@app.command()
def info(
    bundle: Annotated[
        Path | None, typer.Argument(help="Default: the newest fit bundle in ./export, else the released one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a bundle says of itself: origin, files, figures, verdict. Its hashes are checked on the way.

    Examples:
      digitedge info
      digitedge info export/cnn-1 --json
    """
    from digitedge.bundle.bundle import load_bundle

    loaded = load_bundle(choose_model(bundle))
    manifest = loaded.manifest
    if as_json:
        print_json(manifest.to_json())
        return
    size = f"{manifest.parameters:,} parameters, {manifest.macs / 1e6:.2f} million MACs"
    typer.echo(f"{manifest.name}: {manifest.architecture}, {size}")
    made_with = f"digitedge {manifest.versions.get('digitedge')}"
    typer.echo(f"trained on {manifest.data.name}, exported {manifest.created} with {made_with}")
    typer.echo(
        f"judged on {manifest.judged_on.samples:,} test images; the Keras original reads {manifest.reference_top1:.2%}"
    )
    print_table(manifest)
    typer.echo(f"runs by default: {loaded.preferred_file().name}")
