"""Tasks in, outcomes out: a function is called in many processes, on this machine or on many."""

from digitedge.engines.choice import open_engine
from digitedge.engines.dask_cluster import DaskCluster
from digitedge.engines.engine import Engine, Outcome, StuckError
from digitedge.engines.process_pool import ProcessPool

__all__ = ["DaskCluster", "Engine", "Outcome", "ProcessPool", "StuckError", "open_engine"]
