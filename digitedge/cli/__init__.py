"""The command line: one thin module per command, which parses, calls one library function and prints.

Results go to standard output, progress and errors to standard error. Exit codes: 0 it holds, 1 it failed (any DigitEdgeError),
2 wrong usage, 130 Ctrl-C, 143 SIGTERM. Heavy imports sit inside the commands, so that `--help` stays quick.
"""

from digitedge.cli.app import app, main

__all__ = ["app", "main"]
