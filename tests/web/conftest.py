import importlib.util
from collections.abc import Iterator

import pytest
from served_page import ServedPage, serve_page

# These tests need digitedge[web].
collect_ignore_glob = [] if all(map(importlib.util.find_spec, ("starlette", "uvicorn"))) else ["test_*.py"]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    """One page for all tests of a file that do not change it."""
    with serve_page() as served:
        served.wait_until_live()
        yield served
