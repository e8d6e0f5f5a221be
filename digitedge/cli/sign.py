"""`digitedge sign`: sign a bundle."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import PassphraseOption, parse_path, print_line


def sign(
    bundle: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="BUNDLE", show_default=False, help="The bundle to sign.")
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private key, made by `digitedge trust new-key`.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Sign a bundle, so that others can check who made it and that nobody changed it.

    The signature covers the manifest and every file that it lists. It is
    written to signature.json in the bundle. Sign last: whatever changes the
    manifest breaks the signature.

    Examples:
      digitedge sign export/cnn-1 --key maker.key
    """
    from digitedge.bundle.bundle import sign_bundle
    from digitedge.bundle.keys import key_id, read_passphrase, read_private_key, short_id
    from digitedge.bundle.signature import SIGNATURE

    private = read_private_key(key, passphrase=read_passphrase(passphrase_file))
    sign_bundle(bundle, private)
    print_line(f"signed: {bundle / SIGNATURE} (key {short_id(key_id(private))})")
