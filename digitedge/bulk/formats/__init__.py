"""Results of pages in, a file out: JSON Lines, Parquet, CSV or ALTO. The same results give the same bytes."""

from digitedge.bulk.formats.formats import FORMATS, Format

__all__ = ["FORMATS", "Format"]
