"""Have the pages of documents counted: a PDF, a TIFF or an archive is read in parts."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from digitedge.bulk.crash_search import MAX_DEATHS
from digitedge.bulk.job_list import JobList
from digitedge.bulk.worker import Counts, CountTask, Result, Task
from digitedge.engines import Engine, Outcome
from digitedge.engines.run_tasks import run_tasks
from digitedge.utils.memory_limit import MEMORY_VARIABLE

COUNTING_EVERY_S = 30.0
"""Between two lines on counting pages."""


class PageCounting:
    """Counts the pages of documents that may have several."""

    def __init__(self, job_list: JobList, engine: Engine[Task, Result], log: Callable[[str], object]) -> None:
        self._list = job_list
        self._engine = engine
        self._log = log
        self._failures = Counter[int]()
        self._counted = 0
        self._logged = time.monotonic()

    def run(self) -> None:
        """Count them all."""
        memory_mb = os.environ.get(MEMORY_VARIABLE)
        batches = self._list.documents_to_count()
        tasks = (CountTask(batch, os.getcwd(), memory_mb) for batch in batches)
        run_tasks(self._engine, tasks, self._handle, self._report)

    def _report(self) -> None:
        if time.monotonic() - self._logged >= COUNTING_EVERY_S:
            self._logged = time.monotonic()
            self._log(f"counting pages: {self._counted:,} documents so far")

    def _handle(self, outcome: Outcome[CountTask, Counts]) -> Iterable[Task]:
        documents = outcome.task.documents
        if outcome.result is not None:
            self._counted += len(documents)
            self._list.set_counts(outcome.result)
            return ()
        if len(documents) > 1:  # one of them ends the process, or is stuck
            return [replace(outcome.task, documents={number: source}) for number, source in documents.items()]
        [number] = documents
        self._failures[number] += 1
        if self._failures[number] < MAX_DEATHS:
            return [outcome.task]
        self._list.give_up_counting(number)
        return ()
