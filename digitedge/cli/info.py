"""`digitedge info`."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import DEFAULT_MODEL, JsonOption, choose_model, parse_path, print_json, print_table


def info(
    bundle: Annotated[Path | None, typer.Argument(parser=parse_path, metavar="BUNDLE", help=DEFAULT_MODEL)] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the hashes of a bundle and print its manifest: origin, files, figures, parity.

    Examples:
      digitedge info
      digitedge info export/cnn-1 --json
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.utils.tables import percent

    loaded = load_bundle(choose_model(bundle))
    manifest = loaded.manifest
    if as_json:
        print_json(manifest.to_dict())
        return
    size = f"{manifest.parameters:,} parameters, {manifest.macs / 1e6:.2f} million MACs"
    typer.echo(f"{manifest.name}: {manifest.architecture}, {size}")
    version = manifest.versions.get("digitedge")
    typer.echo(f"trained on {manifest.data.name}, exported {manifest.created} with digitedge {version}")
    samples = f"{manifest.verified_on.samples:,} test images"
    typer.echo(f"verified on {samples}; top-1 of the Keras original {percent(manifest.reference_top1)}")
    print_table(manifest)
    typer.echo(f"runs by default: {loaded.preferred_file().name}")
