"""`digitedge serve`: a server that reads images and documents."""

import os
from typing import Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    AdaptationOption,
    ForceOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    ThresholdOption,
    choose_model,
    describe_reader,
    echo,
    usage_error,
)
from digitedge.cli.selection import (
    FlipOption,
    LengthOption,
    PatternOption,
    RoiOption,
    RotateOption,
    build_read_options,
)


def serve(
    address: Annotated[
        str,
        typer.Argument(
            metavar="[HOST:]PORT",
            help="Where to listen; 0.0.0.0:8002 for the whole network, with a token: $DIGITEDGE_WEB_TOKEN, else a new "
            "one each time.",
        ),
    ] = "8002",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, show_default=False, help="Processes that read. Default: one a core."),
    ] = None,
    rotate: RotateOption = "auto",
    flip: FlipOption = None,
    roi: RoiOption = None,
    expect_length: LengthOption = None,
    pattern: PatternOption = None,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    adaptation: AdaptationOption = True,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Serve readings: POST /v1/read with an image or a document answers with the JSON of `predict --json`.

    Files are decoded in processes of their own, within limits of size, pages, pixels and time. The page at / shows the
    API and tries it, /openapi.json describes it, /metrics is for Prometheus, /healthz for a load balancer. Ctrl-C ends
    it.

    Examples:
      digitedge serve
      digitedge serve 0.0.0.0:8002 --workers 4
      curl --data-binary @desk.jpg http://127.0.0.1:8002/v1/read
    """
    from digitedge.utils.quiet import quiet_libraries
    from digitedge.web import parse_address
    from digitedge.web.serve import ReadingServer, UploadReader

    with usage_error("[HOST:]PORT"):
        where = parse_address(address)
    options = build_read_options(rotate, flip, roi, expect_length, pattern)
    spec = describe_reader(
        choose_model(model), adapted=adaptation, force=force, preprocess=preprocess, threshold=threshold
    )
    token = os.environ.get("DIGITEDGE_WEB_TOKEN") or None
    with (
        quiet_libraries(),
        ReadingServer(where, UploadReader(spec, options), workers=workers, token=token, log=echo) as server,
    ):
        server.wait()
