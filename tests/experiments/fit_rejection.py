"""Fit the weights of `digitedge.reader.rejection` on rendered hard scenes: prints WEIGHTS, BIAS, and their effect.

Logistic regression by Newton's method. Every scene counts as the root of its number of marks, so that neither a page of
a hundred digits nor a lone one rules. Scenes of other seeds judge. Arguments: model and number of scenes; two minutes.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Model, load_model
from digitedge.metrics.detection import compare
from digitedge.reader.classify import Guess, recognize
from digitedge.reader.rejection import BIAS, CLUES, ROUNDS, WEIGHTS, clues, first_says
from digitedge.synthetic.scenes.hard_scenes import HardScene, render_hard_scene
from digitedge.vision import find_writing

SEED, OTHER_SEED = 70_000, 80_000
# Holds down what the scenes overstate: their hands vary less in height than people's.
RIDGE = 0.3
# Pages of words are a twelfth of the scenes, but most of what a camera sees that is not digits. So each counts more.
LETTERS, LETTERS_COUNT = "letters", 5.0


@dataclass(frozen=True)
class Page:
    """The guesses of one scene and its neutral confidence; who can be judged, who is right; how much it counts."""

    guesses: list[Guess]
    neutral: float
    judged: NDArray[np.bool_]
    right: NDArray[np.bool_]
    count: float

    def table(self, before: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Clues with a one in front; the neighbours speak as `before` judged them, if there was a round before."""
        says = first_says(self.guesses)
        if before is not None:
            says = with_one(clues(self.guesses, says, self.neutral)) @ before
        return with_one(clues(self.guesses, says, self.neutral))[self.judged]


def main() -> None:
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    loaded = load_model(model, force=True)
    pages = list(pages_of(loaded, SEED, count))
    weights = None
    for _ in range(ROUNDS + 1):  # the last weights are those of a round that they judged themselves
        weights = fit(pages, weights)
    print(f"WEIGHTS = np.array({np.round(weights[1:], 2).tolist()})  # {', '.join(CLUES)}\nBIAS = {weights[0]:.2f}")
    others = list(pages_of(loaded, OTHER_SEED, count // 2))
    for name, used in (("now", np.r_[BIAS, WEIGHTS]), ("new", weights)):
        kept = [page.table(used) @ used > 0 for page in others]
        right = sum(int((keep & page.right).sum()) for keep, page in zip(kept, others, strict=True))
        wrong = sum(int((keep & ~page.right).sum()) for keep, page in zip(kept, others, strict=True))
        digits = sum(int(page.right.sum()) for page in others)
        print(
            f"{name}: of {digits} digits {right} kept, of {sum(len(p.right) for p in others) - digits} others {wrong}"
        )


def with_one(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.c_[np.ones(len(table)), table]


def pages_of(model: Model, seed: int, count: int) -> Iterator[Page]:
    """Read hard scenes."""
    for number in range(count):
        scene = render_hard_scene(seed=seed + number)
        guesses = recognize(find_writing(scene.frame), model.classifier)
        judged = judgeable(scene, guesses)
        if judged.any():
            right = {id(guess) for _, guess in compare(scene.digits, guesses).right}
            truth = np.array([id(guess) in right for guess in guesses])[judged]
            yield Page(guesses, model.threshold, judged, truth, LETTERS_COUNT if scene.kind == LETTERS else 1.0)


def judgeable(scene: HardScene, guesses: list) -> NDArray[np.bool_]:
    """Marks that may be digits, and of which the truth is known."""
    ignored = {id(guess) for guess in compare(scene.digits, guesses, ignore=scene.ignore).ignored}
    return np.array([not guess.mark.flaw and id(guess) not in ignored for guess in guesses], bool)


def fit(pages: list[Page], before: NDArray[np.float64] | None) -> NDArray[np.float64]:
    table = np.concatenate([page.table(before) for page in pages])
    truth = np.concatenate([page.right for page in pages]).astype(float)
    counts = np.concatenate([np.full(len(page.right), page.count * len(page.right) ** -0.5) for page in pages])
    weights = np.zeros(table.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-table @ weights))
        slope = table.T @ (counts * (truth - expected)) - RIDGE * weights
        curve = (table * (counts * expected * (1 - expected))[:, None]).T @ table + RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(curve, slope)
    return weights


if __name__ == "__main__":
    main()
