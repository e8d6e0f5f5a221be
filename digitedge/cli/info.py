"""`digitedge info`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import (
    MODEL_HELP,
    JsonOption,
    SignatureOption,
    choose_model,
    echo,
    parse_path,
    print_json,
    print_line,
    print_table,
    print_text,
)
from digitedge.runtime.load import is_saved_model

if TYPE_CHECKING:
    from digitedge.bundle.manifest import Origin


def info(
    model: Annotated[Path | None, typer.Argument(parser=parse_path, metavar="MODEL", help=MODEL_HELP)] = None,
    as_json: JsonOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Check the hashes of a bundle and print its manifest: origin, files, figures, parity.

    Of each file, or of a single one that need not be digitedge's, it also
    prints MACs, memory of activations, operators with their versions, and
    which runtimes know them. Nothing is run.

    Examples:
      digitedge info
      digitedge info export/cnn-1 --json
      digitedge info other.tflite
    """
    chosen = choose_model(model, name_it="digitedge info ")
    if chosen.is_file() or is_saved_model(chosen):
        _print_file(chosen, as_json)
    else:
        _print_bundle(chosen, as_json)


def _print_bundle(path: Path, as_json: bool) -> None:
    from digitedge.benchmark.footprint import footprint_text, try_footprint
    from digitedge.bundle.bundle import load_bundle
    from digitedge.utils.tables import percent

    loaded = load_bundle(path)  # its line on the signature is printed below
    manifest = loaded.manifest
    read = {name: try_footprint(path / name) for name in manifest.files}
    footprints = {name: footprint.to_dict() for name, (footprint, _) in read.items() if footprint}
    missing = dict.fromkeys(reason for _, reason in read.values() if reason)
    for reason in missing:
        echo(f"no footprint: {reason}")
    if as_json:
        signed = {"signature": loaded.signature.state, "signer": loaded.signature.signer}
        print_json({**manifest.to_dict(), "footprint": footprints, **signed})
        return
    macs = "unknown" if manifest.macs is None else f"{manifest.macs / 1e6:.2f} million"
    size = f"{manifest.parameters:,} parameters, {macs} MACs"
    print_line(f"{manifest.name}: {manifest.architecture}, {size}")
    version = manifest.versions.get("digitedge")
    origin = manifest.origin
    trained = "trained on" if not manifest.unfinished else "UNFINISHED training on"
    came = f"{trained} {manifest.data.name}" if origin is None else f"made from {origin.file}, {_describe(origin)}"
    print_line(f"{came}, exported {manifest.created} with digitedge {version}")
    samples = f"{manifest.verified_on.samples:,} test images"
    print_line(f"verified on {samples}; top-1 of the original {percent(manifest.reference_top1)}")
    for name, reason in manifest.not_made.items():
        print_line(f"{name}: not made: {reason}")
    print_table(manifest)
    print_line(str(loaded.signature))
    print_line(f"runs by default: {loaded.preferred_file().name}")
    if footprints:
        print_text(f"\n{footprint_text(footprints)}")


def _describe(origin: "Origin") -> str:
    from digitedge.utils.tables import percent

    share = percent(origin.accuracy)
    return f"which takes pixels as {origin.adapter.preprocessing} ({share} of {origin.digits} training digits)"


def _print_file(path: Path, as_json: bool) -> None:
    from digitedge.benchmark.footprint import footprint_text, read_footprint
    from digitedge.bundle.bundle import sha256_of

    footprint: dict[str, Any] = read_footprint(path).to_dict()
    if as_json:
        about = {"schema": "digitedge.info/1", "file": str(path), "bytes": path.stat().st_size}
        print_json({**about, "sha256": sha256_of(path), "footprint": footprint})
        return
    print_text(f"{path}: {path.stat().st_size:,} bytes\n\n{footprint_text({path.name: footprint})}")
