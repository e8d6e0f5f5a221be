"""A folder of digits while a person checks its labels: the images by doubt, and changes that are written at once."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitedge.datasets.collection import LabelledImage, list_images, mark_checked, relabel
from digitedge.datasets.custom import load_crops
from digitedge.errors import CameraError, DataError, DigitEdgeError
from digitedge.runtime import Classifier
from digitedge.utils.files import hash_regular_file
from digitedge.utils.images import read_image
from digitedge.utils.memory_limit import memory_limit
from digitedge.utils.opencv import cv2, encode_image, resize

# Images that are scored at once: their crops and probabilities take 1 MB.
CHUNK = 1000
# Longer side in pixels of the thumbnail of a larger image.
THUMBNAIL_SIDE = 112


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What a person has decided: the label, None for no digit, and whether the image counts as checked.

    `id` is the image's in its session.
    """

    id: int
    label: Annotated[int, Meta(ge=0, le=9)] | None
    checked: bool


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """Number of images, of those that are checked, and of those whose label the session has changed."""

    images: int
    checked: int
    relabelled: int


class LabelSession:
    """The images of one folder, each with an id for as long as the session lasts. May be used by several threads."""

    def __init__(
        self, folder: str | Path, classifier: Classifier, *, log: Callable[[str], object] = lambda line: None
    ) -> None:
        """List the images and score them.

        Args:
            folder: of a collection, or another one that `list_images` knows.
            classifier: says which labels are doubtful.
            log: receives a line if there are links, which are left out: their images may lie elsewhere.

        Raises:
            DataError: the path is no such folder, or has no image.
        """
        self.folder = Path(folder)
        if self.folder.is_file():
            raise DataError(
                f"{self.folder}: expected a folder of images, whose labels can be corrected, got a file. Save its "
                "digits as images, such as 7/0001.png."
            )
        self._classifier = classifier
        self._log = log
        self._lock = threading.RLock()
        self._images: dict[int, LabelledImage] = {}
        self._next_id = 0
        self._scores: dict[str, NDArray[np.float32] | None] = {}  # by sha256; None for what cannot be read
        self._first_labels: dict[int, int | None] = {}
        self.scan()
        if not self._images:
            raise DataError(f"{self.folder}: expected images of digits, got none. Fill it: digitedge collect read")

    def scan(self) -> None:
        """List the images again: those that are known keep their id, new ones are scored.

        Raises:
            DataError: see `list_images`.
        """
        with self._lock:
            found = list_images(self.folder)
            own = [image for image in found if self._is_inside(image.path)]
            if len(own) < len(found):
                self._log(f"{self.folder}: {len(found) - len(own)} links to images are left out")
            known = {(image.path, image.sha256): id for id, image in self._images.items()}
            self._images = {}
            for image in own:
                id = known.get((image.path, image.sha256))
                if id is None:
                    id, self._next_id = self._next_id, self._next_id + 1
                self._images[id] = image
                self._first_labels.setdefault(id, image.label)
            self._score([image for image in own if image.sha256 not in self._scores])

    def images(self) -> list[dict[str, Any]]:
        """All images as plain JSON: not checked before checked; unreadable ones, then the most doubtful labels."""
        with self._lock:
            states = [self.state(id) for id in self._images]
        return sorted(states, key=lambda state: (state["checked"], state["predicted"] is not None, state["agreement"]))

    def state(self, id: int) -> dict[str, Any]:
        """An image as plain JSON.

        Its keys: id, name, label (0 to 9, None for no digit), checked, predicted and confidence of the model (None if
        the image cannot be read), and agreement, 0 to 1: how probable the label is.
        """
        image = self._images[id]
        scores = self._scores[image.sha256]
        return {
            "id": id,
            "name": image.path.relative_to(self.folder).as_posix(),
            "label": image.label,
            "checked": image.record.checked,
            "predicted": None if scores is None else int(scores.argmax()),
            "confidence": None if scores is None else round(float(scores.max()), 4),
            "agreement": 0.0 if scores is None else round(_agreement(scores, image.label), 4),
        }

    def thumbnail(self, id: int) -> bytes | None:
        """An image as a small PNG; None if it is not there any more or cannot be read."""
        with self._lock:
            image = self._images.get(id)
        if image is None or not self._is_inside(image.path):
            return None
        try:
            pixels = read_image(image.path)
        except CameraError:
            return None
        height, width = pixels.shape[:2]
        scale = THUMBNAIL_SIDE / max(height, width)
        if scale < 1:
            pixels = resize(pixels, (max(1, round(scale * width)), max(1, round(scale * height))), cv2.INTER_AREA)
        return encode_image(pixels, ".png")

    def apply(self, changes: Sequence[LabelChange]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Write changes to the folder, each as far as it can be.

        Returns:
            The states of the images as they are now; and problems, {"id", "message"}, of those that were not changed.
        """
        done: list[int] = []
        problems: list[dict[str, Any]] = []
        with self._lock:
            for change in changes:
                try:
                    self._relabel(change)
                    done.append(change.id)
                except DigitEdgeError as exc:
                    problems.append({"id": change.id, "message": str(exc)})
            marks = {self._images[change.id].sha256: change.checked for change in changes if change.id in set(done)}
            problems += self._mark(marks, done)
            asked = dict.fromkeys(change.id for change in changes if change.id in self._images)
            return [self.state(id) for id in asked], problems

    def summary(self) -> LabelSummary:
        """Count what was done."""
        with self._lock:
            images = self._images.items()
            return LabelSummary(
                len(images),
                sum(image.record.checked for _, image in images),
                sum(image.label != self._first_labels[id] for id, image in images),
            )

    def _relabel(self, change: LabelChange) -> None:
        image = self._images.get(change.id)
        if image is None:
            raise DataError("This image is not there any more. Reload the page.")
        name = image.path.relative_to(self.folder).as_posix()
        if not self._is_inside(image.path) or not image.path.is_file():
            raise DataError(f"{name} is not there any more: it was moved or deleted meanwhile. Reload the page.")
        if _hash(image.path) != image.sha256:
            raise DataError(f"{name} was replaced by another image meanwhile. Reload the page.")
        if change.label != image.label:
            path = relabel(self.folder, image.path, change.label)
            self._images[change.id] = replace(image, path=path, label=change.label)

    def _mark(self, marks: dict[str, bool], done: Sequence[int]) -> list[dict[str, Any]]:
        """Note which images are checked, by sha256."""
        for checked in (True, False):
            chosen = [sha256 for sha256, value in marks.items() if value is checked]
            if not chosen:
                continue
            try:
                mark_checked(self.folder, chosen, checked=checked)
            except DigitEdgeError as exc:
                return [{"id": id, "message": str(exc)} for id in done]
        for id, image in self._images.items():  # all files of the same content
            if image.sha256 in marks:
                record = replace(image.record, checked=marks[image.sha256])
                self._images[id] = replace(image, record=record)
        return []

    def _is_inside(self, path: Path) -> bool:
        """Whether a file lies in the folder itself, and is no link."""
        return not path.is_symlink() and path.resolve().is_relative_to(self.folder.resolve())

    def _score(self, images: Sequence[LabelledImage]) -> None:
        for start in range(0, len(images), CHUNK):
            chunk = images[start : start + CHUNK]
            try:
                self._score_crops(chunk)
            except (CameraError, DataError):  # one of them is damaged or blank
                for image in chunk:
                    try:
                        self._score_crops([image])
                    except (CameraError, DataError):
                        self._scores[image.sha256] = None

    def _score_crops(self, images: Sequence[LabelledImage]) -> None:
        probabilities = self._classifier.probabilities(load_crops(self.folder, images, lambda line: None))
        self._scores |= {image.sha256: scores for image, scores in zip(images, probabilities, strict=True)}


def _agreement(scores: NDArray[np.float32], label: int | None) -> float:
    """How probable a label is, 0 to 1; of what is no digit, as little as the model is sure of one."""
    return float(1 - scores.max() if label is None else scores[label])


def _hash(path: Path) -> str:
    return hash_regular_file(path, max_bytes=memory_limit(), error=DataError, follow_links=False)[0]
