import pytest

from digitedge.utils.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("two\r\nlines", "two\\r\\nlines"),
        ("\u202egnp.7", "\\u202egnp.7"),
        (b"caf\xe9".decode(errors="surrogateescape"), "caf\\udce9"),
        ("Größe 7 数字", "Größe 7 数字"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
