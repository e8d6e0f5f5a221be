"""JSON and npz files from outside: read, or refused with the caller's own error. Nothing in them is run."""

import io
import math
import re
import reprlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import msgspec.inspect
from numpy.lib import format as npy
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from digitedge.errors import DigitEdgeError
from digitedge.utils.files import read_regular_file
from digitedge.utils.memory_limit import check_memory

T = TypeVar("T")
MAX_JSON_BYTES = 16 << 20
"""Of a JSON file. The labels of 20,000 photographs with ten digits each have about that: 80 bytes a digit, without
spaces. A file of lists of one number takes the most memory: 450 MB."""

# Most that is read of the header of an array; NumPy takes headers of 10,000 characters.
_HEADER_BYTES = 12_000


def read_json(path: Path, *, error: type[DigitEdgeError], advice: str) -> Any:
    """Read a JSON file, strictly; see `parse_json`.

    If it cannot be read, `error` is raised with `advice`: what the user should do.
    """
    if not path.exists():
        raise error(f"there is no {path}. {advice}")
    content = read_regular_file(path, max_bytes=MAX_JSON_BYTES, error=error)
    return parse_json(content, where=str(path), error=error, advice=advice)


def parse_json(content: bytes, *, where: str, error: type[DigitEdgeError], advice: str) -> Any:
    """Parse the content of a JSON file: no NaN, no numbers that are not finite, no half of a surrogate pair.

    `where` is its path, for messages. Errors as in `read_json`.
    """
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError) as exc:  # ValueError: neither UTF-8 nor JSON
        raise error(f"{where}: expected JSON, got a file that cannot be read ({_short(exc)}). {advice}") from exc


def build_dataclass(
    kind: type[T], value: Any, *, where: str, error: type[DigitEdgeError], advice: str, unknown_keys: bool = False
) -> T:
    """Build a dataclass, or another annotated type, from parsed JSON. See docs/decisions/json-to-dataclasses.md.

    Args:
        kind: the type, whose fields may have limits such as `Annotated[float, msgspec.Meta(ge=0, le=1)]`.
        value: what `json.loads` returned.
        where: the file and perhaps the place in it, for messages.
        error: raised if a key is missing, or a value has another type or is outside its limits.
        advice: what the user should do then.
        unknown_keys: ignore keys that `kind` does not have; otherwise they are an error.

    Examples:
        >>> build_dataclass(list[int], [1, True], where="a.json", error=DigitEdgeError, advice="Fix it.")
        Traceback (most recent call last):
        digitedge.errors.DigitEdgeError: a.json: [1]: expected int, got True. Fix it.
    """
    try:
        built = msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        raise error(f"{where}: {_explain(str(exc), value, kind)}. {advice}") from exc
    except UnicodeEncodeError as exc:  # half of a surrogate pair, which `read_json` refuses
        raise error(f"{where}: expected text, got {exc.object!r:.40}. {advice}") from exc
    unknown = [] if unknown_keys else list(_unknown_keys(value, msgspec.to_builtins(built)))
    if unknown:
        raise error(f"{where}: unknown key {', '.join(map(repr, unknown))}. {advice}")
    return built


def _explain(message: str, value: Any, kind: Any) -> str:
    """Turn msgspec's message, such as "Expected `int`, got `str` - at `$.a.b`", into "a.b: expected int, got 'x'"."""
    problem, _, place = message.partition(" - at ")
    path = place.removeprefix("`key` in ").strip("`").removeprefix("$").removeprefix(".")
    if problem.startswith("Object missing required field"):
        problem = f"missing key {problem.split('`')[1]!r}"
    elif problem.startswith("Expected") and "..." not in path:  # "..." is a key of a dict, whose name is not told
        problem = f"{problem.partition(', got ')[0]}, got {reprlib.repr(_value_at(path, value))}"
    elif problem.startswith("Invalid enum value"):  # of a Literal
        choices = " or ".join(map(str, _choices_at(path, msgspec.inspect.type_info(kind))))
        problem = f"expected {choices}, got {problem.removeprefix('Invalid enum value ')}"
    problem = problem[0].lower() + problem[1:].replace("`", "")
    return f"{path}: {problem}" if path else problem


def _value_at(path: str, value: Any) -> Any:
    """The value at a path such as "[0].kind" in parsed JSON."""
    for step in re.findall(r"\w+", path):
        value = value[int(step) if isinstance(value, list) else step]
    return value


def _choices_at(path: str, kind: msgspec.inspect.Type) -> list[Any]:
    """The values of the Literal at a path such as "[0].kind" in a type."""
    for step in [*re.findall(r"\w+|\.\.\.", path), None]:
        if isinstance(kind, msgspec.inspect.UnionType):  # of None and another type
            kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
        if isinstance(kind, msgspec.inspect.DataclassType):
            kind = next(field.type for field in kind.fields if field.encode_name == step)
        elif isinstance(kind, msgspec.inspect.DictType):
            kind = kind.value_type
        elif isinstance(kind, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
            kind = kind.item_type
    return list(kind.values) if isinstance(kind, msgspec.inspect.LiteralType) else []


def _unknown_keys(value: Any, known: Any, path: str = "") -> Iterator[str]:
    """Keys of parsed JSON that are not in what was built from it."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in known:
                yield path + key
            else:
                yield from _unknown_keys(item, known[key], f"{path}{key}.")
    elif isinstance(value, list):
        for index, (item, built) in enumerate(zip(value, known, strict=True)):
            yield from _unknown_keys(item, built, f"{path}{index}.")


def read_npz(path: Path, *, error: type[DigitEdgeError], advice: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file by name; pickled objects are refused. Arguments as in `read_json`.

    Memory is taken only for what the file holds: an array whose header asks for more is damaged, and arrays that are
    larger together than `digitedge.utils.memory_limit` are refused.
    """
    if path.exists() and not path.is_file():  # a pipe would block
        raise error(f"{path}: expected an npz file, got a folder, device or pipe. {advice}")
    try:
        with path.open("rb") as file:
            return parse_npz(file, where=str(path), error=error, advice=advice)
    except FileNotFoundError as exc:
        raise error(f"there is no {path}. {advice}") from exc
    except OSError as exc:
        raise error(f"cannot read {path}: {_short(exc)}. {advice}") from exc


def parse_npz(file: BinaryIO, *, where: str, error: type[DigitEdgeError], advice: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file that is open; `where` is its path, for messages. Errors as in `read_npz`."""
    try:
        if not zipfile.is_zipfile(file):  # NumPy says of other files that pickles may be loaded unsafely
            raise ValueError("not an archive, or cut short")
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            check_memory(size, what=f"{where}: arrays", error=error)
            for member in archive.infolist():
                _check_array_size(archive, member)
        file.seek(0)
        with NpzFile(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except DigitEdgeError:
        raise
    except Exception as exc:  # NumPy parses a header as Python: damage raises a dozen kinds, tokenize.TokenError, too
        raise error(
            f"{where}: expected an npz file of arrays, got one that cannot be read ({_short(exc)}). {advice}"
        ) from exc


def _check_array_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise ValueError if the header of an array asks for more than follows it."""
    with archive.open(member) as member_file:
        file = io.BytesIO(member_file.read(_HEADER_BYTES))  # NumPy would read a header of any length
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read_header is None:
            raise ValueError(f"{member.filename}: version {version}")
        shape, _, dtype = read_header(file)
        needed, found = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
        if not dtype.hasobject and needed > found:
            raise ValueError(f"{member.filename} has {found:,} bytes, its header says {needed:,}")


def _short(exc: Exception) -> str:
    return exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc) or type(exc).__name__
