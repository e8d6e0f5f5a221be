"""Functions of bulk jobs that do harm, for engines whose processes import them."""

import os
import signal

from digitedge.bulk.shard import Opening, ShardResult, ShardTask, choose_pages
from digitedge.bulk.worker import Counts, CountTask, run_task


def find_page_5(task: ShardTask) -> int | None:
    """The index of page-5.png, if it would be read."""
    for step in choose_pages(task):
        if not isinstance(step, Opening) and step[1].source.endswith("page-5.png") and step[0] not in task.skipped:
            return step[0]
    return None


def end_at_page_5(task: CountTask | ShardTask) -> Counts | ShardResult:
    """Do a task, in a process that page-5.png ends."""
    if isinstance(task, ShardTask) and find_page_5(task) is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task)
