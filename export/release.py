"""Make the released bundles anew: train, export, verify and examine each, then put them here; `make release`.

Every step is a command of digitedge, printed before it runs. Bundles are made in `runs/release` and come here when all
keep their marks, so a failure leaves what was released before. A call after a kill goes on with the interrupted
training and does not repeat finished ones; to train anew, remove `runs/train/release-*`.

With `--seeds 3` the same is done for seeds 0, 1 and 2, nothing is put here, and the spread is reported, with the marks
that a seed misses.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.model_card import EVALUATION, FIGURES
from digitedge.utils.files import atomic_folder, write_text

# What is trained, and how long: what fits into an hour on two cores. `small` also learns from `cnn`, which comes first.
RELEASED: dict[str, dict[str, Any]] = {"cnn": {"epochs": 28, "scenes": 2000}, "small": {"epochs": 20, "scenes": 2000}}
TAUGHT = {"small": "cnn"}
# What a released net must keep: bytes of the int8 TFLite file, multiply-accumulates; for both int8 files the largest
# loss of right answers, and the least share of equal ones.
LARGEST = {"cnn": (80_000, 10_000_000), "small": (24_000, 1_300_000)}
LARGEST_DROP, LEAST_AGREEMENT = 0.0005, 0.999
INT8 = ("model_int8.tflite", "model_int8.onnx")
# Rendered scenes that the reader's figures are measured on.
SCENES = 300
RUNS, MADE, HERE = Path("runs/train"), Path("runs/release"), Path("export")


def main() -> None:
    """Make the released bundles, or with --seeds the report of their spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, help="make the nets for so many seeds, and report the spread")
    seeds = parser.parse_args().seeds
    if seeds is None:
        bundles = make(seed=0)
        for name, path in bundles.items():
            if missed := missed_marks(name, load_bundle(path)):
                sys.exit(f"error: {path} is not released: {'; '.join(missed)}")
        publish(bundles)
        return
    if seeds < 1:
        parser.error(f"--seeds must be at least 1, got {seeds}")
    bundles = [bundle for seed in range(seeds) for bundle in make(seed=seed).items()]
    missed = [f"\n{path} misses: {miss}" for name, path in bundles for miss in missed_marks(name, load_bundle(path))]
    report_spread(seeds, missed)


def make(*, seed: int) -> dict[str, Path]:
    """Train all nets, then export, verify and examine each; `cnn` last, because the newest bundle runs by default.

    Returns:
        Name of the net -> its bundle.
    """
    runs = {name: train(name, seed=seed) for name in RELEASED}
    folder = MADE / f"seed-{seed}"
    for name, run in reversed(runs.items()):
        digitedge("export", str(run), "--name", name, "--output", str(folder), "--overwrite")
        digitedge("verify", str(folder / name))
        digitedge("eval", str(folder / name), "--keep")
    return {name: folder / name for name in runs}


def train(name: str, *, seed: int) -> Path:
    """Train one net, or go on with it, or do nothing where it is finished; return its run folder."""
    run = folder_of(name, seed)
    if run.is_dir() and not (run / "args.json").exists():
        run.rmdir()  # killed before it began
    if (run / "args.json").is_file():
        refuse_another_plan(name, seed)
        if (run / "metrics.json").is_file():
            print(f"finished before: {run}", flush=True)
        else:
            digitedge("train", "--resume", str(run))
        return run
    options = [part for key, value in RELEASED[name].items() for part in (f"--{key}", str(value))]
    if name in TAUGHT:
        options += ["--teacher", str(folder_of(TAUGHT[name], seed))]
    digitedge("train", name, *options, "--seed", str(seed), "--name", run.name.removesuffix("-1"))
    return run


def folder_of(name: str, seed: int) -> Path:
    """The run folder of a net: `digitedge train` numbers the runs of a name from 1."""
    return RUNS / f"release-{name}-{seed}-1"


def refuse_another_plan(name: str, seed: int) -> None:
    """Stop where a run was trained otherwise than is released now, or by another teacher."""
    run = folder_of(name, seed)
    plan = json.loads((run / "args.json").read_text(encoding="utf-8"))["plan"]
    wanted = {"architecture": name, "seed": seed, **RELEASED[name]}
    other = {key: plan.get(key) for key, value in wanted.items() if plan.get(key) != value}
    if name in TAUGHT:
        teacher = folder_of(TAUGHT[name], seed) / "model.keras"
        if teacher.read_bytes() != (run / "teacher.keras").read_bytes():
            other["teacher"] = "another net"
    if other:
        sys.exit(f"error: {run} was trained with {other}, expected {wanted}. Remove it to train anew.")


def missed_marks(name: str, bundle: Bundle) -> list[str]:
    """Say which marks a bundle misses; an empty list means that it can be released."""
    manifest = bundle.manifest
    largest, most_macs = LARGEST[name]
    checks = {f"{manifest.macs:,} multiply-accumulates, at most {most_macs:,}": manifest.macs <= most_macs}
    for file in INT8:
        entry = manifest.files.get(file)
        if entry is None:
            checks[f"no {file}"] = False
            continue
        drop = manifest.reference_top1 - entry.top1
        checks[f"{file} loses {drop:.2%}, at most {LARGEST_DROP:.2%}"] = drop <= LARGEST_DROP
        checks[f"{file} agrees on {entry.agreement:.2%}, at least {LEAST_AGREEMENT:.2%}"] = (
            entry.agreement >= LEAST_AGREEMENT
        )
        if file.endswith(".tflite"):
            checks[f"{file} has {entry.bytes:,} bytes, at most {largest:,}"] = entry.bytes <= largest
    return [message for message, holds in checks.items() if not holds]


def publish(bundles: dict[str, Path]) -> None:
    """Put bundles here, with how well rendered scenes are read, and write README's figures."""
    scenes = digitedge("eval", "scenes", "--count", str(SCENES), "--model", str(bundles["cnn"]), "--json", read=True)
    for name, bundle in bundles.items():
        with atomic_folder(HERE / name) as draft:
            for file in bundle.iterdir():
                (draft / file.name).write_bytes(file.read_bytes())
    write_text(HERE / "scenes.json", scenes)
    run_program(str(HERE / "figures.py"))


def report_spread(seeds: int, missed: Sequence[str]) -> None:
    """Print mean and standard deviation of every figure of the int8 TFLite files, and keep them beside the bundles.

    Args:
        seeds: how many there are.
        missed: lines on bundles that could not be released.
    """
    lines = [f"| int8 TFLite, {seeds} seeds | {' | '.join(FIGURES)} |", f"| --- |{' ---: |' * len(FIGURES)}"]
    for name in RELEASED:
        kept = [MADE / f"seed-{seed}" / name / EVALUATION for seed in range(seeds)]
        files = [json.loads(path.read_text(encoding="utf-8"))["files"][INT8[0]] for path in kept]
        columns = [[100 * file[key] for file in files] for key in FIGURES.values()]
        cells = [f"{mean(column):.2f} ± {stdev(column) if seeds > 1 else 0:.2f} %" for column in columns]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    report = "\n".join([*lines, *missed]) + "\n"
    write_text(MADE / "spread.md", report)
    print(report)


def digitedge(*arguments: str, read: bool = False) -> str:
    """Run a command of digitedge, say how long it took, and return what it printed if that is to be read."""
    print(f"$ digitedge {' '.join(arguments)}", flush=True)
    started = time.monotonic()
    printed = run_program("-m", "digitedge", *arguments, read=read)
    print(f"({(time.monotonic() - started) / 60:.1f} minutes)", flush=True)
    return printed


def run_program(*arguments: str, read: bool = False) -> str:
    """Run this Python on something; a failure ends this program with the same exit code."""
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE if read else None, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
