"""Use the released ONNX file with ONNX Runtime and NumPy alone, as any other program would; digitedge is not imported.

    pip install numpy onnxruntime && python demos/onnx_alone.py

The file takes crops as they are: uint8, 0 to 255, (N, 28, 28, 1). The crops here are those that every bundle carries.
"""

from pathlib import Path

import numpy as np
import onnxruntime

bundle = Path(__file__).resolve().parents[1] / "export" / "cnn"
golden = np.load(bundle / "golden.npz")
model = onnxruntime.InferenceSession(bundle / "model_int8.onnx", providers=["CPUExecutionProvider"])

crops = golden["crops"][..., np.newaxis]  # (250, 28, 28, 1)
(probabilities,) = model.run(["probabilities"], {"image": crops})
answers = probabilities.argmax(axis=1)

for line in answers.reshape(-1, 25):
    print(*line)
same = int((answers == golden["reference"].argmax(axis=1)).sum())
print(f"{same} of {len(answers)} answers are those of the Keras original")
