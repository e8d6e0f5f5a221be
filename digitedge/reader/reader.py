"""The reader: an image in, a reading out."""

import time as clock
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.adaptation import load_adapted
from digitedge.bundle.bundle import DEFAULT_REJECT_THRESHOLD, Model, load_model
from digitedge.errors import InputError
from digitedge.reader.classify import Prediction, classify_candidates
from digitedge.reader.reading import Arrangement, Digit, Reading, Table, arrange_rows, count_rejected
from digitedge.reader.rejection import MIN_CONFIDENCE, decide
from digitedge.reader.tables import fill_tables
from digitedge.reader.trace import Trace
from digitedge.runtime import Classifier
from digitedge.utils.images import check_image, read_image
from digitedge.vision import Stage, StageClock, detect_candidates, split_rows
from digitedge.vision.tables import find_tables


class Reader:
    """Reads digits in images with one model, which is loaded once."""

    def __init__(
        self,
        model: str | Path | Model | Classifier | None = None,
        *,
        threshold: float = MIN_CONFIDENCE,
        force: bool = False,
        threads: int = 1,
        adaptation: str | Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: a bundle, a model file (also third-party), what `load_model` or `load_classifier` return, or
                None for the released bundle.
            threshold: least confidence of a digit, 0 to 1, regardless of other evidence.
            force: load a model that failed parity.
            threads: of the runtime, see `load_classifier`.
            adaptation: file that `digitedge adapt` has written for this model; None for none.

        Raises:
            InputError: a threshold outside 0 to 1, less than one thread, something else than a model, or an adaptation
                for a classifier.
            ModelError: the model is missing, damaged, or not what its manifest says; the adaptation is damaged, of
                another model, or has not passed.
            ParityError: it failed parity, and `force` is false.
            MissingExtraError: the runtime that it needs is not installed.
        """
        self.threshold = threshold
        if model is None or isinstance(model, str | Path):
            model = load_model(model, force=force, threads=threads)
        if adaptation is not None:
            if not isinstance(model, Model):
                raise InputError(f"expected a model of `load_model` for the adaptation, got {type(model).__name__}.")
            model = load_adapted(model, adaptation)
        self.use(model)

    def use(self, model: Model | Classifier) -> None:
        """Read with another model from the next image on; an image that is being read stays with its own.

        It may be called from another thread.

        Raises:
            InputError: something else than a model.
        """
        if isinstance(model, Model):
            self._model = model.classifier, model.reject_threshold  # one value, so that no reader sees half of it
        elif hasattr(model, "probabilities"):
            self._model = model, DEFAULT_REJECT_THRESHOLD
        else:
            raise InputError(f"expected the path of a model or a classifier, got {type(model).__name__}.")

    @property
    def classifier(self) -> Classifier:
        """What scores the crops."""
        return self._model[0]

    @property
    def reject_threshold(self) -> float:
        """Confidence that is evidence neither for nor against a digit, from the manifest of the model."""
        return self._model[1]

    @property
    def threshold(self) -> float:
        """Least confidence of a digit, 0 to 1; it may be changed between two images."""
        return self._threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        if not 0 <= threshold <= 1:  # also true for NaN
            raise InputError(f"threshold must be from 0 to 1, got {threshold}. {MIN_CONFIDENCE} is the default.")
        self._threshold = threshold

    def read(
        self,
        image: NDArray[np.uint8] | str | Path,
        *,
        source: str | None = None,
        index: int = 0,
        time: float | None = None,
    ) -> Reading:
        """Read all digits in an image.

        Args:
            image: uint8 (H, W, 3) BGR, as OpenCV gives them, or (H, W) grey; or the path of an image file. Dark ink on
                paper, or light strokes on a board.
            source: name of the camera or file, for the reading; None for the path, or "".
            index: number of the frame in its source, from 0.
            time: seconds since the start of the source.

        Raises:
            InputError: another type or shape, or an image without pixels.
            CameraError: an image file that is missing or damaged.

        Examples:
            >>> class Sevens:
            ...     def probabilities(self, crops):
            ...         return np.tile(np.eye(10, dtype=np.float32)[7], (len(crops), 1))
            >>> page = np.full((120, 200), 230, np.uint8)
            >>> page[40:80, 60:65] = page[42:82, 90:95] = 40
            >>> Reader(Sevens()).read(page).rows
            ('77',)
        """
        name = str(image) if source is None and isinstance(image, str | Path) else source or ""
        image = _load_image(image)
        started = clock.perf_counter()
        trace, arrangement, tables = self._run(image)
        return Reading(
            **arrangement,
            tables=tables,
            rejected=count_rejected(trace.decisions),
            width=trace.image.shape[1],
            height=trace.image.shape[0],
            ms=round(1000 * (clock.perf_counter() - started), 2),
            source=name,
            frame=index,
            time=time,
            trace=trace,
        )

    def trace(self, image: NDArray[np.uint8] | str | Path) -> Trace:
        """Run the pipeline and return the result of every stage.

        Args:
            image: as for `read`.

        Raises:
            InputError: another type or shape, or an image without pixels.
            CameraError: an image file that is missing or damaged.

        Examples:
            >>> page = np.full((120, 200), 230, np.uint8)
            >>> page[40:45, 40:65] = page[40:80, 60:65] = 40  # a seven
            >>> trace = Reader().trace(page)
            >>> [(decision.prediction.digit, decision.kept) for decision in trace.decisions]
            [(7, True)]
        """
        return self._run(_load_image(image))[0]

    def _run(self, image: NDArray[np.uint8]) -> tuple[Trace, Arrangement, tuple[Table, ...]]:
        classifier, reject_threshold = self._model
        stages = StageClock()
        detection = detect_candidates(image, stages)
        predictions = classify_candidates(detection, classifier, stages)
        lines = detection.lines()
        with stages.measure(Stage.DECISIONS):
            decisions = decide(
                predictions,
                detection.shape,
                lines,
                min_confidence=self.threshold,
                reject_threshold=reject_threshold,
            )
        with stages.measure(Stage.ROWS):
            kept = [index for index, decision in enumerate(decisions) if decision.kept]
            rows = split_rows([decisions[index].box for index in kept])
            indices = tuple(tuple(kept[i] for i in row) for row in rows)
            arrangement = arrange_rows([[_to_digit(predictions[index]) for index in row] for row in indices])
            tables = fill_tables(find_tables(lines, detection.shape), arrangement["digits"])
        return Trace(image, detection, tuple(decisions), indices, stages.ms), arrangement, tables


def _to_digit(prediction: Prediction) -> Digit:
    return Digit(
        prediction.digit,
        round(prediction.confidence, 4),
        prediction.box,
        crop=prediction.crop,
        probabilities=prediction.probabilities,
    )


def _load_image(image: NDArray[np.uint8] | str | Path) -> NDArray[np.uint8]:
    """Read an image file, or check an array."""
    if isinstance(image, str | Path):
        return read_image(image)
    check_image(image)
    return image
