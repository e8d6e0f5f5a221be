"""`trust`, `sign`, `publish`, `update` and --require-signature, in real processes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from signing import SMALL, copy_bundle, flip_byte

from digitedge.cli.app import app
from digitedge.utils.opencv import cv2

pytest.importorskip("cryptography")
pytest.importorskip("tuf")
Command = Callable[..., subprocess.CompletedProcess[str]]
POLICY = {"DIGITEDGE_REQUIRE_SIGNATURE": "1"}


@pytest.fixture
def page(tmp_path: Path) -> str:
    image = np.full((200, 300), 230, np.uint8)
    image[60:68, 100:146] = image[60:140, 138:146] = 40  # a seven
    cv2.imwrite(str(tmp_path / "page.png"), image)
    return "page.png"


def test_a_maker_signs_and_publishes_and_a_device_trusts_and_updates(
    digitedge: Command, tmp_path: Path, page: str
) -> None:
    copy_bundle(tmp_path / "bundle")
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
    assert published.stdout.endswith("root of trust for new devices: site/metadata/1.root.json\n")
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
def test_every_command_that_loads_a_model_refuses_what_is_not_signed(
    digitedge: Command, tmp_path: Path, page: str, command: str
) -> None:
    copy_bundle(tmp_path / "bundle")
    refused = digitedge(*command.split(), "bundle", "--require-signature")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: bundle is not signed, and only signed bundles are loaded here. Sign the bundle again: "
        "digitedge sign BUNDLE --key FILE\n"
    )


def test_the_option_goes_before_the_environment(digitedge: Command, tmp_path: Path, page: str) -> None:
    copy_bundle(tmp_path / "bundle")
    assert digitedge("predict", page, "--model", "bundle", **POLICY).returncode == 1
    assert digitedge("predict", page, "--model", "bundle", "--no-require-signature", **POLICY).returncode == 0
    wrong = digitedge("predict", page, "--model", "bundle", DIGITEDGE_REQUIRE_SIGNATURE="maybe")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "error: expected DIGITEDGE_REQUIRE_SIGNATURE to be 1 or 0, got 'maybe'.\n"


def test_a_lone_file_and_the_released_bundle_are_refused_with_the_policy(
    digitedge: Command, tmp_path: Path, page: str
) -> None:
    shutil.copyfile(SMALL / "model_int8.tflite", tmp_path / "lone.tflite")
    for arguments in (["--model", "lone.tflite"], []):
        refused = digitedge("predict", page, *arguments, **POLICY)
        assert refused.returncode == 1
        assert "only signed bundles are loaded here" in refused.stderr.splitlines()[-1]


def test_a_service_keeps_the_policy_of_the_shell_that_installs_it(digitedge: Command) -> None:
    def command(*arguments: str, **environment: str) -> str:
        unit = digitedge("service", "install", "--print", "--", *arguments, **environment).stdout
        return next(line for line in unit.splitlines() if line.startswith("ExecStart="))

    assert "--require-signature" not in command("demo")
    assert command("demo", **POLICY).endswith("--headless --require-signature demo")
    assert command("demo", "--require-signature").endswith("--headless demo --require-signature")
    assert command("demo", "--no-require-signature", **POLICY).endswith("--headless demo --no-require-signature")


def test_a_changed_bundle_is_one_line_without_the_policy(digitedge: Command, tmp_path: Path, page: str) -> None:
    copy_bundle(tmp_path / "bundle")
    digitedge("trust", "new-key", "maker")
    digitedge("sign", "bundle", "--key", "maker.key")
    flip_byte(tmp_path / "bundle" / "manifest.json", -300)
    changed = digitedge("predict", page, "--model", "bundle")
    assert (changed.returncode, changed.stdout, len(changed.stderr.splitlines())) == (1, "", 1)


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
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_as_such(arguments: list[str]) -> None:
    from typer.testing import CliRunner

    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_rollback_without_a_version_is_one_line(digitedge: Command) -> None:
    done = digitedge("update", "--rollback", "--to", "nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        "error: nowhere: expected a folder of digitedge update, got none. Install a version first.\n"
    )
