"""Bundles: a folder of exported files with a manifest. The only thing that crosses from the workshop to the edge.

Loading checks the hash of every file that the manifest lists, so a file that was swapped, cut short or edited is found
before it answers. A bundle that failed parity stays on disk, so that one can see why, but is refused unless forced.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digitedge.bundle.manifest import GOLDEN, REFERENCE, Manifest, ModelFile
from digitedge.bundle.recipe import RECIPES, Format
from digitedge.errors import ModelError, ParityError
from digitedge.runtime import Classifier, can_run, load_classifier
from digitedge.utils.loading import read_json

MANIFEST = "manifest.json"
DEFAULT_THRESHOLD = 0.5
"""Reject threshold of a lone file, which has no manifest: half the probability, so the answer beats all others."""

# What runs when a bundle has several files: the smallest that every runtime knows, then the yardstick.
_PREFERENCE = [RECIPES[r].file_name(f) for f in (Format.TFLITE, Format.ONNX) for r in ("int8", "float32")]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder of exported files whose hashes were checked."""

    path: Path
    manifest: Manifest

    @property
    def reference(self) -> Path:
        """The Keras original."""
        return self.path / REFERENCE

    @property
    def golden(self) -> Path:
        """The golden set; see `digitedge.bundle.golden`."""
        return self.path / GOLDEN

    def preferred_file(self) -> Path:
        """The file that runs when nobody chooses: int8 TFLite, else float32 TFLite, else ONNX; only what can run here.

        Raises:
            ModelError: none of the files can run here.
        """
        names = sorted(
            self.manifest.files, key=lambda n: _PREFERENCE.index(n) if n in _PREFERENCE else len(_PREFERENCE)
        )
        for name in names:
            if can_run(Path(name)):
                return self.path / name
        package = "ai-edge-litert" if any(name.endswith(Format.TFLITE) for name in names) else "onnxruntime"
        raise ModelError(f"{self.path}: no runtime here for {', '.join(names)}. Run: pip install {package}")


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier ready to run, with the file it came from and its reject threshold (0 to 1)."""

    classifier: Classifier
    threshold: float
    path: Path


def load_bundle(path: str | Path) -> Bundle:
    """Load a bundle and check every file against its manifest.

    Raises:
        ModelError: no bundle there, a damaged manifest, or a file that is missing or not what the manifest says.
    """
    bundle = Bundle(Path(path), read_manifest(Path(path)))
    hashes = {
        name: entry.sha256
        for listed in (bundle.manifest.files, bundle.manifest.others)
        for name, entry in listed.items()
    }
    for name, sha256 in hashes.items():
        _check_hash(bundle.path / name, sha256)
    return bundle


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bundle without looking at the other files. Errors as in `load_bundle`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(f"no bundle at {folder}: it has no {MANIFEST}. Make one with: digitedge export")
    value = read_json(path, error=ModelError, advice="The manifest is damaged; export the bundle again.")
    return Manifest.from_json(value, where=str(path))


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


def newest_fit_bundle(folder: Path, *, log: Callable[[str], None] = print) -> Path | None:
    """The bundle under `folder` with the newest `created` that is fit, or None.

    Args:
        folder: where bundles are, such as ./export; hidden folders are drafts and are passed over.
        log: gets a line for each bundle that is passed over because its manifest is damaged.
    """
    fit = []
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        if path.parent.name.startswith("."):
            continue
        try:
            manifest = read_manifest(path.parent)
        except ModelError as exc:
            log(f"passed over: {exc}")
            continue
        if manifest.fit:
            fit.append((datetime.fromisoformat(manifest.created).timestamp(), path.parent))
    return max(fit)[1] if fit else None


def load_model(path: str | Path | None = None, *, force: bool = False, threads: int = 1) -> Model:
    """Load what was asked for, ready to run.

    Args:
        path: a bundle, a file of a bundle, a lone `.tflite` or `.onnx` file, or None for the released bundle.
        force: run a model that failed parity.
        threads: of the runtime, see `load_classifier`.

    Raises:
        ModelError: missing, damaged, or not what its manifest says.
        ParityError: it failed parity, and `force` is false.
        MissingExtraError: the runtime that it needs is not installed.
    """
    path = released_bundle() if path is None else Path(path)
    if not path.exists():
        raise ModelError(
            f"nothing at {path}: expected a bundle, or a .tflite or .onnx file. Make one: digitedge export"
        )
    if path.is_dir():
        bundle = load_bundle(path)
        path = bundle.preferred_file()
        _refuse_unfit(path.parent, bundle.manifest.fit or force)
        return Model(load_classifier(path, threads=threads), bundle.manifest.files[path.name].threshold, path)
    entry = read_entry(path)
    if entry is None:
        return Model(load_classifier(path, threads=threads), DEFAULT_THRESHOLD, path)
    _check_hash(path, entry.sha256)
    _refuse_unfit(path, entry.fit or force)
    return Model(load_classifier(path, threads=threads), entry.threshold, path)


def read_entry(path: Path) -> ModelFile | None:
    """Read what the manifest of its bundle says of a model file, without looking at the file.

    Returns:
        The entry; None for a file that lies in no bundle.

    Raises:
        ModelError: the manifest is damaged, or does not list the file.
    """
    folder = path.resolve().parent  # a link to a file of a bundle is that file
    if not (folder / MANIFEST).is_file():
        return None
    entry = read_manifest(folder).files.get(path.resolve().name)
    if entry is None:
        raise ModelError(
            f"{path} lies in a bundle whose manifest does not list it. Move it out, or export the bundle again."
        )
    return entry


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refuse_unfit(path: Path, allowed: bool) -> None:
    if not allowed:
        raise ParityError(
            f"{path} does not answer like its original (fit: false in its manifest). See parity.json, train longer "
            "or export again; or use it all the same with --force."
        )


def _check_hash(path: Path, expected: str) -> None:
    try:
        actual = sha256_of(path)
    except OSError as exc:
        raise ModelError(
            f"cannot read {path}, which the manifest lists: {exc.strerror}. Export the bundle again."
        ) from exc
    if actual != expected:
        raise ModelError(
            f"{path}: expected sha256 {expected[:12]}... as its manifest says, got {actual[:12]}...: the file was "
            "changed. Export the bundle again."
        )
