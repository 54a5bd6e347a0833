"""Keys on disk: private, rotated with a lineage, and refused when something is off."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from casework.cases.chain import canonical
from casework.evidence.keys import SigningKey, create_keys, load_keys, rotate_keys, signed_by
from regtech.errors import StoreError, UsageError


def test_a_key_is_private_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ring = create_keys(tmp_path / "keys", 0)
    finally:
        os.umask(before)
    path = tmp_path / "keys" / f"{ring.active.id}.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert "PRIVATE" not in (tmp_path / "keys" / "0001.json").read_text()


def test_rotation_keeps_the_lineage(tmp_path: Path) -> None:
    first = create_keys(tmp_path, 0)
    second = rotate_keys(tmp_path, 1)
    third = rotate_keys(tmp_path, 2)
    loaded = load_keys(tmp_path)
    assert loaded.active == third.active
    keys = [first.active.id, second.active.id, third.active.id]
    assert [record["key"] for record in loaded.lineage] == keys
    assert [record["succeeds"] for record in loaded.lineage] == [None, *keys[:2]]
    signature = loaded.active.sign(b"message")
    assert signed_by(loaded.active.public_key, b"message", signature)
    assert not signed_by(first.active.public_key, b"message", signature)
    assert not list(tmp_path.glob(".record-*"))


def test_keys_are_not_made_over_others(tmp_path: Path) -> None:
    create_keys(tmp_path, 0)
    with pytest.raises(UsageError, match="holds keys"):
        create_keys(tmp_path, 0)


def test_a_folder_without_keys_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="signing-keys create"):
        load_keys(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o677])
def test_a_key_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    ring = create_keys(tmp_path, 0)
    (tmp_path / f"{ring.active.id}.pem").chmod(mode)
    with pytest.raises(StoreError, match="others than its owner"):
        load_keys(tmp_path)


def test_a_link_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    ring = create_keys(tmp_path, 0)
    path = tmp_path / f"{ring.active.id}.pem"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="could not be read"):
        load_keys(tmp_path)


def test_another_private_key_is_refused(tmp_path: Path) -> None:
    ring = create_keys(tmp_path, 0)
    path = tmp_path / f"{ring.active.id}.pem"
    path.write_bytes(SigningKey.of_seed(b"\x01" * 32).pem())
    with pytest.raises(StoreError, match="another key"):
        load_keys(tmp_path)
    path.write_bytes(b"nothing")
    with pytest.raises(StoreError, match="no Ed25519 key"):
        load_keys(tmp_path)


def test_a_forged_successor_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path, 0)
    stranger = SigningKey.of_seed(b"\x01" * 32)
    record = json.loads((tmp_path / "0001.json").read_text())
    record |= {
        "key": stranger.id,
        "public_key": stranger.public_key.hex(),
        "succeeds": record["key"],
    }
    record.pop("signature")
    record["signature"] = stranger.sign(canonical(record)).hex()
    (tmp_path / "0002.json").write_bytes(canonical(record))
    with pytest.raises(StoreError, match="does not fit the key before it"):
        load_keys(tmp_path)
    (tmp_path / "0002.json").write_text("{}")
    with pytest.raises(StoreError, match="no public record"):
        load_keys(tmp_path)


def test_a_private_key_never_shows() -> None:
    key = SigningKey.of_seed(b"\x01" * 32)
    assert "rivate" not in repr(key)
    assert (b"\x01" * 32).hex() not in repr(key)
