"""`trust`, `sign`, `publish`, `update` and --require-signature, in real processes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from signing import SMALL, copy_bundle, flip_byte
from typer.testing import CliRunner

from digitedge.bundle.signature import POLICY_VARIABLE
from digitedge.cli.app import app
from digitedge.utils.opencv import cv2

pytest.importorskip("cryptography")
pytest.importorskip("tuf")
Run = Callable[..., Any]
Command = Callable[..., subprocess.CompletedProcess[str]]
POLICY = {POLICY_VARIABLE: "1"}


@pytest.fixture
def run(tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, in a folder with a bundle that is not signed and a page that says 7."""
    copy_bundle(tmp_path / "bundle")
    image = np.full((200, 300), 230, np.uint8)
    image[60:68, 100:146] = image[60:140, 138:146] = 40
    cv2.imwrite(str(tmp_path / "page.png"), image)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.mark.slow  # a dozen processes
@pytest.mark.usefixtures("run")
def test_a_maker_signs_and_publishes_and_a_device_trusts_and_updates(digitedge: Command, tmp_path: Path) -> None:
    page = "page.png"
    (tmp_path / "pass.txt").write_text("open sesame\n")
    phrase = ("--passphrase-file", "pass.txt")
    assert digitedge("trust", "new-key", "maker", *phrase).stdout.startswith("private key: maker.key\npublic key: ")
    refused = digitedge("sign", "bundle", "--key", "maker.key")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is encrypted" in refused.stderr
    signed = digitedge("sign", "bundle", "--key", "maker.key", DIGITEDGE_KEY_PASSPHRASE="open sesame")
    assert signed.stdout.startswith("signed: bundle/signature.json (key "), signed.stderr

    stranger = digitedge("predict", page, "--model", "bundle")
    assert (stranger.returncode, stranger.stdout) == (0, "page.png: 7\n")
    assert len(stranger.stderr.splitlines()) == 1
    assert "is signed by a key that is not trusted here" in stranger.stderr
    refused = digitedge("predict", page, "--model", "bundle", "--require-signature")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)

    settings = {"DIGITEDGE_CONFIG": str(tmp_path / "config")}
    assert digitedge("trust", "add", "maker.pub", **settings).returncode == 0
    listed = json.loads(digitedge("trust", "list", "--json", **settings).stdout)
    assert [key["name"] for key in listed["keys"]] == ["maker"]
    trusted = digitedge("predict", page, "--model", "bundle", **settings, **POLICY)
    assert (trusted.stdout, trusted.stderr) == ("page.png: 7\n", "")

    published = digitedge("publish", "bundle", "--to", "site", "--key", "maker.key", *phrase, **settings)
    assert published.stdout.startswith("published: version 1, until 20"), published.stderr
    assert published.stdout.endswith("root file for new devices: site/metadata/1.root.json\n")
    installed = digitedge(
        *("update", "site", "--to", "device", "--root", "site/metadata/1.root.json", "--json"), **settings, **POLICY
    )
    expected = {"schema": "digitedge.update/1", "version": 1, "path": "device/versions/1", "changed": True}
    assert json.loads(installed.stdout) == expected, installed.stderr
    assert digitedge("predict", page, "--model", "device", **settings, **POLICY).stdout == "page.png: 7\n"
    assert digitedge("trust", "remove", "maker", **settings).returncode == 0
    assert digitedge("predict", page, "--model", "device", **settings, **POLICY).returncode == 1


@pytest.mark.parametrize(
    "command",
    ["predict page.png --model", "camera page.png --headless --model", "verify --golden", "bench --quick", "info"],
)
def test_every_command_that_loads_a_model_refuses_what_is_not_signed(run: Run, tmp_path: Path, command: str) -> None:
    refused = run(*command.split(), "bundle", "--require-signature")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: bundle is not signed, and only signed bundles are loaded here. Sign it: digitedge sign "
        "BUNDLE --key FILE\n"
    )


def test_the_option_goes_before_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POLICY_VARIABLE, "1")
    assert run("predict", "page.png", "--model", "bundle").exit_code == 1
    assert run("predict", "page.png", "--model", "bundle", "--no-require-signature").stdout == "page.png: 7\n"
    monkeypatch.setenv(POLICY_VARIABLE, "maybe")
    wrong = run("predict", "page.png", "--model", "bundle")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.stderr == f"error: expected {POLICY_VARIABLE} to be 1 or 0, got 'maybe'.\n"


def test_a_lone_file_and_the_released_bundle_are_refused_with_the_policy(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POLICY_VARIABLE, "1")
    shutil.copyfile(SMALL / "model_int8.tflite", tmp_path / "lone.tflite")
    for arguments in (["--model", "lone.tflite"], []):
        refused = run("predict", "page.png", *arguments)
        assert refused.exit_code == 1
        assert "only signed bundles are loaded here" in refused.stderr.splitlines()[-1]


def test_a_service_keeps_the_policy_of_the_shell_that_installs_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(*arguments: str, policy: str = "") -> str:
        monkeypatch.setenv(POLICY_VARIABLE, policy)
        unit = run("service", "install", "--print", "--", *arguments).stdout
        return next(line for line in unit.splitlines() if line.startswith("ExecStart="))

    assert "--require-signature" not in command("demo")
    assert command("demo", policy="1").endswith("--headless --require-signature demo")
    assert command("demo", "--require-signature").endswith("--headless demo --require-signature")
    assert command("demo", "--no-require-signature", policy="1").endswith("--headless demo --no-require-signature")


def test_a_changed_bundle_is_one_line_without_the_policy(run: Run, tmp_path: Path, digitedge: Command) -> None:
    run("trust", "new-key", "maker")
    run("sign", "bundle", "--key", "maker.key")
    flip_byte(tmp_path / "bundle" / "manifest.json", -300)
    changed = digitedge("predict", "page.png", "--model", "bundle")
    assert (changed.returncode, changed.stdout, len(changed.stderr.splitlines())) == (1, "", 1)


def test_the_root_key_may_have_another_passphrase(run: Run, tmp_path: Path) -> None:
    for name in ("maker", "root"):
        (tmp_path / f"{name}.txt").write_text(f"of {name}\n")
        run("trust", "new-key", name, "--passphrase-file", f"{name}.txt")
    keys = ("--key", "maker.key", "--root-key", "root.key", "--passphrase-file", "maker.txt")
    refused = run("publish", "bundle", "--to", "site", *keys)
    assert refused.exit_code == 1
    assert refused.stderr == "error: root.key: the passphrase is wrong, or the key is damaged.\n"
    assert run("publish", "bundle", "--to", "site", *keys, "--root-passphrase-file", "root.txt").exit_code == 0


def test_publish_says_who_signed_a_bundle_only_if_it_was_another_key(run: Run) -> None:
    for name in ("maker", "other"):
        run("trust", "new-key", name)
    for name, expected in (("maker", 0), ("other", 1)):
        run("sign", "bundle", "--key", f"{name}.key")
        published = run("publish", "bundle", "--to", "site", "--key", "maker.key")
        assert published.stderr.count("signed by a key that is not trusted here (") == expected


def test_info_says_how_a_bundle_is_signed(run: Run) -> None:
    def told() -> tuple[str, str | None, list[str]]:
        value = json.loads(run("info", "bundle", "--json").stdout)
        lines = [line for line in run("info", "bundle").stdout.splitlines() if "signed" in line]
        return value["signature"], value["signer"], lines

    assert told() == ("none", None, ["not signed"])
    run("trust", "new-key", "maker")
    run("sign", "bundle", "--key", "maker.key")
    state, signer, (line,) = told()
    assert (state, signer) == ("untrusted", None)
    assert line.startswith("signed by a key that is not trusted here (")
    run("trust", "add", "maker.pub")
    assert told() == ("trusted", "maker", ["signed by maker, whose key is trusted here"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["update", "--to", "device"],
        ["update", "site", "--to", "device", "--rollback"],
        ["update", "--to", "device", "--rollback", "--root", "root.json"],
        ["publish", "--to", "site", "--key", "maker.key"],
        ["publish", "bundle", "--renew", "--to", "site", "--key", "maker.key"],
        ["publish", "bundle", "--to", "site", "--key", "maker.key", "--days", "0"],
        ["trust", "new-key", "a/b"],
        ["trust", "add", "maker.pub", "--name", "a b"],
        ["trust", "remove", "a b"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_as_such(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_rollback_without_a_version_is_one_line(run: Run) -> None:
    done = run("update", "--rollback", "--to", "nowhere")
    assert done.exit_code == 1
    assert done.stderr == ("error: nowhere: expected a version folder, got none. Install a version first.\n")
