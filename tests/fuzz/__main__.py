"""Attack everything that digitedge reads from outside, and count what comes of it: make fuzz.

Inputs that lie are made from a seed, loaded in worker processes as the commands load them, and a sample of them with
the command line itself. Each works, or is refused with an error of digitedge. Exit 1 if there is a crash, a traceback,
a hang over 10 s, or a peak memory over 600 MB.

    python -m fuzz                                        # 20,000 inputs of all kinds
    python -m fuzz --kinds tflite onnx --count 2000 --seed 7
    python -m fuzz --kinds tflite --seed 7 --only 1234    # one of them again
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from fuzz.campaign import Tally, fuzz
from fuzz.case import ROOT
from fuzz.kinds import KINDS
from fuzz.runner import FAILURES, OUTCOMES, Input, Result

COUNT = 20_000
COMMAND_EVERY = 200
KEEP = ROOT / "runs" / "fuzz"


def share_out(count: int, kinds: list[str]) -> list[Input]:
    """Numbers for every kind, by its weight."""
    total = sum(KINDS[kind].weight for kind in kinds) or 1
    return [(kind, number) for kind in kinds for number in range(max(1, round(count * KINDS[kind].weight / total)))]


def table(tally: Tally) -> str:
    rows = [["kind", *OUTCOMES, "peak MB", "slowest s"]]
    for name, counts in sorted(tally.counts.items()):
        rows.append([name, *map(str, counts.values()), f"{tally.peak_mb[name]:.0f}", f"{tally.slowest_s[name]:.1f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.ljust(widths[0]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)] for row in rows]
    return "\n".join("  ".join(line) for line in lines)


def failures_text(failures: list[Result], limit: int) -> str:
    """One line for each sort of failure, the most frequent first, with its first input."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in failures:
        groups.setdefault((result.kind, result.outcome, result.error, result.place, result.lie), []).append(result)
    lines = []
    for (kind, outcome, error, place, lie), members in sorted(groups.items(), key=lambda item: -len(item[1]))[:limit]:
        first = members[0]
        lines.append(
            f"{len(members):5} {outcome} {error} {place} | {lie} | {kind} --only {first.number}: {first.detail[:150]}"
            + ("" if all(m.reproduced for m in members) else " [not reproduced]")
        )
        if first.message:
            lines.append(f"        {first.message[:160]!r}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="0", help="of all inputs; default: 0")
    parser.add_argument("--count", type=int, default=COUNT, help=f"of inputs; default: {COUNT}")
    usual = [kind.name for kind in KINDS.values() if kind.weight]
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS], default=usual, metavar="KIND", help=", ".join(usual))
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="load only these inputs of each kind")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes; default: 2")
    parser.add_argument("--command-every", type=int, default=COMMAND_EVERY, help="use the command line for one in N")
    parser.add_argument("--keep", type=Path, default=KEEP, help="folder for inputs that fail, and report.json")
    args = parser.parse_args()
    numbers = share_out(args.count, args.kinds)
    if args.only:
        numbers = [(kind, number) for kind in args.kinds for number in args.only]
    started, seen = time.monotonic(), Counter()

    def progress(result: Result) -> None:
        seen[result.outcome in FAILURES] += 1
        if seen.total() % 500 == 0:
            rate = seen.total() / (time.monotonic() - started)
            print(f"{seen.total()} of {len(numbers)}, {seen[True]} failed, {rate:.0f} a second", file=sys.stderr)

    args.keep.mkdir(parents=True, exist_ok=True)
    tally = fuzz(
        numbers, args.seed, jobs=args.jobs, command_every=args.command_every, keep=args.keep, on_result=progress
    )
    seconds = time.monotonic() - started
    report = {"schema": "digitedge.fuzz/1", "seed": args.seed, "seconds": round(seconds, 1), **tally.to_dict()}
    (args.keep / "report.json").write_text(json.dumps(report, indent=1))
    print(table(tally))
    print(f"{seen.total()} results in {seconds:.0f} s, seed {args.seed}: {args.keep / 'report.json'}")
    if tally.failures:
        print(failures_text(tally.failures, 60))
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
