"""Attack the live page of a real `digitedge camera`, and measure what an honest viewer and the reader notice.

Every attack runs against a new camera process that reads a clip as fast as it can. First nothing is attacked, then the
attack runs. Meanwhile two honest viewers with the token open the page again and again, one from the attacker's address
and one from another. One JSON object is printed; the exit code is 1 if a figure is outside MARK.

    python tests/chaos/web_flood.py                           # all attacks: six minutes
    python tests/chaos/web_flood.py connect --connections 16000 --seconds 30

Linux only: memory, threads and open files are read from /proc, and each address 127.0.0.x is another client.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

TOKEN = "a-token-of-an-honest-viewer"
# Frames of the clip, which is read as fast as possible; more than are read in one measurement.
CLIP_FRAMES = 400
CLIP_LOOPS = 20
CALM_S = 8.0
ATTACKER, NEIGHBOUR = "127.0.0.1", "127.0.0.2"
PROBE_EVERY_S = 0.2
PROBE_LIMIT_S = 20.0
# Seconds after which streams that do not read must be gone: the stated limit of 10, and the time to fill the buffers of
# both sides, which takes events, of a kilobyte each, much longer than images.
CUT_WITHIN_S = {"mjpeg_unread": 25.0, "events_unread": 75.0}
# Outside this, an attack has succeeded.
MARK = {"answer_max_s": 2.0, "rate": 0.9, "memory": 1.3, "threads": 4, "files": 600}


# --- attacks: each runs in a process of its own -----------------------------------------------------------------------


def connect(port: int, count: int, seconds: float) -> None:
    """Open connections and send nothing."""
    _open(port, count, seconds, b"")


def burst(port: int, count: int, seconds: float) -> None:
    """Open all connections at once and send nothing."""
    end = time.monotonic() + seconds
    held = _open(port, count, 0.0, b"")
    time.sleep(max(0.0, end - time.monotonic()))
    del held  # only now


def half_request(port: int, count: int, seconds: float) -> None:
    """Open connections and send half a request."""
    _open(port, count, seconds, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")


def request(port: int, count: int, seconds: float) -> None:
    """Open connections and send a request without the token, and read nothing."""
    _open(port, count, seconds, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def upload(port: int, count: int, seconds: float) -> None:
    """Open connections and send the beginning of an upload without the token."""
    head = b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 78400\r\n\r\n"
    _open(port, count, seconds, head + bytes(1000))


def spread(port: int, count: int, seconds: float) -> None:
    """Open connections from 200 addresses and send half a request."""
    addresses = [f"127.0.1.{number}" for number in range(1, 201)]
    _open(port, count, seconds, b"GET / HTTP/1.1\r\n", addresses)


def healthz(port: int, count: int, seconds: float) -> None:
    """Ask for /healthz with 32 clients, each as soon as it has the answer to the request before."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    end = time.monotonic() + seconds
    answered: list[float] = []

    def client() -> None:
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((ATTACKER, port), timeout=10) as connection:
                while time.monotonic() < end:
                    connection.sendall(ask)
                    if not connection.recv(65536):
                        break
                    answered.append(time.monotonic())

    clients = [threading.Thread(target=client) for _ in range(32)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    print(json.dumps({"answered": len(answered)}))


def mjpeg_unread(port: int, count: int, seconds: float) -> None:
    """Open 300 image streams with the token, read the beginning, and then nothing. Print how many are still open."""
    _hold_streams(port, b"/stream.mjpg", seconds)


def events_unread(port: int, count: int, seconds: float) -> None:
    """The same with event streams."""
    _hold_streams(port, b"/api/events", seconds)


ATTACKS: dict[str, Callable[[int, int, float], None]] = {
    attack.__name__: attack
    for attack in (connect, burst, half_request, request, upload, spread, healthz, mjpeg_unread, events_unread)
}


def _open(
    port: int, count: int, seconds: float, data: bytes, addresses: Sequence[str] = (ATTACKER,)
) -> list[socket.socket]:
    """Open `count` connections at an even rate, or as fast as possible in 0 seconds, and keep all of them open."""
    address = cycle(addresses)
    started = time.monotonic()
    held = []
    for number in range(count):
        time.sleep(max(0.0, started + seconds * number / count - time.monotonic()))
        client = socket.socket()
        client.setblocking(False)
        client.bind((next(address), 0))
        client.connect_ex((ATTACKER, port))
        held.append(client)
        if data and number >= 16:  # by then it is connected
            with contextlib.suppress(OSError):
                held[number - 16].send(data)
    print(json.dumps({"opened": len(held), "seconds": round(time.monotonic() - started, 1)}))
    return held


def _hold_streams(port: int, path: bytes, seconds: float) -> None:
    ask = b"GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % (path, TOKEN.encode())
    held = []
    for number in range(300):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.bind((f"127.0.0.{10 + number % 5}", 0))
        client.connect((ATTACKER, port))
        client.sendall(ask)
        held.append(client)
        time.sleep(0.01)
    time.sleep(max(0.0, seconds - 3))
    left = 0
    for client in held:
        client.setblocking(False)
        error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        left += error == 0 and not _has_ended(client)
    print(json.dumps({"opened": len(held), "left": left}))


def _has_ended(client: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        try:
            while client.recv(1 << 20):
                pass
        except ConnectionError:
            pass
        return True
    return False


# --- measuring --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Phase:
    """What was measured with or without the attack, over all rounds."""

    seconds: float = 0.0
    frames: int = 0
    cpu_s: float = 0.0
    answer_max_s: float = 0.0
    neighbour_answer_max_s: float = 0.0
    answers: int = 0
    failed: int = 0
    memory_mb: float = 0.0
    threads: int = 0
    files: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON with the rates."""
        rates = {"frames_per_s": self.frames / self.seconds, "cpu_ms_per_frame": 1000 * self.cpu_s / self.frames}
        return {name: round(value, 3) for name, value in (asdict(self) | rates).items()}


class Camera:
    """A real `digitedge camera` and the number of frames that it has read."""

    def __init__(self, clip: Path, host: str = "0.0.0.0") -> None:
        self.frames = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digitedge", "camera", str(clip), "--json", "--web", f"{host}:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DIGITEDGE_WEB_TOKEN": TOKEN},
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self.errors: list[str] = []
        for line in self.process.stderr:
            self.errors.append(line.decode())
            if found := re.search(rb"page: http://[^/]*:(\d+)/", line):
                self.port = int(found[1])
                break
        else:
            raise SystemExit("".join(self.errors))
        threading.Thread(target=self._count, daemon=True).start()
        threading.Thread(target=self._drain, daemon=True).start()

    def _count(self) -> None:
        assert self.process.stdout is not None
        for _ in self.process.stdout:
            self.frames += 1

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(line.decode() for line in self.process.stderr)

    def cpu_s(self) -> float:
        """Processor time of the process, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def resources(self) -> tuple[float, int, int]:
        """Resident memory in MB, threads, open files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        values = dict(re.findall(r"(\w+):\s+(\d+)", status))
        return int(values["VmRSS"]) / 1024, int(values["Threads"]), len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Viewer(threading.Thread):
    """Opens the page every PROBE_EVERY_S from one address."""

    def __init__(self, port: int, address: str) -> None:
        super().__init__(daemon=True)
        self.answers_s: list[float] = []
        self.failed = 0
        self._port = port
        self._address = address
        self._ended = threading.Event()

    def run(self) -> None:
        ask = (
            f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode()
        )
        while not self._ended.wait(PROBE_EVERY_S):
            started = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self._port), PROBE_LIMIT_S, (self._address, 0)) as client:
                    client.sendall(ask)
                    answer = b""
                    while part := client.recv(65536):
                        answer += part
                self.failed += not (answer.startswith(b"HTTP/1.1 200") and b"</html>" in answer)
            except OSError:
                self.failed += 1
            self.answers_s.append(time.monotonic() - started)

    def stop(self) -> None:
        self._ended.set()
        self.join(PROBE_LIMIT_S)


def watch(camera: Camera, phase: Phase, until: Callable[[], bool]) -> None:
    """Measure until a condition holds, and add it to a phase."""
    same, neighbour = viewers = [Viewer(camera.port, address) for address in (ATTACKER, NEIGHBOUR)]
    for viewer in viewers:
        viewer.start()
    started, frames, cpu_s = time.monotonic(), camera.frames, camera.cpu_s()
    while not until():
        memory_mb, threads, files = camera.resources()
        phase.memory_mb = max(phase.memory_mb, memory_mb)
        phase.threads = max(phase.threads, threads)
        phase.files = max(phase.files, files)
        time.sleep(0.1)
    phase.seconds += time.monotonic() - started
    phase.frames += camera.frames - frames
    phase.cpu_s += camera.cpu_s() - cpu_s
    for viewer in viewers:
        viewer.stop()
        phase.answers += len(viewer.answers_s)
        phase.failed += viewer.failed
    phase.answer_max_s = max(phase.answer_max_s, *same.answers_s)
    phase.neighbour_answer_max_s = max(phase.neighbour_answer_max_s, *neighbour.answers_s)


def run_attack(name: str, clip: Path, *, connections: int, seconds: float, rounds: int, host: str) -> dict[str, Any]:
    """Measure one attack: rounds without it and with it, in turn, because other programs use this machine too."""
    camera = Camera(clip, host)
    calm, attacked = Phase(), Phase()
    command = [
        sys.executable,
        __file__,
        "--as",
        name,
        *map(str, (camera.port, connections // rounds, seconds / rounds)),
    ]
    try:
        time.sleep(2)  # the first frames are slower
        for _ in range(rounds):
            end = time.monotonic() + min(CALM_S, seconds / rounds)
            watch(camera, calm, lambda end=end: time.monotonic() > end)  # type: ignore[misc]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
                watch(camera, attacked, lambda attacker=attacker: attacker.poll() is not None)  # type: ignore[misc]
                output = attacker.stdout.read() if attacker.stdout else ""
            time.sleep(0.5)
    finally:
        camera.stop()
    done = json.loads(output)
    rate = attacked.frames / attacked.seconds / (calm.frames / calm.seconds)
    memory = attacked.memory_mb / calm.memory_mb
    checks = {
        "every request of an honest viewer is answered": attacked.failed == 0,
        "answer in time": max(attacked.answer_max_s, attacked.neighbour_answer_max_s) <= MARK["answer_max_s"],
        "rate of the reader": rate >= MARK["rate"],
        "memory": memory <= MARK["memory"],
        "threads": attacked.threads <= calm.threads + MARK["threads"],
        "open files": attacked.files <= MARK["files"],
        "streams that do not read are cut": done.get("left", 0) == 0,
        "nothing on stderr": not any("Traceback" in line for line in camera.errors),
    }
    return {
        "rate": round(rate, 3),
        "memory": round(memory, 3),
        "calm": calm.to_dict(),
        "attacked": attacked.to_dict(),
        **done,
        "outside_the_mark": [what for what, holds in checks.items() if not holds],
    }


def make_clip(path: Path) -> None:
    """Write a clip of rendered pages that is longer than any measurement."""
    from digitedge.synthetic.scenes import render_clip
    from digitedge.utils.opencv import cv2

    frames = [scene.frame for scene in islice(render_clip(seed=0), CLIP_FRAMES // 4)]
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (width, height))
    for frame in islice(cycle(frames), CLIP_FRAMES * CLIP_LOOPS):
        writer.write(frame)
    writer.release()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"of {', '.join(ATTACKS)}; all if none is named")
    parser.add_argument("--connections", type=int, default=16_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long an attack takes")
    parser.add_argument("--rounds", type=int, default=4, help="one for the attacks with streams")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--as", dest="attack", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if options.attack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        name, port, count, seconds = options.attack
        ATTACKS[name](int(port), int(count), float(seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = options.clip or Path(folder) / "clip.mp4"
        if not clip.exists():
            make_clip(clip)
        results = {
            name: run_attack(
                name,
                clip,
                connections=options.connections,
                seconds=CUT_WITHIN_S.get(name, options.seconds),
                rounds=1 if name in CUT_WITHIN_S else options.rounds,
                host=options.host,
            )
            for name in options.attacks or ATTACKS
        }
    print(json.dumps({"mark": MARK, "attacks": results}, indent=2))
    sys.exit(any(result["outside_the_mark"] for result in results.values()))


if __name__ == "__main__":
    main()
