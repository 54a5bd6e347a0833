"""Screening: what is found, what is not, at which instant, and what a change of lists raises."""

from __future__ import annotations

import math
from typing import Any

import pytest

from detectors.names.rescreen import list_change, new_hits
from detectors.names.scoring import Model
from detectors.names.screener import Query, Screener
from detectors.names.support import imo_valid
from detectors.names.tables import NameTables
from regtech.reference.watchlists import BirthDate, ListedName, ListEntry, ListVersion

DAY = 86_400_000_000


def entry(identity: str, name: str, *aliases: ListedName, **more: Any) -> ListEntry:
    return ListEntry(identity, "person", (ListedName(name, "primary"), *aliases), **more)


def best(screener: Screener, query: Query) -> str:
    hits = screener.screen(query)
    return hits[0].standing.entry.id if hits else ""


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Kim Jong-un", "20157"),
        ("김정은", "20157"),
        ("Muhammad Rida Zahedi", "12114"),
        ("Banco Nacional Cuba", "306"),
        ("IMO 9187629", "15036"),
        ("9187629", "15036"),
        ("Hikmat Mizban Ibrahim al Azawi", "6908075"),
        ("حكمت مزبان ابراهيم العزاوي", "6908075"),
        ("Frank Kakolele Bwambali", "6907994"),
    ],
)
def test_listed_parties_are_found(screener: Screener, name: str, identity: str) -> None:
    assert best(screener, Query(name)) == identity


@pytest.mark.parametrize(
    "name", ["Maria Garcia Lopez", "John Smith", "IMO 9187620", "", "…", "李雷"]
)
def test_others_are_not(screener: Screener, name: str) -> None:
    assert screener.screen(Query(name)) == []


def test_the_parts_are_the_score(screener: Screener) -> None:
    for name in ("Muhammad Rida Zahedi", "김정은", "Banco Nacional Cuba"):
        hit = screener.screen(Query(name, birth_date=BirthDate(1944)), threshold=0.2)[0]
        assert hit.explanation is not None
        odds = hit.explanation.log_odds
        assert math.isclose(1 / (1 + math.exp(-odds)), hit.name_score, rel_tol=1e-9)
        odds += sum(part.log_odds for part in hit.evidence)
        assert math.isclose(1 / (1 + math.exp(-odds)), hit.score, rel_tol=1e-9)
    assert hit.explanation is not None
    pairs = {(pair.left, pair.right) for pair in hit.explanation.pairs}
    assert ("banco", "banco") in pairs and ("cuba", "cuba") in pairs


def test_what_the_search_knows_of_words_changes_no_score(
    screener: Screener, versions: list[ListVersion]
) -> None:
    """The comparison takes over how alike words are from the search; explaining starts anew."""
    listed = [name.text for version in versions for item in version.entries for name in item.names]
    asked = [f"{name[1:]} {name.split()[0]}" for name in listed if " " in name]
    asked += ["محمد محمود محمد", "Ali Ali Aly Muhamad", "I & S Holding Trading", *listed]
    compared = 0
    for name in asked:
        for hit in screener.screen(Query(name), threshold=0.2):
            if hit.explanation is None or hit.identifier is not None:
                continue
            odds = hit.explanation.log_odds
            assert math.isclose(1 / (1 + math.exp(-odds)), hit.name_score, rel_tol=1e-9), name
            compared += 1
    assert compared > 20


def test_words_lead_to_names_by_how_alike_they_are(tables: NameTables, model: Model) -> None:
    """Omar and Hamriyah have the same consonants to an index, and are two names to anybody."""
    listed = (entry("same", "Umar"), entry("other", "Hamriyah"))
    screener = Screener(tables, model, [ListVersion("own", listed)], gram_rows=0, word_rows=9)
    assert screener.candidates("Omar").tolist() == [0]


def test_dates_and_countries_support_or_contradict(screener: Screener) -> None:
    def score(**known: Any) -> float:
        query = Query("Mohammad Reza Zahedi", "person", **known)
        hits = [h for h in screener.screen(query, threshold=0.01) if h.key == ("ofac", "12114")]
        return hits[0].score if hits else 0.0

    bare = score()
    assert score(birth_date=BirthDate(1944)) > bare > score(birth_date=BirthDate(1991))
    assert score(countries=("IR",)) > bare > score(countries=("NZ",))


def test_weak_aliases_need_support(tables: NameTables, model: Model) -> None:
    listed = entry(
        "1", "Carlos Mendoza", ListedName("Goldfinger", "weak"), birth_dates=(BirthDate(1960),)
    )
    screener = Screener(tables, model, [ListVersion("own", (listed,))])
    bare = screener.screen(Query("Goldfinger"), threshold=0.0)[0]
    known = screener.screen(Query("Goldfinger", birth_date=BirthDate(1960)), threshold=0.0)[0]
    assert bare.score < bare.name_score and known.score > bare.score
    assert any(part.part == "weak_alias" for part in bare.evidence)


def test_latin_names_are_held_against_latin_ones_where_there_are_any(
    tables: NameTables, model: Model
) -> None:
    arabic = ListedName("بلال بن مروان")
    versions = [ListVersion("both", (entry("a", "Qwrtz Xypsilon", arabic),))]
    versions += [ListVersion("arabic", (entry("b", "بلال بن مروان"),))]
    screener = Screener(tables, model, versions)
    found = {hit.key for hit in screener.screen(Query("Bilal bin Marwan"), threshold=0.7)}
    assert found == {("arabic", "b")}
    asked = {hit.key for hit in screener.screen(Query("بلال بن مروان"))}
    assert asked == {("arabic", "b"), ("both", "a")}


def test_an_instant_is_answered_by_the_version_of_that_time(
    tables: NameTables, model: Model
) -> None:
    petrov, ivers = entry("1", "Grigory Petrovsky"), entry("2", "Astrid Iverskaya")
    versions = [
        ListVersion("own", (petrov,), 10 * DAY),
        ListVersion("own", (petrov, ivers), 20 * DAY),
        ListVersion("own", (ivers,), 30 * DAY),
    ]
    screener = Screener(tables, model, versions)

    def outcomes(name: str, *days: int) -> list[str]:
        return [screener.screened("own", Query(name), day * DAY).outcome for day in days]

    assert outcomes("Grigory Petrovsky", 9, 10, 29, 30) == ["cannot_tell", "met", "met", "not_met"]
    assert outcomes("Astrid Iverskaya", 10, 19, 20, 99) == ["not_met", "not_met", "met", "met"]
    assert screener.screened("own", Query(" "), 20 * DAY).outcome == "cannot_tell"
    assert screener.screened("other", Query("x"), 20 * DAY).reason == "no list 'other' is loaded"
    # Without an instant the last version counts.
    assert not screener.screen(Query("Grigory Petrovsky"))
    assert screener.screen(Query("Astrid Iverskaya"))


def test_a_change_raises_only_what_is_new(tables: NameTables, model: Model) -> None:
    old = ListVersion("own", (entry("1", "Grigory Petrovsky"), entry("3", "Gone Awayson")))
    new = ListVersion(
        "own",
        (
            entry("1", "Grigory Petrovsky", ListedName("Grisha Petrovsky")),
            entry("2", "Astrid Iverskaya"),
        ),
    )
    change = list_change(old, new)
    assert [e.id for e in change.added] == ["2"]
    assert [e.id for e in change.changed] == ["1"]
    assert [e.id for e in change.removed] == ["3"]
    before, after = Screener(tables, model, [old]), Screener(tables, model, [new])
    parties = [("p1", Query("Grigory Petrovsky")), ("p2", Query("Astrid Iverskaia"))]
    raised = list(new_hits(parties, before, after))
    assert [(found.party, found.hit.key) for found in raised] == [("p2", ("own", "2"))]
    assert list(new_hits(parties, after, after)) == []


def test_wallets_are_exact(tables: NameTables, model: Model) -> None:
    wallet = "0x" + "ab12" * 10
    listed = entry("1", "Some Body", identifiers=(("wallet", wallet),))
    screener = Screener(tables, model, [ListVersion("own", (listed,))])
    assert screener.screen(Query(f"to {wallet.upper().replace('0X', '0x')}"))[0].score == 1.0
    assert screener.screen(Query("", identifiers=(("wallet", wallet),)))[0].identifier
    assert not screener.screen(Query("0x" + "ab13" * 10))


def test_imo_numbers_have_a_check_digit() -> None:
    assert imo_valid("9187629") and not imo_valid("9187620") and not imo_valid("91876290")
