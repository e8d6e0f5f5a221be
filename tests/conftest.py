"""Fixtures of all tests: real models, real data if available, real processes."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import digitedge.utils.opencv  # before any test imports cv2 by itself: it sets the log levels

ROOT = Path(__file__).parent.parent
# These tests need TensorFlow; an edge install runs the rest.
collect_ignore = (
    []
    if importlib.util.find_spec("tensorflow")
    else ["training", "exporting", "experiments", "performance", "fixtures"]
)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Marks of exported bundles go into a folder of the tests, also those of processes that they start."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Folder of the small models made by tests/fixtures/make_models.py."""
    return Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def released() -> Path:
    """The released bundle of the source tree."""
    return ROOT / "export" / "cnn"


@pytest.fixture(scope="session")
def mnist() -> Path:
    """Folder of the real MNIST."""
    folder = os.environ.get("DIGITEDGE_DATA")
    if not folder:
        pytest.skip("wants MNIST: set DIGITEDGE_DATA to its folder")
    return Path(folder)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for settings of this test alone, which is empty, and no signature policy."""
    monkeypatch.setenv("DIGITEDGE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DIGITEDGE_REQUIRE_SIGNATURE", "")  # set, so that what a command changes is restored
    return tmp_path / "config"


@pytest.fixture
def digitedge(tmp_path: Path) -> Command:
    """Run the command line in a real process, in an empty folder, without data and without a network that answers."""

    def run(*arguments: str | Path, timeout: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
        nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("DIGITEDGE_")}
        home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}
        return subprocess.run(
            [sys.executable, "-m", "digitedge", *map(str, arguments)],
            cwd=tmp_path,
            env={**inherited, **nowhere, **home, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run
