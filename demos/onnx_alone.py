"""Use the released ONNX file with ONNX Runtime and NumPy only, without digitedge.

    pip install numpy onnxruntime && python demos/onnx_alone.py

The file takes crops as they are: uint8, 0 to 255, (N, 28, 28, 1). These crops are the golden set of the bundle.
"""

from pathlib import Path

import numpy as np
import onnxruntime

bundle = Path(__file__).resolve().parents[1] / "export" / "cnn"
golden = np.load(bundle / "golden.npz")
model = onnxruntime.InferenceSession(bundle / "model_int8.onnx", providers=["CPUExecutionProvider"])

crops = golden["crops"][..., np.newaxis]  # (250, 28, 28, 1)
(probabilities,) = model.run(["probabilities"], {"image": crops})
digits = probabilities.argmax(axis=1)

for line in digits.reshape(-1, 25):
    print(*line)
same = int((digits == golden["reference"].argmax(axis=1)).sum())
print(f"{same} of {len(digits)} digits are the same as with the Keras original")
