"""The stages of reading, timed where the reader calls them.

The reader is not taken apart for this, and nothing of it is written down twice: for the time of a measurement each
step's name leads to the same function with a clock around it (about a microsecond a call). So the order, the
number of calls and the arguments are the reader's own, and a step that is renamed is an error here at once.
(Rejected: a profiler, whose cost for every inner call doubles the crops; and a second copy of the way of a frame.)
"""

import functools
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from digitedge.reader.reader import Reader

STAGES: dict[str, tuple[str, ...]] = {
    "grey": ("digitedge.reader.reader.find_writing",),
    "light": ("digitedge.vision.detect.light_of", "digitedge.vision.detect.ink_of"),
    "threshold": ("digitedge.vision.detect.binarize",),
    "lines": (
        "digitedge.vision.detect.find_rulings",
        "digitedge.vision.detect.find_lines",
        "digitedge.vision.detect.erase_lines",
    ),
    "components": (
        "digitedge.vision.detect.components",
        "digitedge.vision.detect.scale_of",
        "digitedge.vision.detect.segment",
    ),
    "crops": ("digitedge.reader.classify.normalize_digit",),
    "runtime": (),
    "regroup": ("digitedge.reader.reader.recognize",),
    "verdicts": ("digitedge.reader.reader.decide",),
    "rows": ("digitedge.reader.reader.arrange",),
}
"""Stage -> the functions in it, in the order of the way. A function's time is what it spends outside other stages, so
`find_writing` itself is left with the grey image and its scaling, and `recognize` with regrouping what is doubted."""


class Stopwatch:
    """Milliseconds of each stage since the last `take`."""

    def __init__(self) -> None:
        self._ms = dict.fromkeys(STAGES, 0.0)
        self._inner: list[float] = []  # for each running function, what the stages inside it took

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function with a clock around it."""

        @functools.wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                took = 1000 * (time.perf_counter() - started)
                self._ms[stage] += took - self._inner.pop()
                if self._inner:
                    self._inner[-1] += took

        return run

    def take(self) -> dict[str, float]:
        """Milliseconds of each stage; the next ones start at 0."""
        taken, self._ms = self._ms, dict.fromkeys(STAGES, 0.0)
        return taken


class TimedClassifier:
    """A classifier with a clock around it."""

    def __init__(self, classifier: Any, watch: Stopwatch) -> None:
        self.probabilities = watch.timed("runtime", classifier.probabilities)


@contextmanager
def stages_timed(reader: Reader) -> Iterator[Stopwatch]:
    """Put clocks around all stages while the block runs. Readings build their rows, so their own rest counts there."""
    watch = Stopwatch()
    with ExitStack() as stack:
        for stage, names in STAGES.items():
            for name in names:
                module, _, function = name.rpartition(".")
                _replace(stack, importlib.import_module(module), function, functools.partial(watch.timed, stage))
        _replace(stack, reader, "classifier", lambda classifier: TimedClassifier(classifier, watch))
        _replace(stack, reader, "read", functools.partial(watch.timed, "rows"))
        yield watch


def _replace(stack: ExitStack, owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Change what a name leads to until the stack is left."""
    before = getattr(owner, name)
    stack.callback(setattr, owner, name, before)
    setattr(owner, name, change(before))
