"""Let everything around digitedge fail, and count what comes of it: make chaos.

    python -m chaos                                # all parts: about 20 minutes on two cores
    python -m chaos --minutes 2 --seed 7
    python -m chaos --parts broker stream

Each part is a program of its own that prints one JSON object, see there. Prints a table and the path of a report with
all of these; exits with 1 if a part is outside its mark.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.web_flood import ATTACKS
from processes import start

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "runs" / "chaos" / "report.json"
MINUTES = 15.0
# A part that takes so many times its share of the minutes, and so many seconds, hangs.
PATIENCE, PATIENCE_S = 6, 600

Options = Callable[[float], list[str]]


def count(name: str, number: int, *, least: int = 1) -> Options:
    """An option with a count, which is smaller in a smaller run."""
    return lambda share: [name, str(max(least, round(share * number)))]


# What each part is asked for, by the share of a full run.
PARTS: dict[str, list[Options]] = {
    "kills": [count("--kills", 500), count("--exports", 3, least=0)],
    "disks": [count("--commands", 72), count("--exports", 3, least=0)],
    "broker": [count("--faults", 26)],
    "stream": [count("--faults", 27)],
    "downloads": [count("--updates", 38), count("--files", 38)],
    "web_flood": [
        # The streams of the last attacks must be cut in a time that cannot be shortened.
        lambda share: list(ATTACKS)[: max(1, round(share * len(ATTACKS)))],
        count("--connections", 16_000, least=2000),
        count("--seconds", 20, least=10),
    ],
}


def run_part(name: str, share: float, seed: int) -> dict[str, Any]:
    """Run a part; return its report with its exit code, which is None if it hung."""
    words = [word for options in PARTS[name] for word in options(share)]
    words += [] if name == "web_flood" else ["--seed", str(seed)]
    began = time.monotonic()
    code: int | None = None
    output = ""
    with start([sys.executable, "-m", f"chaos.{name}", *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate(timeout=PATIENCE_S + PATIENCE * share * MINUTES * 60 / len(PARTS))
            code = process.returncode
        except subprocess.TimeoutExpired:
            pass
    report = json.loads(output) if output.strip() else {}
    return {**report, "options": words, "exit_code": code, "seconds": round(time.monotonic() - began, 1)}


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    """Counts by outcome; the attacks of the web flood are within the mark or outside."""
    attacks = report.get("attacks")
    if attacks is None:
        return report.get("outcomes", {})
    outside = sum(bool(result["outside_the_mark"]) for result in attacks.values())
    return {"within the mark": len(attacks) - outside, "failed": outside}


def failures(report: dict[str, Any]) -> list[str]:
    """One line for each failure."""
    attacks = report.get("attacks", {})
    lines = [*report.get("failures", [])]
    lines += [
        f"{name}: {', '.join(one['outside_the_mark'])}" for name, one in attacks.items() if one["outside_the_mark"]
    ]
    if report["exit_code"] != 0 and not lines:
        lines.append(f"exit code {report['exit_code']}" if report["exit_code"] is not None else "it hung")
    return lines


def main() -> int:
    """Run the parts one after the other; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=MINUTES, help="about how long all parts take together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args()
    share = options.minutes / MINUTES
    reports = {name: run_part(name, share, options.seed) for name in options.parts}
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(
        json.dumps({"schema": "digitedge.chaos/1", "seed": options.seed, "parts": reports}, indent=1)
    )
    for name, report in reports.items():
        counted = ", ".join(f"{number} {outcome}" for outcome, number in outcomes(report).items() if number)
        mark = "held" if report["exit_code"] == 0 else "NOT HELD"
        print(f"{name:10} {mark:8} {report['seconds']:6.0f} s  {counted or 'no result'}")
        for line in failures(report):
            print(f"    {line}")
    seconds = sum(report["seconds"] for report in reports.values())
    print(f"{seconds:.0f} s on {os.cpu_count()} cores, seed {options.seed}: {options.report}")
    return 1 if any(report["exit_code"] != 0 for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
