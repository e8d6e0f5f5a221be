"""`digitedge eval`: a bundle on labelled crops by default; `photos` and `scenes` on whole images."""

from typing import Any

import typer
from typer.core import TyperGroup

from digitedge.cli.eval.bundle import bundle
from digitedge.cli.eval.images import photos, scenes

_DEFAULT = "bundle"


class _DefaultsToBundle(TyperGroup):
    """Hands what names no command to `bundle`: `eval`, `eval export/cnn`, `eval --json`.

    A bundle whose folder is called as a command is has a path all the same: `eval ./photos`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command where the user did not."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    add_completion=False,
    cls=_DefaultsToBundle,
    help="Measure how good a bundle is: accuracy, robustness, confidence; or how well whole images are read.\n\n"
    "`digitedge eval [BUNDLE]` is short for `digitedge eval bundle [BUNDLE]`, whose --help shows its options.",
)
app.command(_DEFAULT)(bundle)
app.command()(photos)
app.command()(scenes)
