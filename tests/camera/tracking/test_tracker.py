import numpy as np

from digitedge.camera.tracking import DigitTracker, FrameClock
from digitedge.reader import Digit


def row(digits: str, *, left: float = 100, top: float = 50, confidence: float = 0.9) -> list[Digit]:
    """Place digits of 20 by 30 pixels, every 26 pixels."""
    return [Digit(int(d), confidence, (round(left + 26 * n), round(top), 20, 30)) for n, d in enumerate(digits)]


def text(digits: list[Digit]) -> str:
    return "".join(str(d.digit) for d in sorted(digits, key=lambda d: d.box[0]))


def play(tracker: DigitTracker, frames: list[list[Digit]]) -> list[list[Digit]]:
    """Show frames every tenth of a second and return the digits by vote."""
    return [tracker.update(frame, now=0.1 * number) for number, frame in enumerate(frames)]


def test_one_misread_frame_is_outvoted() -> None:
    tracked = play(DigitTracker(), [row("72")] * 4 + [row("12")] + [row("72")] * 2)
    assert {text(digits) for digits in tracked} == {"72"}


def test_missed_digit_is_kept_for_a_moment_and_then_dropped() -> None:
    tracker = DigitTracker()
    tracked = play(tracker, [row("72")] * 4 + [row("7")] * 6)
    assert [text(digits) for digits in tracked[4:6]] == ["72"] * 2
    assert text(tracked[-1]) == "7"


def test_digit_that_is_written_over_changes_within_the_time_of_a_vote() -> None:
    tracked = play(DigitTracker(), [row("7")] * 8 + [row("3")] * 5)
    assert text(tracked[8]) == "7"
    assert text(tracked[-1]) == "3"


def test_tracks_keep_their_numbers_while_a_row_moves_by_half_a_digit_per_frame() -> None:
    frames = [row("1234", left=100 + 13 * n, top=50 + 2 * n) for n in range(12)]
    tracked = play(DigitTracker(), frames)
    assert {text(digits) for digits in tracked} == {"1234"}
    numbers = [[d.track for d in sorted(digits, key=lambda d: d.box[0])] for digits in tracked]
    assert numbers == [numbers[0]] * 12


def test_confidence_is_the_mean_of_all_votes_with_0_for_other_digits() -> None:
    tracked = play(DigitTracker(), [row("7", confidence=0.8)] * 3 + [row("1", confidence=0.6)])
    assert tracked[-1][0].digit == 7
    assert tracked[-1][0].confidence == round(3 * 0.8 / 4, 4)


def test_much_larger_digit_in_the_same_place_gets_a_new_track() -> None:
    tracker = DigitTracker()
    (small,) = tracker.update([Digit(7, 0.9, (100, 100, 20, 30))], now=0.0)
    other = tracker.update([Digit(7, 0.9, (95, 90, 40, 60))], now=0.1)
    assert {d.track for d in other} == {small.track, small.track + 1}


def test_hundred_shaking_digits_keep_their_tracks() -> None:
    rng = np.random.default_rng(0)
    page = [d for n in range(10) for d in row("1234567890", top=50 + 40 * n)]
    shaking = [
        [Digit(d.digit, 0.9, (d.box[0] + dx, d.box[1] + dy, 20, 30)) for d in page]
        for dx, dy in rng.integers(-6, 7, (20, 2)).tolist()
    ]
    tracked = play(DigitTracker(), shaking)
    assert {len(digits) for digits in tracked} == {100}
    assert {d.track for digits in tracked for d in digits} == set(range(1, 101))


def test_gap_is_longer_than_a_second_and_than_four_steps() -> None:
    clock = FrameClock()
    gaps = []
    for time in (0.0, 0.1, 0.2, 1.1, 1.2, 6.0, 6.1):  # a camera
        clock.tick(time)
        gaps.append(clock.had_gap)
    assert gaps == [False] * 5 + [True, False]
    slow = FrameClock()
    for time in (0.0, 5.0, 10.0, 15.0):  # a frame every five seconds
        slow.tick(time)
        assert not slow.had_gap


def test_gap_counts_one_step_and_time_never_runs_back() -> None:
    clock = FrameClock(longest_step=0.25)
    assert [clock.tick(time) for time in (5.0, 5.25, 65.0, 64.0, 64.125)] == [0.0, 0.25, 0.5, 0.5, 0.625]


def test_digit_has_a_crop_only_in_frames_that_show_it() -> None:
    crop = np.zeros((28, 28), np.uint8)
    tracker = DigitTracker()
    (shown,) = tracker.update([Digit(7, 0.9, (100, 100, 20, 30), crop=crop)], now=0.0)
    (missed,) = tracker.update([], now=0.1)
    assert shown.crop is crop
    assert missed.crop is None
