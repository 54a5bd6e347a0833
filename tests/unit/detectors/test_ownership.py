"""What the ownership graph says of each kind of interest, at each moment, and what is missing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from detectors.ownership.answer import Answer
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.layers import ENDLESS
from detectors.ownership.terms import WHOLE, Moment, Outcome
from regtech.errors import SnapshotError

DAY = 86_400_000_000
AT = Moment.of(100 * DAY)
QUARTER = Fraction(1, 4)
PERSONS = frozenset("PQRS")


def _graph(*events: tuple[Any, ...]) -> OwnershipGraph:
    """Events as (owner, owned, interest, share or None, more); one-letter P to S are persons."""
    graph = OwnershipGraph()
    for number, (owner, owned, interest, share, *more) in enumerate(events):
        scaled = None if share is None else int(Fraction(share) * WHOLE)
        graph.observe(
            owner,
            owned,
            time_us=number,
            interest=interest,
            share=scaled,
            owner_kind="person" if owner in PERSONS else "entity",
            owned_kind="person" if owned in PERSONS else "entity",
            ref=f"e{number}",
            **(more[0] if more else {}),
        )
    return graph


def _ask(graph: OwnershipGraph, party: str = "X", **more: Any) -> Answer:
    return graph.beneficial_owners(party, AT, QUARTER, **more)


def _named(answer: Answer) -> dict[str, str]:
    """Owners with their outcome."""
    return {o.party: o.outcome.value for o in (*answer.owners, *answer.unclear)}


def test_control_by_a_majority_passes_wholly_down_a_chain() -> None:
    # P has 51 % of H, H 51 % of X: 26 % of the shares, but all of the control.
    graph = _graph(("H", "X", "shares", "0.51"), ("P", "H", "shares", "0.51"))
    (owner,) = _ask(graph).owners
    assert owner.shares.low == Fraction("0.2601")
    assert owner.votes.low == Fraction("0.51")
    assert owner.control is Outcome.MET
    assert [(c.controlled, c.holders, c.means) for c in owner.control_chain] == [
        ("X", ("H",), "votes"),
        ("H", ("P",), "votes"),
    ]


def test_half_of_the_votes_is_no_majority_and_half_of_a_board_none() -> None:
    graph = _graph(
        ("P", "X", "shares", "0.5"),
        ("Q", "X", "shares", "0.5"),
        ("R", "X", "board", "0.5"),
        ("S", "X", "board", None),
    )
    found = {o.party: o.control.value for o in _ask(graph).owners}
    assert found == {"P": "not_met", "Q": "not_met", "S": "met"}


def test_votes_are_apart_from_what_is_earned() -> None:
    graph = _graph(
        ("P", "X", "shares", "0.9"),
        ("P", "X", "votes", "0.1"),
        ("Q", "X", "shares", "0.1"),
        ("Q", "X", "votes", "0.9"),
    )
    owners = {o.party: o for o in _ask(graph).owners}
    assert owners["P"].reasons == ("shares",)
    assert owners["Q"].reasons == ("votes", "control")


def test_income_makes_an_owner_without_shares() -> None:
    graph = _graph(
        ("P", "X", "shares", "1"), ("P", "X", "income", "0.7"), ("Q", "X", "income", "0.3")
    )
    owners = {o.party: o.reasons for o in _ask(graph).owners}
    assert owners["Q"] == ("income",)


def test_a_nominee_is_looked_through_to_whoever_is_behind() -> None:
    graph = _graph(
        ("N", "X", "nominee", "0.4"),
        ("Q", "X", "shares", "0.6"),
        ("P", "N", "nominator", None),
        ("R", "N", "shares", "1"),
    )
    answer = _ask(graph)
    assert _named(answer) == {"Q": "met", "P": "met"}
    assert {o.party: o.shares.low for o in answer.owners}["P"] == Fraction("0.4")
    # Whoever owns the nominee company itself stands behind that company, not behind X.
    assert _named(_ask(graph, "N")) == {"R": "met"}


def test_a_person_as_nominee_needs_no_share_to_say_for_whom() -> None:
    graph = _graph(
        ("Q", "X", "shares", "0.7"), ("R", "X", "shares", "0.3"), ("P", "R", "nominee", None)
    )
    assert {o.party: o.shares.low for o in _ask(graph).owners} == {
        "Q": Fraction("0.7"),
        "P": Fraction("0.3"),
    }


def test_for_whom_a_nominee_holds_can_be_missing() -> None:
    graph = _graph(("P", "X", "nominee", "0.4"), ("Q", "X", "shares", "0.6"))
    answer = _ask(graph)
    assert [o.party for o in answer.owners] == ["Q"]
    assert [(m.party, m.code, m.part) for m in answer.missing] == [
        ("P", "nominee", Fraction("0.4"))
    ]
    assert answer.further is Outcome.CANNOT_TELL


def test_whoever_turns_out_to_stand_behind_an_owner_is_seen_by_the_next_question() -> None:
    before = (("N", "X", "nominee", "1"), ("X", "Y", "shares", "1"))
    graph = _graph(*before)
    assert _ask(graph).missing[0].code == "nominee_side"
    graph.observe("P", "N", time_us=9, interest="nominee", share=WHOLE, owner_kind="person")
    told, fresh = _ask(graph), _ask(_graph(*before, ("P", "N", "nominee", "1")))
    assert _named(told) == _named(fresh) and [m.code for m in told.missing] == [
        m.code for m in fresh.missing
    ]  # fmt: skip
    assert told.missing[0].code != "nominee_side"


def test_parties_in_concert_are_counted_together() -> None:
    apart = (
        ("P", "X", "shares", "0.2"),
        ("Q", "X", "shares", "0.2"),
        ("R", "X", "shares", "0.2"),
        ("S", "X", "shares", "0.4"),
    )
    assert _named(_ask(_graph(*apart))) == {"S": "met"}
    about = (("P", "X", "concert", None), ("Q", "X", "concert", None), ("R", "X", "concert", None))
    answer = _ask(_graph(*apart, *about))
    together = {o.party: o for o in answer.owners}
    assert set(together) == {"P", "Q", "R", "S"}
    assert together["P"].together == ("Q", "R")
    assert (together["P"].shares.low, together["P"].own.low) == (Fraction("0.6"), Fraction("0.2"))
    assert together["P"].control is Outcome.MET
    pair = _ask(_graph(*apart, ("P", "Q", "concert", None)))
    assert {o.party: o.shares.low for o in pair.owners} == {
        "P": Fraction("0.4"),
        "Q": Fraction("0.4"),
        "S": Fraction("0.4"),
    }


def test_a_listed_company_stops_the_chain_from_then_on() -> None:
    graph = _graph(("L", "X", "shares", "1"), ("P", "L", "shares", "1"))
    assert _named(_ask(graph)) == {"P": "met"}
    graph.note_party("L", 50 * DAY, listed=True)
    assert [(stop.party, stop.shares.low) for stop in _ask(graph).stops] == [("L", Fraction(1))]
    early = graph.beneficial_owners("X", Moment.of(49 * DAY), QUARTER)
    assert [o.party for o in early.owners] == ["P"]
    assert _named(_ask(graph, through_listed=True)) == {"P": "met"}
    # Shares of rules that look through do not stop there.
    assert graph.owner_share("P", "X", AT).low == 1


def test_what_is_not_reported_makes_it_impossible_to_tell() -> None:
    graph = _graph(
        ("P", "X", "shares", "0.1"), ("H", "X", "shares", "0.5"), ("Q", "X", "shares", "0.4")
    )
    answer = _ask(graph)
    assert _named(answer) == {"Q": "met", "P": "cannot_tell"}
    assert [(m.party, m.code) for m in answer.missing] == [("H", "no_owner")]
    assert answer.unclear[0].shares.low == answer.unclear[0].shares.high == Fraction("0.1")
    assert answer.unclear[0].shares.open == Fraction("0.6")
    closed = _ask(graph, complete=True)
    assert (_named(closed), closed.further) == ({"Q": "met"}, Outcome.NOT_MET)
    assert [part.party for part in closed.below] == ["P"]


def test_a_share_that_nobody_gave_may_be_anything_that_is_left() -> None:
    graph = _graph(("P", "X", "shares", None), ("Q", "X", "shares", "0.8"))
    share = graph.owner_share("P", "X", AT)
    assert (share.low, share.high, share.open) == (
        Fraction(0),
        Fraction("0.2"),
        Fraction("0.2"),
    )
    assert _named(_ask(graph)) == {"Q": "met"}


def test_a_ring_without_an_owner_outside_is_missing() -> None:
    graph = _graph(("A", "X", "shares", "1"), ("B", "A", "shares", "1"), ("A", "B", "shares", "1"))
    answer = _ask(graph)
    assert [(m.party, m.code, m.part) for m in answer.missing if m.code == "ring"] == [
        ("A", "ring", Fraction(1))
    ]


def test_more_than_the_whole_is_a_finding_and_no_proof() -> None:
    graph = _graph(("P", "X", "shares", "0.7"), ("Q", "X", "shares", "0.5"))
    answer = _ask(graph)
    assert [f.code for f in answer.findings] == ["more_than_whole"]
    owners = {o.party: o.shares for o in (*answer.owners, *answer.unclear)}
    assert (owners["P"].low, owners["P"].high) == (Fraction("0.5"), Fraction("0.7"))
    assert (owners["Q"].low, owners["Q"].high) == (Fraction("0.3"), Fraction("0.5"))


def test_a_declared_total_narrows_what_the_chain_leaves_open() -> None:
    chain = (("H", "X", "shares", "0.6"), ("P", "H", "shares", None))
    assert graph_share(chain) == (Fraction(0), Fraction(1))
    declared = (*chain, ("P", "X", "shares", "0.3", {"indirect": True}))
    assert graph_share(declared) == (Fraction("0.3"), Fraction("0.3"))
    known = (
        ("H", "X", "shares", "0.6"),
        ("P", "H", "shares", "0.1"),
        ("Q", "H", "shares", "0.9"),
        ("R", "X", "shares", "0.4"),
        ("P", "X", "shares", "0.3", {"indirect": True}),
    )
    answer = _ask(_graph(*known))
    assert [f.code for f in answer.findings] == ["declared_differs"]
    assert _named(answer)["P"] == "cannot_tell"


def graph_share(events: tuple[Any, ...]) -> tuple[Fraction, Fraction]:
    share = _graph(*events).owner_share("P", "X", AT)
    return share.low, share.open


@pytest.mark.parametrize(
    ("day", "share"),
    [(9, "0"), (10, "0.4"), (19, "0.4"), (20, "0.1"), (29, "0.1"), (30, "0"), (99, "0")],
)
def test_a_change_holds_from_its_day_until_its_end(day: int, share: str) -> None:
    graph = _graph(
        ("P", "X", "shares", "0.1", {"from_day": 20, "until_day": 30}),
        ("P", "X", "shares", "0.4", {"from_day": 10}),
    )
    assert graph.owner_share("P", "X", Moment.end_of(day)).low == Fraction(share)


def test_an_end_without_a_share_ends_what_is_held() -> None:
    graph = _graph(("P", "X", "shares", "0.4"))
    graph.observe("P", "X", time_us=40 * DAY, until_day=50)
    assert graph.owner_share("P", "X", Moment.end_of(49)).low == Fraction("0.4")
    assert graph.owner_share("P", "X", Moment.end_of(50)).low == 0


def test_dates_are_those_of_the_place_that_asks() -> None:
    graph = _graph(("P", "X", "shares", "0.4", {"from_day": 10}))
    late_evening_utc = 9 * DAY + 20 * 3_600_000_000
    assert graph.owner_share("P", "X", Moment.of(late_evening_utc)).low == 0
    shanghai = Moment.of(late_evening_utc, 8 * 3_600_000_000)
    assert graph.owner_share("P", "X", shanghai).low == Fraction("0.4")


def test_a_sale_is_seen_by_the_next_question() -> None:
    graph = _graph(("P", "X", "shares", "1"))
    assert graph.owner_share("P", "X", AT).low == 1
    graph.observe("P", "X", time_us=99 * DAY, share=0)
    assert graph.owner_share("P", "X", AT).low == 0
    assert graph.same_owner("P", "X", AT) is Outcome.CANNOT_TELL


def test_the_same_owner_behind_two_companies() -> None:
    graph = _graph(
        ("H", "A", "shares", "0.6"),
        ("P", "H", "shares", "0.6"),
        ("P", "B", "control", None),
        ("Q", "C", "shares", "1"),
        ("Q", "D", "shares", "0.3"),
        ("R", "E", "shares", "0.5"),
        ("Q", "E", "shares", "0.5"),
    )
    assert graph.same_owner("A", "B", AT) is Outcome.MET
    assert graph.same_owner("A", "H", AT) is Outcome.MET
    assert graph.same_owner("A", "C", AT) is Outcome.NOT_MET
    assert graph.same_owner("C", "D", AT) is Outcome.CANNOT_TELL
    assert graph.same_owner("C", "E", AT) is Outcome.NOT_MET
    assert graph.same_owner("A", "unheard of", AT) is Outcome.CANNOT_TELL
    assert graph.group_of("A", AT) == graph.group_of("B", AT) == "P"
    assert graph.group_of("E", AT) == "E"


def test_several_owners_together_as_covered_persons_are() -> None:
    graph = _graph(
        ("H", "X", "shares", "0.5"), ("P", "H", "shares", "1"), ("Q", "X", "shares", "0.3")
    )
    assert graph.owners_share(("P", "Q", "H"), "X", AT).low == Fraction("0.8")
    assert graph.owner_share("X", "X", AT).low == 1


def test_layers_of_products() -> None:
    graph = OwnershipGraph()
    for number, (owner, owned) in enumerate((("A", "B"), ("B", "C"), ("C", "F"), ("A", "C"))):
        graph.observe(owner, owned, time_us=number, interest="unit", share=1,
                      owner_kind="product", owned_kind="product")  # fmt: skip
    graph.note_party("F", 9, exempt=True)
    assert [graph.layers(product, AT) for product in "ABCF"] == [(2, 2), (1, 1), (0, 0), (0, 0)]
    graph.observe("C", "A", time_us=10, interest="unit", share_min=0, share_max=WHOLE)
    assert graph.layers("A", AT) == (2, ENDLESS)
    graph.observe("B", "C", time_us=11, interest="unit", share=0)
    assert graph.layers("B", AT) == (0, 0)


def test_paths_are_bounded_and_it_is_said() -> None:
    events: list[tuple[Any, ...]] = []
    for number in range(20):
        events += [(f"H{number}", "X", "shares", "0.05"), ("P", f"H{number}", "shares", "1")]
    graph = _graph(*events)
    (owner,) = _ask(graph, paths=5).owners
    assert (len(owner.paths), owner.paths_cut) == (5, True)
    assert owner.paths[0].links[1].ref == "e1"
    (owner,) = _ask(graph, paths=20).owners
    assert (len(owner.paths), owner.paths_cut) == (20, False)
    assert sum(path.low for path in owner.paths) == owner.shares.low == 1


def test_long_chains_and_wide_companies_are_exact() -> None:
    chain = [(f"C{k}", f"C{k - 1}", "shares", "0.999999999") for k in range(1, 60)]
    graph = _graph(*chain, ("P", "C59", "shares", "1"))
    share = graph.owner_share("P", "C0", AT)
    assert share.low == Fraction(999_999_999, 10**9) ** 59
    wide = _graph(*[(f"P{k}", "X", "shares", "0.001") for k in range(1000)])
    for k in range(1000):
        wide.note_party(f"P{k}", 2000, kind="person")
    answer = _ask(wide)
    assert (len(answer.owners), answer.below_count, len(answer.below)) == (0, 1000, 100)


def test_a_damaged_snapshot_is_refused() -> None:
    arrays = _graph(("P", "X", "shares", "1")).export_arrays()
    arrays["refs_sizes"] = arrays["refs_sizes"] + 1
    with pytest.raises(SnapshotError):
        OwnershipGraph.restore(arrays)
