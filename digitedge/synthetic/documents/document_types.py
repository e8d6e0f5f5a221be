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
    draw_official_form,
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
    draw_typed_numbers,
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
    FAINT_PENCIL,
    FELT,
    MARKER,
    PALE_BALL,
    PENCIL,
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
        weight: how often it comes, relative to the others; > 0.
        size: least and largest height of a digit, in heights of the area that is written on.
        papers: each is equally likely.
        pens: each is equally likely; boards have their own.
        ruled: share of the papers that are ruled or squared, 0 to 1.
        fonts: designs of `fonts`, each equally likely.
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


TRAINING_DOCUMENT_TYPES: dict[str, DocumentType] = {
    "mark-sheet": DocumentType(draw_mark_sheet, 2.0),
    "sudoku": DocumentType(draw_sudoku, 1.2),
    "score-sheet": DocumentType(draw_score_sheet, 1.2, size=(0.015, 0.04)),
    "logbook": DocumentType(draw_logbook, 1.5, size=(0.012, 0.05)),
    "hand-drawn-table": DocumentType(draw_table_by_hand, 1.0, papers=_ANY, ruled=0.2),
    "comb-boxes": DocumentType(draw_comb_form, 1.5, size=(0.012, 0.1)),
    "filled-form": DocumentType(draw_form, 1.2, size=(0.012, 0.04)),
    "official-form": DocumentType(draw_official_form, 1.2, size=(0.012, 0.04)),
    "print-and-writing": DocumentType(draw_print_beside_writing, 1.2, size=(0.03, 0.12)),
    "scrap-paper": DocumentType(draw_writing_over_form, 0.8, size=(0.03, 0.12), pens=_BROAD),
    "address": DocumentType(draw_envelope, 0.8, size=(0.025, 0.09), papers=(*_ANY, PaperType.ENVELOPE)),
    "exercises": DocumentType(draw_exercises, 1.5, size=(0.02, 0.14), papers=_ANY, ruled=0.6),
    "bill": DocumentType(draw_bill, 1.5, size=(0.013, 0.06), papers=_ANY, ruled=0.4),
    "notes": DocumentType(draw_notes, 1.5, size=(0.015, 0.1), papers=_ANY, ruled=0.5),
    "dates": DocumentType(draw_dates_and_times, 2.0, size=(0.015, 0.1), papers=_ANY, ruled=0.4),
    "many-sizes": DocumentType(draw_many_sizes, 1.2, papers=_ANY, pens=_BROAD, ruled=0.2),
    "digit-rows": DocumentType(draw_digit_rows, 0.6, size=(0.02, 0.1), papers=_ANY, ruled=0.2),
    "typed-numbers": DocumentType(draw_typed_numbers, 0.8, size=(0.012, 0.14)),
    "hollow": DocumentType(draw_hollow, 0.5, size=(0.08, 0.2), pens=(BALL, FELT, MARKER)),
    "number-cards": DocumentType(draw_cards, 0.8, papers=(*_FLAT, PaperType.STICKY)),
    "board": DocumentType(draw_board, 0.8, size=(0.04, 0.14), papers=_BOARDS),
    "print-only": DocumentType(draw_print, 0.6, negative=True),
    "words-only": DocumentType(draw_words, 0.6, negative=True, size=(0.02, 0.12), papers=_ANY, ruled=0.4),
    "empty-table": DocumentType(draw_empty_table, 0.6, negative=True),
    "empty-form": DocumentType(draw_empty_form, 0.6, negative=True),
    "ticks": DocumentType(draw_ticks, 0.6, negative=True, size=(0.02, 0.08)),
    "rulings": DocumentType(draw_rulings, 0.6, negative=True),
    "drawings": DocumentType(draw_drawings, 0.6, negative=True, size=(0.03, 0.2), papers=_ANY, ruled=0.3),
}
"""Documents to train on, by name."""

EVALUATION_DOCUMENT_TYPES: dict[str, DocumentType] = {
    "calendar": DocumentType(draw_calendar, size=(0.02, 0.05), fonts=EVALUATION_FONTS),
    "bingo": DocumentType(draw_bingo, 0.6, fonts=EVALUATION_FONTS),
    "cheque": DocumentType(draw_cheque, size=(0.02, 0.08), fonts=EVALUATION_FONTS),
    "recipe": DocumentType(draw_recipe, size=(0.02, 0.07), papers=_ANY, ruled=0.3, fonts=EVALUATION_FONTS),
    "scoreboard": DocumentType(draw_scoreboard, size=(0.04, 0.12), papers=_BOARDS, fonts=EVALUATION_FONTS),
    "crossword": DocumentType(draw_crossword, 0.6, negative=True, fonts=EVALUATION_FONTS),
    "music": DocumentType(draw_music, 0.6, negative=True, fonts=EVALUATION_FONTS),
}
"""Documents to evaluate on only, by name."""

DOCUMENT_TYPES = TRAINING_DOCUMENT_TYPES | EVALUATION_DOCUMENT_TYPES
"""All documents, by name."""
