"""Load `digitedge serve` with many clients at once, and measure what they notice and what memory it takes.

Each client sends one file after the other: small images, photographs of 12 megapixels, and hostile files. A client that
gets 429 waits as the server says. One JSON object is printed; the exit code is 1 if a figure is outside MARK.

    python tests/performance/serve_load.py                        # 50 clients for a minute
    python tests/performance/serve_load.py --large                # all send 15 MB
    python tests/performance/serve_load.py --clients 200 --seconds 20 --workers 4

Linux only: memory is read from /proc. The clients share the cores with the server.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from hostile_uploads import FILES  # noqa: E402

ALLOWED = {"good": {200, 429}, "hostile": {413, 415, 422, 429}}
"""Statuses of files that can be read, and of others."""
MARK = {"errors": 0, "memory_growth": 1.15, "hostile_max_s": 2.0}
"""Outside this, the load has broken something. Growth: the end against the middle, when all buffers have been used."""


@dataclass(slots=True)
class Counts:
    """What the clients noticed."""

    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refusal_seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def materials(*, large: bool) -> list[tuple[str, bytes]]:
    """The files that are sent, each with whether it is good or hostile."""
    page = (ROOT / "demos/page.jpg").read_bytes()
    image = cv2.resize(cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR), (4000, 3000))
    noise = np.random.default_rng(0).integers(-8, 9, image.shape, np.int16)
    photo = np.clip(image + noise, 0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    if large:
        return [("good", jpeg + bytes(15_000_000 - len(jpeg)))]  # decoders ignore what comes after the end
    return [("good", page)] * 40 + [("good", jpeg)] * 3 + [("hostile", content) for content in FILES.values()]


def client(port: int, files: Sequence[tuple[str, bytes]], end: float, seed: int, counts: Counts) -> None:
    """Send files until the end."""
    chance = random.Random(seed)
    while time.monotonic() < end:
        kind, content = chance.choice(files)
        started = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("POST", "/v1/read", content)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
        except OSError as exc:
            with counts.lock:
                counts.errors[f"{kind}: {type(exc).__name__}: {exc}"] += 1
            continue
        seconds = time.monotonic() - started
        with counts.lock:
            counts.statuses[f"{kind} {answer.status}"] += 1
            if answer.status not in ALLOWED[kind]:
                counts.errors[f"{kind}: {answer.status} {body[:200].decode()}"] += 1
            elif answer.status == 200:
                counts.seconds.append(seconds)
            elif answer.status != 429:
                counts.refusal_seconds.append(seconds)
        if answer.status == 429:
            time.sleep(float(answer.headers["Retry-After"]) * chance.uniform(0.5, 1.5))


def processes(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += processes(int(child))
    return found


def memory_mb(pid: int) -> dict[str, float]:
    """Resident memory in MB: of the serving process, of its largest child, of all; what is shared counts once."""
    sizes = []
    for one in processes(pid):
        text = Path(f"/proc/{one}/smaps_rollup").read_text()
        sizes.append(int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1]) / 1000)
    return {"server": round(sizes[0], 1), "largest_worker": round(max(sizes[1:]), 1), "all": round(sum(sizes), 1)}


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Start a server, load it, and end it."""
    command = [sys.executable, "-m", "digitedge", "serve", "0", "--workers", str(args.workers), "--model", "released"]
    started = time.monotonic()
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        port = next(int(found[1]) for line in server.stderr if (found := re.search(r"127\.0\.0\.1:(\d+)/", line)))
        while health(port) != 200:
            time.sleep(0.02)
        ready_s = time.monotonic() - started
        return {"ready_s": round(ready_s, 2), **load(server.pid, port, args)}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def health(port: int) -> int:
    """The status of /healthz."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    connection.close()
    return status


def load(pid: int, port: int, args: argparse.Namespace) -> dict[str, Any]:
    """Let all clients send, and look at the memory meanwhile."""
    files, counts = materials(large=args.large), Counts()
    memory = {"start": memory_mb(pid)}
    began = time.monotonic()
    arguments = [(port, files, began + args.seconds, seed, counts) for seed in range(args.clients)]
    clients = [threading.Thread(target=client, args=one) for one in arguments]
    for one in clients:
        one.start()
    peaks = {"middle": {"all": 0.0}, "end": {"all": 0.0}}
    while any(one.is_alive() for one in clients):
        half = "middle" if time.monotonic() - began < args.seconds / 2 else "end"
        peaks[half] = max(peaks[half], memory_mb(pid), key=lambda one: one["all"])
        time.sleep(0.25)
    seconds = time.monotonic() - began
    memory |= peaks | {"after": memory_mb(pid)}
    cuts = statistics.quantiles(counts.seconds, n=100) if len(counts.seconds) > 1 else [float("nan")] * 99
    return {
        "seconds": round(seconds, 1),
        "answers": dict(sorted(counts.statuses.items())),
        "errors": dict(counts.errors),
        "pages_per_s": round(len(counts.seconds) / seconds, 2),
        "p50_s": round(cuts[49], 2),
        "p99_s": round(cuts[98], 2),
        "hostile_max_s": round(max(counts.refusal_seconds, default=0.0), 2),
        "memory_mb": memory,
    }


def main() -> None:
    """Print the figures; exit with 1 if they are outside MARK."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="all clients send 15 MB")
    args = parser.parse_args()
    result = measure(args)
    growth = result["memory_mb"]["end"]["all"] / result["memory_mb"]["middle"]["all"]
    result |= {"memory_growth": round(growth, 3), "load_average": os.getloadavg()[0], **vars(args)}
    print(json.dumps(result, indent=2))
    holds = sum(result["errors"].values()) <= MARK["errors"] and growth <= MARK["memory_growth"]
    sys.exit(0 if holds and result["p50_s"] > 0 else 1)  # without a page that was read, nothing was measured


if __name__ == "__main__":
    main()
