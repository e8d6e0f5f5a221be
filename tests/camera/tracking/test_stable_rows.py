import pytest

from digitedge.camera import Change, RowFilter
from digitedge.camera.tracking import RowTracker
from digitedge.reader import Digit, Reading
from digitedge.reader.reading import arrange

STEP = 0.1


def reading(*rows: str, top: int = 50, confidence: float = 0.9) -> Reading:
    """Make a reading of rows below each other, 60 pixels apart."""
    digits = [
        Digit(int(d), confidence, (100 + 26 * n, top + 60 * number, 20, 30))
        for number, row in enumerate(rows)
        for n, d in enumerate(row)
    ]
    return Reading(**arrange(digits), width=640, height=480, ms=1.0, time=0.0)


def play(rows: RowTracker, *parts: tuple[int, Reading]) -> list[tuple[str, str, str | None]]:
    """Show each reading for so many frames, every tenth of a second, and return the events."""
    frames = [reading for count, reading in parts for _ in range(count)]
    events = [event for number, frame in enumerate(frames) for event in rows.update(frame, now=number * STEP)]
    return [(str(event.change), event.row.text, event.before) for event in events]


def test_row_appears_once_and_leaves_once() -> None:
    rows = RowTracker()
    assert play(rows, (30, reading("2026", "51"))) == [("appeared", "2026", None), ("appeared", "51", None)]
    assert [row.text for row in rows.rows] == ["2026", "51"]
    assert play(RowTracker(), (10, reading("2026")), (15, reading())) == [
        ("appeared", "2026", None),
        ("left", "2026", None),
    ]


def test_row_that_is_shown_too_briefly_gives_no_event() -> None:
    assert play(RowTracker(), (5, reading("2026")), (20, reading())) == []


def test_frames_that_disagree_give_no_stable_row() -> None:
    flicker = [(1, reading(text)) for text in ("26", "28") * 15]
    assert play(RowTracker(), *flicker) == []


def test_row_is_stable_if_one_frame_in_five_is_misread() -> None:
    mostly = [(4, reading("26")), (1, reading("2"))] * 5
    assert play(RowTracker(), *mostly) == [("appeared", "26", None)]


def test_other_number_in_the_same_place_is_a_change() -> None:
    assert play(RowTracker(), (10, reading("2026")), (10, reading("1999"))) == [
        ("appeared", "2026", None),
        ("changed", "1999", "2026"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [("0199", "0200"), ("0999", "1000"), ("9", "10"), ("9999", "10000"), ("2026", "20"), ("7", "777"), ("21", "25")],
)
def test_a_meter_that_counts_and_a_number_that_is_written_on_change(before: str, after: str) -> None:
    assert play(RowTracker(), (10, reading(before)), (15, reading(after))) == [
        ("appeared", before, None),
        ("changed", after, before),
    ]


@pytest.mark.parametrize(("before", "after"), [("0953652", "51"), ("51", "0953652"), ("8", "2026")])
def test_a_sheet_that_is_replaced_by_another_leaves_and_the_other_appears(before: str, after: str) -> None:
    rows = RowTracker()
    assert play(rows, (10, reading(before)), (10, reading(after, top=60))) == [
        ("appeared", before, None),
        ("left", before, None),
        ("appeared", after, None),
    ]
    assert [row.text for row in rows.rows] == [after]


def test_change_of_one_digit_must_last_longer() -> None:
    assert play(RowTracker(), (10, reading("2026")), (7, reading("2028")), (10, reading("2026"))) == [
        ("appeared", "2026", None)
    ]
    assert play(RowTracker(), (10, reading("2026")), (14, reading("2028")))[1:] == [("changed", "2028", "2026")]


def test_row_that_is_covered_for_a_moment_does_not_leave() -> None:
    assert play(RowTracker(), (10, reading("2026")), (8, reading()), (10, reading("2026"))) == [
        ("appeared", "2026", None)
    ]


def test_page_moved_by_one_row_keeps_its_rows() -> None:
    events = play(RowTracker(), (10, reading("11", "22", "33")), (9, reading("22", "33", "44")))
    assert [event for event in events if event[0] != "left"] == [
        ("appeared", "11", None),
        ("appeared", "22", None),
        ("appeared", "33", None),
        ("appeared", "44", None),
    ]
    assert ("left", "11", None) not in events  # 1.0 s are not over
    assert play(RowTracker(), (10, reading("11")), (10, reading("11", top=300))) == [("appeared", "11", None)]


def test_gap_forgets_unstable_rows_and_keeps_stable_ones() -> None:
    rows = RowTracker()
    play(rows, (10, reading("2026")))
    unstable = reading("51", top=300)
    for number in range(5):
        rows.update(
            Reading(**arrange([*reading("2026").digits, *unstable.digits]), width=1, height=1, ms=1),
            now=1 + number / 10,
        )
    rows.forget_unstable()
    events = [event for number in range(4) for event in rows.update(unstable, now=1.6 + number / 10)]
    assert events == []
    assert [row.text for row in rows.rows] == ["2026"]
    events = [event for number in range(4) for event in rows.update(unstable, now=2.0 + number / 10)]
    assert [event.row.text for event in events] == ["51"]


def test_two_rows_with_equal_text_are_two_rows() -> None:
    assert play(RowTracker(), (10, reading("77", "77"))) == [("appeared", "77", None)] * 2


def test_row_leaves_when_its_place_shows_something_unstable_for_long() -> None:
    flicker = [(1, reading(text)) for text in ("111", "888") * 20]
    assert play(RowTracker(), (10, reading("2026")), *flicker) == [("appeared", "2026", None), ("left", "2026", None)]


@pytest.mark.parametrize(
    ("row_filter", "text", "is_accepted"),
    [
        (RowFilter(length=4), "2026", True),
        (RowFilter(length=4), "202", False),
    ],
)
def test_only_accepted_rows_become_stable(row_filter: RowFilter, text: str, is_accepted: bool) -> None:
    assert bool(play(RowTracker(row_filter), (10, reading(text)))) is is_accepted


def test_event_converts_to_plain_json() -> None:
    rows = RowTracker()
    for number in range(7):
        events = rows.update(reading("51"), now=number * STEP)
    assert events[0].to_dict() == {
        "event": "row",
        "change": "appeared",
        "text": "51",
        "before": None,
        "confidence": 0.9,
        "box": [100, 50, 46, 30],
        "time": 0.0,
    }
    assert events[0].change is Change.APPEARED
