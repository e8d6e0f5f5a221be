import pytest

from digitedge.camera import Change, Rules
from digitedge.camera.tracking.stable_rows import StableRows
from digitedge.errors import InputError
from digitedge.reader.reader import Digit, Reading, arrange

STEP = 0.1


def reading(*rows: str, top: int = 50, confidence: float = 0.9) -> Reading:
    """Rows below each other, 60 pixels apart."""
    digits = [
        Digit(int(d), confidence, (100 + 26 * n, top + 60 * number, 20, 30))
        for number, row in enumerate(rows)
        for n, d in enumerate(row)
    ]
    return Reading(**arrange(digits), width=640, height=480, ms=1.0, time=0.0)


def play(rows: StableRows, *parts: tuple[int, Reading]) -> list[tuple[str, str, str | None]]:
    """Show each reading for so many frames of a tenth of a second; what happened."""
    frames = [one for count, one in parts for _ in range(count)]
    events = [event for number, one in enumerate(frames) for event in rows.follow(one, now=number * STEP)]
    return [(str(event.change), event.row.text, event.before) for event in events]


def test_a_row_appears_once_stays_and_leaves() -> None:
    rows = StableRows()
    assert play(rows, (30, reading("2026", "51"))) == [("appeared", "2026", None), ("appeared", "51", None)]
    assert [row.text for row in rows.rows] == ["2026", "51"]
    assert play(StableRows(), (10, reading("2026")), (15, reading())) == [
        ("appeared", "2026", None),
        ("left", "2026", None),
    ]


def test_a_row_that_is_seen_too_shortly_never_happened() -> None:
    assert play(StableRows(), (5, reading("2026")), (20, reading())) == []


def test_frames_that_disagree_make_no_row() -> None:
    flicker = [(1, reading(text)) for text in ("26", "28") * 15]
    assert play(StableRows(), *flicker) == []


def test_one_frame_in_five_may_be_wrong() -> None:
    mostly = [(4, reading("26")), (1, reading("2"))] * 5
    assert play(StableRows(), *mostly) == [("appeared", "26", None)]


def test_another_number_in_the_same_place_is_a_change() -> None:
    assert play(StableRows(), (10, reading("2026")), (10, reading("1999"))) == [
        ("appeared", "2026", None),
        ("changed", "1999", "2026"),
    ]


def test_a_change_of_one_digit_must_last_longer() -> None:
    assert play(StableRows(), (10, reading("2026")), (7, reading("2028")), (10, reading("2026"))) == [
        ("appeared", "2026", None)
    ]
    assert play(StableRows(), (10, reading("2026")), (14, reading("2028")))[1:] == [("changed", "2028", "2026")]


def test_a_hand_that_passes_is_no_leaving() -> None:
    assert play(StableRows(), (10, reading("2026")), (8, reading()), (10, reading("2026"))) == [
        ("appeared", "2026", None)
    ]


def test_a_page_pushed_up_by_a_row_has_the_same_rows() -> None:
    events = play(StableRows(), (10, reading("11", "22", "33")), (9, reading("22", "33", "44")))
    assert [event for event in events if event[0] != "left"] == [
        ("appeared", "11", None),
        ("appeared", "22", None),
        ("appeared", "33", None),
        ("appeared", "44", None),
    ]
    assert ("left", "11", None) not in events  # 1.0 s are not over
    assert play(StableRows(), (10, reading("11")), (10, reading("11", top=300))) == [("appeared", "11", None)]


def test_what_was_not_certain_before_a_gap_is_forgotten_and_what_was_is_kept() -> None:
    rows = StableRows()
    play(rows, (10, reading("2026")))
    unsure = reading("51", top=300)
    for number in range(5):
        rows.follow(
            Reading(**arrange([*reading("2026").digits, *unsure.digits]), width=1, height=1, ms=1), now=1 + number / 10
        )
    rows.forget()
    events = [event for number in range(4) for event in rows.follow(unsure, now=1.6 + number / 10)]
    assert events == []
    assert [row.text for row in rows.rows] == ["2026"]
    events = [event for number in range(4) for event in rows.follow(unsure, now=2.0 + number / 10)]
    assert [event.row.text for event in events] == ["51"]


def test_two_rows_that_read_the_same_are_two() -> None:
    assert play(StableRows(), (10, reading("77", "77"))) == [("appeared", "77", None)] * 2


def test_a_row_whose_place_shows_something_unclear_for_long_has_left() -> None:
    flicker = [(1, reading(text)) for text in ("111", "888") * 20]
    assert play(StableRows(), (10, reading("2026")), *flicker) == [("appeared", "2026", None), ("left", "2026", None)]


@pytest.mark.parametrize(
    ("rules", "text", "counts"),
    [
        (Rules(length=4), "2026", True),
        (Rules(length=4), "202", False),
        (Rules(pattern="20[0-9]{2}"), "2026", True),
        (Rules(pattern="20[0-9]"), "2026", False),
        (Rules(confidence=0.8), "2026", True),
        (Rules(confidence=0.95), "2026", False),
        (Rules(length=4, pattern="1.*"), "2026", False),
    ],
)
def test_rules_decide_which_rows_count(rules: Rules, text: str, counts: bool) -> None:
    assert bool(play(StableRows(rules), (10, reading(text)))) is counts


@pytest.mark.parametrize("wrong", [{"length": 0}, {"pattern": "("}, {"confidence": 1.5}, {"confidence": float("nan")}])
def test_an_impossible_rule_is_an_error(wrong: dict) -> None:
    with pytest.raises(InputError, match="expected"):
        Rules(**wrong)


def test_events_are_plain_json() -> None:
    rows = StableRows()
    for number in range(7):
        events = rows.follow(reading("51"), now=number * STEP)
    assert events[0].to_dict() == {
        "event": "reading",
        "change": "appeared",
        "text": "51",
        "before": None,
        "confidence": 0.9,
        "box": [100, 50, 46, 30],
        "time": 0.0,
    }
    assert events[0].change is Change.APPEARED
