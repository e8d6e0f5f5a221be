"""The end of a job: what it has come to, and the digits that are least sure."""

from dataclasses import dataclass
from typing import Any

from digitedge.bulk.job_folder import JobFolder
from digitedge.bulk.job_list import Totals
from digitedge.bulk.least_sure import draw_least_sure
from digitedge.bulk.progress import Progress, format_duration
from digitedge.bulk.shard import LEAST_SURE as OF_A_SHARD
from digitedge.utils.files import write_json
from digitedge.utils.images import write_image

SUMMARY = "summary.json"
LEAST_SURE_SHEET = "least-sure.png"
SCHEMA = "digitedge.bulk/1"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job has come to.

    Attributes:
        totals: of the whole job.
        seconds: that this run took to read.
        pages_per_s: of this run.
        workers: processes that read.
    """

    totals: Totals
    seconds: float
    pages_per_s: float
    workers: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        totals = self.totals
        return {
            "schema": SCHEMA,
            "documents": totals.documents,
            "documents_gone": totals.gone,
            "pages": totals.pages_done,
            "digits": totals.digits,
            "pages_without_digits": totals.without_digits,
            "pages_with_error": sum(totals.errors.values()),
            "errors": dict(totals.errors),
            "shards": totals.shards,
            "set_aside": dict(totals.set_aside),
        }

    def text(self) -> str:
        """Return lines for people."""
        totals = self.totals
        rate = f", {self.pages_per_s:.1f} pages a second" if self.pages_per_s else ""
        lines = [
            f"{totals.pages_done:,} pages of {totals.documents:,} documents, {totals.digits:,} digits "
            f"({format_duration(self.seconds)}{rate}, {self.workers} workers)",
            f"pages without digits: {totals.without_digits:,}",
        ]
        errors = ", ".join(f"{count:,} {kind}" for kind, count in totals.errors.items())
        lines.append(f"pages with an error: {sum(totals.errors.values()):,}{f' ({errors})' if errors else ''}")
        if totals.gone:
            lines.append(f"documents that are not there any more: {totals.gone:,}; what was read of them stays")
        lines += [f"set aside: {name}: {reason}" for name, reason in totals.set_aside.items()]
        return "\n".join(lines)


def write_summary(folder: JobFolder, progress: Progress) -> Summary:
    """Write summary.json and the image of the least sure digits, and return the summary."""
    summary = Summary(folder.list.totals(), progress.seconds, progress.pages_per_s, progress.workers)
    write_json(folder.path / SUMMARY, summary.to_dict())
    least_sure = folder.list.least_sure()
    title = f"{folder.path.name}: the least sure digits, at most {OF_A_SHARD} of a shard"
    write_image(folder.path / LEAST_SURE_SHEET, draw_least_sure(least_sure, title=title))
    return summary
