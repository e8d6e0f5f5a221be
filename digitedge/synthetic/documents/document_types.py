"""The document types: what each looks like, on which papers and with which pens. One entry of a table is one type.

The training types and the evaluation types share no entry: those of evaluation have never been trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from digitedge.synthetic.documents.fonts import EVALUATION_FONTS, TRAINING_FONTS
from digitedge.synthetic.documents.forms import (
    draw_cheque,
    draw_comb_form,
    draw_envelope,
    draw_form,
    draw_print_beside_writing,
    draw_writing_over_form,
)
from digitedge.synthetic.documents.negatives import (
    draw_crossword,
    draw_drawings,
    draw_empty_form,
    draw_empty_table,
    draw_music,
    draw_print,
    draw_rulings,
    draw_ticks,
    draw_words,
)
from digitedge.synthetic.documents.notes import (
    draw_bill,
    draw_board,
    draw_cards,
    draw_dates_and_times,
    draw_digit_rows,
    draw_exercises,
    draw_hollow,
    draw_many_sizes,
    draw_notes,
    draw_recipe,
    draw_scoreboard,
)
from digitedge.synthetic.documents.sheet import Sheet
from digitedge.synthetic.documents.tables import (
    draw_bingo,
    draw_calendar,
    draw_logbook,
    draw_mark_sheet,
    draw_score_sheet,
    draw_sudoku,
    draw_table_by_hand,
)
from digitedge.synthetic.page.paper_types import PaperType
from digitedge.synthetic.page.pens import (
    BALL,
    BOLD_BALL,
    CHALK,
    FAINT_PENCIL,
    FELT,
    MARKER,
    PALE_BALL,
    PENCIL,
    WHITEBOARD_PEN,
    PenRange,
)

_FLAT = (PaperType.PLAIN, PaperType.PLAIN, PaperType.SCAN)
_ANY = (*_FLAT, PaperType.PLAIN, PaperType.CRUMPLED, PaperType.BROWN)
_BOARDS = (PaperType.BLACKBOARD, PaperType.BLACKBOARD, PaperType.WHITEBOARD)
_PENS = (BALL, BALL, BOLD_BALL, PENCIL, FELT, PALE_BALL)
_BROAD = (MARKER, FELT, BOLD_BALL, PENCIL, FAINT_PENCIL, PALE_BALL)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One type of document.

    Attributes:
        draw: fills a sheet.
        weight: how often it comes, relative to the others.
        size: least and largest height of a digit, in heights of the page.
        papers: each is equally likely, and so are the pens.
        ruled: share of the papers that are ruled or squared.
        fonts: what prints on it.
        negative: whether it has no digits.
    """

    draw: Callable[[Sheet], None]
    weight: float = 1.0
    size: tuple[float, float] = (0.012, 0.06)
    papers: tuple[PaperType, ...] = _FLAT
    pens: tuple[PenRange, ...] = _PENS
    ruled: float = 0.0
    fonts: tuple[str, ...] = TRAINING_FONTS
    negative: bool = False


def _negative(draw: Callable[[Sheet], None], weight: float = 0.6, **options: object) -> DocumentType:
    return DocumentType(draw, weight, negative=True, **options)  # type: ignore[arg-type]


TRAINING_DOCUMENT_TYPES: dict[str, DocumentType] = {
    "mark-sheet": DocumentType(draw_mark_sheet, 2.0),
    "sudoku": DocumentType(draw_sudoku, 1.2),
    "score-sheet": DocumentType(draw_score_sheet, 1.2, size=(0.015, 0.04)),
    "logbook": DocumentType(draw_logbook, 1.5, size=(0.012, 0.05)),
    "hand-drawn-table": DocumentType(draw_table_by_hand, 1.0, papers=_ANY, ruled=0.2),
    "comb-boxes": DocumentType(draw_comb_form, 1.5, size=(0.012, 0.1)),
    "filled-form": DocumentType(draw_form, 1.2, size=(0.012, 0.04)),
    "print-and-writing": DocumentType(draw_print_beside_writing, 1.2, size=(0.03, 0.12)),
    "scrap-paper": DocumentType(draw_writing_over_form, 0.8, size=(0.03, 0.12), pens=_BROAD),
    "address": DocumentType(draw_envelope, 0.8, size=(0.025, 0.09), papers=(*_ANY, PaperType.ENVELOPE)),
    "exercises": DocumentType(draw_exercises, 1.5, size=(0.02, 0.14), papers=_ANY, ruled=0.6),
    "bill": DocumentType(draw_bill, 1.5, size=(0.013, 0.06), papers=_ANY, ruled=0.4),
    "notes": DocumentType(draw_notes, 1.5, size=(0.015, 0.1), papers=_ANY, ruled=0.5),
    "dates": DocumentType(draw_dates_and_times, 1.0, size=(0.015, 0.1), papers=_ANY, ruled=0.4),
    "many-sizes": DocumentType(draw_many_sizes, 1.2, papers=_ANY, pens=_BROAD, ruled=0.2),
    "digit-rows": DocumentType(draw_digit_rows, 0.6, size=(0.02, 0.1), papers=_ANY, ruled=0.2),
    "hollow": DocumentType(draw_hollow, 0.5, size=(0.08, 0.2), pens=(BALL, FELT, MARKER)),
    "number-cards": DocumentType(draw_cards, 0.8, papers=(*_FLAT, PaperType.STICKY)),
    "board": DocumentType(draw_board, 0.8, size=(0.04, 0.14), papers=_BOARDS),
    "print-only": _negative(draw_print),
    "words-only": _negative(draw_words, size=(0.02, 0.12), papers=_ANY, ruled=0.4),
    "empty-table": _negative(draw_empty_table),
    "empty-form": _negative(draw_empty_form),
    "ticks": _negative(draw_ticks, size=(0.02, 0.08)),
    "rulings": _negative(draw_rulings),
    "drawings": _negative(draw_drawings, size=(0.03, 0.2), papers=_ANY, ruled=0.3),
}
"""Documents to train on, by name."""

EVALUATION_DOCUMENT_TYPES: dict[str, DocumentType] = {
    "calendar": DocumentType(draw_calendar, size=(0.02, 0.05), fonts=EVALUATION_FONTS),
    "bingo": DocumentType(draw_bingo, 0.6, fonts=EVALUATION_FONTS),
    "cheque": DocumentType(draw_cheque, size=(0.02, 0.08), fonts=EVALUATION_FONTS),
    "recipe": DocumentType(draw_recipe, size=(0.02, 0.07), papers=_ANY, ruled=0.3, fonts=EVALUATION_FONTS),
    "scoreboard": DocumentType(draw_scoreboard, size=(0.04, 0.12), papers=_BOARDS, fonts=EVALUATION_FONTS),
    "crossword": _negative(draw_crossword, fonts=EVALUATION_FONTS),
    "music": _negative(draw_music, fonts=EVALUATION_FONTS),
}
"""Documents to evaluate on only, by name."""

DOCUMENT_TYPES = TRAINING_DOCUMENT_TYPES | EVALUATION_DOCUMENT_TYPES
"""All documents, by name."""

BOARD_PENS = {PaperType.BLACKBOARD: (CHALK,), PaperType.WHITEBOARD: (WHITEBOARD_PEN,)}
