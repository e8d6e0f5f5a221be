"""A third-party Keras model, wrapped into one that meets the model contract: crops in, probabilities out."""

import json
import zipfile
from typing import Any

import keras
import numpy as np
from keras import layers

from digitedge.errors import InputError
from digitedge.exporting.layer_names import WRAPPER
from digitedge.runtime.adapter import CONTRACT, Adapter, Preprocessing
from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME
from digitedge.runtime.image_shape import Fit, ImageShape, find_image_shape
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.quiet import quiet

CONTRACT_SHAPE = (CROP_SIZE, CROP_SIZE, 1)


def build_contract_model(model: keras.Model, adapter: Adapter, shape: tuple[int, ...]) -> keras.Model:
    """Wrap a model with its preprocessing and, for other scores than probabilities, a softmax.

    Args:
        model: one image in, ten scores out. A model that meets the contract is returned unchanged.
        adapter: how it is used.
        shape: of one input, with numbers in place of free dimensions.
    """
    meets_contract = model.inputs[0].shape[1:] == CONTRACT_SHAPE and model.outputs[0].shape[1:] == (CLASSES,)
    if meets_contract and adapter == CONTRACT and model.inputs[0].dtype == "float32":
        return model
    image = keras.Input(CONTRACT_SHAPE, name=INPUT_NAME)
    x = _preprocess(image, adapter.preprocessing, shape)
    if model.inputs[0].dtype != "float32":
        x = _cast(x, model.inputs[0].dtype)
    x = model(x)
    if x.dtype != "float32":
        x = keras.ops.cast(x, "float32")
    if x.shape[1:] != (CLASSES,):
        x = layers.Reshape((CLASSES,), name=f"{WRAPPER}scores")(x)
    if adapter.softmax_scale is not None:
        if adapter.softmax_scale != 1:
            x = layers.Rescaling(adapter.softmax_scale, dtype="float32", name=f"{WRAPPER}scale")(x)
        x = layers.Softmax(name=f"{WRAPPER}{OUTPUT_NAME}", dtype="float32")(x)
    return keras.Model(image, x, name=model.name)


def _cast(x: Any, dtype: str) -> Any:
    """What `digitedge.runtime.adapter.to_dtype` does, as operations."""
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        x = keras.ops.clip(keras.ops.round(x), float(limits.min), float(limits.max))
    return keras.ops.cast(x, dtype)


def _preprocess(x: Any, preprocessing: Preprocessing, shape: tuple[int, ...]) -> Any:
    """What `digitedge.runtime.adapter.prepare` does, as layers."""
    image = find_image_shape(shape)
    if image is None:
        raise InputError(f"expected the input of an image, got the shape {shape}.")
    if preprocessing.transposed:
        x = layers.Permute((2, 1, 3), name=f"{WRAPPER}transposed")(x)
    if preprocessing.fit is not None:
        x = _fit(x, preprocessing.fit, image)
    if image.channels == 3:
        x = layers.Concatenate(dtype="float32", name=f"{WRAPPER}channels")([x] * 3)
    if preprocessing != Preprocessing(transposed=preprocessing.transposed, fit=preprocessing.fit):
        scale, offset = (_plain(value) for value in preprocessing.scale_and_offset)
        x = layers.Rescaling(scale, offset, dtype="float32", name=f"{WRAPPER}pixels")(x)
    if image.channels_first:
        x = layers.Permute((3, 1, 2), name=f"{WRAPPER}channels_first")(x)
    return x if x.shape[1:] == shape else layers.Reshape(shape, name=f"{WRAPPER}shape")(x)


def _fit(x: Any, fit: Fit, image: ImageShape) -> Any:
    if fit is Fit.RESIZE:
        return layers.Resizing(image.height, image.width, "bilinear", dtype="float32", name=f"{WRAPPER}size")(x)
    change = [abs(size - CROP_SIZE) for size in (image.height, image.width)]
    # `fit_matrix` puts the middle of the crop where these layers do, with an odd pixel on the same side.
    margins = tuple(((size + 1) // 2, size // 2) if fit is Fit.PAD else (size // 2, (size + 1) // 2) for size in change)
    layer = (layers.ZeroPadding2D if fit is Fit.PAD else layers.Cropping2D)(margins, name=f"{WRAPPER}size")
    return layer(x)


def _plain(value: Any) -> Any:
    return np.asarray(value, np.float64).tolist()


def without_mixed_precision(model: keras.Model) -> keras.Model:
    """A copy of a model that computes in float32, loaded by Keras from the edited file, with the same weights.

    A model that computes in float32 everywhere is returned unchanged.
    """
    if {layer.dtype_policy.name for layer in _all_layers(model)} <= {"float32"}:
        return model
    with temporary_folder() as folder:
        saved, edited = folder / "saved.keras", folder / "edited.keras"
        model.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(edited, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "config.json":
                    content = json.dumps(_in_float32(json.loads(content))).encode()
                target.writestr(name, content)
        with quiet(2):
            return keras.saving.load_model(edited, compile=False)


def _all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    return list(model._flatten_layers(include_self=False))


_FLOATS = {"mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"}


def _in_float32(config: Any) -> Any:
    """The config of a model with every floating type and dtype policy replaced by float32."""
    if isinstance(config, dict):
        return {key: _in_float32(value) for key, value in config.items()}
    if isinstance(config, list):
        return [_in_float32(value) for value in config]
    return "float32" if isinstance(config, str) and config in _FLOATS else config
