"""Make the released bundles anew: train, export, verify and examine each, then write README's figures; `make release`.

Every step is a command of digitedge, printed before it runs. A call after a kill goes on with the interrupted training
and does not repeat finished ones; to train anew, remove `runs/train/release-*`. With `--seeds 3` the same is done for
seeds 0, 1 and 2 into `runs/release`, the released bundles are left alone, and the spread is reported.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

# `small` learns from `cnn` too, so the order matters. Epochs: what fits into an hour on two cores.
RELEASED = {
    "cnn": ("--epochs", "28", "--scenes", "2000", "--dropout", "0"),
    "small": ("--epochs", "24", "--scenes", "2000", "--dropout", "0"),
}
TAUGHT = {"small": "cnn"}
# What both int8 files of a released net must keep: largest loss of right answers, least share of equal ones.
LARGEST_DROP, LEAST_AGREEMENT = 0.0005, 0.999
FIGURES = {
    "right": "top1",
    "error, seen damage": "seen_error",
    "error, unseen damage": "unseen_error",
    "calibration error": "calibration_error",
    "non-digits accepted": "non_digits_accepted",
}
RUNS = Path("runs/train")


def main() -> None:
    """Make the released bundles, or with --seeds the report of their spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, help="make both nets for so many seeds, and report the spread")
    seeds = parser.parse_args().seeds
    if seeds is None:
        for name in RELEASED:
            make(name, seed=0, folder=Path("export"))
        run_program(Path("export/figures.py"))
    else:
        for seed in range(seeds):
            for name in RELEASED:
                make(name, seed=seed, folder=Path(f"runs/release/seed-{seed}"))
        report_spread(seeds)


def make(name: str, *, seed: int, folder: Path) -> None:
    """Train, export, verify and examine one net."""
    run = train(name, seed=seed)
    bundle = folder / name
    digitedge("export", str(run), "--name", name, "--output", str(folder), "--overwrite")
    digitedge("verify", str(bundle))
    check_int8(bundle)
    digitedge("eval", str(bundle), "--keep")


def train(name: str, *, seed: int) -> Path:
    """Train one net, or go on with it, or do nothing where it is finished; return its run folder."""
    run = folder_of(name, seed)
    if (run / "metrics.json").is_file():
        print(f"finished before: {run}", flush=True)
    elif (run / "args.json").is_file():
        digitedge("train", "--resume", str(run))
    else:
        teacher = ("--teacher", str(folder_of(TAUGHT[name], seed))) if name in TAUGHT else ()
        digitedge("train", name, *RELEASED[name], *teacher, "--seed", str(seed), "--name", f"release-{name}-{seed}")
    return run


def folder_of(name: str, seed: int) -> Path:
    """The run folder of a net: `digitedge train` numbers the runs of a name from 1."""
    return RUNS / f"release-{name}-{seed}-1"


def check_int8(bundle: Path) -> None:
    """Stop where an int8 file is further from its original than a released one may be."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    for name, file in manifest["files"].items():
        drop = manifest["reference_top1"] - file["top1"]
        if file["recipe"] == "int8" and not (drop <= LARGEST_DROP and file["agreement"] >= LEAST_AGREEMENT):
            sys.exit(
                f"error: {bundle / name} loses {drop:.2%} and agrees on {file['agreement']:.2%} of the test images"
            )


def report_spread(seeds: int) -> None:
    """Print mean and standard deviation of every figure of the int8 TFLite files, and keep them beside the bundles."""
    lines = [f"| int8 TFLite, {seeds} seeds | {' | '.join(FIGURES)} |", "| --- |" + " ---: |" * len(FIGURES)]
    for name in RELEASED:
        bundles = [Path(f"runs/release/seed-{seed}/{name}/evaluation.json") for seed in range(seeds)]
        files = [json.loads(path.read_text(encoding="utf-8"))["files"]["model_int8.tflite"] for path in bundles]
        columns = [[100 * file[key] for file in files] for key in FIGURES.values()]
        cells = [f"{mean(c):.2f} ± {stdev(c) if len(c) > 1 else 0:.2f} %" for c in columns]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    report = "\n".join(lines) + "\n"
    Path("runs/release/spread.md").write_text(report, encoding="utf-8")
    print(report)


def digitedge(*arguments: str) -> None:
    """Run a command of digitedge; a failure ends this program with the command's exit code."""
    print(f"$ digitedge {' '.join(arguments)}", flush=True)
    run_program("-m", "digitedge", *arguments)


def run_program(*arguments: str | Path) -> None:
    """Run this Python on something."""
    done = subprocess.run([sys.executable, *map(str, arguments)])
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
