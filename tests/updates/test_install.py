import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from signing import SMALL, Maker, copy_bundle, flip_byte, make_key, sign

from digitedge.bundle.bundle import load_bundle, load_model
from digitedge.bundle.golden import Golden, load_golden, save_golden
from digitedge.bundle.keys import read_private_key
from digitedge.bundle.versions import read_state
from digitedge.errors import DigitEdgeError, InputError, ModelError, ParityError

pytest.importorskip("tuf")
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile

from digitedge.updates import install
from digitedge.updates.install import install_update, roll_back
from digitedge.updates.repository import publish

Serve = Callable[..., Any]


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """The folder of a device, in which nothing is installed yet."""
    return tmp_path / "device"


@pytest.fixture
def offered(maker: Maker, template: Path) -> str:
    """A repository with version 1."""
    return str(shutil.copytree(template / "repository", maker.repository))


def events(device: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (device / "log.jsonl").read_text().splitlines()]


def edit_metadata(maker: Maker, name: str, change: Callable[[Any], object]) -> None:
    """Change metadata of a repository, and sign it with the maker's key."""
    path = maker.repository / "metadata" / name
    metadata: Metadata[Any] = Metadata.from_file(str(path))
    change(metadata.signed)
    metadata.sign(CryptoSigner(read_private_key(maker.key)))
    metadata.to_file(str(path))


def test_versions_are_installed_from_a_web_server_one_after_the_other(
    maker: Maker, device: Path, serve: Serve, released: Path, tmp_path: Path
) -> None:
    maker.publish()
    lines: list[str] = []
    with serve(maker.repository) as address:
        first = install_update(address, device, root=maker.root, log=lines.append)
        again = install_update(address, device)
        maker.publish(sign(copy_bundle(tmp_path / "second", released), maker.key))
        second = install_update(address, device)
    assert (first.version, first.changed) == (1, True)
    assert (again.version, again.changed) == (1, False)
    assert (second.version, second.changed, second.path) == (2, True, device / "versions" / "2")
    assert lines[-1] == "version 1 is current, signed by maker"
    assert load_bundle(device, require_signature=True).manifest.name == "cnn"
    assert load_model(device).path == device / "versions" / "2" / "model_int8.tflite"
    assert load_bundle(device / "versions" / "1").manifest.name == "small"
    happened = [(event["event"], event["version"]) for event in events(device)]
    assert happened == [("installed", 1), ("unchanged", 1), ("installed", 2)]


@pytest.mark.slow
def test_what_the_current_version_has_is_not_downloaded_again(maker: Maker, device: Path, serve: Serve) -> None:
    maker.publish()
    install_update(str(maker.repository), device, root=maker.root)
    maker.publish()
    for path in (maker.repository / "targets").glob("*.model*"):
        path.unlink()
    with serve(maker.repository) as address:
        assert install_update(address, device).version == 2


def test_a_rollback_returns_to_the_version_before_until_a_newer_one_comes(maker: Maker, device: Path) -> None:
    for _ in range(2):
        maker.publish()
        install_update(str(maker.repository), device, root=maker.root)
    back = roll_back(device)
    assert (back.version, back.path) == (1, device / "versions" / "1")
    assert load_bundle(device).path == back.path
    assert install_update(str(maker.repository), device).version == 1
    with pytest.raises(InputError, match="there is no version before 1"):
        roll_back(device)
    maker.publish()
    assert install_update(str(maker.repository), device).version == 3
    assert {path.name for path in (device / "versions").iterdir()} == {"1", "3"}
    assert roll_back(device).version == 1
    assert events(device)[2] == {**events(device)[2], "event": "rolled back", "version": 1, "left": 2}


@pytest.mark.slow
def test_a_rollback_to_a_damaged_version_is_refused(maker: Maker, device: Path) -> None:
    for _ in range(2):
        maker.publish()
        install_update(str(maker.repository), device, root=maker.root)
    flip_byte(device / "versions" / "1" / "model_int8.tflite")
    with pytest.raises(ModelError, match="was changed"):
        roll_back(device)
    assert read_state(device).current == 2


def test_there_is_no_trust_on_first_use(offered: str, device: Path) -> None:
    with pytest.raises(InputError, match="expected --root FILE the first time"):
        install_update(offered, device)
    assert not (device / "state.json").exists()
    assert events(device)[0]["event"] == "failed"


def test_a_bundle_is_no_version_folder(maker: Maker, offered: str) -> None:
    with pytest.raises(InputError, match="is a bundle; expected a version folder"):
        install_update(offered, maker.bundle, root=maker.root)


@pytest.mark.slow
def test_another_root_than_the_first_is_refused(maker: Maker, offered: str, device: Path, tmp_path: Path) -> None:
    install_update(offered, device, root=maker.root)
    install_update(offered, device, root=maker.root)  # the same again is no error
    other = tmp_path / "other.json"
    other.write_text(maker.root.read_text() + "\n")
    with pytest.raises(InputError, match=r"is not the root file that .* trusts"):
        install_update(offered, device, root=other)


PEM = "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("content", ["", "{}", "[" * 60_000, "\x00", PEM], ids=range(5))
def test_a_root_that_is_none_is_refused_and_not_kept(offered: str, device: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(ModelError, match=r"bad\.json: expected a root file, .* got something else"):
        install_update(offered, device, root=tmp_path / "bad.json")
    assert not (device / "root.json").exists()


def test_the_repository_of_a_stranger_is_refused(maker: Maker, device: Path, tmp_path: Path) -> None:
    maker.publish()
    install_update(str(maker.repository), device, root=maker.root)
    stranger = Maker(make_key(tmp_path, "stranger"), maker.bundle, tmp_path / "elsewhere")
    for _ in range(2):
        stranger.publish()
    with pytest.raises(ModelError, match="is refused: "):
        install_update(str(stranger.repository), device)
    assert read_state(device).current == 1
    assert events(device)[-1]["event"] == "failed"


def test_older_metadata_is_refused(maker: Maker, device: Path, tmp_path: Path) -> None:
    maker.publish()
    older = shutil.copytree(maker.repository, tmp_path / "older")
    maker.publish()
    install_update(str(maker.repository), device, root=maker.root)
    with pytest.raises(ModelError, match=r"is refused: .*version"):
        install_update(str(older), device)
    assert read_state(device).current == 2


@pytest.mark.slow
def test_an_older_version_of_the_bundle_in_newer_metadata_is_refused(maker: Maker, device: Path) -> None:
    for _ in range(2):
        maker.publish()
    install_update(str(maker.repository), device, root=maker.root)
    edit_metadata(
        maker, "2.targets.json", lambda t: t.targets["manifest.json"].unrecognized_fields.update(custom={"version": 1})
    )
    publish(None, maker.repository, key=read_private_key(maker.key))
    with pytest.raises(ModelError, match="offers version 1, and 2 is installed"):
        install_update(str(maker.repository), device)


def test_metadata_of_two_publications_is_refused(maker: Maker, offered: str, device: Path) -> None:
    maker.publish()
    metadata = maker.repository / "metadata"
    shutil.copyfile(metadata / "1.snapshot.json", metadata / "2.snapshot.json")
    with pytest.raises(ModelError, match="is refused: "):
        install_update(offered, device, root=maker.root)


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.root.json"])
def test_expired_metadata_is_refused(maker: Maker, offered: str, device: Path, name: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    edit_metadata(maker, name, lambda signed: setattr(signed, "expires", before))
    with pytest.raises(ModelError, match=r"has expired \(.*\): it is refused until its maker renews it"):
        install_update(offered, device, root=maker.root)


@pytest.mark.parametrize("kind", ["model_int8.tflite", "manifest.json", "signature.json", "golden.npz"])
def test_one_changed_byte_of_a_file_is_refused(maker: Maker, offered: str, device: Path, kind: str) -> None:
    (path,) = (maker.repository / "targets").glob(f"*.{kind}")
    flip_byte(path)
    with pytest.raises(ModelError, match="is refused: "):
        install_update(offered, device, root=maker.root)
    assert list((device / "versions").iterdir()) == []


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
def test_one_changed_byte_of_metadata_is_refused(maker: Maker, offered: str, device: Path, name: str) -> None:
    flip_byte(maker.repository / "metadata" / name, -300)
    with pytest.raises(ModelError):
        install_update(offered, device, root=maker.root)


@pytest.mark.slow
def test_a_key_change_of_the_maker_reaches_devices(maker: Maker, device: Path, tmp_path: Path) -> None:
    offline, second = (read_private_key(make_key(tmp_path, name)) for name in ("offline", "second"))
    maker.publish(root_key=offline)
    install_update(str(maker.repository), device, root=maker.root)
    publish(load_bundle(maker.bundle), maker.repository, key=second, root_key=offline)
    assert install_update(str(maker.repository), device).version == 2


@pytest.mark.parametrize("signed_by", [pytest.param(None, marks=pytest.mark.slow), "stranger"])
def test_the_signature_policy_holds_for_updates(
    maker: Maker, device: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signed_by: str | None
) -> None:
    bundle = copy_bundle(tmp_path / "other")
    maker.publish(bundle if signed_by is None else sign(bundle, make_key(tmp_path, signed_by)))
    monkeypatch.setenv("DIGITEDGE_REQUIRE_SIGNATURE", "1")
    with pytest.raises(ModelError, match=r"^the offered bundle is (not signed|.*not trusted here)"):
        install_update(str(maker.repository), device, root=maker.root)
    monkeypatch.delenv("DIGITEDGE_REQUIRE_SIGNATURE")
    assert install_update(str(maker.repository), device).version == 1


def test_a_bundle_that_gives_other_results_here_is_not_installed(maker: Maker, device: Path, tmp_path: Path) -> None:
    bundle = copy_bundle(tmp_path / "other")
    golden = load_golden(bundle / "golden.npz")
    turned = {name: np.roll(one, 1, axis=1) for name, one in golden.probabilities.items()}
    save_golden(Golden(golden.crops, turned), bundle / "golden.npz")
    manifest = json.loads((bundle / "manifest.json").read_text())
    content = (bundle / "golden.npz").read_bytes()
    manifest["others"]["golden.npz"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    maker.publish(bundle)
    with pytest.raises(ModelError, match=r"gives other results on this device: .*golden predictions differ"):
        install_update(str(maker.repository), device, root=maker.root)
    assert not (device / "state.json").exists()
    assert list((device / "versions").iterdir()) == []


def test_a_bundle_that_is_too_large_is_refused_before_it_is_downloaded(
    maker: Maker, offered: str, device: Path
) -> None:
    edit_metadata(
        maker, "1.targets.json", lambda targets: setattr(targets.targets["model.keras"], "length", 300 * 1024 * 1024)
    )
    with pytest.raises(ModelError, match=r"the offered bundle has .* bytes, at most 268,435,456 are taken"):
        install_update(offered, device, root=maker.root)


def test_a_manifest_that_names_more_than_is_offered_is_refused(maker: Maker, offered: str, device: Path) -> None:
    edit_metadata(maker, "1.targets.json", lambda targets: targets.targets.pop("labels.txt"))
    with pytest.raises(ModelError, match=r"lists labels\.txt, which is not offered"):
        install_update(offered, device, root=maker.root)


@pytest.mark.parametrize("version", [0, -1, True, "1", None, 10**12])
def test_a_version_that_is_no_number_is_refused(maker: Maker, offered: str, device: Path, version: Any) -> None:
    def change(targets: Any) -> None:
        manifest: TargetFile = targets.targets["manifest.json"]
        manifest.unrecognized_fields["custom"] = {"version": version}

    edit_metadata(maker, "1.targets.json", change)
    with pytest.raises(ModelError, match=r"expected a version from 1 to"):
        install_update(offered, device, root=maker.root)


@pytest.mark.parametrize("source", ["nowhere", "ftp://127.0.0.1/x", "file:///tmp", "http://user:secret@127.0.0.1:9/x"])
def test_another_kind_of_source_is_refused(device: Path, source: str) -> None:
    with pytest.raises(InputError) as caught:
        install_update(source, device)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_one_clear_error(maker: Maker, offered: str, device: Path) -> None:
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9 cannot be read: .*refused"):
        install_update("http://127.0.0.1:9", device, root=maker.root)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:port/x", "http://127.0.0.1:9/\x1b[31m", "http://[::1", "http://.."]
)
def test_an_address_that_is_none_is_one_clear_error(maker: Maker, offered: str, device: Path, address: str) -> None:
    with pytest.raises(DigitEdgeError) as caught:
        install_update(address, device, root=maker.root)
    assert "\x1b" not in str(caught.value)


class Endless(SimpleHTTPRequestHandler):
    """Answers every request with bytes without end: at once, or one every 20 ms."""

    pause_s = 0.0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"[" if self.pause_s else b"[" * 65_536)
                time.sleep(self.pause_s)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class Slow(Endless):
    pause_s = 0.02


ANSWERS = {
    "nothing": b"",
    "garbage": b"\x00\xff" * 100 + b"\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n{}",
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{}",
    "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}",
    "redirect to a file": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
    "redirects without end": b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n",
    "error": b"HTTP/1.1 500 \x1b[31m\r\n\r\n",
    "deep JSON": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 16_000,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_a_server_answers_is_one_clear_error(
    maker: Maker, offered: str, device: Path, serve: Serve, answer: bytes
) -> None:
    class Answer(Endless):
        def do_GET(self) -> None:
            self.wfile.write(answer)
            self.close_connection = True

    with serve(handler=Answer) as address, pytest.raises(ModelError) as caught:
        install_update(address, device, root=maker.root)
    assert len(str(caught.value).splitlines()) == 1
    assert "\x1b" not in str(caught.value)


def test_a_server_that_sends_without_end_is_left(maker: Maker, offered: str, device: Path, serve: Serve) -> None:
    with serve(handler=Endless) as address, pytest.raises(ModelError, match="exceeding the maximum allowed length"):
        install_update(address, device, root=maker.root)


def test_a_server_that_drips_is_left_at_the_deadline(maker: Maker, offered: str, device: Path, serve: Serve) -> None:
    started = time.monotonic()
    with serve(handler=Slow) as address, pytest.raises(ModelError, match=r"took too long|too slow"):
        install_update(address, device, root=maker.root, timeout_s=0.3)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_no_obstacle(device: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuse)
    device.mkdir()
    with install._locked(device), install._locked(device):
        pass


def test_a_file_system_without_links_is_one_clear_error(
    offered: str, maker: Maker, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))  # what FAT says on Linux

    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.raises(DigitEdgeError, match=r"expected a file system with symbolic links, .* with --to"):
        install_update(offered, device, root=maker.root)


def test_a_log_that_cannot_be_written_is_told_and_stops_no_update(maker: Maker, offered: str, device: Path) -> None:
    (device / "log.jsonl").mkdir(parents=True)
    lines: list[str] = []
    assert install_update(offered, device, root=maker.root, log=lines.append).changed
    assert not install_update(offered, device, log=lines.append).changed
    assert [line for line in lines if "is not in the log" in line] == [
        f"cannot write {device / 'log.jsonl'}: Is a directory: {event!r} is not in the log"
        for event in ("installed", "unchanged")
    ]


@pytest.mark.parametrize("damage", ["cut", pytest.param("gone", marks=pytest.mark.slow)])
def test_a_damaged_installed_version_is_installed_again(
    maker: Maker, offered: str, device: Path, serve: Serve, damage: str
) -> None:
    installed = install_update(offered, device, root=maker.root)
    state = read_state(device)
    if damage == "cut":
        os.truncate(installed.path / "model_int8.tflite", 1000)
    else:
        shutil.rmtree(installed.path)
    again = install_update(offered, device)
    assert (again.version, again.changed, read_state(device)) == (1, True, state)
    assert load_bundle(device, require_signature=True).signature.signer == "maker"
    assert [event["event"] for event in events(device)] == ["installed", "damaged", "repaired"]
    assert not install_update(offered, device).changed


@pytest.mark.slow
def test_a_damaged_version_is_not_replaced_by_the_one_that_was_rolled_back(maker: Maker, device: Path) -> None:
    for _ in range(2):
        maker.publish()
        install_update(str(maker.repository), device, root=maker.root)
    flip_byte(roll_back(device).path / "model_int8.tflite")
    with pytest.raises(ModelError, match=r"version 1 cannot be loaded, and .* offers 2, which was rolled back"):
        install_update(str(maker.repository), device)


def test_a_bundle_that_failed_parity_is_not_installed(maker: Maker, device: Path, tmp_path: Path) -> None:
    failed = copy_bundle(tmp_path / "failed")
    manifest = json.loads((failed / "manifest.json").read_text())
    manifest["passed"] = manifest["files"]["model_int8.tflite"]["passed"] = False
    (failed / "manifest.json").write_text(json.dumps(manifest))
    bundle = load_bundle(failed)
    publish(replace(bundle, manifest=load_bundle(SMALL).manifest), maker.repository, key=read_private_key(maker.key))
    with pytest.raises(ParityError, match="the offered bundle failed the parity check"):
        install_update(str(maker.repository), device, root=maker.root)


def test_two_updates_of_one_folder_do_not_meet(maker: Maker, offered: str, device: Path) -> None:
    if os.name == "nt":
        pytest.skip("locks of POSIX")
    device.mkdir()
    with install._locked(device), pytest.raises(DigitEdgeError, match="is being updated by another program"):
        install_update(offered, device, root=maker.root)


# Ends this process with SIGKILL before or after a file takes a name: the folder of the version, or the state.
KILLED = """
import os, signal, sys
from pathlib import Path
from digitedge.updates.install import install_update
name, moment, source, device = sys.argv[1:]
def killed(move):
    def moved(old, new, **options):
        if Path(new).name == name and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        move(old, new, **options)
        if Path(new).name == name:
            os.kill(os.getpid(), signal.SIGKILL)
    return moved
os.replace, os.rename = killed(os.replace), killed(os.rename)
install_update(source, Path(device))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "moment"), [(name, moment) for name in ("state.json", "2") for moment in ("before", "after")]
)
def test_a_kill_at_the_switch_leaves_the_old_version_or_the_new_one(
    maker: Maker, offered: str, device: Path, name: str, moment: str
) -> None:
    install_update(offered, device, root=maker.root)
    maker.publish()
    killed = subprocess.run([sys.executable, "-P", "-c", KILLED, name, moment, offered, str(device)])
    assert killed.returncode == -signal.SIGKILL
    assert read_state(device).current == (2 if (name, moment) == ("state.json", "after") else 1)
    assert load_bundle(device).manifest.passed
    assert install_update(offered, device).version == 2
    assert {path.name for path in (device / "versions").iterdir()} == {"1", "2"}
    known = {"versions", "tuf", "state.json", "root.json", "log.jsonl", ".lock"}
    assert {path.name for path in device.iterdir()} == known


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_kills_at_random_moments_leave_a_whole_version_and_nothing_else(
    maker: Maker, offered: str, device: Path
) -> None:
    install_update(offered, device, root=maker.root)
    rng = np.random.default_rng(0)
    command = [sys.executable, "-m", "digitedge", "update", offered, "--to", str(device)]
    for _ in range(30):
        maker.publish()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.2, 2.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert load_bundle(device).manifest.passed
    installed = install_update(offered, device)
    assert {path.name for path in (device / "versions").iterdir()} == {
        str(installed.version),
        str(read_state(device).previous),
    }
    known = {"versions", "tuf", "state.json", "root.json", "log.jsonl", ".lock"}
    assert {path.name for path in device.iterdir()} == known
