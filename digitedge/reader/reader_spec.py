"""What a process needs to know to make the same reader as another one, on this machine or on another."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from digitedge.bundle.bundle import MANIFEST, Model, is_released, load_bundle, load_model, released_bundle, sha256_of
from digitedge.bundle.golden import check_golden, load_golden
from digitedge.bundle.manifest import GOLDEN
from digitedge.bundle.recipe import RECIPES, NumberFormat
from digitedge.errors import ModelError
from digitedge.reader.reader import Reader
from digitedge.reader.rejection import MIN_CONFIDENCE
from digitedge.utils.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSpec:
    """A reader that can be made elsewhere, and checked there.

    Attributes:
        version: of digitedge.
        file: path of the model file; of the released bundle its name, because each machine has its own copy.
        released: whether it is of the released bundle.
        sha256: of the manifest of its bundle, which states the hashes of all files; of a file without one, of itself.
        preprocess: of a third-party file.
        force: use a model that failed its parity check.
        threshold: least confidence of a digit.
        adaptation: path of what was learned of a hand; None for none.
        adaptation_sha256: of that file.
    """

    version: str
    file: str
    released: bool
    sha256: str
    preprocess: str | None = None
    force: bool = False
    threshold: float = MIN_CONFIDENCE
    adaptation: str | None = None
    adaptation_sha256: str | None = None

    @classmethod
    def of(
        cls, model: Model, *, force: bool = False, threshold: float = MIN_CONFIDENCE, adaptation: Path | None = None
    ) -> "ReaderSpec":
        """Describe a model that is loaded here."""
        file, manifest = model.path.resolve(), model.path.parent / MANIFEST
        released = is_released(file.parent)
        has_manifest = manifest.is_file()
        return cls(
            version=__version__,
            file=file.name if released else str(file),
            released=released,
            sha256=_hash(manifest if has_manifest else file),
            preprocess=str(model.adapter.preprocessing) if model.adapter and not has_manifest else None,
            force=force,
            threshold=threshold,
            adaptation=None if adaptation is None else str(adaptation.resolve()),
            adaptation_sha256=None if adaptation is None else _hash(adaptation),
        )

    def make(self) -> Reader:
        """Load the model, and check that it is the same one and gives the same results on this machine.

        Raises:
            ModelError: another version of digitedge, another model, or other results on the golden set.
            ParityError, MissingExtraError: as in `digitedge.bundle.bundle.load_model`.
        """
        if self.version != __version__:
            raise ModelError(f"expected digitedge {self.version}, got {__version__}. Install the same on all machines.")
        path = released_bundle() / self.file if self.released else Path(self.file)
        model = load_model(path, force=self.force, preprocess=self.preprocess)
        manifest = path.parent / MANIFEST
        has_manifest = manifest.is_file()
        files = {manifest if has_manifest else path: self.sha256}
        if self.adaptation is not None and self.adaptation_sha256 is not None:
            files[Path(self.adaptation)] = self.adaptation_sha256
        for file, expected in files.items():
            if (found := _hash(file)) != expected:
                raise ModelError(
                    f"{file}: expected sha256 {expected[:12]}..., got {found[:12]}...: another model, or one that was "
                    "changed meanwhile. Give all processes the same."
                )
        if has_manifest:
            _check_results(path, model)
        return Reader(model, threshold=self.threshold, adaptation=self.adaptation)


def _check_results(path: Path, model: Model) -> None:
    """Compare the results of a file with those of the machine that exported it."""
    bundle = load_bundle(path.parent)
    entry = bundle.manifest.files.get(path.name)
    if entry is None:  # the original of a bundle
        return
    golden = load_golden(bundle.golden, sha256=bundle.manifest.others[GOLDEN].sha256)
    quantized = RECIPES[entry.recipe].weights is NumberFormat.INT8
    if differences := check_golden(golden, path.name, model.classifier, quantized=quantized):
        raise ModelError(
            f"{path}: this machine gives other results than the one that exported it: {'; '.join(differences)}. "
            "Install the newest runtime, or leave this machine out."
        )


def _hash(path: Path) -> str:
    """Hexadecimal sha256 of a file, or of all files of a SavedModel's folder."""
    if path.is_file():
        return sha256_of(path)
    digest = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {sha256_of(file)}\n".encode())
    return digest.hexdigest()
