"""`digitedge trust`: make keys, and choose whose signatures are trusted."""

from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import JsonOption, PassphraseOption, echo, print_json, print_line, print_text, usage_error

SCHEMA = "digitedge.trust/1"

app = typer.Typer(
    add_completion=False,
    help="Make keys that sign bundles, and choose whose signatures are trusted here.",
    no_args_is_help=True,
)


@app.command("new-key")
def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Name of the key and its files.")],
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are written.")] = Path("."),
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a key pair: NAME.key, which signs and stays with you, and NAME.pub, which you give to others.

    With a passphrase the private key is encrypted.

    Examples:
      digitedge trust new-key maker
      digitedge trust new-key maker --to ~/keys --passphrase-file pass.txt
    """
    from digitedge.bundle.keys import check_key_name, make_key_pair, read_passphrase, read_public_key

    with usage_error("NAME"):
        check_key_name(name)
    private, public = make_key_pair(name, folder, passphrase=read_passphrase(passphrase_file))
    for line in (f"private key: {private}", f"public key: {public}", f"id: {read_public_key(public)}"):
        print_line(line)
    echo(f"keep {private.name} secret; on each device run: digitedge trust add {public.name}")


@app.command()
def add(
    key: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="A public key, such as maker.pub.")],
    name: Annotated[str | None, typer.Option(help="What it is called here. Default: the name of the file.")] = None,
) -> None:
    """Trust bundles that a key has signed.

    Compare the id with the one that its owner tells you.

    Examples:
      digitedge trust add maker.pub
      digitedge trust add other.pub --name school
    """
    from digitedge.bundle.keys import check_key_name
    from digitedge.bundle.trusted_keys import add_trusted

    with usage_error("--name"):
        check_key_name(key.stem if name is None else name)
    added = add_trusted(key, name)
    print_line(f"trusted: {added.name}")
    print_line(f"id: {added.id}")


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List the trusted keys.

    Examples:
      digitedge trust list
    """
    from digitedge.bundle.trusted_keys import trusted_folder, trusted_keys
    from digitedge.utils.tables import Table

    keys, folder = trusted_keys(), trusted_folder()
    if as_json:
        found = [{"name": key.name, "id": key.id} for key in keys]
        print_json({"schema": SCHEMA, "folder": str(folder), "keys": found})
    elif keys:
        print_text(Table("key", ["id"], {key.name: [key.id] for key in keys}).text())
    else:
        print_line(f"no trusted keys in {folder}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="As `trust list` prints it.")],
) -> None:
    """Trust a key no longer.

    Examples:
      digitedge trust remove maker
    """
    from digitedge.bundle.keys import check_key_name
    from digitedge.bundle.trusted_keys import remove_trusted

    with usage_error("NAME"):
        check_key_name(name)
    print_line(f"removed: {remove_trusted(name)}")
