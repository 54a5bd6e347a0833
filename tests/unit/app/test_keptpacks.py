"""Kept packs: found again while nothing has changed, never once anything has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtech.app.keptpacks import packs_for_run
from regtech.content import content_root
from regtech.errors import ContentError
from regtech.rulelang import packs as reader
from regtech.rulelang import register
from regtech.rulelang.ir import Pack

ROOT = Path(__file__).resolve().parents[3]
PACK = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {{en: "{title}", zh: 演示}}
params:
  limit: {{value: "{limit}", basis: default}}
rules:
  - id: demo-large
    title: {{en: Large, zh: 大额}}
    on: transaction
    per: event
    when: amount_in("CNY") >= param("limit")
    alert: {{kind: indicator, severity: low}}
    tests:
      - name: at
        events: [{{time: "2026-03-02T09:00:00Z", amount: "100.00", currency: CNY}}]
        expect: {{alert: {{}}}}
      - name: below
        events: [{{time: "2026-03-02T09:00:00Z", amount: "99.99", currency: CNY}}]
        expect: none
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules" / "demo.yml"
    path.parent.mkdir()
    write(path)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    made = tmp_path / "cache"
    made.mkdir()
    return made


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often packs were really read, as the length of a list."""
    done: list[int] = []
    real = reader.require_packs

    def counted(files: list[Path]) -> list[Pack]:
        done.append(len(files))
        return real(files)

    monkeypatch.setattr(reader, "require_packs", counted)
    yield done


def write(path: Path, title: str = "Demo", limit: str = "CNY 100") -> None:
    path.write_text(PACK.format(title=title, limit=limit), encoding="utf-8")


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "kept").iterdir()) if (cache / "kept").is_dir() else []


def test_the_second_start_reads_nothing_and_has_the_same(
    file: Path, cache: Path, readings: list[int]
) -> None:
    first = packs_for_run([file], cache)
    second = packs_for_run([file], cache)
    assert readings == [1]
    assert second == first
    assert [pack.digest for pack in second] == [pack.digest for pack in reader.load_packs(file)[0]]
    assert all(rule.tests == () for pack in (*first, *second) for rule in pack.rules)


def test_any_changed_byte_of_a_pack_is_read_anew(
    file: Path, cache: Path, readings: list[int]
) -> None:
    before = packs_for_run([file], cache)
    write(file, limit="CNY 101")
    changed = packs_for_run([file], cache)
    assert str(changed[0].params["limit"].versions[0].value) == "CNY 101"
    assert changed[0].digest != before[0].digest
    # A comment changes nothing but the places: those must be right too.
    file.write_text("# note\n" + PACK.format(title="Demo", limit="CNY 100"), encoding="utf-8")
    moved = packs_for_run([file], cache)
    assert moved == before
    assert moved[0].mark.line == before[0].mark.line + 1
    assert readings == [1, 1, 1]
    write(file)
    assert packs_for_run([file], cache)[0].mark == before[0].mark
    assert readings == [1, 1, 1]


def test_other_files_and_another_place_are_other_entries(
    file: Path, cache: Path, readings: list[int]
) -> None:
    packs_for_run([file], cache)
    elsewhere = file.parent / "elsewhere" / "demo.yml"
    elsewhere.parent.mkdir()
    shutil.copy(file, elsewhere)
    assert packs_for_run([elsewhere], cache)[0].path == str(elsewhere)
    assert readings == [1, 1]


def test_what_the_register_knows_is_part_of_the_name(
    file: Path, cache: Path, tmp_path: Path, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings = tmp_path / "mappings"
    shutil.copytree(content_root("mappings"), mappings)
    monkeypatch.setattr(register, "content_root", lambda kind: mappings)
    packs_for_run([file], cache)
    (mappings / "jurisdictions" / "cn.yml").unlink()
    with pytest.raises(ContentError, match="unknown jurisdiction"):
        packs_for_run([file], cache)
    shutil.copy(content_root("mappings") / "jurisdictions" / "cn.yml", mappings / "jurisdictions")
    packs_for_run([file], cache)
    assert readings == [1, 1]
    for name in ("obligations.yml", "currencies.yml"):
        with open(mappings / name, "a", encoding="utf-8") as stream:
            stream.write("# another edition\n")
        packs_for_run([file], cache)
    shutil.copy(mappings / "sets" / next((mappings / "sets").glob("*.yml")).name,
                mappings / "sets" / "one-more.yml")  # fmt: skip
    packs_for_run([file], cache)
    assert readings == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("damage", ["short", "empty", "garbled", "foreign"])
def test_a_damaged_entry_is_read_anew_and_replaced(
    file: Path, cache: Path, readings: list[int], damage: str
) -> None:
    first = packs_for_run([file], cache)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    entry.write_bytes(
        {
            "short": whole[:-1],
            "empty": b"",
            "garbled": whole[:100] + bytes([whole[100] ^ 255]) + whole[101:],
            "foreign": b"not an entry at all",
        }[damage]
    )
    assert packs_for_run([file], cache) == first
    assert entry.read_bytes() == whole
    assert packs_for_run([file], cache) == first
    assert readings == [1, 1]


def test_an_entry_whose_content_is_no_pack_is_read_anew(
    file: Path, cache: Path, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("regtech.rulelang.packed.packed", lambda packs: b"N.")
        packs_for_run([file], cache)
    assert packs_for_run([file], cache)[0].id == "demo"
    assert packs_for_run([file], cache)[0].id == "demo"
    assert readings == [1, 1]


def test_packs_with_faults_are_refused_each_time(
    file: Path, cache: Path, readings: list[int]
) -> None:
    write(file, limit="CNY")
    for _ in range(2):
        with pytest.raises(ContentError):
            packs_for_run([file], cache)
    assert entries(cache) == []
    # A rule whose tests are faulty is refused as well, although a run needs no tests.
    file.write_text(PACK.format(title="Demo", limit="CNY 100").replace("expect: none", "expect: 1"))
    with pytest.raises(ContentError):
        packs_for_run([file], cache)
    assert entries(cache) == []


def test_without_a_usable_folder_packs_are_read_each_time(
    file: Path, tmp_path: Path, readings: list[int]
) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    for _ in range(2):
        assert packs_for_run([file], occupied)[0].id == "demo"
    assert readings == [1, 1]


def test_a_pack_edited_while_it_is_read_is_not_kept(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reader.require_packs

    def edited(files: list[Path]) -> list[Pack]:
        write(file, title="Edited")
        return real(files)

    with monkeypatch.context() as patch:
        patch.setattr(reader, "require_packs", edited)
        assert packs_for_run([file], cache)[0].title["en"] == "Edited"
    assert entries(cache) == []
    write(file)
    assert packs_for_run([file], cache)[0].title["en"] == "Demo"


def test_changed_code_is_never_given_what_other_code_has_made(tmp_path: Path, file: Path) -> None:
    """On a copy of the product: a file that the reader only imports at second hand is edited."""
    copy = tmp_path / "product"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "regtech", copy / "regtech", ignore=ignored)
    mappings = content_root("mappings")
    shutil.copytree(mappings, copy / "regtech" / "_content" / "mappings", ignore=ignored)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from regtech.app.keptpacks import packs_for_run\n"
        f"pack, = packs_for_run([Path({str(file)!r})])\n"
        "print(pack.rules[0].digest[:6], 'regtech.rulelang.packs' in sys.modules)\n"
    )

    def started() -> list[str]:
        environment = {**os.environ, "REGTECH_CACHE_DIR": str(tmp_path / "cache")}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    first = started()
    assert first[1] == "True"
    assert started() == [first[0], "False"]
    digests = copy / "regtech" / "rulelang" / "digest.py"
    text = digests.read_text(encoding="utf-8")
    digests.write_text(text + "\n\ndef rule_digest(rule: Rule, pack: Pack) -> str:\n"
                       "    return 'edited'\n", encoding="utf-8")  # fmt: skip
    assert started() == ["edited", "True"]
    assert started() == ["edited", "False"]
    digests.write_text(text, encoding="utf-8")
    assert started() == [first[0], "False"]
