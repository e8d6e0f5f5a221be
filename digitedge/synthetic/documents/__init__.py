"""Rendered documents: tables, forms, sudokus, bills, exercises, print beside writing, and what has no digits at all.

In: a document type, a difficulty, a random generator and the size of a frame. Out: a page with its digits, the boxes to
ignore, and its tables. `scenes.render_scene` and `scenes.render_document` photograph it.
"""

from digitedge.synthetic.documents.document_types import (
    DOCUMENT_TYPES,
    EVALUATION_DOCUMENT_TYPES,
    TRAINING_DOCUMENT_TYPES,
    DocumentType,
)
from digitedge.synthetic.documents.write import write_document

__all__ = [
    "DOCUMENT_TYPES",
    "EVALUATION_DOCUMENT_TYPES",
    "TRAINING_DOCUMENT_TYPES",
    "DocumentType",
    "write_document",
]
