"""Loading from files: marks, all faults of a folder, the register."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regtech.errors import ContentError, InputError
from regtech.reference.faults import Fault
from regtech.reference.load import Reference, load_sets
from regtech.rulelang.register import load_register

SET = """\
set: {name}
title: {{en: A, zh: 甲}}
basis: default
members:
  - {{value: DE}}
"""


def faults(error: pytest.ExceptionInfo[ContentError]) -> list[Fault]:
    return [fault for fault in error.value.faults if isinstance(fault, Fault)]


def test_faults_of_all_files_come_at_once_with_line_and_column(tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    folder.mkdir()
    (folder / "a.yml").write_text(SET.format(name="a") + "  - {value: FR, from: soon}\n", "utf-8")
    (folder / "b.yml").write_text(SET.format(name="b").replace("default", "custom"), "utf-8")
    (folder / "c.yml").write_text("set: c\nset: d\n", "utf-8")
    (folder / "d.yml").write_text(SET.format(name="d"), "utf-8")
    with pytest.raises(ContentError) as caught:
        load_sets(tmp_path)
    found = {(Path(f.file).name, f.line, f.column, f.code) for f in faults(caught)}
    assert found == {
        ("a.yml", 6, 17, "bad_date"),
        ("b.yml", 3, 1, "unknown_word"),
        ("c.yml", 2, 1, "duplicate"),
    }


def test_a_set_stands_in_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "other.yml").write_text(SET.format(name="a"), "utf-8")
    with pytest.raises(ContentError, match=r"a\.yml"):
        load_sets(tmp_path)


def test_norway_is_not_a_boolean(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    path = tmp_path / "sets" / "a.yml"
    path.write_text(SET.format(name="a") + "  - {value: NO}\n", "utf-8")
    assert load_sets(tmp_path).members("a", 0) == frozenset({"DE", "NO"})


def test_another_root_and_another_rate_table(tmp_path: Path) -> None:
    shipped = Reference.shipped()
    shutil.copy(shipped.root / "currencies.yml", tmp_path / "currencies.yml")
    rates = tmp_path / "mine.csv"
    rates.write_text("date,base,quote,rate\n2026-03-02,USD,CNY,7\n", "utf-8")
    reference = Reference.shipped(root=tmp_path, rates_path=rates)
    assert reference.currencies.digest() == shipped.currencies.digest()
    assert reference.rates.name == "mine"
    assert reference.profiles == {}


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Reference.shipped(root=tmp_path).currencies  # noqa: B018 - reading is the act


ROW = {
    "id": "CN-A-1",
    "cite": "Order 1 Art 1",
    "test": "x >= 1",
    "effective": "2017-07-01",
    "fields": "a, b",
    "window": "txn",
    "exceptions": None,
    "action_deadline": "5 working days",
    "conf": "V[S1]",
    "conf_weakest": "verified_secondary",
    "conf_strongest": "verified",
    "sources": ["S1"],
}


def test_obligations_that_sets_name_are_in_the_register() -> None:
    reference = Reference.shipped()
    named = {reference.sets[name].obligation for name in reference.sets.names} - {None}
    assert named <= set(load_register().obligations)
