"""Make the released bundles: fine-tune, export, verify and evaluate each, then publish them in export/; `make release`.

Every step is a command of digitedge, printed before it runs. Bundles are made in `runs/release` and published when all
meet the release criteria, so a failure leaves the released ones alone. After an interruption, run it again: it resumes
the interrupted training and keeps finished ones. To train again, remove `runs/train/release-*`.

With `--seeds 3` the same is done for seeds 0, 1 and 2, nothing is published, and the spread is reported, with the
criteria that a seed fails. With `--scheduler` the seeds are spread over a Dask cluster whose workers share this folder.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.model_card import EVALUATION, FIGURES
from digitedge.engines.scripts import Script, run_scripts
from digitedge.errors import DigitEdgeError
from digitedge.utils.files import atomic_folder, write_text
from digitedge.utils.tables import percent

# Options of each fine-tuning of the published model: one hour on two cores in all. How the first ones were trained: see
# docs/decisions/train-settings.md.
RELEASED: dict[str, dict[str, Any]] = {"cnn": {"epochs": 9, "scenes": 3000}, "small": {"epochs": 9, "scenes": 3000}}
# Student -> teacher, which is trained first.
TEACHERS = {"small": "cnn"}
# Release criteria: bytes of the int8 TFLite file and multiply-accumulates; top-1 drop and agreement of both int8 files.
MAX_BYTES = {"cnn": 80_000, "small": 24_000}
MAX_MACS = {"cnn": 10_000_000, "small": 1_300_000}
MAX_DROP = 0.0005
MIN_AGREEMENT = 0.999
INT8 = ("model_int8.tflite", "model_int8.onnx")
# Number of rendered scenes that the reader is evaluated on.
SCENES = 300
RUNS = Path("runs/train")
MADE = Path("runs/release")
PUBLISHED = Path("export")


def main() -> None:
    """Make the released bundles, or with --seeds the report of their spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, help="train with so many seeds and report the spread")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="with --seeds: on the workers of a Dask cluster")
    parser.add_argument("--seed", type=int, help="make the bundles of one seed, and publish nothing")
    options = parser.parse_args()
    if options.seed is not None:
        make(seed=options.seed)
        return
    if options.seeds is None:
        bundles = make(seed=0)
        for name, path in bundles.items():
            if failed := failed_criteria(name, load_bundle(path)):
                sys.exit(f"error: {path} is not released: {'; '.join(failed)}")
        publish(bundles)
        return
    if options.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {options.seeds}")
    failures = make_seeds(options.seeds, options.scheduler)
    made = [seed for seed in range(options.seeds) if seed not in failures]
    bundles = [(name, MADE / f"seed-{seed}" / name) for seed in made for name in RELEASED]
    failed = [f"\n{path} fails: {one}" for name, path in bundles for one in failed_criteria(name, load_bundle(path))]
    failed += [f"\nseed {seed} could not be made: {why}" for seed, why in failures.items()]
    if made:
        report_spread(made, failed)
    if failures:
        sys.exit(f"error: expected {options.seeds} seeds, got {len(made)}:{''.join(failed)}")


def make_seeds(seeds: int, scheduler: str | None) -> dict[int, str]:
    """Make the bundles of all seeds, each in a process of its own with a log; returns why some could not be made."""
    failures: dict[int, str] = {}

    def report(script: Script, failure: str | None) -> None:
        print(f"{script.name}: {failure or 'done'}", flush=True)
        if failure:
            failures[int(script.arguments[-1])] = failure

    scripts = [
        Script(f"seed {seed}", ("export/release.py", "--seed", str(seed)), MADE / f"seed-{seed}.log")
        for seed in range(seeds)
    ]
    run_scripts(scripts, scheduler=scheduler, log=partial(print, flush=True), on_done=report)
    return failures


def make(*, seed: int) -> dict[str, Path]:
    """Train all models, then export, verify and evaluate each; `cnn` last, because the newest bundle runs by default.

    Returns:
        Name of the model -> its bundle.
    """
    runs = {name: train(name, seed=seed) for name in RELEASED}
    folder = MADE / f"seed-{seed}"
    for name, run in reversed(runs.items()):
        digitedge("export", str(run), "--name", name, "--output", str(folder), "--overwrite")
        digitedge("verify", str(folder / name))
        digitedge("eval", str(folder / name), "--save")
    return {name: folder / name for name in runs}


def train(name: str, *, seed: int) -> Path:
    """Train one model, or resume its training if it was interrupted; return the run folder."""
    run = run_folder(name, seed)
    if run.is_dir() and not (run / "args.json").exists():
        run.rmdir()  # interrupted before the training began
    if (run / "args.json").is_file():
        check_config(name, seed)
        if (run / "metrics.json").is_file():
            print(f"finished before: {run}", flush=True)
        else:
            digitedge("train", "--resume", str(run))
        return run
    options = [part for key, value in RELEASED[name].items() for part in (f"--{key}", str(value))]
    options += ["--from", str(PUBLISHED / name)]
    if name in TEACHERS:
        options += ["--teacher", str(run_folder(TEACHERS[name], seed))]
    digitedge("train", name, *options, "--seed", str(seed), "--name", run.name.removesuffix("-1"))
    return run


def run_folder(name: str, seed: int) -> Path:
    """The run folder of a model: `digitedge train` numbers the runs of a name from 1."""
    return RUNS / f"release-{name}-{seed}-1"


def check_config(name: str, seed: int) -> None:
    """Exit if a run was trained with another config, start or teacher than the released one."""
    run = run_folder(name, seed)
    config = json.loads((run / "args.json").read_text(encoding="utf-8"))["config"]
    expected = {"architecture": name, "seed": seed, **RELEASED[name]}
    different = {key: config.get(key) for key, value in expected.items() if config.get(key) != value}
    sources = {"start": PUBLISHED / name}
    if name in TEACHERS:
        sources["teacher"] = run_folder(TEACHERS[name], seed)
    made = MADE / f"seed-{seed}" / name / "model.keras"
    for role, source in sources.items():
        model = (source / "model.keras").read_bytes()
        is_published = role == "start" and made.is_file() and model == made.read_bytes()
        if model != (run / f"{role}.keras").read_bytes() and not is_published:
            different[role] = "another model"
    if different:
        sys.exit(f"error: {run} was trained with {different}, expected {expected}. Remove it to train again.")


def failed_criteria(name: str, bundle: Bundle) -> list[str]:
    """The release criteria that a bundle fails; it can be released if there are none."""
    manifest = bundle.manifest
    checks = {f"{manifest.macs:,} multiply-accumulates, at most {MAX_MACS[name]:,}": manifest.macs <= MAX_MACS[name]}
    for file in INT8:
        entry = manifest.files.get(file)
        if entry is None:
            checks[f"no {file}"] = False
            continue
        drop = manifest.reference_top1 - entry.top1
        checks[f"{file} has a top-1 drop of {percent(drop)}, at most {percent(MAX_DROP)}"] = drop <= MAX_DROP
        agreement = f"{file} has an agreement of {percent(entry.agreement)}, at least {percent(MIN_AGREEMENT)}"
        checks[agreement] = entry.agreement >= MIN_AGREEMENT
        if file.endswith(".tflite"):
            checks[f"{file} has {entry.bytes:,} bytes, at most {MAX_BYTES[name]:,}"] = entry.bytes <= MAX_BYTES[name]
    return [message for message, holds in checks.items() if not holds]


def publish(bundles: dict[str, Path]) -> None:
    """Copy bundles to export/, evaluate the reader on rendered scenes, and write the tables of the documentation."""
    scenes = digitedge("eval", "scenes", "--images", str(SCENES), "--model", str(bundles["cnn"]), "--json", read=True)
    for name, bundle in bundles.items():
        with atomic_folder(PUBLISHED / name) as draft:
            for file in bundle.iterdir():
                (draft / file.name).write_bytes(file.read_bytes())
    write_text(PUBLISHED / "scenes.json", scenes)
    run_program(str(PUBLISHED / "figures.py"))


def report_spread(seeds: Sequence[int], failed: Sequence[str]) -> None:
    """Print mean and standard deviation of the figures of the int8 TFLite files, and write them to spread.md.

    Args:
        seeds: those whose bundles were made.
        failed: lines on bundles that could not be released.
    """
    lines = [f"| int8 TFLite, {len(seeds)} seeds | {' | '.join(FIGURES)} |", f"| --- |{' ---: |' * len(FIGURES)}"]
    for name in RELEASED:
        paths = [MADE / f"seed-{seed}" / name / EVALUATION for seed in seeds]
        files = [json.loads(path.read_text(encoding="utf-8"))["files"][INT8[0]] for path in paths]
        columns = [[100 * file[key] for file in files] for key in FIGURES.values()]
        cells = [f"{mean(column):.2f} ± {stdev(column) if len(seeds) > 1 else 0:.2f} %" for column in columns]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    report = "\n".join([*lines, *failed]) + "\n"
    write_text(MADE / "spread.md", report)
    print(report)


def digitedge(*arguments: str, read: bool = False) -> str:
    """Run a command of digitedge and print its time; with `read`, return its output."""
    print(f"$ digitedge {' '.join(arguments)}", flush=True)
    started = time.monotonic()
    printed = run_program("-m", "digitedge", *arguments, read=read)
    print(f"({(time.monotonic() - started) / 60:.1f} minutes)", flush=True)
    return printed


def run_program(*arguments: str, read: bool = False) -> str:
    """Run this Python; if it fails, exit with the same code."""
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE if read else None, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


if __name__ == "__main__":
    try:
        main()
    except DigitEdgeError as exc:
        sys.exit(f"error: {exc}")
    except KeyboardInterrupt:
        sys.exit(130)
