"""Let a real MQTT broker die, stall, restart and be replaced by what is none, while a `digitedge camera` publishes.

A network camera shows numbers that change. After each fault the broker is there again: messages must arrive in time,
with the camera "online". Row events from then on must arrive, and all of them at a broker that only stalled. The camera
must print lines all the time, and say "offline" at its end.

    python -m chaos.broker --faults 30 --seed 3

Prints one JSON object; exits with 1 outside the mark. Needs mosquitto; Linux only.
"""

import argparse
import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chaos.live_camera import LiveCamera, live_camera
from chaos.network_camera import NUMBER_S, NetworkCamera, network_camera
from chaos.trial import Tally, shuffled
from mqtt_broker import MOSQUITTO, Listener, Mosquitto, retained

from digitedge.camera.capture import HEARTBEAT_S
from digitedge.camera.sinks.mqtt import KEEPALIVE_S, RETRY_S

SLACK_S = 1.5
# Camera and listener connect again; then the number must change.
RECOVERY_S = 2 * RETRY_S + NUMBER_S + SLACK_S
SILENCE_S = HEARTBEAT_S + SLACK_S
MEMORY = 1.3
FAULT_S = (0.5, 6.0)
CONNACK = b"\x20\x02\x00\x00"

# What stands at the broker's place: what it answers to each connection, and whether it keeps it open then.
IMPOSTORS: dict[str, tuple[Callable[[], bytes], bool]] = {
    "closes": (lambda: b"", False),
    "says nothing": (lambda: b"", True),
    "garbage": (lambda: os.urandom(4000), True),
    "HTTP": (lambda: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", False),
    "refuses the login": (lambda: b"\x20\x02\x00\x05", False),
    "connects, then closes": (lambda: CONNACK, False),
    "connects, then garbage": (lambda: CONNACK + os.urandom(4000), True),
    "packet of 256 MB": (lambda: CONNACK + b"\x30\xff\xff\xff\x7f" + bytes(1 << 20), True),
    "half of a packet": (lambda: CONNACK[:3], True),
}
KILL, RESTART, STALL, LONG_STALL = "killed", "restarted", "stalls", "stalls until it counts as lost"
FAULTS = (KILL, RESTART, STALL, LONG_STALL, *IMPOSTORS)
# A ping after KEEPALIVE_S, and its answer missing as long.
LOST_S = 2 * KEEPALIVE_S + 3.0


@contextmanager
def impostor(port: int, answer: Callable[[], bytes], *, stays: bool) -> Iterator[None]:
    """Answer connections at the broker's place."""
    held: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                with suppress(OSError):
                    connection.sendall(answer())
                if not stays:
                    connection.close()

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            thread.join()
            for connection in held:
                connection.close()


def let_fail(fault: str, fault_s: float, broker: Mosquitto) -> None:
    """Do without the broker for a while; then it is there again."""
    if fault in (STALL, LONG_STALL):
        broker.signal(signal.SIGSTOP)
        time.sleep(LOST_S if fault == LONG_STALL else fault_s)
        broker.signal(signal.SIGCONT)
        return
    if fault == RESTART:
        broker.signal(signal.SIGTERM)
        time.sleep(0.2)
    broker.kill()
    if fault in IMPOSTORS:
        answer, stays = IMPOSTORS[fault]
        with impostor(broker.port, answer, stays=stays):
            time.sleep(fault_s)
    elif fault == KILL:
        time.sleep(fault_s)
    broker.start()


def recover_from(
    fault: str, fault_s: float, broker: Mosquitto, listener: Listener, camera: LiveCamera, tally: Tally
) -> list[str]:
    """Let the broker fail, and be there again; return what was wrong."""
    began = time.monotonic()
    told_before = len(listener.messages)
    let_fail(fault, fault_s, broker)
    back, arrived = time.monotonic(), len(listener.messages)
    has_recovered = camera.wait_for(lambda: len(listener.messages) > arrived and listener.is_ready, RECOVERY_S)
    recovery_s = time.monotonic() - back
    tally.maximum("recovery_s", recovery_s)
    silence_s = camera.longest_silence_s(began)
    tally.maximum("silence_s", silence_s)
    known_since = began if fault in (STALL, LONG_STALL) else time.monotonic()
    time.sleep(1.2 * NUMBER_S)
    must_know = [event for line in camera.since(known_since) for event in line.events]

    def lost() -> list[object]:
        texts = [text for topic, text in listener.messages[told_before:] if topic.endswith("/row")]
        known = [json.loads(text) for text in texts]
        return [event for event in must_know if event not in known]

    camera.wait_for(lambda: not lost(), SLACK_S)
    tally.figures["row_events"] = tally.figures.get("row_events", 0) + len(must_know)
    availability = retained(broker).get("digitedge/availability")
    checks = {
        f"nothing arrived {recovery_s:.1f} s after the broker was back": has_recovered,
        f"no line for {silence_s:.1f} s": silence_s <= SILENCE_S,
        f"lost: {lost()}": not lost(),
        f"availability is {availability!r}": availability == "online",
        f"it ended: {''.join(camera.errors)[-300:]}": camera.process.poll() is None,
    }
    return [problem for problem, holds in checks.items() if not holds]


def run_faults(faults: list[str], rng: random.Random, network: NetworkCamera, broker: Mosquitto, tally: Tally) -> None:
    """Run the camera through all faults."""
    broker.start()
    with live_camera(network.url, "--mqtt", f"mqtt://127.0.0.1:{broker.port}") as camera:
        with Listener(broker.port) as listener:
            camera.wait_for(lambda: len(listener.messages) > 2, RECOVERY_S)
            calm_mb = camera.memory_mb
            for fault in faults:
                problems = recover_from(fault, rng.uniform(*FAULT_S), broker, listener, camera, tally)
                tally.add(fault, "recovered", problems)
                if camera.process.poll() is not None:
                    break
            else:
                tally.figures["memory"] = round(camera.memory_mb / calm_mb, 2)
                if not tally.figures["memory"] <= MEMORY:
                    tally.failures.append(f"memory: {tally.figures['memory']} of {calm_mb:.0f} MB")
        problems = camera.stop()
        availability = retained(broker).get("digitedge/availability")
        problems += [] if availability == "offline" else [f"availability is {availability!r} at the end"]
        tally.add("end", "ended at Ctrl-C", problems)


def main() -> int:
    """Fail, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=2 * len(FAULTS))
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=FAULTS, metavar="KIND", help=", ".join(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if MOSQUITTO is None:
        raise SystemExit("mosquitto is not installed. Run: sudo apt install mosquitto")
    rng = random.Random(options.seed)
    tally = Tally("broker", options.seed)
    with tempfile.TemporaryDirectory(prefix="digitedge-broker-") as folder, network_camera() as network:
        broker = Mosquitto(Path(folder))
        try:
            run_faults(shuffled(options.kinds, options.faults, rng), rng, network, broker, tally)
        finally:
            broker.kill()
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
