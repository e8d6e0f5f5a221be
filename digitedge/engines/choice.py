"""Which engine: the cores of this machine, or a cluster."""

from collections.abc import Callable
from typing import TypeVar

from digitedge.engines.dask_cluster import DaskCluster
from digitedge.engines.engine import Engine
from digitedge.engines.process_pool import ProcessPool
from digitedge.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


def open_engine(
    function: Callable[[T], R],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    prepare: Callable[[], None] | None = None,
    log: Callable[[str], object] = lambda _: None,
) -> Engine[T, R]:
    """Choose the engine that calls a function: a cluster if there is the address of its scheduler, else processes here.

    Args:
        function: of a module's top level; called with a task.
        scheduler: address of a Dask scheduler, such as "tcp://10.0.0.1:8786".
        workers: number of processes here; None for one for each core. A cluster has those that it has.
        prepare: called once in each process before its first task; of a module's top level.
        log: gets notes of a cluster.

    Returns:
        The engine, to be entered with `with`.

    Raises:
        InputError: another process could not find the function, or `workers` beside a scheduler.
    """
    if scheduler is None:
        return ProcessPool(function, workers=workers, prepare=prepare)
    if workers is not None:
        raise InputError(f"expected workers or a scheduler, got {workers} workers and {scheduler}. Leave one out.")
    return DaskCluster(function, scheduler, prepare=prepare, log=log)
