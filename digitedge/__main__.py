"""`python -m digitedge` is the same as `digitedge`."""

from digitedge.cli import main

main()
