"""Let a network camera fail in every manner while a real `digitedge camera http://...` reads it.

Between the faults the stream is live. The camera must say that it is not live any more, print lines all the time,
recover in time, never read what was not shown, and end at Ctrl-C.

    python -m chaos.stream --faults 36 --seed 3

Prints one JSON object; exits with 1 outside the mark. Linux only: memory is read from /proc.
"""

import argparse
import random
import sys
import time

from chaos.live_camera import LiveCamera, live_camera
from chaos.network_camera import FAULTS, LIVE, NUMBERS, NetworkCamera, network_camera
from chaos.trial import Tally, shuffled

from digitedge.camera.capture import BACK_OFF_S, HEARTBEAT_S, STALE_S
from digitedge.camera.sources.stream import READ_LIMIT_S

# Beside the stated times: a request, a frame, and other work on two cores.
SLACK_S = 1.5
# A connection that is silent is given up after READ_LIMIT_S, and so is one more that was made just before the end.
RECOVERY_S = 2 * READ_LIMIT_S + BACK_OFF_S[1] + SLACK_S
NOTICE_S = STALE_S + SLACK_S
SILENCE_S = HEARTBEAT_S + SLACK_S
MEMORY = 1.3
FAULT_S = (0.5, 7.0)
LIVE_S = 2.0


def recover_from(fault: str, fault_s: float, network: NetworkCamera, camera: LiveCamera, tally: Tally) -> list[str]:
    """Let the stream fail, then be live again; return what was wrong."""
    began = time.monotonic()
    network.set(fault)
    time.sleep(fault_s)
    during = camera.since(began)
    network.set(LIVE)
    back = time.monotonic()
    has_recovered = camera.wait_for(
        lambda: any(line.is_new and line.state == "live" for line in camera.since(back)), RECOVERY_S
    )
    recovery_s = time.monotonic() - back
    tally.maximum("recovery_s", recovery_s)
    silence_s = camera.longest_silence_s(began)
    tally.maximum("silence_s", silence_s)
    newest = max([began, *(line.at for line in during if line.is_new)])
    noticed = [line.at for line in during if line.state != "live" and line.at > newest]
    must_notice = began + fault_s - newest > NOTICE_S
    if must_notice and noticed:
        tally.maximum("notice_s", noticed[0] - newest)
    read = {row for line in camera.since(began) for row in line.stable}
    checks = {
        f"no new frame {recovery_s:.1f} s after the stream was back": has_recovered,
        f"no line for {silence_s:.1f} s": silence_s <= SILENCE_S,
        "no line said that the stream is not live": not must_notice or bool(noticed),
        f"rows that were not shown: {read - set(NUMBERS)}": read <= set(NUMBERS),
        f"it ended: {''.join(camera.errors)[-300:]}": camera.process.poll() is None,
    }
    return [problem for problem, holds in checks.items() if not holds]


def main() -> int:
    """Fail, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=2 * len(FAULTS))
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=FAULTS, metavar="KIND", help=", ".join(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    faults = shuffled(options.kinds, options.faults, rng)
    tally = Tally("stream", options.seed)
    with network_camera() as network, live_camera(network.url) as camera:
        time.sleep(LIVE_S)
        calm_mb = camera.memory_mb
        for fault in faults:
            problems = recover_from(fault, rng.uniform(*FAULT_S), network, camera, tally)
            tally.add(fault, "recovered", problems)
            if camera.process.poll() is not None:
                break
            time.sleep(LIVE_S)
        else:
            tally.figures["memory"] = round(camera.memory_mb / calm_mb, 2)
            if not tally.figures["memory"] <= MEMORY:
                tally.failures.append(f"memory: {tally.figures['memory']} of {calm_mb:.0f} MB")
        tally.add("end", "ended at Ctrl-C", camera.stop())
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
