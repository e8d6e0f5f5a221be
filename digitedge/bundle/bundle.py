"""Bundles: a folder of exported files with a manifest, made with the train extra and used on the edge.

Loading checks the size and hash of every file that the manifest lists, so that a file that was swapped, truncated or
edited never runs. The bytes that run are hashed once more, as they were read. A bundle that failed the parity check is
kept to show why, but refused unless forced.
"""

import hashlib
import io
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.made_here import is_made_here, state_folder
from digitedge.bundle.manifest import GOLDEN, Manifest, ModelFile, OtherFile, build_adapter
from digitedge.bundle.recipe import RECIPES, Format
from digitedge.bundle.signature import CheckedSignature, check_signature, is_signature_required, write_signature
from digitedge.bundle.versions import current_bundle
from digitedge.errors import InputError, ModelError, ParityError
from digitedge.runtime import RUNTIMES, Classifier, can_run, load_classifier, load_network
from digitedge.runtime.adapter import AdaptedClassifier, Adapter, Preprocessing
from digitedge.runtime.adapter_search import MIN_ACCURACY, check_accuracy, find_adapter
from digitedge.runtime.contract import ContractError
from digitedge.runtime.load import MODEL_SUFFIXES, is_saved_model
from digitedge.utils.drafts import sweep_drafts
from digitedge.utils.files import hash_regular_file, read_regular_file
from digitedge.utils.loading import parse_json, parse_npz
from digitedge.utils.text import printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
"""Of manifest.json. That of the released bundle has 8 kB."""
MAX_GOLDEN_BYTES = 16 << 20
"""Of golden.npz. That of the released bundle has 104 kB."""
REFERENCE_KEY = "reference"
"""Name of the original's probabilities in the golden set."""
LONE_ADVICE = "Name its own preprocessing with --preprocess, or use it anyway with --force."
DEFAULT_REJECT_THRESHOLD = 0.5
"""Reject threshold of a file without a manifest: more than half the probability beats all other digits together."""

LabelledDigits = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Crops, uint8 (N, 28, 28), and their digits, uint8 (N,)."""

# Which file of a bundle runs: the smallest recipe that every runtime can run, then float32.
_PREFERENCE = [RECIPES[r].file_name(f) for f in (Format.TFLITE, Format.ONNX) for r in ("int8", "float32")]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder of exported files whose hashes were checked.

    Attributes:
        path: of the folder.
        manifest: what it states.
        signature: whether it is signed, and by whom.
    """

    path: Path
    manifest: Manifest
    signature: CheckedSignature

    @property
    def reference(self) -> Path:
        """The original: a Keras file, or the third-party file that was exported."""
        return self.path / self.manifest.reference

    @property
    def golden(self) -> Path:
        """The golden set; see `digitedge.bundle.golden`."""
        return self.path / GOLDEN

    def preferred_file(self) -> Path:
        """The file that runs by default: int8 TFLite, else float32 TFLite, else ONNX; only what can run here.

        Raises:
            ModelError: none of the files can run here.
        """
        files = self.manifest.files
        for name in (*(name for name in _PREFERENCE if name in files), *files):
            if can_run(name):
                return self.path / name
        raise ModelError(f"{self.path}: no runtime here for {', '.join(files)}. {RUNTIMES[0].missing}")


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier ready to run.

    Attributes:
        classifier: scores crops.
        reject_threshold: 0 to 1.
        path: the file it came from.
        adapter: how a third-party file is used; None where it meets the model contract.
    """

    classifier: Classifier
    reject_threshold: float
    path: Path
    adapter: Adapter | None = None


def load_bundle(
    path: str | Path,
    *,
    require_signature: bool | None = None,
    log: Callable[[str], object] = lambda line: None,
) -> Bundle:
    """Load a bundle and check every file against its manifest, and the manifest against its signature, if there is one.

    Args:
        path: a bundle, or a version folder of `digitedge update`, which stands for its current bundle.
        require_signature: load only what a trusted key has signed; None for what the environment variable
            `DIGITEDGE_REQUIRE_SIGNATURE` says.
        log: gets a line if it is signed by a stranger.

    Raises:
        ModelError: no bundle there, a damaged manifest, or a file that is missing or not what the manifest says; a
            signature that is wrong, or missing although it is required.
        MissingExtraError: a signature is required, and the package that checks it is not installed.
    """
    path = current_bundle(Path(path))
    manifest, digests = _read_manifest(path)
    signature = check_signature(path, digests, required=is_signature_required(require_signature), log=log)
    _check_files(path, manifest)
    return Bundle(path, manifest, signature)


def sign_bundle(path: Path, key: "Ed25519PrivateKey") -> None:
    """Sign a bundle, whose files are checked before; an older signature is replaced.

    Raises:
        ModelError: as in `load_bundle`.
        ParityError: it failed the parity check.
    """
    manifest, digests = _read_manifest(path)
    _check_files(path, manifest)
    if not manifest.passed:
        raise ParityError(
            f"{path} failed {manifest.failed_check()}, so it is not signed. Train longer or export again."
        )
    write_signature(path, digests, name=manifest.name, key=key)


def _check_files(folder: Path, manifest: Manifest) -> None:
    for name, entry in manifest.entries.items():
        _check_file(folder / name, entry)


def is_bundle(path: Path) -> bool:
    """Whether a path is a folder that is loaded as a bundle: one with a manifest, and every other but a SavedModel."""
    return path.is_dir() and (os.path.lexists(path / MANIFEST) or not is_saved_model(path))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bundle without looking at the other files. Errors as in `load_bundle`."""
    return _read_manifest(folder)[0]


def _read_manifest(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """Read a manifest; also return the sha256 of it, and of every file as it states them, which a signature signs."""
    sweep_drafts(folder.parent)  # what a kill left
    content = read_manifest_bytes(folder)
    manifest = _parse_manifest(folder, content)
    digests = {name: entry.sha256 for name, entry in manifest.entries.items()}
    return manifest, {MANIFEST: hashlib.sha256(content).hexdigest(), **digests}


def _parse_manifest(folder: Path, content: bytes) -> Manifest:
    where, advice = str(folder / MANIFEST), "The manifest is damaged; export the bundle again."
    return Manifest.from_json(parse_json(content, where=where, error=ModelError, advice=advice), where=where)


def read_manifest_bytes(folder: Path) -> bytes:
    """The content of a bundle's manifest.json. Errors as in `load_bundle`."""
    path = folder / MANIFEST
    if folder.is_file():
        raise ModelError(f"expected a bundle, which is a folder, got the file {folder}. Give the folder that it is in.")
    if not folder.exists():
        raise ModelError(f"nothing at {folder}: expected a bundle. Make one with: digitedge export")
    if not os.path.lexists(path):
        raise ModelError(f"no bundle at {folder}: it has no {MANIFEST}. Make one with: digitedge export")
    return read_regular_file(path, max_bytes=MAX_MANIFEST_BYTES, error=ModelError, follow_links=False)


def released_bundle() -> Path:
    """Folder of the bundle that comes with digitedge: inside an installed wheel, else `export/cnn` of the source tree.

    Raises:
        ModelError: neither is there.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "released", package.parent / "export" / "cnn"):
        if (folder / MANIFEST).is_file():
            return folder
    raise ModelError(
        "this install has no released model. Install digitedge again, or make one: digitedge train; digitedge export"
    )


def newest_passed_bundle(folder: Path, *, log: Callable[[str], None] = print, name_it: str = "--model ") -> Path | None:
    """The bundle under `folder` that was exported here, passed its parity check and has the newest `created`, or None.

    Sweeps drafts that a kill left and skips others. Logs a line for each bundle with a damaged manifest, and for each
    one that was not exported here and is newer.

    Args:
        folder: of the bundles.
        log: gets the lines.
        name_it: how the user names a bundle, before its path.
    """
    sweep_drafts(folder)
    sweep_drafts(state_folder())
    passed: list[tuple[datetime, Path]] = []
    strangers: list[tuple[datetime, Path]] = []
    for path in sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}")):
        if path.name.startswith("."):
            continue
        try:
            content = read_manifest_bytes(path)
            manifest = _parse_manifest(path, content)
        except ModelError as exc:
            log(f"skipped: {exc}")
            continue
        if manifest.passed:
            is_ours = is_made_here(path, content) or is_released(path)
            (passed if is_ours else strangers).append((datetime.fromisoformat(manifest.created), path))
    newest = max(passed, default=None)
    for created, path in strangers:
        if newest is None or created > newest[0]:
            name = printable(str(path))
            log(f"passed over: {name} was not exported here. To use it: {name_it}{name}")
    return newest[1] if newest else None


def is_released(folder: Path) -> bool:
    """Whether a folder is the bundle that comes with digitedge."""
    with suppress(ModelError):
        return folder.resolve() == released_bundle().resolve()
    return False


def load_model(
    path: str | Path | None = None,
    *,
    force: bool = False,
    threads: int = 1,
    preprocess: str | None = None,
    digits: Callable[[], LabelledDigits | None] = lambda: None,
    require_signature: bool | None = None,
    log: Callable[[str], object] = lambda line: None,
) -> Model:
    """Load a model, ready to run.

    A third-party file is tried under every preprocessing, to find the one with the highest accuracy.

    Args:
        path: a bundle, a version folder of `digitedge update`, a file of a bundle, a model file alone, a SavedModel, or
            None for the released bundle.
        force: run a model that failed the parity check, or reads fewer than 80 % of the golden digits.
        threads: see `load_classifier`.
        preprocess: the preprocessing of a third-party file, see `digitedge.runtime.adapter.Preprocessing`.
        digits: called for a third-party file; returns training digits, or None for the golden set of the released
            bundle, whose rendered digits tell less.
        require_signature: see `load_bundle`. A file that belongs to no bundle is refused then.
        log: gets a line that says how a third-party file is used, or that a stranger has signed the bundle.

    Raises:
        InputError: an empty path, or a wrong text for `preprocess`.
        ModelError: missing, damaged, not what its manifest says, or without a signature that is required.
        ParityError: it failed the parity check, and `force` is false.
        MissingExtraError: its runtime is not installed.
    """
    if path == "":
        raise InputError("expected the path of a model, got an empty one. Leave it out for the released bundle.")
    path = released_bundle() if path is None else current_bundle(Path(path))
    if not path.exists():
        sweep_drafts(path.parent)  # may put back a bundle that a killed export had moved away
    if not path.exists():
        raise ModelError(
            f"nothing at {path}: expected a bundle or a model file ({MODEL_SUFFIXES}). Make one: digitedge export"
        )
    file, entry, sha256 = path, None, None
    if is_bundle(path):
        bundle = load_bundle(path, require_signature=require_signature, log=log)
        file = bundle.preferred_file()
        entry, failed = bundle.manifest.files[file.name], bundle.manifest.failed_check()
    elif listed := _find_entry(path, require_signature=require_signature, log=log):
        manifest, found = listed
        _check_file(_follow_into_bundle(path), found)
        if isinstance(found, ModelFile):
            entry, failed = found, manifest.failed_check(_follow_into_bundle(path).name)
        else:  # the original, whose manifest does not say how it is used
            sha256 = found.sha256
    if entry is None:
        return _load_lone(
            file, force=force, threads=threads, preprocess=preprocess, digits=digits, sha256=sha256, log=log
        )
    if preprocess is not None:
        raise InputError(f"{path} belongs to a bundle, whose manifest says how it is used. Leave out --preprocess.")
    if failed and not force:
        raise ParityError(
            f"{path} failed {failed} (passed: false in its manifest). See its README.md, train longer or export again; "
            "or use it anyway with --force."
        )
    adapter = build_adapter(entry.adapter)
    classifier = load_classifier(file, threads=threads, adapter=adapter, sha256=entry.sha256)
    return Model(classifier, entry.reject_threshold, file, adapter)


def _load_lone(
    file: Path,
    *,
    force: bool,
    threads: int,
    preprocess: str | None,
    digits: Callable[[], LabelledDigits | None],
    sha256: str | None,
    log: Callable[[str], object],
) -> Model:
    """Load a file of which no manifest says how it is used: one that meets the model contract, or a third-party one."""
    asked = None if preprocess is None else Preprocessing.parse(preprocess)
    if asked is None:
        with suppress(ContractError):
            return Model(load_classifier(file, threads=threads, sha256=sha256), DEFAULT_REJECT_THRESHOLD, file)
    network = load_network(file, threads=threads, sha256=sha256)
    trials = find_adapter(network, *(digits() or _golden_digits()), asked=asked, path=file)
    if not force:
        check_accuracy(trials, MIN_ACCURACY, file, advice=LONE_ADVICE)
    log(f"{file}: {trials[0]}" + (f"; next: {trials[1]}" if len(trials) > 1 else ""))
    adapter = trials[0].adapter
    return Model(AdaptedClassifier(network, adapter), DEFAULT_REJECT_THRESHOLD, file, adapter)


def _golden_digits() -> LabelledDigits:
    """The crops of the released bundle's golden set, and what its original reads in them."""
    arrays = read_golden(released_bundle() / GOLDEN, advice="Install digitedge again.")
    return arrays["crops"], arrays[REFERENCE_KEY].argmax(axis=1).astype(np.uint8)


def read_golden(path: Path, *, sha256: str | None = None, advice: str) -> dict[str, NDArray[Any]]:
    """Read the arrays of a golden set; with the hash of its content, if it must have one.

    Raises:
        ModelError: missing, damaged or changed.
    """
    content = read_regular_file(path, max_bytes=MAX_GOLDEN_BYTES, error=ModelError, follow_links=False)
    if sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise ModelError(f"{path}: the file was changed while it was read. {advice}")
    return parse_npz(io.BytesIO(content), where=str(path), error=ModelError, advice=advice)


def read_entry(
    path: Path, *, require_signature: bool | None = None, log: Callable[[str], object] = lambda line: None
) -> ModelFile | None:
    """Read the manifest's entry of an exported file, without reading the file; None for a file without one.

    These are files outside of a bundle, and a bundle's original. The signature of the bundle is checked as in
    `load_bundle`.

    Raises:
        ModelError: the manifest is damaged, or does not list the file; the signature is wrong, or missing although it
            is required.
    """
    listed = _find_entry(path, require_signature=require_signature, log=log)
    return listed[1] if listed and isinstance(listed[1], ModelFile) else None


def _find_entry(
    path: Path, *, require_signature: bool | None, log: Callable[[str], object]
) -> tuple[Manifest, ModelFile | OtherFile] | None:
    """As `read_entry`, but also of the original, and with the manifest."""
    path, required = _follow_into_bundle(path), is_signature_required(require_signature)
    if not os.path.lexists(path.parent / MANIFEST):
        if required:
            raise ModelError(f"{path} is in no bundle, and only signed bundles are loaded here. Give such a bundle.")
        return None
    (manifest, digests), name = _read_manifest(path.parent), path.name
    check_signature(path.parent, digests, required=required, log=log)
    if name == manifest.reference:
        return manifest, manifest.others[name]
    entry = manifest.files.get(name)
    if entry is None:
        raise ModelError(
            f"{path} lies in a bundle whose manifest does not list it. Move it out, or export the bundle again."
        )
    return manifest, entry


def _follow_into_bundle(path: Path) -> Path:
    """A link to a file of a bundle is that file; inside of a bundle, a link stays one, and is refused."""
    return path if os.path.lexists(path.parent / MANIFEST) else path.resolve()


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_file(path: Path, entry: ModelFile | OtherFile) -> None:
    try:
        found, size = hash_regular_file(path, max_bytes=entry.bytes, error=ModelError, follow_links=False)
    except ModelError as exc:
        raise ModelError(
            f"{exc} Its manifest lists a regular file of {entry.bytes:,} bytes; export the bundle again."
        ) from exc
    if size != entry.bytes:
        raise ModelError(
            f"{path}: expected {entry.bytes:,} bytes as in its manifest, got {size:,}: the file was changed. "
            "Export the bundle again."
        )
    if found != entry.sha256:
        raise ModelError(
            f"{path}: expected sha256 {entry.sha256[:12]}... as in its manifest, got {found[:12]}...: the file was "
            "changed. Export the bundle again."
        )
