"""Search over SQLite FTS5: how fast documents come in, and how long a question takes.

``python benchmarks/search.py`` builds an index of 100,000 cases with an alert and its parties each,
names in Latin, Chinese and Cyrillic script, and asks it questions of every kind, each with its
counts by jurisdiction, theme, state, queue, severity and institution. ``--elastic URL`` does the
same on a server.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.common import CLOCK, SEED, arguments, machine, one_core
from casework.cases.alert import StoredAlert
from casework.cases.case import Case, State
from casework.cases.scope import Role, Scope
from casework.cases.themes import Themes
from casework.search.document import Document
from casework.search.ports import SearchIndex
from casework.search.project import alert_documents, case_documents
from casework.search.query import Kind, SearchQuery
from casework.search.rebuild import BATCH, pieces_of

FAMILY: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN: Final = "伟芳娜敏静强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国文"
LATIN: Final = ("anders", "berg", "costa", "dietrich", "ferrari", "garcia", "hansen", "ivers")
CYRILLIC: Final = ("Иванов", "Петров", "Сидоров", "Кузнецов", "Смирнов", "Попов", "Лебедев")
WHERE: Final = ("CN", "HK", "EU", "UK", "US", "SG", "JP")
THEMES: Final = ("money_laundering", "large_value", "data_export", "prudential", "lending")
DAY_US: Final = 86_400_000_000


def name(draw: random.Random) -> str:
    """A name in one of three scripts; most are rare, as names are."""
    kind = draw.randrange(3)
    if kind == 0:
        return draw.choice(FAMILY) + "".join(draw.choice(GIVEN) for _ in range(draw.choice((1, 2))))
    if kind == 1:
        made = "".join(draw.choice(("ka", "mo", "ri", "te", "su", "lan", "der")) for _ in range(3))
        return f"{made.title()} {draw.choice(LATIN).title()}"
    return f"{draw.choice(CYRILLIC)} {draw.choice(('Пётр', 'Анна', 'Илья', 'Мария'))}"


def account(number: int) -> str:
    """A bank card's number, the same for the same number."""
    draw = random.Random(number)
    return "6222" + "".join(draw.choice("0123456789") for _ in range(15))


def world(cases: int) -> Iterator[Document]:
    """The documents of so many cases."""
    draw = random.Random(SEED)
    for number in range(cases):
        where, tenant = WHERE[number % len(WHERE)], f"BANK-{number % 200}"
        severity = draw.choice(("low", "medium", "medium", "high"))
        payer, payee = account(number), account(-1 - number)
        body: dict[str, Any] = {
            "id": f"{number:032x}",
            "rule": f"{where.lower()}-aml-{number % 40}",
            "pack": f"{where.lower()}-aml",
            "jurisdiction": where,
            "kind": draw.choice(("breach", "report", "indicator", "suspicion")),
            "severity": severity,
            "subject": {"per": "customer", "id": f"K{number:07d}", "institution": tenant},
            "time": f"2026-{1 + number % 9:02d}-{1 + number % 28:02d}T08:00:00Z",
            "facts": {
                "reporter": tenant,
                "payer.account": payer,
                "payer.name": name(draw),
                "payee.account": payee,
                "payee.name": name(draw),
            },
            "explanation": {
                "en": "Occasional wire transfers without due diligence",
                "zh": "非经常电传转账未作尽职审查",
            },
        }
        alert = StoredAlert.of(json.dumps(body, ensure_ascii=False).encode())
        case = Case(
            id=f"C-{number:020x}",
            version=1,
            policy="simple",
            policy_version="1",
            theme=THEMES[number % len(THEMES)],
            key_kind="subject",
            key=f"{tenant}|K{number:07d}",
            jurisdiction=where,
            tenants=(tenant,),
            chain=tenant,
            state=draw.choice(tuple(State)),
            severity=severity,
            priority=50,
            queue=where.lower(),
            reason=body["explanation"],
            opened_us=number * DAY_US // 100,
            changed_us=number * DAY_US // 100,
            alert_count=1,
            alert_kinds=(alert.kind,),
        )
        yield from case_documents(case, [alert], (), Themes())
        yield from alert_documents(alert)


def questions() -> dict[str, tuple[Scope, list[SearchQuery]]]:
    """Questions by kind, each many times with other words."""
    draw = random.Random(SEED + 1)
    wang = Scope("wang", frozenset({Role.SUPERVISOR}), None, None)
    service = Scope("svc", frozenset({Role.SERVICE}), None, None)
    bank = Scope("bank", frozenset({Role.INSTITUTION}), None, frozenset({"BANK-7"}))
    one = Scope("eva", frozenset({Role.SUPERVISOR}), frozenset({"EU"}), frozenset({"BANK-9"}))
    bank_only = Scope("eva", frozenset({Role.SUPERVISOR}), None, frozenset({"BANK-9"}))
    banks = frozenset(f"BANK-{number}" for number in range(10))
    ten = Scope("ida", frozenset({Role.SUPERVISOR}), None, banks)
    only = (Kind.CASE,)

    def many(made: Any) -> list[SearchQuery]:
        return [made() for _ in range(30)]

    def typo(word: str) -> str:
        at = draw.randrange(1, len(word) - 1)
        return word[:at] + draw.choice("xyz") + word[at + 1 :]

    accounts = [account(number) for number in range(1000)]

    def latin() -> str:
        while not (found := name(draw)).isascii():
            pass
        return found

    return {
        "a name": (wang, many(lambda: SearchQuery(name(draw), kinds=only))),
        "a name, all kinds": (service, many(lambda: SearchQuery(name(draw)))),
        "a name with a typo": (wang, many(lambda: SearchQuery(typo(latin().split()[0])))),
        "beginning of a name": (service, many(lambda: SearchQuery(latin()[:4], kinds=only))),
        "last 4 of an account": (wang, many(lambda: SearchQuery(draw.choice(accounts)[-4:]))),
        "last 8 of an account": (wang, many(lambda: SearchQuery(draw.choice(accounts)[-8:]))),
        "a customer": (wang, many(lambda: SearchQuery(f"K{draw.randrange(100_000):07d}"))),
        "a word of every case": (wang, many(lambda: SearchQuery("wire transfers", kinds=only))),
        "a word of every document": (wang, many(lambda: SearchQuery("diligence"))),
        "two beginnings of words of every document": (wang, many(lambda: SearchQuery("dilig wir"))),
        "a typo in a word of every document": (wang, many(lambda: SearchQuery("dilligence"))),
        "a word of every document and a name": (
            service,
            many(lambda: SearchQuery(f"diligence {latin().split()[0]}")),
        ),
        "two letters": (service, many(lambda: SearchQuery(latin()[:2]))),
        "no word, filtered": (wang, many(lambda: SearchQuery(kinds=only, states=("new",)))),
        "no word at all": (wang, many(lambda: SearchQuery())),
        "one institution's supervisor": (one, many(lambda: SearchQuery(name(draw)))),
        "one institution's, a word of every document": (
            one,
            many(lambda: SearchQuery("diligence")),
        ),
        "one institution's, two words of every document": (
            bank_only,
            many(lambda: SearchQuery("wire transfers")),
        ),
        "ten institutions', a word of every document": (
            ten,
            many(lambda: SearchQuery("diligence")),
        ),
        "an institution, a word of every document": (bank, many(lambda: SearchQuery("diligence"))),
        "an institution, no word": (bank, many(lambda: SearchQuery())),
    }


def build(index: SearchIndex, cases: int) -> dict[str, Any]:
    """Documents in; what it took, the making of the documents included."""
    generation = index.begin()
    count, began, used = 0, CLOCK.elapsed(), sum(os.times()[:2])
    for piece in pieces_of(world(cases), BATCH):
        index.build(generation, piece)
        count += len(piece)
    wall, cpu = CLOCK.elapsed() - began, sum(os.times()[:2]) - used
    index.finish(generation)
    return {
        "documents": count,
        "per second": round(count / wall),
        "per CPU second": round(count / cpu),
        "wall": round(wall, 1),
    }


def ask(index: SearchIndex) -> dict[str, dict[str, Any]]:
    """Milliseconds by kind of question: median, 95th percentile, most; CPU time of our side."""
    found = {}
    for kind, (scope, queries) in questions().items():
        times, used, totals = [], [], []
        for query in queries:
            began, cpu = CLOCK.elapsed(), sum(os.times()[:2])
            page = index.search(scope, query)
            times.append((CLOCK.elapsed() - began) * 1000)
            used.append((sum(os.times()[:2]) - cpu) * 1000)
            totals.append(page.total)
        times.sort()
        used.sort()
        found[kind] = {
            "found": round(statistics.mean(totals)),
            "median": round(statistics.median(times), 1),
            "p95": round(times[int(len(times) * 0.95)], 1),
            "most": round(times[-1], 1),
            "p95 CPU": round(used[int(len(used) * 0.95)]),
        }
    return found


def main() -> None:
    """Build, ask, print."""
    parser = arguments("search: documents in, questions asked", 0)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--elastic", help="URL of a server to measure in place of SQLite")
    given = parser.parse_args()
    one_core(None if given.elastic else given.core)
    result: dict[str, Any] = {"cases": given.cases}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        index: Any
        if given.elastic:
            from casework.search.elastic.index import ElasticIndex

            index = ElasticIndex(f"{given.elastic}/regtech-benchmark", CLOCK)
        else:
            from casework.search.fts.index import FtsIndex

            index = FtsIndex(Path(folder) / "search.db", CLOCK)
        result["build"] = build(index, given.cases)
        if not given.elastic:
            size = (Path(folder) / "search.db").stat().st_size
            result["build"]["MB"] = round(size / 1e6)
        result["milliseconds"] = ask(index)
        index.close()
    result["machine"] = machine()
    if given.json:
        print(json.dumps(result))
        return
    for key, value in result["build"].items():
        print(f"build: {key} {value}")
    for kind, row in result["milliseconds"].items():
        told = ", ".join(f"{key} {value}" for key, value in row.items())
        print(f"ms: {kind}: {told}")
    print("machine: " + ", ".join(f"{k} {v}" for k, v in result["machine"].items()))


if __name__ == "__main__":
    main()
