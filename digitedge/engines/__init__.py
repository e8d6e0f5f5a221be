"""Tasks in, outcomes out: a function is called in many processes, on this machine or on many."""

from digitedge.engines.engine import Engine, Outcome, StuckError
from digitedge.engines.process_pool import ProcessPool

__all__ = ["Engine", "Outcome", "ProcessPool", "StuckError"]
