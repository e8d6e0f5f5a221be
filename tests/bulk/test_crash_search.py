"""The search for pages that end their process."""

import pytest

from digitedge.bulk.crash_search import MAX_DEATHS, MAX_FAILED_TRIES, CrashSearch


def run(search: CrashSearch, crashing: set[int]) -> int:
    """Try until the shard is read without what crashes, or hopeless; return how many processes that took."""
    tries = 0
    while not search.is_hopeless:
        tries += 1
        span = search.pages_to_try()
        tried = set(span or range(search.pages)) - search.crashing
        if tried & crashing:
            search.died()
        elif span is None:
            break
        else:
            search.succeeded()
    return tries


@pytest.mark.parametrize("pages", [1, 2, 7, 64, 256])
def test_a_page_that_crashes_is_found_and_no_other(pages: int) -> None:
    for page in {0, pages // 2, pages - 1}:
        search = CrashSearch(pages)
        run(search, {page})
        assert search.crashing == {page}


def test_several_pages_that_crash_are_found() -> None:
    search = CrashSearch(64)
    run(search, {3, 4, 60})
    assert search.crashing == {3, 4, 60} and not search.is_hopeless


def test_a_shard_is_tried_again_as_a_whole_first() -> None:
    search = CrashSearch(64)
    for _ in range(MAX_DEATHS - 1):
        search.died()
        assert search.pages_to_try() is None
    search.died()
    assert search.pages_to_try() == range(32)


def test_pages_that_crashed_once_by_chance_are_kept() -> None:
    search = CrashSearch(4)
    search.died(MAX_DEATHS)
    search.died()  # 0 and 1
    search.died()  # 0
    for _ in range(3):  # 0 again, 1, 2 and 3
        search.succeeded()
    assert search.pages_to_try() is None and search.crashing == set()


def test_a_shard_in_which_everything_crashes_is_hopeless() -> None:
    search = CrashSearch(256)
    assert run(search, set(range(256))) == MAX_FAILED_TRIES
    assert search.is_hopeless
