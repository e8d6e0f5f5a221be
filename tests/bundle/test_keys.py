import os
import stat
import subprocess
from pathlib import Path
from shutil import which

import pytest
from signing import make_key

from digitedge.bundle import trusted_keys
from digitedge.bundle.keys import (
    PASSPHRASE_VARIABLE,
    key_id,
    make_key_pair,
    read_passphrase,
    read_private_key,
    read_public_key,
)
from digitedge.bundle.trusted_keys import TrustedKey, add_trusted, find_trusted, remove_trusted, trusted_folder
from digitedge.errors import DigitEdgeError, InputError, ModelError

pytest.importorskip("cryptography")


def test_the_two_files_of_a_pair_are_of_one_key(tmp_path: Path) -> None:
    private, public = make_key_pair("maker", tmp_path / "keys")
    assert (private.name, public.name) == ("maker.key", "maker.pub")
    assert read_public_key(public) == key_id(read_private_key(private))
    assert len(read_public_key(public)) == 64


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_only_the_owner_can_read_the_private_key(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private, _ = make_key_pair("maker", tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    private, _ = make_key_pair("maker", tmp_path)
    before = private.read_bytes()
    with pytest.raises(InputError, match=r"maker\.key exists, and a key is never overwritten"):
        make_key_pair("maker", tmp_path)
    assert private.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("limit_bytes", [50, 115], ids=["private", "public"])
def test_a_full_disk_leaves_no_half_of_a_pair(tmp_path: Path, limit_bytes: int) -> None:
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, old[1]))
    try:
        with pytest.raises(DigitEdgeError, match=r"cannot write .*maker\.(key|pub): File too large"):
            make_key_pair("maker", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "a/b", "..", "-x", "a b", "x" * 65])
def test_the_name_of_a_key_is_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a name of letters"):
        make_key_pair(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_passphrase_encrypts_the_private_key(tmp_path: Path) -> None:
    private, public = make_key_pair("maker", tmp_path, passphrase=b"open sesame")
    assert b"ENCRYPTED" in private.read_bytes()
    assert key_id(read_private_key(private, passphrase=b"open sesame")) == read_public_key(public)
    with pytest.raises(InputError, match="the passphrase is wrong"):
        read_private_key(private, passphrase=b"open barley")
    with pytest.raises(InputError, match=f"is encrypted. Give its passphrase in {PASSPHRASE_VARIABLE}"):
        read_private_key(private)


def test_a_passphrase_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    assert read_passphrase(None) is None
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "of the variable")
    assert read_passphrase(None) == b"of the variable"
    monkeypatch.setenv(PASSPHRASE_VARIABLE, b"\xff".decode(errors="surrogateescape"))
    assert read_passphrase(None) == b"\xff"
    (tmp_path / "pass.txt").write_text("of the file\nanother line\n")
    assert read_passphrase(tmp_path / "pass.txt") == b"of the file"
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="expected a passphrase in the first line"):
        read_passphrase(tmp_path / "empty.txt")


@pytest.mark.skipif(which("openssl") is None, reason="needs openssl")
def test_openssl_reads_both_files_and_its_keys_are_read(tmp_path: Path) -> None:
    private, public = make_key_pair("maker", tmp_path)
    made = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], capture_output=True, check=True, text=True)
    assert made.stdout == public.read_text()
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "other.key"], check=True)
    other = subprocess.run(["openssl", "pkey", "-in", tmp_path / "other.key", "-pubout"], capture_output=True)
    (tmp_path / "other.pub").write_bytes(other.stdout)
    assert read_public_key(tmp_path / "other.pub") == key_id(read_private_key(tmp_path / "other.key"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        b"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VvAyEA" + b"A" * 43 + b"=\n-----END PUBLIC KEY-----\n",
        b"\xff" * 20_000,
    ],
    ids=["empty", "text", "no base64", "cut short", "X25519", "too large"],
)
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pub").write_bytes(content)
    with pytest.raises(ModelError):
        read_public_key(tmp_path / "x.pub")
    with pytest.raises(ModelError):
        read_private_key(tmp_path / "x.pub")


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path, settings: Path) -> None:
    with pytest.raises(ModelError, match=r"is a private key, which stays with its owner. Give its \.pub"):
        add_trusted(make_key(tmp_path, "maker"))


def test_trusted_keys_are_added_found_and_removed(tmp_path: Path, settings: Path) -> None:
    assert trusted_keys.trusted_keys() == []
    _, public = make_key_pair("maker", tmp_path)
    wanted = TrustedKey("maker", read_public_key(public))
    assert add_trusted(public) == wanted
    assert add_trusted(public) == wanted  # again
    assert trusted_folder() == settings / "trusted_keys"
    assert (trusted_folder() / "maker.pub").read_bytes() == public.read_bytes()
    assert find_trusted(wanted.id) == wanted
    assert find_trusted("0" * 64) is None
    remove_trusted("maker")
    assert find_trusted(wanted.id) is None
    with pytest.raises(InputError, match="there is no trusted key maker"):
        remove_trusted("maker")


def test_a_name_stands_for_one_key_and_a_key_has_one_name(tmp_path: Path, settings: Path) -> None:
    _, first = make_key_pair("first", tmp_path)
    _, second = make_key_pair("second", tmp_path)
    add_trusted(first)
    with pytest.raises(InputError, match="the name first belongs to another trusted key"):
        add_trusted(second, "first")
    with pytest.raises(InputError, match="this key is trusted already, as first"):
        add_trusted(first, "again")


def test_a_damaged_trusted_key_is_an_error_and_not_overlooked(tmp_path: Path, settings: Path) -> None:
    trusted_folder().mkdir(parents=True)
    (trusted_folder() / "bad.pub").write_text("nothing")
    with pytest.raises(ModelError, match=r"bad\.pub: expected an Ed25519 public key"):
        find_trusted("0" * 64)
