import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signing import SMALL, copy_bundle, flip_byte, make_key, sign

from digitedge.bundle.bundle import load_bundle, load_model, read_entry, sign_bundle
from digitedge.bundle.keys import read_private_key
from digitedge.bundle.signature import POLICY_VARIABLE, SIGNATURE, is_signature_required
from digitedge.errors import DigitEdgeError, InputError, ModelError, ParityError
from digitedge.reader import Reader

pytest.importorskip("cryptography")
pytestmark = pytest.mark.usefixtures("settings")
INT8 = "model_int8.tflite"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle, signed by the trusted key `maker`."""
    return sign(copy_bundle(tmp_path / "bundle"), make_key(tmp_path, "maker", trusted=True))


def edit_envelope(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    envelope = json.loads((bundle / SIGNATURE).read_text())
    change(envelope)
    (bundle / SIGNATURE).write_text(json.dumps(envelope))


def edit_statement(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    def edit(envelope: dict[str, Any]) -> None:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        change(statement)
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()

    edit_envelope(bundle, edit)


def test_a_signed_bundle_loads_and_names_its_signer(bundle: Path) -> None:
    lines: list[str] = []
    assert load_bundle(bundle, require_signature=True, log=lines.append).signature.signer == "maker"
    assert load_bundle(bundle, log=lines.append).signature.signer == "maker"
    assert load_model(bundle, require_signature=True, log=lines.append).path == bundle / INT8
    assert load_model(bundle / INT8, require_signature=True, log=lines.append).path == bundle / INT8
    assert lines == []


def test_the_statement_names_every_file_with_its_hash(bundle: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads((bundle / SIGNATURE).read_text())["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicate"]["name"] == "small"
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert {one["name"] for one in statement["subject"]} == {"manifest.json", *manifest["files"], *manifest["others"]}


def test_openssl_verifies_the_signature_as_the_guide_says(bundle: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    envelope = json.loads((bundle / SIGNATURE).read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    (tmp_path / "signed").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "maker.pub", "-rawin", "-in", "signed"]
    subprocess.run([*command, "-sigfile", "sig"], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("path", [*sorted(path.name for path in SMALL.glob("model*")), "golden.npz", "labels.txt"])
def test_one_changed_byte_is_refused_with_and_without_the_policy(bundle: Path, path: str) -> None:
    flip_byte(bundle / path, -10)
    for required in (True, False):
        with pytest.raises(ModelError, match="was changed"):
            load_bundle(bundle, require_signature=required)


def test_a_changed_file_with_a_matching_manifest_is_refused_without_the_policy(bundle: Path) -> None:
    flip_byte(bundle / INT8)
    manifest = json.loads((bundle / "manifest.json").read_text())
    from digitedge.bundle.bundle import sha256_of

    manifest["files"][INT8]["sha256"] = sha256_of(bundle / INT8)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    for load in (load_bundle, load_model, lambda path: load_model(path / INT8), Reader):
        with pytest.raises(ModelError, match="was changed after it was signed"):
            load(bundle)


def test_a_manifest_that_says_the_same_in_other_bytes_is_refused(bundle: Path) -> None:
    (bundle / "manifest.json").write_text((bundle / "manifest.json").read_text() + "\n")
    with pytest.raises(ModelError, match="was changed after it was signed"):
        load_bundle(bundle)


def set_signature(envelope: dict[str, Any]) -> None:
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()


def set_key(envelope: dict[str, Any]) -> None:
    envelope["signatures"][0]["keyid"] = "ab" * 32


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "signature": (set_signature, "the signature is wrong"),
    "another key": (set_key, "the signature is wrong"),
    "short signature": (lambda e: e["signatures"][0].update(sig="AAAA"), "the signature is wrong"),
    "no base64": (lambda e: e["signatures"][0].update(sig="!"), "expected base64"),
    "payload": (lambda e: e.update(payload="e30="), "expected an in-toto statement"),
    "payload type": (lambda e: e.update(payloadType="text/plain"), "expected payloadType"),
    "two signatures": (lambda e: e["signatures"].append(e["signatures"][0]), "signatures: "),
    "no signature": (lambda e: e["signatures"].clear(), "signatures: "),
    "unknown key": (lambda e: e.update(extra=1), "unknown key 'extra'"),
}


@pytest.mark.parametrize(("change", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_envelope_is_refused_without_the_policy(
    bundle: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit_envelope(bundle, change)
    with pytest.raises(ModelError, match=message):
        load_bundle(bundle)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b" " * 300_000], ids=range(5))
def test_what_is_no_envelope_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / SIGNATURE).write_bytes(content)
    with pytest.raises(ModelError, match=r"signature\.json"):
        load_bundle(bundle)


def test_a_statement_about_other_files_is_refused(bundle: Path) -> None:
    edit_statement(bundle, lambda statement: statement["subject"].pop())
    with pytest.raises(ModelError, match="was changed after it was signed"):
        load_bundle(bundle)


def test_a_changed_predicate_breaks_the_signature(bundle: Path) -> None:
    edit_statement(bundle, lambda statement: statement["predicate"].update(name="other"))
    with pytest.raises(ModelError, match="the signature is wrong"):
        load_bundle(bundle)


def test_the_signature_of_another_bundle_is_refused(bundle: Path, tmp_path: Path, released: Path) -> None:
    other = copy_bundle(tmp_path / "other", released)
    shutil.copyfile(bundle / SIGNATURE, other / SIGNATURE)
    with pytest.raises(ModelError, match="was changed after it was signed"):
        load_bundle(other)


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_pipe_in_place_of_the_signature_does_not_hang(bundle: Path) -> None:
    (bundle / SIGNATURE).unlink()
    os.mkfifo(bundle / SIGNATURE)
    with pytest.raises(ModelError, match="expected a regular file"):
        load_bundle(bundle)


def test_a_dangling_link_in_place_of_the_signature_is_not_taken_for_none(bundle: Path) -> None:
    (bundle / SIGNATURE).unlink()
    (bundle / SIGNATURE).symlink_to("nowhere")
    with pytest.raises(ModelError, match=r"signature\.json"):
        load_bundle(bundle)


def test_a_stranger_is_told_without_the_policy_and_refused_with_it(tmp_path: Path) -> None:
    bundle = sign(copy_bundle(tmp_path / "bundle"), make_key(tmp_path, "stranger"))
    lines: list[str] = []
    assert load_bundle(bundle, log=lines.append).signature.signer is None
    assert load_model(bundle, log=lines.append).path == bundle / INT8
    assert len(lines) == 2
    assert "is signed by a key that is not trusted here" in lines[0]
    for path in (bundle, bundle / INT8):
        with pytest.raises(
            ModelError, match=r"that is not trusted here \([0-9a-f]{16}\.\.\.\)\. If .*digitedge trust add"
        ):
            load_model(path, require_signature=True)


@pytest.mark.parametrize("name", ["bundle", f"bundle/{INT8}", "bundle/model.keras", "lone.tflite", "saved"])
def test_what_is_not_signed_is_refused_with_the_policy(tmp_path: Path, name: str) -> None:
    copy_bundle(tmp_path / "bundle")
    shutil.copyfile(SMALL / INT8, tmp_path / "lone.tflite")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(ModelError, match="only signed bundles are loaded here"):
        load_model(tmp_path / name, require_signature=True)


def test_the_released_bundle_is_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POLICY_VARIABLE, "1")
    with pytest.raises(ModelError, match="is not signed, and only signed bundles are loaded here"):
        Reader()


def test_the_policy_is_as_asked_then_as_the_environment_says_then_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_signature_required()
    for text, expected in {"1": True, "true": True, "YES": True, "0": False, "": False, "off": False}.items():
        monkeypatch.setenv(POLICY_VARIABLE, text)
        assert is_signature_required() is expected
        assert is_signature_required(True)
        assert not is_signature_required(False)
    monkeypatch.setenv(POLICY_VARIABLE, "perhaps")
    with pytest.raises(InputError, match=f"expected {POLICY_VARIABLE} to be 1 or 0, got 'perhaps'"):
        is_signature_required()
    with pytest.raises(InputError):
        load_bundle(SMALL)


def test_the_environment_holds_for_files_of_a_bundle_too(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POLICY_VARIABLE, "1")
    assert read_entry(bundle / INT8) is not None
    (bundle / SIGNATURE).unlink()
    with pytest.raises(ModelError, match="is not signed"):
        read_entry(bundle / INT8)


def test_a_key_that_is_no_longer_trusted_is_a_stranger(bundle: Path) -> None:
    from digitedge.bundle.trusted_keys import remove_trusted

    remove_trusted("maker")
    with pytest.raises(ModelError, match="not trusted here"):
        load_bundle(bundle, require_signature=True)


def test_signing_again_replaces_the_signature(bundle: Path, tmp_path: Path) -> None:
    (bundle / "manifest.json").write_text((bundle / "manifest.json").read_text() + "\n")
    sign_bundle(bundle, read_private_key(tmp_path / "maker.key"))
    assert load_bundle(bundle).signature.signer == "maker"


def test_a_damaged_or_failed_bundle_is_not_signed(tmp_path: Path) -> None:
    key = read_private_key(make_key(tmp_path, "maker"))
    damaged = copy_bundle(tmp_path / "damaged")
    flip_byte(damaged / INT8)
    with pytest.raises(ModelError, match="was changed"):
        sign_bundle(damaged, key)
    failed = copy_bundle(tmp_path / "failed")
    manifest = json.loads((failed / "manifest.json").read_text())
    manifest["passed"] = manifest["files"][INT8]["passed"] = False
    (failed / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError, match="so it is not signed"):
        sign_bundle(failed, key)
    assert not list(tmp_path.glob(f"*/{SIGNATURE}"))


def test_without_cryptography_a_signature_is_not_checked_and_not_trusted(bundle: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from digitedge.bundle.bundle import load_bundle\n"
        f"print(load_bundle({str(bundle)!r}, log=print).signature.state)\n"
        f"load_bundle({str(bundle)!r}, require_signature=True)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    told, state = done.stdout.splitlines()
    assert "its signature is not checked: cryptography is not installed. Run: pip install" in told
    assert state == "unchecked"
    assert "MissingExtraError: cryptography is not installed" in done.stderr


def test_an_unsigned_bundle_imports_no_cryptography() -> None:
    code = (
        "import sys; from digitedge.bundle.bundle import load_bundle\n"
        f"load_bundle({str(SMALL)!r}); print([m for m in ('cryptography', 'tuf') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_changed_byte_of_the_signature_is_refused_wherever_it_is(bundle: Path) -> None:
    content = (bundle / SIGNATURE).read_bytes()
    for position in range(0, len(content), 37):
        changed = bytearray(content)
        changed[position] ^= 0x11
        (bundle / SIGNATURE).write_bytes(changed)
        with pytest.raises(DigitEdgeError):
            load_bundle(bundle, require_signature=True)
