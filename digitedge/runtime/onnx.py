"""ONNX files in ONNX Runtime."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME, check_crops, check_outputs
from digitedge.utils.crop_format import CROP_SIZE


class OnnxClassifier:
    """An `.onnx` file that meets the model contract; see `load_classifier` for arguments and errors.

    One call scores all crops at once.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        import onnxruntime

        self.path = path
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors reach the user as exceptions, once
        try:
            content = path.read_bytes()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except OSError as exc:
            raise ModelError(f"cannot read {path}: {exc.strerror or exc}. Give the path of an .onnx file.") from exc
        except Exception as exc:  # onnxruntime's own exceptions share no base but Exception
            reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
            raise ModelError(
                f"{path}: expected an ONNX model that ONNX Runtime can run, got: {reason} Export it again."
            ) from exc
        self._check_tensors()
        check_outputs(self, path)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        check_crops(crops)
        if not len(crops):
            return np.empty((0, CLASSES), np.float32)
        (scores,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: crops[..., None]})  # (N, 28, 28, 1)
        return np.asarray(scores, np.float32)

    def _check_tensors(self) -> None:
        found = [
            [(t.name, t.type, list(t.shape)) for t in side]
            for side in (self._session.get_inputs(), self._session.get_outputs())
        ]
        expected = [
            [(INPUT_NAME, "tensor(uint8)", ["N", CROP_SIZE, CROP_SIZE, 1])],
            [(OUTPUT_NAME, "tensor(float)", ["N", CLASSES])],
        ]
        if found != expected:
            raise ModelError(
                f"{self.path}: expected input image uint8 (N, 28, 28, 1) and output probabilities float (N, 10), got "
                f"inputs {found[0]} and outputs {found[1]}. Export the Keras file with: digitedge export FILE.keras"
            )
