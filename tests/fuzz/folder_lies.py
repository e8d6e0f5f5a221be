"""Folders that lie: bundles, data sets, annotated images, run folders, and Keras files, which are archives."""

import hashlib
import json
import random
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzz.array_lies import Zeros, csv_lie, idx_lie, npz_lie, zip_bytes
from fuzz.case import CODE_MARK, ROOT, TEXTS, Case, Content, Link, Pipe, damage
from fuzz.image_lies import make_image
from fuzz.json_lies import json_lie
from fuzz.onnx_lies import make_onnx
from fuzz.tflite_lies import make_tflite

BUNDLE = ROOT / "export" / "small"
LINKS = ("/dev/zero", "/dev/random", "/etc/passwd", "/dev/stdin", "missing", ".", "/proc/self/mem", "manifest.json")


def instead(rng: random.Random, name: str) -> tuple[str, str, Content]:
    """What stands at the place of a file and is none."""
    if rng.random() < 0.3:
        return "pipe", name, Pipe()
    target = rng.choice((*LINKS, Path(name).name))
    return "link", f"{name} -> {target}", Link(target)


@cache
def _manifest() -> Any:
    return json.loads((BUNDLE / "manifest.json").read_text())


@cache
def _golden() -> Any:
    with np.load(BUNDLE / "golden.npz") as archive:
        return {name: archive[name][:8] for name in archive.files}


def bundle_files() -> dict[str, Content]:
    """The files of a real bundle."""
    names = (*_manifest()["files"], *_manifest()["others"], "manifest.json")
    return {name: BUNDLE / name for name in names}


def vouched(lie: str, name: str, content: bytes, *, detail: str = "") -> Case:
    """A bundle with another file in place of one of its own, with its size and hash in the manifest."""
    manifest = json.loads(json.dumps(_manifest()))
    files = bundle_files()
    files[name] = content
    entry = manifest["files"].get(name) or manifest["others"][name]
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    if "bytes" in entry:
        entry["bytes"] = len(content)
    if name.endswith(".onnx"):  # so that it is the one that runs
        manifest["files"] = {key: value for key, value in manifest["files"].items() if key.endswith(".onnx")}
    files["manifest.json"] = json.dumps(manifest).encode()
    return Case(f"bundle, vouched for: {lie}", f"{name}: {detail}", files)


def make_bundle(rng: random.Random) -> Case:
    """Draw a bundle: the files of a real one, but for one that lies."""
    files = bundle_files()
    choice = rng.randrange(10)
    if choice < 4:
        lie, detail, files["manifest.json"] = json_lie(rng, _manifest())
        return Case(f"manifest: {lie}", detail, files)
    name = rng.choice(list(files))
    if choice == 4:
        lie, detail, files[name] = instead(rng, name)
        return Case(f"bundle: {lie}", detail, files)
    if choice == 5:
        if rng.random() < 0.5:
            del files[name]
            return Case("bundle: file missing", name, files)
        lie, files[name] = damage(rng, (BUNDLE / name).read_bytes())
        return Case(f"bundle: {lie}", name, files)
    if choice in (6, 7):
        lie, detail, content = npz_lie(rng, _golden())
        return vouched(lie, "golden.npz", content, detail=detail)
    made = (make_tflite if rng.random() < 0.6 else make_onnx)(rng)
    content = made.files[made.main]
    assert isinstance(content, bytes)
    return vouched(made.lie, f"model_int8{Path(made.main).suffix}", content, detail=made.detail)


def make_data(rng: random.Random) -> Case:
    """Draw a data set: npz, csv, idx, or a folder of images."""
    digits = np.full((12, 28, 28), 255, np.uint8)
    digits[:, 5:22, 12:16] = np.arange(12, dtype=np.uint8)[:, None, None]
    labels = np.arange(12, dtype=np.uint8) % 10
    choice = rng.randrange(5)
    if choice == 0:
        lie, detail, content = npz_lie(rng, {"x": digits, "y": labels})
        return Case(lie, detail, {"digits.npz": content}, "digits.npz")
    if choice == 1:
        rows = [[label, *image[::4, ::4].ravel()] for label, image in zip(labels, digits, strict=True)]
        lie, detail, content = csv_lie(rng, rows)
        return Case(lie, detail, {"digits.csv": content}, "digits.csv")
    if choice == 2:
        files: dict[str, Content] = {}
        names = (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        )
        lie, detail, content = idx_lie(rng)
        for name in names:
            files[f"mnist/{name}{'.gz' if 'gz' in lie else ''}"] = content
        if rng.random() < 0.2:
            lie, detail, files[next(iter(files))] = instead(rng, "train-images-idx3-ubyte")
        return Case(f"mnist: {lie}", detail, files, "mnist")
    image = make_image(rng)
    content = image.files[image.main]
    suffix = Path(image.main).suffix
    if choice == 3:
        names = (
            f"7/a{suffix}",
            f"10/a{suffix}",
            f"7_a{suffix}",
            f"x{suffix}",
            f"٣/a{suffix}",
            f"7/\x1b[31m{suffix}",
            f"7/{'a' * 200}{suffix}",
        )
        files = {f"digits/{rng.choice(names)}": content}
        if rng.random() < 0.2:
            lie, detail, files["digits/7/b.png"] = instead(rng, "b.png")
            return Case(f"folder: {lie}", detail, files, "digits")
        return Case(f"folder: {image.lie}", image.detail, files, "digits")
    entry = {
        "file": f"page{suffix}",
        "kind": "photo",
        "rows": ["73"],
        "digits": [{"label": 7, "box": [8, 10, 20, 30]}, {"label": 3, "box": [36, 10, 20, 30]}],
        "ignore": [[0, 0, 5, 5]],
        "layout": "rows",
        "difficulty": "easy",
        "group": "w1",
    }
    lie, detail, labels_json = json_lie(rng, [entry])
    return Case(
        f"annotations: {lie}", detail, {f"pages/page{suffix}": content, "pages/labels.json": labels_json}, "pages"
    )


@cache
def _keras() -> bytes:
    return (BUNDLE / "model.keras").read_bytes()


def make_run(rng: random.Random) -> Case:
    """Draw a run folder."""
    config = {
        "architecture": "cnn",
        "optimizer": "adamw",
        "epochs": 3,
        "validation_split": 0.1,
        "augment": ["geometry"],
        "start": None,
    }
    args = {"schema": "digitedge.run/1", "data": "mnist", "data_sources": ["data"], "config": config}
    history = [
        ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"],
        *([n, 0.1, 0.9, 0.1, 0.95] for n in (1, 2, 3)),
    ]
    files: dict[str, Content] = {
        "run/args.json": json.dumps(args).encode(),
        "run/history.csv": "\n".join(",".join(map(str, row)) for row in history).encode(),
        "run/metrics.json": b'{"schema": "digitedge.metrics/1", "top1": 0.99}',
        "run/model.keras": _keras()[:100],
    }
    choice = rng.randrange(4)
    if choice < 2:
        lie, detail, files["run/args.json"] = json_lie(rng, args)
        lie = f"args: {lie}"
    elif choice == 2:
        lie, detail, files["run/history.csv"] = csv_lie(rng, history)
        lie = f"history: {lie}"
    else:
        name = rng.choice(list(files))
        lie, detail, files[name] = instead(rng, name)
    if rng.random() < 0.5:
        files.pop("run/metrics.json")
    return Case(lie, detail, files, "run")


@cache
def keras_members() -> dict[str, bytes]:
    with zipfile.ZipFile(BUNDLE / "model.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# Objects in a config.json that run code where a version of Keras lets them: it leaves a file, which is looked for.
_CODE = f"open({str(CODE_MARK)!r}, 'w')"
ATTACKS: tuple[Any, ...] = (
    {"module": "builtins", "class_name": "eval", "config": {"source": _CODE}, "registered_name": None},
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
    {"module": "os", "class_name": "system", "config": {"command": f"touch {CODE_MARK}"}},
    {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(CODE_MARK)]}},
    {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp", "name": "x"}},
    {"module": "keras.utils", "class_name": "get_file", "config": {"fname": "x", "origin": "http://127.0.0.1:9/x"}},
    {"class_name": "__lambda__", "config": {"value": ["4wAAAAAAAAAA", None, None]}},
    {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "x", "function": {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None}}},
    },
)


def make_keras(rng: random.Random) -> Case:
    """Draw a Keras file."""
    members: dict[str, bytes | Zeros] = {**keras_members()}
    config, metadata, weights = (keras_members()[name] for name in ("config.json", "metadata.json", "model.weights.h5"))
    choice = rng.randrange(8)
    if choice == 0:
        lie, content = damage(rng, _keras())
        return Case(f"keras: {lie}", "", {"model.keras": content}, "model.keras")
    if choice == 1:
        lie, content = damage(rng, weights)
        suffix = rng.choice((".h5", ".hdf5"))
        return Case(f"h5: {lie}", "", {f"model{suffix}": content}, f"model{suffix}")
    if choice in (2, 3):
        lie, detail, members["config.json"] = json_lie(rng, json.loads(config))
    elif choice == 4:
        lie, detail, members["metadata.json"] = json_lie(rng, json.loads(metadata))
    elif choice == 5:
        lie, members["model.weights.h5"] = damage(rng, weights)
        detail = "model.weights.h5"
    elif choice == 6:
        changed = json.loads(config)
        attack = rng.choice(ATTACKS)
        place = rng.randint(0, len(changed["config"]["layers"]))
        changed["config"]["layers"].insert(place, attack)
        if rng.random() < 0.3:
            changed = attack
        members["config.json"] = json.dumps(changed).encode()
        lie, detail = "code", f"{attack.get('module')}.{attack['class_name']} at {place}"
    else:
        name = rng.choice((*members, "../x", "/tmp/x", "assets/x", *TEXTS[:3]))
        megabytes = rng.choice((0, 1, 1200))
        members[name] = Zeros(b"", megabytes)
        lie, detail = "member", f"{name!r:.30}: {megabytes} MB"
    return Case(f"keras: {lie}", detail, {"model.keras": zip_bytes(members.items())}, "model.keras")
