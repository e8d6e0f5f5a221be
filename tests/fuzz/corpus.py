"""The corpus: small files, one for each sort of lie that once got through, made from the models of this repository.

What a campaign finds, and what is then mended, gets a case: `make test` loads them all. Written to a folder, for other
tools:

    PYTHONPATH=tests python -m fuzz.corpus FOLDER
"""

import sys
from functools import cache
from pathlib import Path

from fuzz.case import Case
from fuzz.file_cases import bundle_cases, data_cases, image_cases, keras_cases, option_cases
from fuzz.model_cases import onnx_cases, tflite_cases

CORPUS = "corpus"
"""The seed that names the corpus."""

MAKERS = {
    "tflite": tflite_cases,
    "onnx": onnx_cases,
    "bundle": bundle_cases,
    "image": image_cases,
    "data": data_cases,
    "keras": keras_cases,
    "options": option_cases,
}
"""Kinds that have a corpus."""


@cache
def corpus(kind: str) -> list[Case]:
    """All cases of a kind."""
    return list(MAKERS[kind]())


def main() -> None:
    folder = Path(sys.argv[1])
    for kind in MAKERS:
        for number, case in enumerate(corpus(kind)):
            case.write(folder / kind / f"{number:03d}")
    print(f"{sum(len(corpus(kind)) for kind in MAKERS)} cases in {folder}")


if __name__ == "__main__":
    main()
