"""Version folders, in which `digitedge update` installs bundles: which one is current.

    FOLDER/versions/3/   a bundle, never changed once it has this name
    FOLDER/versions/4/
    FOLDER/state.json    which of them is current, and which was before: replaced in one move

The model of a command may be such a folder: it stands for its current bundle.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from digitedge.errors import ModelError
from digitedge.utils.files import read_regular_file, write_json
from digitedge.utils.loading import build_dataclass, parse_json

STATE = "state.json"
VERSIONS = "versions"
SCHEMA = "digitedge.versions/1"
MAX_STATE_BYTES = 4096
ADVICE = "The folder is damaged; install into a new one: digitedge update"

Version = Annotated[int, Meta(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionState:
    """state.json.

    Attributes:
        current: the version that runs.
        previous: the one before, to which a rollback returns; None if there is none.
        rolled_back: the version that the last rollback left: it is not installed again.
    """

    schema: str = SCHEMA
    current: Version
    previous: Version | None = None
    rolled_back: Version | None = None


def is_version_folder(path: Path) -> bool:
    """Whether a path is a version folder."""
    return (path / STATE).is_file()


def read_state(folder: Path) -> VersionState:
    """Read which version is current.

    Raises:
        ModelError: there is no state, or it is damaged.
    """
    path = folder / STATE
    value = parse_json(
        read_regular_file(path, max_bytes=MAX_STATE_BYTES, error=ModelError),
        where=str(path),
        error=ModelError,
        advice=ADVICE,
    )
    state = build_dataclass(VersionState, value, where=str(path), error=ModelError, advice=ADVICE)
    if state.schema != SCHEMA:
        raise ModelError(f"{path}: expected schema {SCHEMA!r}, got {state.schema!r}. {ADVICE}")
    return state


def write_state(folder: Path, state: VersionState) -> None:
    """Replace the state in one move: after a power cut there is the old one or the new one."""
    write_json(folder / STATE, asdict(state))


def version_path(folder: Path, version: int) -> Path:
    """Path of the bundle of a version."""
    return folder / VERSIONS / str(version)


def current_bundle(path: Path) -> Path:
    """The current bundle of a version folder; any other path is returned as it is.

    Raises:
        ModelError: the state is damaged.
    """
    return version_path(path, read_state(path).current) if is_version_folder(path) else path
