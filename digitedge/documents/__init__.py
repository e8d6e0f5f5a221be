"""Files in, pages out: images, PDF and multi-page TIFF, from folders, archives, lists and object stores."""

from digitedge.documents.kinds import is_sequential, may_hold_many
from digitedge.documents.pages import Page, count_pages, read_pages

__all__ = ["Page", "count_pages", "is_sequential", "may_hold_many", "read_pages"]
