"""`digitedge publish`: offer a bundle to devices."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import PassphraseOption, SignatureOption, echo, parse_path, print_line

DAYS = 30  # digitedge.updates.repository.DAYS, which --help must not import


def publish(
    folder: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="The repository: static files for any web server.")
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private key, made by `digitedge trust new-key`.")],
    bundle: Annotated[
        Path | None, typer.Argument(parser=parse_path, metavar="BUNDLE", help="The bundle to offer.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Offer the same bundle with new expiry dates, before the old ones pass.")
    ] = False,
    root_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Private key of the root, kept offline: for the first time, to renew the root, or to replace --key. "
            "Default: --key is the root's key too.",
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until devices refuse what is not renewed.")] = DAYS,
    passphrase_file: PassphraseOption = None,
    root_passphrase_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same for --root-key. Default: both keys have the same passphrase."),
    ] = None,
    _require_signature: SignatureOption = None,
) -> None:
    """Offer a bundle to devices, which get it with `digitedge update`.

    Each time, the bundle becomes the next version. Devices refuse older
    versions, changed files and expired dates (TUF). Give devices the root
    file, whose path is printed, once, by hand: what they trust begins there.

    Examples:
      digitedge publish export/cnn-1 --to site/digits --key maker.key
      digitedge publish --renew --to site/digits --key maker.key
      digitedge publish export/cnn-1 --to site/digits --key maker.key --root-key offline.key
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.bundle.keys import key_id, read_passphrase, read_private_key

    if (bundle is None) != renew:
        raise typer.BadParameter("expected a BUNDLE, or --renew", param_hint="BUNDLE")
    from digitedge.updates.repository import publish

    private = read_private_key(key, passphrase=read_passphrase(passphrase_file))
    phrase_of_root = read_passphrase(root_passphrase_file or passphrase_file)
    root_private = None if root_key is None else read_private_key(root_key, passphrase=phrase_of_root)
    lines: list[str] = []
    loaded = None if bundle is None else load_bundle(bundle, log=lines.append)
    if loaded is not None and loaded.signature.key != key_id(private):  # who signed it with --key need not be told
        for line in lines:
            echo(line)
    published = publish(loaded, folder, key=private, root_key=root_private, days=days, log=echo)
    print_line(
        f"{'renewed' if renew else 'published'}: version {published.version}, until {published.expires:%Y-%m-%d}"
    )
    print_line(f"root file for new devices: {published.root}")
