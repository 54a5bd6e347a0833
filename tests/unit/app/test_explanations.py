"""Packs are compiled for explanations ahead of time, from what a run has read of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regtech.app import explain
from regtech.content import content_root
from regtech.rulelang import packs

PACK = "cn-aml-conduct"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cn"
    made.mkdir()
    for name in (PACK, "cn-data-export"):
        shutil.copy(content_root("rules") / "cn" / f"{name}.yml", made)
    return tmp_path


def test_what_was_read_together_is_not_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain.make_ready([], folder, lambda: False)  # packs checked and kept
    monkeypatch.setattr(packs, "require_packs", _read_one_by_one)
    explain.make_ready([PACK, "cn-data-export"], folder, lambda: False)
    assert explain._plan(PACK, folder).packs[0].id == PACK


def test_one_pack_with_faults_does_not_keep_the_others_from_being_compiled(folder: Path) -> None:
    (folder / "cn" / "broken.yml").write_text("pack: broken\nrules: 7\n", encoding="utf-8")
    explain.make_ready([PACK, "unknown"], folder, lambda: False)
    assert explain._plan(PACK, folder).packs[0].id == PACK


def test_a_pack_that_changes_after_it_was_read_is_read_anew(folder: Path) -> None:
    path = folder / "cn" / f"{PACK}.yml"
    explain.make_ready([PACK], folder, lambda: False)
    before = explain._plan(PACK, folder).packs[0].digest
    path.write_text(path.read_text(encoding="utf-8").replace("version: ", "version: 9", 1), "utf-8")
    assert explain._plan(PACK, folder).packs[0].digest != before


def _read_one_by_one(path: Path) -> None:
    raise AssertionError(f"{path} is read by itself")
