"""``regtech verify`` and ``regtech signing-keys`` as a person meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casework.cases.chain import FIRST_PREVIOUS
from casework.cases.commitments import Committed
from casework.evidence.bundle import Chain, Entry, build_bundle, show_all
from casework.evidence.checkpoints import sign_checkpoint
from casework.evidence.keys import load_keys
from casework.evidence.merkle import Frontier

Command = Callable[..., Any]


@pytest.fixture
def exported(tmp_path: Path, regtech: Command) -> Path:
    """A bundle that was signed by keys made on the command line."""
    assert regtech("signing-keys", "create", tmp_path / "keys").status == 0
    ring = load_keys(tmp_path / "keys")
    entry = Entry(1, FIRST_PREVIOUS, {"case": "C-1", "kind": "opened", "actor": "u1"})
    frontier = Frontier()
    frontier.add(entry.hash())
    checkpoint = sign_checkpoint(ring.active, "", frontier, entry.hash(), None, 0)
    path = tmp_path / "case.json"
    path.write_bytes(
        build_bundle(
            case_id="C-1", case=Committed({"id": "C-1"}), timeline=[entry], alerts={}, events={},
            rules=[], chain=Chain("", [entry.hash()], [checkpoint]), keys=ring, reveal=show_all,
            now_us=0,
        )
    )  # fmt: skip
    return path


def test_verify_says_whole_changed_or_unreadable(
    tmp_path: Path, exported: Path, regtech: Command
) -> None:
    done = regtech("verify", exported)
    assert done.status == 0
    assert "whole" in done.out
    assert "compare" in done.out.lower()
    data = exported.read_bytes()
    exported.write_bytes(data.replace(b'"actor":"u1"', b'"actor":"u2"'))
    done = regtech("verify", exported)
    assert done.status == 1
    assert "timeline entry 1" in done.out
    exported.write_bytes(b"something else")
    done = regtech("verify", exported)
    assert done.status == 3
    assert "error[bundle]" in done.err
    assert regtech("verify", tmp_path / "nowhere").status == 3


def test_verify_with_a_key(tmp_path: Path, exported: Path, regtech: Command) -> None:
    shown = json.loads(regtech("signing-keys", "show", tmp_path / "keys", "--json").out)
    done = regtech("verify", exported, "--key", shown["signs"], "--json")
    assert done.status == 0
    assert json.loads(done.out)["trusted"] is True
    assert regtech("verify", exported, "--key", tmp_path / "keys" / "0001.json").status == 0
    assert regtech("verify", exported, "--key", "0" * 32).status == 1
    assert regtech("verify", exported, "--key", "who").status == 2
    assert "完整" in regtech("verify", exported, "--lang", "zh").out


def test_keys_are_made_once_and_rotated(tmp_path: Path, regtech: Command) -> None:
    folder = tmp_path / "keys"
    assert regtech("signing-keys", "show", folder).status == 3
    assert regtech("signing-keys", "create", folder).status == 0
    assert regtech("signing-keys", "create", folder).status == 2
    done = regtech("signing-keys", "rotate", folder)
    assert done.status == 0
    assert [line.split()[-1] for line in done.out.splitlines()] == ["state", "succeeded", "signs"]
