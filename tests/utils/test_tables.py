import pytest

from digitedge import DataError
from digitedge.utils.tables import put_into


def test_put_into_replaces_the_text_between_the_markers() -> None:
    assert put_into("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", "x", "new\n") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"


def test_put_into_rejects_a_page_without_the_markers() -> None:
    with pytest.raises(DataError, match="one place <!-- y --> in the page, got 0"):
        put_into("<!-- x -->\n<!-- /x -->\n", "y", "")
