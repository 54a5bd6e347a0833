"""Listed names in payment texts: where they stand, and what is no name."""

from __future__ import annotations

import pytest

from detectors.names.analysis import Kind
from detectors.names.scoring import Model
from detectors.names.screener import Screener
from detectors.names.tables import NameTables
from detectors.names.texts import TEXT_LONGEST, screen_text
from regtech.reference.watchlists import ListedName, ListEntry, ListVersion

NAMES: dict[str, tuple[str, Kind]] = {
    "p1": ("Ivan Sergeyevich Petrov", "person"),
    "p2": ("Muhammad Jamal al-Tikriti", "person"),
    "c1": ("Romashka Trading LLC", "entity"),
    "o1": ("HAMAS", "entity"),
    "o2": ("LENA", "entity"),
    "k1": ("김정은", "person"),
    "h1": ("北京云海科技有限公司", "entity"),
}


@pytest.fixture(scope="module")
def listed(tables: NameTables, model: Model) -> Screener:
    entries = tuple(
        ListEntry(key, kind, (ListedName(name),)) for key, (name, kind) in NAMES.items()
    )
    return Screener(tables, model, [ListVersion("own", entries)])


@pytest.mark.parametrize(
    ("text", "entry", "span"),
    [
        (
            "/INV/2026-0412 goods for Ivan Sergeevich Petrov, Sofia",
            "p1",
            "Ivan Sergeevich Petrov",
        ),
        ("RENT MARCH Mohamed Jamal Al Tikriti APT 4", "p2", "Mohamed Jamal Al Tikriti"),
        ("invoice 8812 Romashka Trading LLC timber", "c1", "Romashka Trading"),
        ("donation to HAMAS charity", "o1", "HAMAS"),
        ("оплата по договору Петров Иван Сергеевич за товар", "p1", "Петров Иван Сергеевич"),
        ("3월분 급여 김정은 귀하", "k1", "김정은"),
        ("支付北京雲海科技货款", "h1", "北京雲海科技"),
    ],
)
def test_a_listed_name_is_found_where_it_stands(
    listed: Screener, text: str, entry: str, span: str
) -> None:
    found = screen_text(listed, text)
    assert [(one.hit.standing.entry.id, one.span) for one in found.hits] == [(entry, span)]
    assert all(text[one.start : one.end] == one.span for one in found.hits)
    assert not found.cut


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!! 123456 ///",
        "payment of invoice 4471 for office chairs and delivery in March",
        "gift for Lena and Hamasaki, thank you",
        "salary Ivan Ivanovich Sidorov, trading floor",
        "支付北京科技大学学费",
    ],
)
def test_other_texts_are_not(listed: Screener, text: str) -> None:
    assert screen_text(listed, text).hits == ()


def test_what_is_not_read_is_said(listed: Screener) -> None:
    filler = "office chairs and desks " * (TEXT_LONGEST // 20)
    assert screen_text(listed, filler + "Ivan Sergeyevich Petrov").cut
    assert screen_text(listed, "Ivan Sergeyevich Petrov " + filler).hits
