"""Cases of the corpus: everything but lone model files; see `corpus`."""

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from fuzz.array_lies import Zeros, npy_bytes, zip_bytes
from fuzz.case import Case, Link, Pipe
from fuzz.folder_lies import ATTACKS, BUNDLE, bundle_files, keras_members, vouched
from fuzz.image_lies import png
from fuzz.model_cases import EVIL_TEXT, INT8
from fuzz.tflite_lies import pack, read_model


def bundle_cases() -> Iterator[Case]:
    def manifest(lie: str, change: Callable[[Any], object], raw: tuple[str, str] | None = None) -> Case:
        value = json.loads((BUNDLE / "manifest.json").read_text())
        change(value)
        text = json.dumps(value)
        return Case(lie, "manifest.json", {**bundle_files(), "manifest.json": text.replace(*raw or ("", "")).encode()})

    entry = "model_int8.tflite"
    for key in ("macs", "parameters", "seed", "reference_top1"):
        yield manifest(f"{key} 10**400", lambda v, k=key: v.__setitem__(k, "RAW"), ('"RAW"', "1" + "0" * 400))
        for value in (EVIL_TEXT, [], {}, -1, 1.5, float("nan")):
            yield manifest(f"{key} {value!r:.10}", lambda v, k=key, x=value: v.__setitem__(k, x))
    for key in ("name", "architecture", "created"):
        yield manifest(f"{key} with escapes", lambda v, k=key: v.__setitem__(k, EVIL_TEXT))
    for key in ("sha256", "bytes", "recipe", "input", "ops", "reject_threshold", "minimum_runtime", "passed"):
        for value in (EVIL_TEXT, None, -1, 2**70, [[]], float("inf")):
            yield manifest(f"{key} {value!r:.10}", lambda v, k=key, x=value: v["files"][entry].__setitem__(k, x))
    for name in ("../x.tflite", "/etc/passwd", EVIL_TEXT, "", "a" * 5000, "model.txt", "a\0b.tflite"):
        yield manifest(f"a file called {name!r:.12}", lambda v, n=name: v["files"].__setitem__(n, v["files"][entry]))
    for content in (b"", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000):
        yield Case(f"manifest {content[:8]!r}", "", {**bundle_files(), "manifest.json": content})
    for name in ("manifest.json", entry, "golden.npz", "model.keras"):
        for what, instead in (("pipe", Pipe()), ("link", Link("/dev/zero")), ("missing", None)):
            files = {key: value for key, value in bundle_files().items() if key != name}
            yield Case(f"{name}: {what}", "", files if instead is None else {**files, name: instead})
    with np.load(BUNDLE / "golden.npz") as archive:
        golden = {name: archive[name][:4] for name in archive.files}
    wrong = {
        "crops of objects": {"crops": np.array([None], object)},
        "crops of text": {"crops": np.array(["a"])},
        "no crops": {"crops": golden["crops"][:0]},
        "other probabilities": {entry: golden[entry][:2]},
        "NaN": {entry: np.full((4, 10), np.nan, np.float32)},
    }
    for lie, arrays in wrong.items():
        members = [(f"{name}.npy", npy_bytes(array)) for name, array in {**golden, **arrays}.items()]
        yield vouched(f"golden set: {lie}", "golden.npz", zip_bytes(members))
    members = [(f"{name}.npy", npy_bytes(array)) for name, array in golden.items()]
    yield vouched("golden set: a member that is none", "golden.npz", zip_bytes([*members, ("x", b"x")]))
    damaged = [*members[:-1], (members[-1][0], b"\x93NUMQY")]
    yield vouched("golden set: a damaged member", "golden.npz", zip_bytes(damaged))
    model = read_model(INT8)
    model.subgraphs[0].operators[2].inputs[1] = -1
    yield vouched("model: an operand is -1", entry, pack(model))


def image_cases() -> Iterator[Case]:
    def case(lie: str, name: str, content: bytes) -> Case:
        return Case(lie, f"{len(content)} bytes", {name: content}, name)

    for width, height in ((0, 0), (1, 2**31 - 1), (2**31 - 1, 1), (65_535, 65_535), (2**32 - 1, 2**32 - 1)):
        size = f"{width}x{height}"
        yield case(f"PNG {size}", "a.png", png(width, height))
        headers = {
            "pgm": f"P5\n{width} {height}\n255\n",
            "pbm": f"P4\n{width} {height}\n",
            "pam": f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 1\nMAXVAL 255\nENDHDR\n",
            "pfm": f"Pf\n{width} {height}\n-1\n",
            "hdr": f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n",
        }
        for name, text in headers.items():
            yield case(f"{name} {size}", f"a.{name}", text.encode() + bytes(100))
        bmp = struct.pack("<IIIIIIHH24x", 154, 0, 54, 40, width, height, 1, 24)
        yield case(f"BMP {size}", "a.bmp", b"BM" + bmp + bytes(100))
        gif = b"GIF89a" + struct.pack("<HHBBB", width % 65_536, height % 65_536, 0x80, 0, 0) + bytes(6)
        frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width % 65_536, height % 65_536, 0) + b"\x02\x02\x4c\x01\x00"
        yield case(f"GIF {size}", "a.gif", gif + frame + b";")
        yield case(f"GIF {size}, 50 frames", "a.gif", gif + frame * 50 + b";")
        tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
        tags += [(277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 100)]
        entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
        yield case(f"TIFF {size}", "a.tiff", b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(104))
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"P5", b"BM")
    for content in (b"", b"x", *starts):
        yield case(f"only {content!r:.20}", "a.png", content)
    yield Case("pipe", "", {"a.png": Pipe()}, "a.png")
    yield Case("link", "", {"a.png": Link("/dev/zero")}, "a.png")


def data_cases() -> Iterator[Case]:
    digits, labels = np.full((4, 28, 28), 255, np.uint8), np.arange(4, dtype=np.uint8)
    digits[:, 5:22, 12:16] = 0
    good = {"x": npy_bytes(digits), "y": npy_bytes(labels)}

    def npz(lie: str, **arrays: bytes | Zeros) -> Case:
        content = zip_bytes([(f"{name}.npy", value) for name, value in {**good, **arrays}.items()])
        return Case(f"npz: {lie}", f"{len(content)} bytes", {"digits.npz": content}, "digits.npz")

    yield npz("good")
    for lie, array in (
        ("objects", np.array([{}, None, 1, 2], object)),
        ("complex", np.zeros((4, 28, 28), complex)),
        ("dates", np.zeros((4, 28, 28), "M8[s]")),
        ("NaN", np.full((4, 28, 28), np.nan)),
        ("nothing", np.zeros((4, 0, 28))),
        ("one number", np.array(1)),
        ("records", np.zeros((4, 28), [("a", "f4")])),
    ):
        yield npz(lie, x=npy_bytes(array))
        yield npz(f"labels: {lie}", y=npy_bytes(array))
    long = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"
    for text in ("{}", "(" * 3000, long, "\0", "1 +" * 900):
        raw = text.encode() + b"\n"
        yield npz(f"header {text:.12}", x=b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw)
    header = npy_bytes(np.zeros(0, np.uint8)).replace(b"(0,), }", f"({650 << 20},), }}".encode())
    yield npz("650 MB", z=Zeros(header, 650))
    numbers = ("7,nan", "7," + "1" * 5000, "7,1e999,2,3,4", "-1,1,1,1,1", "٣,1,1,1,1")
    for text in ("", ",", *numbers, "x,y\n1,\x1b[31m", "7,\0"):
        yield Case(f"csv: {text!r:.12}", "", {"digits.csv": text.encode()}, "digits.csv")
    image = png(28, 28, data=b"")
    for name in ("7/\x1b[31m.png", "٣/a.png", "10/a.png", "7.png", "x.png"):
        yield Case(f"folder: {name!r:.12}", "", {f"digits/{name}": image}, "digits")
    yield Case("folder: pipe", "", {"digits/7/a.png": Pipe()}, "digits")
    yield Case("folder: link", "", {"digits/7/a.png": Link("/dev/zero")}, "digits")
    entry = {"file": "a.png", "kind": "photo", "rows": ["7"], "digits": [{"label": 7, "box": [1, 1, 9, 9]}]}
    for key in entry:
        for value in (EVIL_TEXT, None, [], 2**70, float("nan"), {"a": [[]]}, "../../etc/passwd", "a\0b", "\ud800"):
            files = {"pages/labels.json": json.dumps([{**entry, key: value}]).encode(), "pages/a.png": image}
            yield Case(f"annotations: {key} {value!r:.10}", "", files, "pages")
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    for lie, content in {
        "empty": b"",
        "another": b"\0\0\x08\x03" + struct.pack(">III", 60_000, 28, 28),
        "gz cut": gzip.compress(bytes(1000))[:20],
        "gz of 1 GB": gzip.compress(bytes(50 << 20), 1) * 20,
    }.items():
        yield Case(f"mnist: {lie}", f"{len(content)} bytes", {f"mnist/{name}": content for name in names}, "mnist")
    yield Case("mnist: pipes", "", {f"mnist/{name}": Pipe() for name in names}, "mnist")


def keras_cases() -> Iterator[Case]:
    def case(lie: str, **changed: bytes | Zeros) -> Case:
        members = keras_members() | {name.replace("__", "."): value for name, value in changed.items()}
        return Case(lie, "", {"model.keras": zip_bytes(members.items())}, "model.keras")

    for attack in ATTACKS:
        config = json.loads(keras_members()["config.json"])
        config["config"]["layers"].insert(1, attack)
        lie = f"code: {attack.get('module')}.{attack['class_name']}"
        yield case(lie, config__json=json.dumps(config).encode())
        yield case(f"{lie} alone", config__json=json.dumps(attack).encode())
    for content in (b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000):
        yield case(f"config {content[:8]!r}", config__json=content)
    yield case("weights of 800 MB", model__weights__h5=Zeros(b"\x89HDF\r\n\x1a\n", 800))
    weights = keras_members()["model.weights.h5"]
    yield case("weights cut", model__weights__h5=weights[: len(weights) // 2])
    yield Case("h5 cut", "", {"model.h5": weights[: len(weights) // 2]}, "model.h5")
    yield Case("h5 without a model", "", {"model.h5": weights}, "model.h5")
    yield Case("empty archive", "", {"model.keras": zip_bytes([])}, "model.keras")


def option_cases() -> Iterator[Case]:
    for words in (
        ("predict", "IMAGE", "--model", EVIL_TEXT),
        ("predict", EVIL_TEXT),
        ("predict", "\udcff.png"),
        ("predict", "a" * 5000),
        ("info", EVIL_TEXT),
        ("predict", "IMAGE", "--pattern", "("),
        ("predict", "IMAGE", "--pattern", "[0-9]{1000000000000}"),
        ("predict", "IMAGE", "--pattern", "(?:" * 2000),
        ("predict", "IMAGE", "--roi", "0,0,99999999999999999999,1"),
        ("predict", "IMAGE", "--roi", "1" * 5000 + ",0,1,1"),
        ("predict", "IMAGE", "--roi", EVIL_TEXT),
        ("predict", "IMAGE", "--expect-length", "9" * 5000),
        ("predict", "IMAGE", "--preprocess", EVIL_TEXT),
        ("predict", "IMAGE", "--threshold", "nan"),
        ("predict", "/dev/zero"),
        ("eval", "--dataset", EVIL_TEXT),
        ("verify", "--golden", EVIL_TEXT),
    ):
        yield Case(f"{words[-2]} {words[-1]!r:.20}", "", {}, values=words)
