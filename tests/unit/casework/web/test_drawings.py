"""Drawings made on the server: flows between countries, chains of owners."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casework.web import flows, owners, scores
from casework.web.flows import Flow, country_name


def _data(number: int, *, jurisdiction: str = "CN", **facts: Any) -> dict[str, Any]:
    named = {"type": "data_transfer", "origin": None, **facts}
    return {"id": f"{number:032x}", "jurisdiction": jurisdiction, "facts": named}


def _paid(number: int, amount: int, currency: str, **facts: Any) -> dict[str, Any]:
    named = {"type": "transaction", "amount": amount, "currency": currency, **facts}
    ends = {name.replace("__", "."): value for name, value in named.items()}
    return {"id": f"{number:032x}", "events": [f"E{number}"], "facts": ends}


def test_data_and_money_between_countries() -> None:
    found = flows.flows([
        _data(1, destination="SG", person_count=100),
        _data(2, destination="SG", person_count=90),
        _data(3, origin="DE", destination="US", onward_country="IN"),
        _data(4),
        _paid(5, 10_000, "EUR", payer__country="NL", payee__institution_country="RU"),
        _paid(6, 550, "EUR", payer__country="NL", payee__country="RU"),
        _paid(6, 550, "EUR", payer__country="NL", payee__country="RU"),
        {"id": "7", "facts": {"type": "loan"}},
    ])  # fmt: skip
    assert found == [
        Flow("money", "NL", "RU", 3, None, (("EUR", "105.50"),), False),
        Flow("data", "CN", "SG", 2, 100, (), True),
        Flow("data", "DE", "US", 1, None, (), False),
        Flow("data", "US", "IN", 1, None, (), False),
    ]
    drawing = flows.drawn(found)
    assert [place.code for place in drawing.places] == [
        "NL",
        "CN",
        "DE",
        "US",
        "RU",
        "SG",
        "US",
        "IN",
    ]
    assert [line.width for line in drawing.lines] == sorted(
        (line.width for line in drawing.lines), reverse=True
    )
    assert flows.drawn([]).lines == ()


def test_countries_have_names_in_the_language_of_the_page() -> None:
    assert country_name("SG", "en") == "Singapore" and country_name("SG", "zh") == "新加坡"
    assert country_name("UK", "zh") == "英国" and country_name("EU", "en") == "European Union"
    assert country_name("<b>", "en") == "<b>"


def _chain(*links: tuple[str, str, str], owner: str, entity: str) -> dict[str, Any]:
    path = [{"owner": a, "owned": b, "share": share} for a, b, share in links]
    return {"findings": {"q": {"owners": [{"owner": owner, "entity": entity, "paths": [path]}]}}}


def test_owners_stand_above_what_they_own() -> None:
    found, roles = owners.holdings([
        _chain(("H", "X", "250000001/500000000"), ("P", "H", "1/2"), owner="P", entity="X"),
        {"findings": {"same": {"parties": ["X", "L"], "controlled_by": ["P", "N"]}}},
        {"findings": {"share": {"owner": "A", "owned": "X", "share": "1/3"}}},
        {"findings": {"sum": 3}},
    ])  # fmt: skip
    assert [(one.owner, one.owned, one.percent) for one in found] == [
        ("H", "X", "≈ 50 %"), ("P", "H", "50 %"), ("P", "X", ""), ("N", "L", ""),
        ("A", "X", "≈ 33.33 %"),
    ]  # fmt: skip
    assert roles["P"] == roles["N"] == "owner" and roles["X"] == roles["L"] == "entity"
    drawing = owners.drawn(found, roles)
    assert drawing is not None
    at = {box.party: box for box in drawing.boxes}
    assert at["P"].y < at["H"].y < at["X"].y
    assert all(0 <= box.x <= drawing.width for box in drawing.boxes)


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20).map(
        lambda pairs: [(f"P{a}", f"P{b}") for a, b in pairs if a != b]
    )
)
def test_any_holdings_are_drawn_with_no_two_boxes_on_each_other(
    pairs: list[tuple[str, str]],
) -> None:
    found, roles = owners.holdings([_chain((a, b, "1/4"), owner=a, entity=b) for a, b in pairs])
    drawing = owners.drawn(found, roles)
    assert (drawing is None) == (not pairs)
    if drawing is None:
        return
    places = {(box.x, box.y) for box in drawing.boxes}
    assert len(places) == len(drawing.boxes) == len({name for pair in pairs for name in pair})
    assert len(drawing.arrows) == len(set(pairs))
    by_row: dict[float, list[float]] = {}
    for x, y in sorted(places):
        by_row.setdefault(y, []).append(x)
    wide = drawing.box[0]
    assert all(b - a >= wide for row in by_row.values() for a, b in zip(row, row[1:], strict=False))


def test_what_is_too_much_to_draw_is_a_table_alone() -> None:
    many = [_chain((f"P{n}", "X", "1/99"), owner=f"P{n}", entity="X") for n in range(60)]
    found, roles = owners.holdings(many)
    assert len(found) == 60 and owners.drawn(found, roles) is None


def _reason(value: Any, low: Any = "0", high: Any = "3") -> dict[str, Any]:
    words = {"en": "the amount is far off", "zh": "金额偏离"}
    return {"text": words, "unit": {"en": "share", "zh": "比例"}, "value": value,
            "usually": [low, high], "added": "1"}  # fmt: skip


def test_parts_of_a_score_are_bars_beside_what_is_usual() -> None:
    finding = {
        "model": "V1", "role": "champion", "digest": "ab", "trained_until": "2026-06-29",
        "score": "0.9", "threshold": "0.5",
        "reasons": [_reason("6"), _reason("-1", "-2", "2"), _reason("0", "0", "0"), _reason("9e9")],
    }  # fmt: skip
    (found,) = scores.scores({"findings": {"x": finding, "y": {"reason": {"en": "none"}}, "z": 3}})
    assert (found.score, found.threshold, found.model) == ("0.9", "0.5", "V1")
    first, second, third, fourth = found.parts
    assert first.bar == (0.0, 240.0) and first.band == (0.0, 120.0) and first.beyond
    assert second.bar == (60.0, 60.0) and second.band == (0.0, 240.0) and not second.beyond
    assert third.bar == third.band == (0.0, 2.0) and not third.beyond
    assert fourth.band == (0.0, 2.0) and fourth.beyond


@given(st.lists(st.tuples(*[st.sampled_from(["nan", "inf", "x", "", None, 1, "-3", "7.5"])] * 3)))
def test_findings_from_elsewhere_are_drawn_within_the_box_or_left_out(rows: Any) -> None:
    broken = [{"text": 1}, None, 7, {"usually": [1]}]
    reasons = [*broken, *(_reason(value, low, high) for value, low, high in rows)]
    finding = {"threshold": "1", "reasons": reasons}
    (found,) = scores.scores({"findings": {"x": finding}})
    for part in found.parts:
        for x, width in (part.bar, part.band):
            assert 0 <= x and 0 < width and x + width <= scores.WIDTH + 0.2
    assert scores.scores({"findings": None}) == scores.scores({}) == []
