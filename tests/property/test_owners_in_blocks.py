"""Owners asked in blocks: any chop and restart, and a graph that is told facts in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

import detectors.ownership.graph as graph_module
from detectors.ownership.asked import PARTY, Ownership
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.growing import OWNERSHIP
from detectors.ownership.observing import LISTED
from detectors.ownership.terms import Interest, Moment, Outcome
from regtech.model.fields import DECIMAL_SCALE, EVENT_TYPES, PARTY_FLAGS
from regtech.ports.detection import NO, UNKNOWN, YES, Question
from tests.support.examples import examples

EXPOSURE = EVENT_TYPES.index("exposure")
DAY = 86_400_000_000
PARTIES = [f"p{number}" for number in range(6)]
KINDS = ["person", "entity", "product"]
INTERESTS = [interest.name.lower() for interest in Interest]
WORDS = [*PARTIES, *KINDS, *INTERESTS, "pledge", "R1"]
CODES = {word: 100 + place for place, word in enumerate(WORDS)}
EXEMPT = 1 << PARTY_FLAGS.index("public_product")

HALF = (">=", Fraction(1, 2))
ASKED = {
    "share": Question("share", "owner_share", ("holder", "counterparty"), (), HALF,
                      types=("exposure",)),
    "same": Question("same", "same_owner", ("holder", "counterparty"), types=("exposure",)),
    "layers": Question("layers", "layers", ("holder",), (), (">=", Fraction(2)),
                       types=("exposure",)),
    "new": Question("new", "beneficial_owner", types=("ownership",),
                    params={"comparator": "at_least", "threshold": "25%"}),
    "above": Question("above", "beneficial_owner", types=("ownership",),
                      params={"comparator": "above", "threshold": "1/2"}),
    "east": Question("east", "beneficial_owner", types=("ownership",), zone="Asia/Shanghai",
                     params={"comparator": "above", "threshold": "25%"}),
    "west": Question("west", "beneficial_owner", types=("ownership",), zone="America/New_York",
                     params={"comparator": "at_least", "threshold": "1/4"}),
}  # fmt: skip
HOUR = 3_600_000_000
COMPARED: Mapping[str, Any] = {
    "new": ("at_least", Fraction(1, 4), 0), "above": ("above", Fraction(1, 2), 0),
    "east": ("above", Fraction(1, 4), 8 * HOUR), "west": ("at_least", Fraction(1, 4), -5 * HOUR),
}  # fmt: skip
OUTCOMES = {Outcome.MET: YES, Outcome.NOT_MET: NO, Outcome.CANNOT_TELL: UNKNOWN}

Row = dict[str, Any]


@dataclass
class Blocked:
    """Rows as a detector sees them."""

    rows: Sequence[Row]
    first: int

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def types(self) -> npt.NDArray[np.int64]:
        return self.column("type")

    @property
    def times(self) -> npt.NDArray[np.int64]:
        return DAY * (self.first + np.arange(self.count))

    @property
    def payments(self) -> npt.NDArray[np.bool_]:
        return np.zeros(self.count, np.bool_)

    def asked(self, question: Question) -> npt.NDArray[np.bool_]:
        return np.isin(self.types, [EVENT_TYPES.index(name) for name in question.types])

    def column(self, path: str) -> npt.NDArray[np.int64]:
        if path in ("holder", "counterparty", "owned"):
            raise KeyError(path)
        found = [row.get(path, UNKNOWN) for row in self.rows]
        return np.array([CODES[v] if isinstance(v, str) else v for v in found], np.int64)

    def values(self, path: str, places: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        return self.column(path)[places]

    def texts(self, codes: Sequence[int]) -> list[str]:
        return [self.text(code) for code in codes]

    def text(self, code: int) -> str:
        return WORDS[code - 100]

    def event_id(self, place: int) -> str:
        return f"e{self.first + place}"


party = st.sampled_from(PARTIES)
kind = st.sampled_from([*KINDS, UNKNOWN])
flags = st.sampled_from([UNKNOWN, 0, LISTED, EXEMPT, LISTED | EXEMPT])
part = st.sampled_from([0, 100, 250, 251, 400, 500, 501, 1000, UNKNOWN])
facts = st.fixed_dictionaries(
    {"type": st.just(PARTY), "party.id": party, "party.kind": kind, "party.flags": flags}
)
holdings = st.fixed_dictionaries(
    {
        "type": st.just(OWNERSHIP), "reporter": st.just("R1"),
        "owner.id": party, "owner.kind": kind, "owner.flags": st.sampled_from([UNKNOWN, 0]),
        "owned.id": party, "owned.kind": kind, "owned.flags": st.just(UNKNOWN),
        "interest": st.sampled_from(["shares", "shares", "shares", "nominee", "control"]),
        "share": part.map(lambda p: p if p == UNKNOWN else p * DECIMAL_SCALE // 1000),
    }
)  # fmt: skip
parts = part.map(lambda p: p if p == UNKNOWN else p * DECIMAL_SCALE // 1000)
days = st.one_of(st.just(UNKNOWN), st.integers(5, 25))
anything = st.fixed_dictionaries(
    {
        "type": st.just(OWNERSHIP), "reporter": st.just("R1"),
        "owner.id": party, "owner.kind": kind, "owner.flags": flags,
        "owned.id": party, "owned.kind": kind, "owned.flags": flags,
        "interest": st.sampled_from([UNKNOWN, "shares", "pledge", *INTERESTS]),
        "share": parts, "share_min": parts, "share_max": st.one_of(parts, st.just(-1)),
        "from": days, "until": days, "indirect": st.sampled_from([UNKNOWN, 0, 0, 1]),
        "listed": st.sampled_from([UNKNOWN, 0, 1]),
    }
)  # fmt: skip
"""Whatever an ownership event can say, what cannot be among it."""
dated = st.builds(lambda row, first: {**row, "from": first}, holdings, days)
balances = st.fixed_dictionaries(
    {"type": st.just(EXPOSURE), "holder.id": party, "counterparty.id": party}
)
streams = st.lists(st.one_of(facts, facts, holdings, holdings, balances), min_size=4, max_size=40)
all_kinds = st.lists(
    st.one_of(facts, holdings, dated, dated, anything, balances), min_size=20, max_size=40
)


def answered(rows: Sequence[Row], cuts: Sequence[int], restart: bool) -> list[Any]:
    """Answers and findings of the detector, over blocks that end at the cuts."""
    detector = Ownership()
    running = detector.start(list(ASKED.values()))
    found: list[Any] = []
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for first, last in zip(edges, edges[1:], strict=False):
        block = Blocked(rows[first:last], first)
        answers = running.answer(block)
        for place, row in enumerate(block.rows):
            for name, question in ASKED.items():
                if EVENT_TYPES[row["type"]] in question.types:
                    finding = running.finding(name, place)
                    data = None if finding is None else dict(finding.data)
                    found.append((first + place, name, int(answers[name][place]), data))
        if restart:
            state = {name: array.copy() for name, array in running.export().items()}
            running = detector.start(list(ASKED.values()))
            running.restore(state)
    return found


def told_in_order(rows: Sequence[Row]) -> list[tuple[int, str, int]]:
    """The answers of a graph that is told every fact as it comes."""
    graph = OwnershipGraph()
    known: dict[tuple[str, str], set[str]] = {}
    found = []
    for number, row in enumerate(rows):
        at = Moment.of(DAY * number)
        if row["type"] == PARTY:
            _note(graph, at.us, row, "party")
        elif row["type"] == OWNERSHIP:
            _note(graph, at.us, row, "owner")
            _note(graph, at.us, row, "owned")
            _observe(graph, at.us, row)
            found += [
                (number, name, _new(graph, known, name, row, Moment.of(at.us, COMPARED[name][2])))
                for name in COMPARED
            ]
        else:
            found += [(number, name, _asked(graph, name, row, at))
                      for name in ("share", "same", "layers")]  # fmt: skip
    return found


def _observe(graph: OwnershipGraph, us: int, row: Row) -> None:
    def said(path: str) -> Any:
        value = row.get(path, UNKNOWN)
        return None if value == UNKNOWN else value

    listed = said("listed")
    graph.observe(
        row["owner.id"], row["owned.id"], time_us=us, interest=said("interest"),
        share=said("share"), share_min=said("share_min"), share_max=said("share_max"),
        from_day=said("from"), until_day=said("until"), indirect=said("indirect") == 1,
        listed=None if listed is None else bool(listed),
    )  # fmt: skip


def _note(graph: OwnershipGraph, us: int, row: Row, side: str) -> None:
    kind, flags = row[f"{side}.kind"], row[f"{side}.flags"]
    told = flags != UNKNOWN
    graph.note_party(
        row[f"{side}.id"], us, kind=None if kind == UNKNOWN else kind,
        listed=True if told and flags & LISTED else None,
        exempt=bool(flags & EXEMPT) if told else None,
    )  # fmt: skip


def _asked(graph: OwnershipGraph, name: str, row: Row, at: Moment) -> int:
    one, other = row["holder.id"], row["counterparty.id"]
    if name == "same":
        return OUTCOMES[graph.same_owner(one, other, at)]
    if name == "share":
        share = graph.owner_share(one, other, at)
        return OUTCOMES[share.outcome(HALF[1], "at_least")]
    least, greatest = graph.layers(one, at)
    return YES if least >= 2 else NO if greatest < 2 else UNKNOWN


def _new(
    graph: OwnershipGraph, known: dict[tuple[str, str], set[str]], name: str, row: Row, at: Moment
) -> int:
    """By whole answers: is a person an owner through others who was not one before?"""
    comparator, threshold, _ = COMPARED[name]
    owned, below = row["owned.id"], [row["owned.id"]]
    for entity in below:
        below += [other for other in graph.held_by(entity, at) if other not in below]
    chained = [entity for entity in below if graph.has_chains(entity)]
    leads_on = row["owner.kind"] != "person"
    fresh, unsure = False, leads_on and owned not in chained
    for entity in chained:
        answer = graph.beneficial_owners(entity, at, threshold, comparator)
        met = {
            owner.party for owner in answer.owners if owner.kind == "person"
            and (len(owner.control_chain) > 1 or any(len(p.links) > 1 for p in owner.paths))
        }  # fmt: skip
        fresh |= bool(met - known.get((name, entity), set()))
        known[name, entity] = met
        open_ = bool(answer.unclear) or answer.further is Outcome.CANNOT_TELL
        unsure |= entity == owned and not met and leads_on and open_
    return YES if fresh else UNKNOWN if unsure else NO


@settings(max_examples=examples(80), deadline=None)
@given(streams, st.lists(st.integers(1, 40), max_size=8), st.booleans())
def test_any_chop_and_restart_answers_as_a_graph_that_is_told_everything_in_order(
    rows: list[Row], cuts: list[int], restart: bool
) -> None:
    whole = answered(rows, (), False)
    assert [entry[:3] for entry in whole] == told_in_order(rows)
    assert answered(rows, cuts, restart) == whole
    assert answered(rows, range(40), restart) == whole


@settings(max_examples=examples(80), deadline=None)
@given(all_kinds, st.lists(st.integers(1, 40), max_size=8), st.booleans())
def test_so_does_whatever_an_ownership_event_can_say(
    rows: list[Row], cuts: list[int], restart: bool
) -> None:
    whole = answered(rows, (), False)
    assert [entry[:3] for entry in whole] == told_in_order(rows)
    assert answered(rows, cuts, restart) == whole


@settings(max_examples=examples(80), deadline=None)
@given(all_kinds, party, party, st.integers(0, 41))
def test_a_share_read_off_is_the_one_worked_out(
    rows: list[Row], owner: str, owned: str, day: int
) -> None:
    graph = OwnershipGraph()
    for number, row in enumerate(rows):
        if row["type"] == PARTY:
            _note(graph, DAY * number, row, "party")
        elif row["type"] == OWNERSHIP:
            _observe(graph, DAY * number, row)
    at = Moment.of(DAY * day + HOUR)
    with patch.object(graph_module, "near_share", lambda *_: None):
        worked_out = graph.owner_share(owner, owned, at)
    assert graph.owner_share(owner, owned, at) == worked_out


def _held(owner: str, owned: str, kind: str | int, **said: Any) -> Row:
    return {
        "type": OWNERSHIP, "reporter": "R1", "owner.id": owner, "owner.kind": kind,
        "owner.flags": UNKNOWN, "owned.id": owned, "owned.kind": "entity", "owned.flags": UNKNOWN,
        "interest": "shares", "share": UNKNOWN, **said,
    }  # fmt: skip


def test_two_zones_that_ask_at_the_same_instant_have_each_its_day() -> None:
    half = DECIMAL_SCALE // 2
    rows = [
        _held("p0", "p1", "entity", share=half),
        _held("p2", "p0", "person", share=DECIMAL_SCALE, **{"from": 2}),
        _held("p3", "p1", "person", share=half // 5),  # 2 January 1970, 00:00 in UTC
        _held("p4", "p1", "person", share=half // 5),
    ]
    whole = [entry[:3] for entry in answered(rows, (), False)]
    assert whole == told_in_order(rows)
    assert {(2, "east", YES), (2, "west", NO), (3, "east", NO), (3, "west", YES)} <= {*whole}


def test_who_acts_in_concert_with_somebody_may_own_through_it() -> None:
    part = 2 * DECIMAL_SCALE // 10
    rows = [
        _held("p1", "p2", UNKNOWN, share=DECIMAL_SCALE),
        _held("p3", "p0", "person", share=part),
        _held("p1", "p0", UNKNOWN, interest="concert"),
        _held("p3", "p0", "person", interest="concert"),
        _held("p1", "p0", UNKNOWN, share=part),
        _held("p2", "p0", "entity", share=part),
    ]
    whole = [entry[:3] for entry in answered(rows, (), False)]
    assert whole == told_in_order(rows)
    assert (5, "new", YES) in whole


def test_an_end_without_a_beginning_ends_what_is_held() -> None:
    rows = [
        _held("p1", "p0", "entity", share=DECIMAL_SCALE),
        _held("p2", "p1", "person", share=DECIMAL_SCALE, **{"from": 0}),
        _held("p1", "p0", "entity", until=2),
        _held("p3", "p0", "person", share=1),
        _held("p1", "p0", "entity", share=DECIMAL_SCALE - 1),
    ]
    whole = [entry[:3] for entry in answered(rows, (), False)]
    assert whole == told_in_order(rows)
    assert {(1, "new", YES), (3, "new", NO), (4, "new", YES)} <= {*whole}


def test_a_share_is_what_it_is_before_and_after_its_owner_is_owned() -> None:
    """Of a company without owners nobody knows whose its part is; of one with owners one does."""
    asked = {"type": EXPOSURE, "holder.id": "p2", "counterparty.id": "p0"}
    rows = [
        _held("p1", "p0", "entity", share=DECIMAL_SCALE),
        _held("p2", "p3", "person", share=1),
        asked,
        _held("p2", "p1", "person", share=DECIMAL_SCALE),
        asked,
    ]
    whole = [entry[:3] for entry in answered(rows, (), False)]
    assert whole == told_in_order(rows)
    assert {(2, "share", UNKNOWN), (4, "share", YES)} <= {*whole}


def test_a_later_fact_does_not_reach_an_earlier_question() -> None:
    """A company that turns out to be a person, in one block with the questions before and after."""
    rows: list[Row] = [
        {"type": EXPOSURE, "holder.id": "p0", "counterparty.id": "p1"},
        {"type": PARTY, "party.id": "p1", "party.kind": "person", "party.flags": UNKNOWN},
        {"type": EXPOSURE, "holder.id": "p0", "counterparty.id": "p1"},
    ]
    answers = [entry[2] for entry in answered(rows, (), False) if entry[1] == "share"]
    assert answers == [UNKNOWN, NO]
