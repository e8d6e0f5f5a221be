import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from signing import Maker, copy_bundle, flip_byte, make_key, sign

from digitedge.bundle.bundle import load_bundle
from digitedge.bundle.keys import read_private_key
from digitedge.errors import DigitEdgeError, InputError, ModelError, ParityError

pytest.importorskip("tuf")
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from digitedge.updates.repository import publish


def read(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text())["signed"])


def test_the_first_publication_makes_the_repository(maker: Maker) -> None:
    published = maker.publish()
    assert published.version == 1
    assert published.root == maker.root
    names = {path.name for path in (maker.repository / "metadata").iterdir()}
    assert names == {"1.root.json", "1.targets.json", "1.snapshot.json", "timestamp.json"}
    files = {path.name.partition(".")[2] for path in (maker.repository / "targets").iterdir()}
    assert files == {path.name for path in maker.bundle.iterdir()}
    left = published.expires - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)


def test_every_publication_raises_all_versions_but_that_of_the_root(maker: Maker) -> None:
    maker.publish()
    assert maker.publish().version == 2
    metadata = maker.repository / "metadata"
    assert read(metadata / "timestamp.json")["version"] == 2
    assert read(metadata / "2.snapshot.json")["version"] == 2
    assert read(metadata / "2.targets.json")["version"] == 2
    assert not (metadata / "2.root.json").exists()


def test_a_renewal_keeps_the_bundle_and_its_version(maker: Maker) -> None:
    maker.publish()
    renewed = publish(None, maker.repository, key=read_private_key(maker.key), days=90)
    assert renewed.version == 1
    before, after = (read(maker.repository / "metadata" / f"{version}.targets.json") for version in (1, 2))
    assert before["targets"] == after["targets"]
    assert before["expires"] != after["expires"]


def test_there_must_be_a_repository_to_renew(maker: Maker) -> None:
    with pytest.raises(InputError, match="expected a repository to renew, got none"):
        publish(None, maker.repository, key=read_private_key(maker.key))
    assert not maker.repository.exists()


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_impossible_days_are_refused(maker: Maker, days: int) -> None:
    with pytest.raises(InputError, match="expected from 1 to 3650 days"):
        maker.publish(days=days)


def test_another_key_cannot_publish(maker: Maker, tmp_path: Path) -> None:
    maker.publish()
    stranger = read_private_key(make_key(tmp_path, "stranger"))
    for root_key in (None, stranger):
        with pytest.raises(InputError, match="the key is not that of the repository"):
            publish(load_bundle(maker.bundle), maker.repository, key=stranger, root_key=root_key)
    assert read(maker.repository / "metadata" / "timestamp.json")["version"] == 1


def test_the_root_key_may_be_offline_and_replaces_the_other_key(maker: Maker, tmp_path: Path) -> None:
    offline, second = (read_private_key(make_key(tmp_path, name)) for name in ("offline", "second"))
    maker.publish(root_key=offline)
    assert maker.publish().version == 2  # without the root key
    published = publish(load_bundle(maker.bundle), maker.repository, key=second, root_key=offline)
    assert (published.version, published.root.name) == (3, "2.root.json")
    with pytest.raises(InputError, match="the key is not that of the repository"):
        maker.publish()  # with the key that was replaced
    assert publish(None, maker.repository, key=second).version == 3


def test_a_change_of_keys_that_was_interrupted_goes_on(maker: Maker, tmp_path: Path) -> None:
    offline, second = (read_private_key(make_key(tmp_path, name)) for name in ("offline", "second"))
    maker.publish(root_key=offline)
    before = tmp_path / "before"
    shutil.copytree(maker.repository, before)
    publish(None, maker.repository, key=second, root_key=offline)
    shutil.copyfile(maker.repository / "metadata" / "2.root.json", before / "metadata" / "2.root.json")
    with pytest.raises(ModelError, match=r"timestamp\.json: expected a signature .* give --root-key too"):
        publish(None, before, key=second)
    assert publish(None, before, key=second, root_key=offline).version == 1


def test_a_change_of_keys_writes_the_new_root_after_the_targets(maker: Maker, tmp_path: Path) -> None:
    offline, second = (read_private_key(make_key(tmp_path, name)) for name in ("offline", "second"))
    maker.publish(root_key=offline)
    shutil.rmtree(maker.repository / "targets")
    (maker.repository / "targets").touch()  # nothing can be written into it
    with pytest.raises(DigitEdgeError, match="cannot write"):
        publish(load_bundle(maker.bundle), maker.repository, key=second, root_key=offline)
    assert not (maker.repository / "metadata" / "2.root.json").exists()


def replace_targets(maker: Maker, key: Path) -> None:
    """Sign the metadata of a repository with another key, as one does who can write to its folder."""
    signer = CryptoSigner(read_private_key(key))
    for name in ("1.targets.json", "1.snapshot.json", "timestamp.json"):
        path = maker.repository / "metadata" / name
        metadata: Metadata[Any] = Metadata.from_file(str(path))
        metadata.sign(signer)
        metadata.to_file(str(path))


def edit_root(maker: Maker, key: Path, change: Callable[[Root], object]) -> None:
    metadata: Metadata[Root] = Metadata.from_file(str(maker.root))
    change(metadata.signed)
    metadata.sign(CryptoSigner(read_private_key(key)))
    metadata.to_file(str(maker.root))


def test_metadata_without_a_root_is_not_signed_again(maker: Maker, tmp_path: Path) -> None:
    maker.publish()
    replace_targets(maker, make_key(tmp_path, "stranger"))
    maker.root.unlink()
    for bundle in (None, load_bundle(maker.bundle)):
        with pytest.raises(ModelError, match=r"expected a root file, such as 1\.root\.json, got none"):
            publish(bundle, maker.repository, key=read_private_key(maker.key))
    (maker.repository / "metadata" / "timestamp.json").unlink()  # no new repository beside what is left, either
    with pytest.raises(ModelError, match="expected a root file"):
        maker.publish()


@pytest.mark.parametrize("roles", [("targets", "snapshot", "timestamp"), ("root", "targets", "snapshot", "timestamp")])
@pytest.mark.parametrize("is_offline", [False, True])
def test_a_root_that_names_another_key_too_changes_nothing(
    maker: Maker, tmp_path: Path, roles: tuple[str, ...], is_offline: bool
) -> None:
    offline = read_private_key(make_key(tmp_path, "offline"))
    maker.publish(root_key=offline if is_offline else None)
    stranger = make_key(tmp_path, "stranger")

    def add(root: Root) -> None:
        for role in roles:
            root.add_key(CryptoSigner(read_private_key(stranger)).public_key, role)

    edit_root(maker, stranger, add)
    replace_targets(maker, stranger)
    for root_key in (None, offline) if is_offline else (None,):
        with pytest.raises(ModelError, match=r"json: expected a signature of the"):
            publish(None, maker.repository, key=read_private_key(maker.key), root_key=root_key)


def test_a_root_that_the_one_before_has_not_signed_is_refused(maker: Maker, tmp_path: Path) -> None:
    maker.publish()
    stranger = Maker(make_key(tmp_path, "stranger"), maker.bundle, tmp_path / "other")
    stranger.publish()
    edit_root(stranger, stranger.key, lambda root: setattr(root, "version", 2))
    shutil.copyfile(stranger.root, maker.root.parent / "2.root.json")
    with pytest.raises(ModelError, match=r"expected a signature of the root key"):
        maker.publish()


def test_an_older_root_under_the_name_of_a_newer_one_is_refused(maker: Maker) -> None:
    maker.publish()
    shutil.copyfile(maker.root, maker.root.parent / "2.root.json")
    with pytest.raises(ModelError, match=r"2\.root\.json: expected version 2, got 1"):
        maker.publish()


def test_the_date_that_is_told_is_not_after_the_root_expires(maker: Maker) -> None:
    published = maker.publish(days=3650)
    assert published.expires == published.root_expires


def test_a_bundle_that_devices_would_refuse_is_not_published(maker: Maker) -> None:
    bundle = load_bundle(maker.bundle)
    os.truncate(maker.bundle / "model.keras", 257 * 1024 * 1024)
    with pytest.raises(ModelError, match=r"has 269,\d{3},\d{3} bytes, and devices take at most 268,435,456"):
        publish(bundle, maker.repository, key=read_private_key(maker.key))
    assert not (maker.repository / "targets").exists()


def test_a_publication_that_was_interrupted_before_the_timestamp_is_made_again(maker: Maker) -> None:
    maker.publish()
    timestamp = maker.repository / "metadata" / "timestamp.json"
    old = timestamp.read_bytes()
    maker.publish()
    timestamp.write_bytes(old)
    assert maker.publish().version == 2
    timestamp.unlink()  # as if the first one had been interrupted
    assert maker.publish().version == 1


def test_metadata_that_others_have_changed_is_not_signed_again(maker: Maker) -> None:
    maker.publish()
    path = maker.repository / "metadata" / "1.targets.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 7'))
    with pytest.raises(ModelError, match=r"1\.targets\.json: expected a signature of the repository's key"):
        publish(None, maker.repository, key=read_private_key(maker.key))


@pytest.mark.parametrize("content", ["", "{}", "[]", "[" * 100_000, '{"signed": {"_type": "root"}}'])
def test_damaged_metadata_is_one_clear_error(maker: Maker, content: str) -> None:
    maker.publish()
    (maker.repository / "metadata" / "timestamp.json").write_text(content)
    with pytest.raises(ModelError, match=r"timestamp\.json"):
        maker.publish()


def test_a_damaged_or_failed_bundle_is_not_published(maker: Maker, tmp_path: Path) -> None:
    damaged = sign(copy_bundle(tmp_path / "damaged"), maker.key)
    flip_byte(damaged / "model_int8.tflite")
    with pytest.raises(ModelError, match="was changed"):
        maker.publish(damaged)
    failed = copy_bundle(tmp_path / "failed")
    manifest = json.loads((failed / "manifest.json").read_text())
    manifest["passed"] = manifest["files"]["model_int8.tflite"]["passed"] = False
    (failed / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError, match="so it is not published"):
        maker.publish(failed)
    assert not maker.repository.exists()


def test_a_root_that_expires_soon_is_told_and_renewed_when_its_key_is_there(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = read_private_key(make_key(tmp_path, "offline"))
    with monkeypatch.context() as patch:
        patch.setattr("digitedge.updates.repository.ROOT_DAYS", 30)
        maker.publish(root_key=offline)
    lines: list[str] = []
    maker.publish(log=lines.append)
    assert "the root expires on " in lines[0]
    lines.clear()
    renewed = maker.publish(root_key=offline, log=lines.append)
    assert (renewed.root.name, lines) == ("2.root.json", [])
    assert renewed.root_expires - datetime.now(UTC) > timedelta(days=700)
