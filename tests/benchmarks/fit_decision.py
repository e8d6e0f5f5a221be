"""Fit the weights of `digitedge.decision` on rendered hard scenes: prints WEIGHTS and BIAS, and what they do elsewhere.

Logistic regression by Newton's method. Every scene counts as the root of its number of marks, so that neither a page of
a hundred digits nor a lone one rules. Scenes of other seeds judge. About two minutes: `fit_decision.py [MODEL] [SCENES]`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle import load_model
from digitedge.data.hard_scenes import HardScene, render_hard_scene
from digitedge.decision import BIAS, CLUES, WEIGHTS, clues
from digitedge.recognition import recognize
from digitedge.runtime import Classifier
from digitedge.scoring import compare
from digitedge.vision import find_writing

SEED, OTHER_SEED = 70_000, 80_000
RIDGE = 1e-2
Marks = tuple[NDArray[np.float64], NDArray[np.bool_]]


def main() -> None:
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    classifier = load_model(model, force=True).classifier
    weights = fit(list(marks_of(classifier, SEED, count)))
    print(f"WEIGHTS = np.array({np.round(weights[1:], 2).tolist()})  # {', '.join(CLUES)}\nBIAS = {weights[0]:.2f}")
    others = list(marks_of(classifier, OTHER_SEED, count // 2))
    for name, used in (("now", np.r_[BIAS, WEIGHTS]), ("new", weights)):
        right, wrong = np.sum([kept(used, marks) for marks in others], axis=0)
        digits = sum(int(truth.sum()) for _, truth in others)
        print(f"{name}: of {digits} digits {right} kept, of {sum(len(t) for _, t in others) - digits} others {wrong}")


def marks_of(classifier: Classifier, seed: int, count: int) -> Iterator[Marks]:
    """Clues (N, 7), a one in front, and truth (N,) of the marks of each scene."""
    for number in range(count):
        scene = render_hard_scene(seed=seed + number)
        guesses = recognize(find_writing(scene.frame), classifier)
        judged = judgeable(scene, guesses)
        if judged.any():
            table = np.c_[np.ones(len(guesses)), clues(guesses)][judged]
            right = {id(guess) for _, guess in compare(scene.digits, guesses).right}
            yield table, np.array([id(guess) in right for guess in guesses])[judged]


def judgeable(scene: HardScene, guesses: list) -> NDArray[np.bool_]:
    """Marks that may be digits, and of which the truth is known."""
    ignored = {id(guess) for guess in compare(scene.digits, guesses, ignore=scene.ignore).ignored}
    return np.array([not guess.mark.flaw and id(guess) not in ignored for guess in guesses], bool)


def fit(scenes: list[Marks]) -> NDArray[np.float64]:
    table = np.concatenate([marks for marks, _ in scenes])
    truth = np.concatenate([truth for _, truth in scenes]).astype(float)
    counts = np.concatenate([np.full(len(truth), len(truth) ** -0.5) for _, truth in scenes])
    weights = np.zeros(table.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-table @ weights))
        slope = table.T @ (counts * (truth - expected)) - RIDGE * weights
        curve = (table * (counts * expected * (1 - expected))[:, None]).T @ table + RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(curve, slope)
    return weights


def kept(weights: NDArray[np.float64], marks: Marks) -> tuple[int, int]:
    """How many digits, and how many others, these weights keep."""
    table, truth = marks
    keep = table @ weights > 0
    return int((keep & truth).sum()), int((keep & ~truth).sum())


if __name__ == "__main__":
    main()
