"""`digitedge label`: check the labels of a folder of digits in the browser."""

import os
from pathlib import Path
from typing import Annotated

import typer

from digitedge.cli.common import (
    ForceOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    choose_model,
    echo,
    load_chosen,
    print_line,
    usage_error,
)


def label(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            show_default=False,
            help="What `collect read` or `camera --save-crops` has filled, or another folder of digits: subfolders 0 "
            "to 9 (and x for what is no digit), or images such as 7_0001.png.",
        ),
    ],
    port: Annotated[
        str,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Where to serve the page; 0.0.0.0:8001 for the whole network, with a token in its address: "
            "$DIGITEDGE_WEB_TOKEN, else a new one each time.",
        ),
    ] = "8001",
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Check and correct the labels of a folder of digits, in the browser.

    The labels that the model doubts come first. Keys 0 to 9 set a label, x says that it is no digit, Enter that the
    label is right, u takes back. On a phone, tap a digit. An image is moved into the folder of its new label at once.
    "Done" on the page ends the command; Ctrl-C does, too.

    Examples:
      digitedge label crops
      digitedge label crops --port 0.0.0.0:8001
    """
    from digitedge.utils.quiet import quiet_libraries
    from digitedge.web import parse_address
    from digitedge.web.labelling import serve_labelling

    with usage_error("--port"):
        address = parse_address(port)
    loaded = load_chosen(choose_model(model), force=force, preprocess=preprocess)
    token = os.environ.get("DIGITEDGE_WEB_TOKEN") or None
    with quiet_libraries():
        summary = serve_labelling(folder, loaded.classifier, address=address, token=token, log=echo)
    print_line(f"{summary.checked} of {summary.images} digits checked, {summary.relabelled} labels corrected")
