"""``regtech search`` from an empty store to a found case, in both languages, and its statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.world import alert
from tests.unit.cli.conftest import Command


@pytest.fixture
def store(tmp_path: Path, regtech: Command) -> Path:
    lines = [
        alert(1, payer__name="张伟", payer__account="6222021234567890"),
        alert(2, subject="K2", payer__name="Пётр Иванов", kind="report"),
        alert(3, subject="K3", tenant="BANK-B", kind="suspicion", payer__name="Anna Berg"),
    ]
    file = tmp_path / "alerts.ndjson"
    file.write_bytes(b"".join(line.raw + b"\n" for line in lines))
    path = tmp_path / "cases.db"
    assert regtech("cases", "import", file, "--store", path).status == 0
    return path


def found(regtech: Command, *words: object) -> dict[str, Any]:
    done = regtech("search", "query", *words, "--json")
    assert done.status == 0, done.err
    result: dict[str, Any] = json.loads(done.out)
    return result


def test_a_name_leads_to_its_case(regtech: Command, store: Path) -> None:
    page = found(regtech, "张伟", "--store", store, "--kind", "case")
    (hit,) = page["hits"]
    assert hit["id"].startswith("C-") and hit["state"] == "new" and hit["theme"]
    # The name is masked for a supervisor; that it matched is not.
    assert hit["highlights"] == [{"field": "names", "pieces": [{"text": "•••", "match": True}]}]
    assert (store.parent / "cases.search.db").is_file()
    page = found(regtech, "7890", "--store", store, "--kind", "case")
    assert page["hits"][0]["highlights"][0]["pieces"][-1] == {"text": "7890", "match": True}


def test_what_came_since_is_found_at_once(regtech: Command, store: Path, tmp_path: Path) -> None:
    found(regtech, "--store", store)
    file = tmp_path / "more.ndjson"
    file.write_bytes(alert(9, subject="K9", payer__name="Zhang Lan").raw + b"\n")
    assert regtech("cases", "import", file, "--store", store).status == 0
    assert found(regtech, "lan zhang", "--store", store, "--no-update")["total"] == 0
    assert found(regtech, "lan zhang", "--store", store, "--kind", "case")["total"] == 1


def test_text_for_people_in_both_languages(regtech: Command, store: Path) -> None:
    english = regtech("search", "query", "K2", "--store", store)
    assert "case  C-" in english.out and "numbers: «K2»" in english.out
    assert "institution: BANK-A" in english.out
    chinese = regtech("search", "query", "K2", "--store", store, "--lang", "zh")
    assert "案件  C-" in chinese.out and "账号: «K2»" in chinese.out and "规则命中" in chinese.out
    assert "nothing found" in regtech("search", "query", "nobody", "--store", store).out
    nothing = regtech("search", "query", "nobody", "--store", store, "--lang", "zh")
    assert "没有结果" in nothing.out


def test_an_institution_finds_its_part_and_it_is_on_record(regtech: Command, store: Path) -> None:
    who = ("--role", "institution", "--tenant", "BANK-A", "--as", "bank-a-clerk", "--store", store)
    page = found(regtech, *who, "--kind", "case")
    assert page["total"] == 2 and {hit["state"] for hit in page["hits"]} == {""}
    assert set(page["facets"]) == {"kind", "jurisdiction", "theme", "tenant"}
    other = ("--role", "institution", "--tenant", "BANK-B", "--store", store)
    assert found(regtech, *other)["total"] == 0
    from casework.cases.scope import service_scope
    from regtech.app.casework import casework

    with casework(str(store)) as parts:
        log = [
            entry
            for chain in parts.record.chains(service_scope())
            for entry in parts.record.log(service_scope(), chain)
            if entry.kind.value == "disclosed"
        ]
    assert [entry.actor for entry in log] == ["bank-a-clerk"]
    told = sorted(hit["id"] for hit in page["hits"])
    assert sorted(log[0].detail["cases"]) == told and log[0].detail["to"] == ["BANK-A"]


def test_pages_follow_each_other(regtech: Command, store: Path) -> None:
    ids, after = [], None
    while True:
        more = () if after is None else ("--after", after)
        page = found(regtech, "--store", store, "--limit", "2", *more)
        ids += [(hit["kind"], hit["id"]) for hit in page["hits"]]
        after = page["after"]
        if after is None:
            break
    assert len(ids) == len(set(ids)) == page["total"] == 7
    done = regtech("search", "query", "x", "--store", store, "--after", "nonsense")
    assert done.status == 2 and "not a cursor" in done.err


def test_searches_are_saved_and_asked_again(regtech: Command, store: Path) -> None:
    words = ("--store", store, "--as", "li")
    first = found(regtech, "иванов", "--kind", "case", "--save", "пётр", *words)
    assert found(regtech, "--saved", "пётр", *words) == first
    listed = json.loads(regtech("search", "saved", "--json", *words).out)
    assert [(s["name"], s["search"]) for s in listed] == [
        ("пётр", {"text": "иванов", "kinds": ["case"]})
    ]
    assert "иванов" in regtech("search", "saved", *words).out
    assert regtech("search", "saved", "--store", store, "--as", "wang").out == ""
    assert regtech("search", "query", "x", "--saved", "пётр", *words).status == 2
    assert regtech("search", "forget", "пётр", *words).status == 0
    again = regtech("search", "query", "--saved", "пётр", *words)
    assert again.status == 2 and "no saved search" in again.err


def test_rebuild_and_check(regtech: Command, store: Path) -> None:
    done = regtech("search", "check", "--store", store, "--json")
    told = json.loads(done.out)
    assert done.status == 0 and told["same"] and told["documents"]["case"] == 6
    assert told["record_digest"] == told["index_digest"]
    assert "the same as the record" in regtech("search", "rebuild", "--store", store).out
    zh = regtech("search", "check", "--store", store, "--lang", "zh")
    assert zh.status == 0 and "与记录一致" in zh.out
    from casework.search.document import Document
    from casework.search.fts.index import FtsIndex
    from casework.search.query import Kind
    from regtech.clock import SystemClock

    index = FtsIndex(store.parent / "cases.search.db", SystemClock())
    index.write([Document("case:C-strange", Kind.CASE, "C-strange", 1, full=True)])
    index.close()
    done = regtech("search", "check", "--store", store)
    assert done.status == 1 and "foreign: 1 (case:C-strange)" in done.out
    assert regtech("search", "rebuild", "--store", store).status == 0
    assert regtech("search", "check", "--store", store).status == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("query", "x", "--kind", "person"), 2, "no kind 'person'"),
        (("query", "x", "--role", "author"), 2, "may not read"),
        (("query", "?!"), 2, "nothing to search for"),
        (("query", "x", "--index", "ftp://x/y"), 2, "no search index is kept in ftp"),
        (("query", "x", "--index", "http://x/UPPER"), 2, "cannot begin the name"),
        (("query", "x", "--index", "http://127.0.0.1:1/x"), 3, "not in reach"),
        (("query", "x", "--jurisdiction", "zz"), 2, "unknown jurisdiction 'ZZ'"),
        (("query", "x", "--no-update"), 3, "there is no search index yet"),
    ],
)
def test_what_goes_wrong_says_what_to_do(
    regtech: Command, store: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    done = regtech("search", *words, "--store", store)
    assert done.status == status and said in done.err, done.err


def test_an_index_is_not_put_into_the_store(regtech: Command, store: Path) -> None:
    before = store.stat().st_size
    done = regtech("search", "rebuild", "--store", store, "--index", store)
    assert done.status == 2 and "something else" in done.err
    assert store.stat().st_size == before


def test_a_worker_follows_until_it_is_asked_to_end(
    regtech: Command, store: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "regtech.cli.main", "search", "update", "--follow"]
    child = subprocess.Popen([*command, "--store", str(store)], env={**os.environ, "TZ": "UTC"})
    try:
        _until(lambda: (store.parent / "cases.search.db").exists())
        file = tmp_path / "more.ndjson"
        file.write_bytes(alert(9, subject="K9", payer__name="Zhang Lan").raw + b"\n")
        assert regtech("cases", "import", file, "--store", store).status == 0
        _until(lambda: _total(regtech, store) == 1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=20) == 0
    finally:
        child.kill()
        child.wait()


def _total(regtech: Command, store: Path) -> int:
    words = ("lan zhang", "--store", store, "--kind", "case", "--no-update", "--json")
    done = regtech("search", "query", *words)
    return int(json.loads(done.out)["total"]) if done.status == 0 else 0


def _until(check: Any) -> None:
    for _ in range(300):
        if check():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to pass in 30 s")
