"""`digitedge eval`: evaluate a bundle on labelled crops (default), or the reader on `photos` or `scenes`."""

from typing import Any

import typer
from typer.core import TyperGroup

from digitedge.cli.eval.bundle import bundle
from digitedge.cli.eval.images import photos, scenes

_DEFAULT = "bundle"


class _DefaultsToBundle(TyperGroup):
    """Runs `bundle` if the arguments name no command: `eval`, `eval export/cnn`, `eval --json`.

    A bundle whose folder has the name of a command needs a path: `eval ./photos`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the default command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    add_completion=False,
    cls=_DefaultsToBundle,
    help="""Evaluate a bundle on labelled digits, or the reader on whole images.

    `digitedge eval [BUNDLE]` is short for `digitedge eval bundle [BUNDLE]`.

    Examples:
      digitedge eval
      digitedge eval export/cnn-1 --top-errors errors.png
      digitedge eval photos my-photos --sheet errors.png
      digitedge eval scenes --images 300
      digitedge eval bundle --help""",
)
app.command(_DEFAULT)(bundle)
app.command()(photos)
app.command()(scenes)
