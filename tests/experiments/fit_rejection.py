"""Fit the networks of `digitedge.reader.rejection` on rendered documents and scenes; writes reader/rejection.npz.

The pipeline itself cuts the candidates, the ground truth says which are digits. Two thirds of the documents are in the
handwriting of MNIST images that the models were not trained on. Every page weighs as the root of its
number of candidates, so that neither a page of a thousand letters nor a single digit dominates. The second network sees
what the first one says of the neighbours. Validated on documents of kinds that were not trained on.

    python tests/experiments/fit_rejection.py [--model M ...] [--documents 2100] [--scenes 550] [--dry-run]
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import digitedge.reader.rejection as rejection
from digitedge.bundle.bundle import load_model
from digitedge.datasets.mnist import load_mnist
from digitedge.metrics.detection import match_digits
from digitedge.reader.classify import classify_candidates
from digitedge.reader.context import (
    CONTEXTS,
    FEATURES,
    STATISTICS,
    CandidateTable,
    describe,
    extract_features,
    initial_evidence,
)
from digitedge.reader.rejection import MAX_DEVIATION, Network, final_features
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.scenes import render_document, render_scene
from digitedge.utils.files import atomic_file
from digitedge.vision import detect_candidates

DOCUMENT_SEED = 100_000
SCENE_SEED = 70_000
VALIDATION_SEED = 900_000
VALIDATION_DOCUMENTS = 160
SMALL = Path(__file__).parents[2] / "export" / "small"
HIDDEN = 128
# Number of networks that are fitted; their mean is better than each, and less a matter of chance.
ENSEMBLE = 4
EPOCHS = 20
BATCH = 512
LEARNING_RATE = 3e-3
L2 = 1e-4
# Share of the candidates for which a neighbourhood is hidden, each by itself: real pages have other neighbourhoods than
# rendered ones, and none of them may decide alone.
HIDDEN_SHARE = 0.2
NEIGHBOURHOODS = (
    *([FEATURES.index(f"{context}_{statistic}") for statistic in STATISTICS] for context in CONTEXTS),
    [FEATURES.index(name) for name in ("left_gap", "left", "right_gap", "right")],
)
# Pages without digits are a sixth of the documents, but most of what a camera sees: they weigh more.
EMPTY_WEIGHT = 3.0
# Weight of what the ground truth of a document ignores, as a non-digit: most of it is small print beside writing.
IGNORED_WEIGHT = 0.6
# Added to the log odds of the last network, and to those of a 1, which a pen, a slash or a comma may be, too. Chosen on
# practice images and drawn pages.
BIAS_SHIFT = 0.75
BIAS_SHIFT_OF_1 = 0.25
# Pages with more candidates (full pages of print) are left out: they take most of the time and teach little.
MAX_CANDIDATES = 900
# MNIST images on which `train` validates.
VALIDATION_IMAGES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """The candidates of one page.

    Attributes:
        table: of all N candidates.
        reject_threshold: of the model.
        is_digit: bool (N,), whether it is a digit and is classified correctly.
        certainty: float64 (N,), of the ground truth, 0 to 1; 0 for what cannot be a digit whatever it is.
    """

    table: CandidateTable
    reject_threshold: float
    is_digit: NDArray[np.bool_]
    certainty: NDArray[np.float64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """bool (N,), whether the candidate is learned from."""
        return self.certainty > 0

    def weights(self) -> NDArray[np.float64]:
        """Return the weight of each known candidate in the loss."""
        certainty = self.certainty[self.is_known]
        return certainty * certainty.sum() ** -0.5 * (1.0 if self.is_digit.any() else EMPTY_WEIGHT)


def main() -> None:
    """Fit both networks, print their effect, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, nargs="+", default=[None, SMALL], help="models whose predictions are used"
    )
    parser.add_argument("--documents", type=int, default=2100)
    parser.add_argument("--scenes", type=int, default=550)
    parser.add_argument("--dry-run", action="store_true", help="do not write the weights")
    options = parser.parse_args()
    seeds = [DOCUMENT_SEED + i for i in range(options.documents)] + [SCENE_SEED + i for i in range(options.scenes)]
    training = make_pages(seeds, options.model)
    validation = make_pages([VALIDATION_SEED + i for i in range(VALIDATION_DOCUMENTS)], options.model)
    first = fit(
        [extract_features(one.table, initial_evidence(one.table), one.reject_threshold) for one in training], training
    )
    last = fit([final_features(one.table, first, one.reject_threshold) for one in training], training)
    last = shift_log_odds(last)
    report(validation, first, last)
    if not options.dry_run:
        write(first, last)


@cache
def written_digits() -> WrittenDigits:
    """Return handwriting that no model was trained on."""
    data = load_mnist()
    return WrittenDigits(data.x_train[-VALIDATION_IMAGES:], data.y_train[-VALIDATION_IMAGES:])


def make_pages(seeds: Sequence[int], models: Sequence[Path | None]) -> list[Page]:
    """Render pages and classify their candidates with each of the models, in all processes."""
    with ProcessPoolExecutor() as pool:
        made = pool.map(partial(make_page, models=models), seeds, chunksize=8)
        return [page for pages in made for page in pages]


def make_page(seed: int, *, models: Sequence[Path | None]) -> list[Page]:
    """Render one page, and return its candidates as each of the models sees them."""
    if seed < DOCUMENT_SEED:
        scene, ignored_weight = render_scene(seed=seed), 0.0
    else:
        written = written_digits() if seed % 3 else None
        scene = render_document(seed, evaluation=seed >= VALIDATION_SEED, written=written)
        ignored_weight = IGNORED_WEIGHT
    detection = detect_candidates(scene.frame)
    pages = []
    for model in (load_model(path, force=True) for path in models):
        predictions = classify_candidates(detection, model.classifier)
        matches = match_digits(scene.digits, predictions, ignore=scene.ignore)
        ignored = {id(one) for one in matches.ignored}
        correct = {id(one) for _, one in matches.true_positives}
        certainty = np.array([ignored_weight if id(one) in ignored else 1.0 for one in predictions])
        certainty[[bool(one.candidate.reject_reason) for one in predictions]] = 0.0
        if certainty.any() and len(predictions) <= MAX_CANDIDATES:
            is_digit = np.array([id(one) in correct for one in predictions])
            table = describe(predictions, detection.shape, detection.lines())
            pages.append(Page(table, model.reject_threshold, is_digit, certainty))
    return pages


def fit(features: Sequence[NDArray[np.float64]], pages: Sequence[Page]) -> Network:
    """Fit ENSEMBLE networks to the known candidates of all pages; return one that gives their mean log odds."""
    inputs = np.concatenate([rows[page.is_known] for rows, page in zip(features, pages, strict=True)], dtype=np.float32)
    labels = np.concatenate([page.is_digit[page.is_known] for page in pages]).astype(np.float64)
    weights = np.concatenate([page.weights() for page in pages])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    inputs = ((inputs - mean) / scale).clip(-MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)
    fitted = [fit_one(inputs, labels, weights, seed) for seed in range(ENSEMBLE)]
    hidden, hidden_bias, output, bias = (np.concatenate(parts, axis=-1) for parts in zip(*fitted, strict=True))
    return Network(mean, scale, hidden, hidden_bias, output / ENSEMBLE, bias.mean())


def fit_one(
    inputs: NDArray[np.float32], labels: NDArray[np.float64], weights: NDArray[np.float64], seed: int
) -> list[NDArray[np.float32]]:
    """Fit one network with Adam and a cosine schedule; return the weights and biases of its two layers."""
    rng = np.random.default_rng(seed)
    width = inputs.shape[1]
    parameters = [
        rng.normal(0, np.sqrt(2 / width), (width, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        rng.normal(0, np.sqrt(1 / HIDDEN), HIDDEN).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    moments = [np.zeros_like(one) for one in parameters], [np.zeros_like(one) for one in parameters]
    batches = -(-len(inputs) // BATCH)
    step = 0
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(inputs)), batches):
            step += 1
            x = inputs[batch]
            for columns, chance in zip(NEIGHBOURHOODS, rng.random((len(NEIGHBOURHOODS), len(x))), strict=True):
                x[np.ix_(chance < HIDDEN_SHARE, columns)] = 0  # the mean
            before = x @ parameters[0] + parameters[1]
            after = np.maximum(before, 0)
            probability = 1 / (1 + np.exp(-(after @ parameters[2] + parameters[3])))
            error = (weights[batch] * (probability - labels[batch]) / weights[batch].sum()).astype(np.float32)
            back = np.outer(error, parameters[2]) * (before > 0)
            gradients = [
                x.T @ back + L2 * parameters[0],
                back.sum(axis=0),
                after.T @ error + L2 * parameters[2],
                error.sum(keepdims=True),
            ]
            rate = LEARNING_RATE * (1 + np.cos(np.pi * step / (EPOCHS * batches))) / 2
            for parameter, gradient, average, square in zip(parameters, gradients, *moments, strict=True):
                average += 0.1 * (gradient - average)
                square += 0.001 * (gradient**2 - square)
                step_size = rate / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
                parameter -= (step_size * average).astype(np.float32)
    return parameters


def shift_log_odds(network: Network) -> Network:
    """Raise the log odds, those of a 1 less than all others: a hidden unit of its own is 0 for every other digit."""
    column = FEATURES.index("is_1")
    hidden = np.zeros((len(FEATURES), 1), np.float32)
    hidden[column] = 1
    of_a_1 = (1 - network.mean[column]) / network.scale[column]  # what this unit gives for a 1
    return replace(
        network,
        hidden=np.hstack([network.hidden, hidden]),
        hidden_bias=np.append(network.hidden_bias, np.float32(0)),
        output=np.append(network.output, (BIAS_SHIFT_OF_1 - BIAS_SHIFT) / of_a_1),
        bias=network.bias + BIAS_SHIFT,
    )


def report(pages: Sequence[Page], first: Network, last: Network) -> None:
    """Print how many digits and how many other candidates of the pages are kept."""
    kept_digits = digits = kept_others = others = 0
    for page in pages:
        kept = last.log_odds(final_features(page.table, first, page.reject_threshold)) > 0
        is_other = (page.certainty == 1) & ~page.is_digit
        digits += int(page.is_digit.sum())
        others += int(is_other.sum())
        kept_digits += int((kept & page.is_digit).sum())
        kept_others += int((kept & is_other).sum())
    print(f"{len(pages)} pages: keeps {kept_digits} of {digits} digits, and {kept_others} of {others} other candidates")


def write(first: Network, last: Network) -> None:
    """Write the weights beside the module that uses them, in float16: half the size and the same decisions."""
    arrays = {
        f"{number}_{name}": np.asarray(getattr(network, name), np.float16)
        for number, network in enumerate((first, last), start=1)
        for name in Network.__slots__
    }
    path = Path(rejection.__file__).with_name(rejection.WEIGHTS_FILE)
    with atomic_file(path) as draft:
        np.savez(draft, **arrays)
    print(f"wrote {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
