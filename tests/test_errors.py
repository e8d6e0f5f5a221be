"""The commands that errors advise."""

from pathlib import Path

import pytest

import digitedge.errors
from digitedge.errors import MissingExtraError, install_command, require

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("is_checkout", "command"),
    [(True, "pip install '.[train]'"), (False, "pip install 'digitedge[train]'")],
    ids=["checkout", "wheel"],
)
def test_the_install_command_fits_a_checkout_and_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_checkout: bool, command: str
) -> None:
    if is_checkout:
        (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(digitedge.errors, "__file__", str(tmp_path / "digitedge" / "errors.py"))
    assert install_command("train") == command


def test_the_documents_have_the_command_of_a_checkout() -> None:
    for page in ("README.md", "docs/guide/install.md"):
        assert "pip install '.[train]'" in (ROOT / page).read_text(encoding="utf-8")


def test_a_missing_package_is_named_with_its_install_command() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_package", extra="web")
    assert str(caught.value) == f"no_such_package is not installed. Run: {install_command('web')}"
