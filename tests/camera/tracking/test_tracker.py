import numpy as np

from digitedge.camera.tracking.tracker import Clock, Tracker
from digitedge.reader.reader import Digit


def row(digits: str, *, left: float = 100, top: float = 50, confidence: float = 0.9) -> list[Digit]:
    """Digits 20 by 30 pixels, every 26 pixels."""
    return [Digit(int(d), confidence, (round(left + 26 * n), round(top), 20, 30)) for n, d in enumerate(digits)]


def text(digits: list[Digit]) -> str:
    return "".join(str(d.digit) for d in sorted(digits, key=lambda d: d.box[0]))


def play(tracker: Tracker, frames: list[list[Digit]], *, start: float = 0.0, step: float = 0.1) -> list[list[Digit]]:
    return [tracker.follow(frame, now=start + number * step) for number, frame in enumerate(frames)]


def test_one_wrong_frame_is_outvoted() -> None:
    seen = play(Tracker(), [row("72")] * 4 + [row("12")] + [row("72")] * 2)
    assert {text(digits) for digits in seen} == {"72"}


def test_a_digit_that_is_missed_for_a_moment_stays_and_then_goes() -> None:
    tracker = Tracker()
    seen = play(tracker, [row("72")] * 4 + [row("7")] * 6)
    assert [text(digits) for digits in seen[4:6]] == ["72"] * 2
    assert text(seen[-1]) == "7"


def test_a_digit_that_is_written_over_changes_within_the_time_of_a_vote() -> None:
    seen = play(Tracker(), [row("7")] * 8 + [row("3")] * 5)
    assert text(seen[8]) == "7"
    assert text(seen[-1]) == "3"


def test_tracks_keep_their_numbers_while_a_row_moves_by_half_a_digit_a_frame() -> None:
    frames = [row("1234", left=100 + 13 * n, top=50 + 2 * n) for n in range(12)]
    seen = play(Tracker(), frames)
    assert {text(digits) for digits in seen} == {"1234"}
    numbers = [[d.track for d in sorted(digits, key=lambda d: d.box[0])] for digits in seen]
    assert numbers == [numbers[0]] * 12


def test_confidence_is_the_mean_of_all_votes_those_for_others_counting_nothing() -> None:
    seen = play(Tracker(), [row("7", confidence=0.8)] * 3 + [row("1", confidence=0.6)])
    assert seen[-1][0].digit == 7
    assert seen[-1][0].confidence == round(3 * 0.8 / 4, 4)


def test_a_much_larger_digit_in_the_same_place_is_another_one() -> None:
    tracker = Tracker()
    (small,) = tracker.follow([Digit(7, 0.9, (100, 100, 20, 30))], now=0.0)
    other = tracker.follow([Digit(7, 0.9, (95, 90, 40, 60))], now=0.1)
    assert {d.track for d in other} == {small.track, small.track + 1}


def test_a_hundred_digits_are_followed() -> None:
    rng = np.random.default_rng(0)
    page = [d for n in range(10) for d in row("1234567890", top=50 + 40 * n)]
    shaken = [
        [Digit(d.digit, 0.9, (d.box[0] + dx, d.box[1] + dy, 20, 30)) for d in page]
        for dx, dy in rng.integers(-6, 7, (20, 2)).tolist()
    ]
    seen = play(Tracker(), shaken)
    assert {len(digits) for digits in seen} == {100}
    assert {d.track for digits in seen for d in digits} == set(range(1, 101))


def test_a_gap_is_longer_than_a_second_and_than_four_steps() -> None:
    clock = Clock()
    gaps = []
    for moment in (0.0, 0.1, 0.2, 1.1, 1.2, 6.0, 6.1):  # a camera
        clock.tick(moment)
        gaps.append(clock.had_gap)
    assert gaps == [False] * 5 + [True, False]
    slow = Clock()
    for moment in (0.0, 5.0, 10.0, 15.0):  # an image every five seconds
        slow.tick(moment)
        assert not slow.had_gap


def test_a_gap_is_no_time_and_time_never_runs_back() -> None:
    clock = Clock(longest_step=0.25)
    assert [clock.tick(moment) for moment in (5.0, 5.25, 65.0, 64.0, 64.125)] == [0.0, 0.25, 0.5, 0.5, 0.625]
