"""Let the disk be full at some moment of every command that writes.

The disk is a small tmpfs on which a random number of bytes is free, where root may mount one; in half of the runs, and
for other users always, it is a limit on the size of every file instead. A command must do its work, or be refused with
one line and leave everything as it was: the old file whole, nothing new, no draft.

    python -m chaos.disks --commands 60 --exports 2 --seed 3

Prints one JSON object; exits with 1 outside the mark. Linux only.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos.network_camera import draw_number
from chaos.trial import DIGITEDGE, Ended, Tally, hash_files, run_command, shuffled
from signing import ROOT, Maker, copy_bundle, make_key, sign

from digitedge.bundle.bundle import load_bundle
from digitedge.updates.install import install_update
from digitedge.utils.images import read_image

TMPFS_MB = 40
# A prefix of the file that fills the disk.
FILLER = "filler"
OLD_RECORDING = b"an old recording"
CLIP_FRAMES = 40
# What may grow also after a failure: the log and the seen metadata of versions, and the caches of libraries.
GROWS = ("log.jsonl", "tuf", ".lock", ".keras", "Microsoft", "matplotlib", ".ses")


@dataclass(frozen=True, slots=True)
class Case:
    """A command that writes.

    Attributes:
        command: after `digitedge`, in the folder of the run.
        needs: bytes that it writes at most, about.
        check: what is wrong with what it wrote.
        output: file that takes its stdout.
        goes_on: it works without what cannot be written, and says so.
        part: file whose beginning is of use: it may be new, though the command failed.
        largest: bytes of its largest file; 0: `needs`.
    """

    command: tuple[str, ...]
    needs: int
    check: Callable[[Path], list[str]] = field(default=lambda folder: [])
    output: str | None = None
    goes_on: bool = False
    part: str | None = None
    largest: int = 0


def check_bundle(name: str) -> Callable[[Path], list[str]]:
    """Check that a bundle, or the current one of a folder of versions, is whole."""

    def check(folder: Path) -> list[str]:
        load_bundle(folder / name)
        return []

    return check


def check_images(folder: Path) -> list[str]:
    """Check that every image is whole."""
    for path in (folder / "out").rglob("*.*"):
        read_image(path)
    return []


def check_recording(folder: Path) -> list[str]:
    """Check that the old or the new recording is whole."""
    from digitedge.utils.opencv import cv2

    path = folder / "out.avi"
    if path.read_bytes() == OLD_RECORDING:
        return []
    frames = 0
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    while capture.grab():
        frames += 1
    capture.release()
    return [] if frames >= CLIP_FRAMES - 1 else [f"{frames} of {CLIP_FRAMES} frames were recorded"]


def check_json(folder: Path) -> list[str]:
    """Check that the output is a line of JSON."""
    json.loads((folder / "out.json").read_text())
    return []


CASES = {
    "sign": Case(("sign", "bundle", "--key", "other.key"), 8_000, check_bundle("bundle")),
    "trust new-key": Case(("trust", "new-key", "new"), 8_000),
    "trust add": Case(("trust", "add", "other.pub"), 8_000),
    "publish": Case(("publish", "bundle", "--to", "repository", "--key", "maker.key"), 700_000),
    "update": Case(("update", "offer", "--to", "device"), 1_800_000, check_bundle("device")),
    "rollback": Case(("update", "--rollback", "--to", "device"), 8_000, check_bundle("device")),
    "predict --annotate": Case(("predict", "page.jpg", "--annotate", "out"), 40_000, check_images),
    "predict --stages": Case(("predict", "page.jpg", "--stages", "out"), 400_000, check_images),
    "predict --json": Case(("predict", "page.jpg", "--json"), 4_000, check_json, output="out.json"),
    "camera --save-crops": Case(
        ("camera", "clip.avi", "--headless", "--save-crops", "out"), 60_000, check_images, goes_on=True
    ),
    "camera --record": Case(
        ("camera", "clip.avi", "--headless", "--record", "out.avi", "--overwrite"),
        38_000_000,
        check_recording,
        part="out.avi",
        largest=200_000,
    ),
    "eval scenes --sheet": Case(("eval", "scenes", "--images", "2", "--sheet", "out/sheet.png"), 400_000, check_images),
}
EXPORT = Case(
    (
        *("export", "--data", "synthetic", "--int8", "--name", "mine", "--overwrite"),
        *("--tolerance", "agreement=0.5,top1_drop=0.5,max_abs_diff=1"),
    ),
    16_000_000,
    check_bundle("export/mine"),
)


def make_template(folder: Path) -> Path:
    """Make what the commands work on, with old outputs to replace."""
    folder.mkdir()
    os.environ["DIGITEDGE_CONFIG"] = str(folder / "config")
    key = make_key(folder, "maker", trusted=True)
    make_key(folder, "other")
    maker = Maker(key, sign(copy_bundle(folder / "bundle"), key), folder / "repository")
    for _ in range(2):
        maker.publish()
        install_update(str(maker.repository), folder / "device", root=maker.root)
    shutil.copytree(maker.repository, folder / "offer")
    offered = sign(copy_bundle(folder / "offered", ROOT / "export" / "cnn"), key)
    Maker(key, offered, folder / "offer").publish()
    shutil.rmtree(offered)
    (folder / "page.jpg").write_bytes(draw_number("2026"))
    (folder / "out.avi").write_bytes(OLD_RECORDING)
    make_clip(folder)
    return folder


def make_clip(folder: Path) -> None:
    """Write a clip in which a row appears."""
    from digitedge.utils.opencv import cv2

    writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(CLIP_FRAMES):
        writer.write(read_image(folder / "page.jpg"))
    writer.release()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a tmpfs on a folder while a block runs; tell whether that was allowed."""
    folder.mkdir()
    size = f"size={TMPFS_MB}m"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "digitedge-chaos", folder], capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)


def fill(disk: Path, free: int) -> Path:
    """Fill a disk up to a number of free bytes."""
    place = os.statvfs(disk)
    with (disk / FILLER).open("wb") as file:
        size = place.f_bavail * place.f_frsize - free
        if size > 0:
            os.posix_fallocate(file.fileno(), 0, size)
    return disk / FILLER


def run_full(case: Case, folder: Path, *, free: int, disk: Path | None) -> Ended:
    """Run a command with so many bytes free on its disk, or for each of its files."""
    home = {name: str(folder / "home") for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    environment = {
        **os.environ,
        **home,
        "DIGITEDGE_CONFIG": str(folder / "config"),
        "TMPDIR": str(folder / "temporary"),
    }
    limit = [] if disk else ["prlimit", f"--fsize={free}"]
    filler = fill(disk, free) if disk else None
    try:
        options = {"cwd": folder, "env": environment}
        if case.output is None:
            return run_command([*limit, *DIGITEDGE, *case.command], **options)
        with (folder / case.output).open("w") as output:
            return run_command([*limit, *DIGITEDGE, *case.command], stdout=output, **options)
    finally:
        if filler:
            filler.unlink()


def try_case(name: str, case: Case, template: Path, place: Path, *, free: int, is_disk: bool, tally: Tally) -> None:
    """Run a command on a full disk and compare its folder with that before."""
    folder = place / "run"
    shutil.copytree(template, folder)
    (folder / "temporary").mkdir()
    (folder / "home").mkdir()
    before = hash_files(folder)
    ended = run_full(case, folder, free=free, disk=place if is_disk else None)
    tally.maximum("seconds", ended.seconds)
    after = hash_files(folder)
    problems = ended.problems
    new = {path for path in after if after[path] != before.get(path)}
    drafts = [path for path in new if Path(path).name.startswith((".digitedge-", ".draft-", "tmp"))]
    if drafts:
        problems.append(f"left behind: {drafts}")
    if gone := set(before) - set(after):
        problems += [f"gone: {sorted(gone)}"] if ended.code else []
    if ended.code:
        # An empty folder that was asked for may stay.
        files = {path for path in new if after[path] and path not in (case.output, case.part)}
        changed = sorted(path for path in files if not any(part in GROWS for part in Path(path).parts))
        problems += [f"changed, though refused: {changed}"] if changed else []
    try:
        if ended.code == 0 or (case.output is None and case.part not in new):
            problems += case.check(folder)
    except Exception as exc:
        problems.append(f"what is there is damaged: {exc!r}")
    outcome = "done" if ended.code == 0 else "refused, all as before"
    if ended.code and case.part in new:
        outcome = "said that the end is missing"
    if case.goes_on and "not saved" in ended.errors:
        outcome = "went on without"
    kind = "disk" if is_disk else "file limit"
    tally.add(f"{name}, {kind} of {free:,} bytes", f"{kind}: {outcome}", problems)
    shutil.rmtree(folder)


def train(folder: Path) -> Path:
    """Train a network and export it, for exports of it."""
    folder.mkdir()
    command = ["train", "mlp", "--data", "synthetic", "--epochs", "1", "--name", "chaos"]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "home")}
    for words in (command, EXPORT.command):
        subprocess.run([*DIGITEDGE, *words], cwd=folder, check=True, capture_output=True, env=environment)
    shutil.rmtree(folder / "home")
    return folder


def main() -> int:
    """Fill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=8 * len(CASES))
    parser.add_argument("--kinds", nargs="+", choices=CASES, default=list(CASES), metavar="KIND", help=", ".join(CASES))
    parser.add_argument("--exports", type=int, default=4, help="of real exports; they need TensorFlow")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tally = Tally("disks", options.seed)
    with tempfile.TemporaryDirectory(prefix="digitedge-disks-") as name:
        base = Path(name)
        template = make_template(base / "template")
        trained = train(base / "trained") if options.exports else base
        (base / "plain").mkdir()
        with small_disk(base / "disk") as can_mount:
            kinds = shuffled(options.kinds, options.commands, rng) + ["export"] * (options.exports if can_mount else 0)
            for kind in kinds:
                case = CASES.get(kind, EXPORT)
                # Half of them near nothing, where drafts, logs and locks fail.
                share = rng.choice([rng.random(), rng.random() ** 6])
                # TensorFlow swallows the error that its own temporary file is too large.
                is_disk = can_mount and (case is EXPORT or rng.random() < 0.5)
                place = base / ("disk" if is_disk else "plain")
                source = trained if case is EXPORT else template
                free = round(share * (case.needs if is_disk else case.largest or case.needs))
                try_case(kind, case, source, place, free=free, is_disk=is_disk, tally=tally)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
