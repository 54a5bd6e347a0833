"""The ownership graph against a slow and independent one, on random registers.

With rings, holdings in oneself, several reports of one holding, ranges and periods.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.ownership.flow import Exact, Fixed, spread
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.solve import solve_exact, solve_fixed
from detectors.ownership.terms import WHOLE, Comparator, Moment, Outcome
from tests.property.owners import naive
from tests.property.owners.naive import ONE, ZERO, Reported
from tests.support.examples import examples

SETTINGS = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck)
)
COMPANIES = ("A", "B", "C", "D", "E")
PERSONS = ("p", "q", "r")
DAY = 86_400_000_000
TODAY = 50
AT = Moment.of(TODAY * DAY + 1)
SCALE = 100


@st.composite
def registers(
    draw: st.DrawFn, *, rings: bool = True, ranges: bool = False, dates: bool = False
) -> list[Reported]:
    """Events in canonical order; what is in force never adds up to more than the whole today."""
    size = draw(st.integers(1, 14))
    made: list[Reported] = []
    left = dict.fromkeys(COMPANIES, SCALE)
    seen: set[tuple[str, str]] = set()
    for order in range(size):
        owned = draw(st.sampled_from(COMPANIES))
        above = COMPANIES if rings else COMPANIES[COMPANIES.index(owned) + 1 :]
        owner = draw(st.sampled_from((*above, *PERSONS)))
        if (owner, owned) in seen and not dates:
            continue
        seen.add((owner, owned))
        least = draw(st.integers(0, left[owned]))
        most = draw(st.integers(least, SCALE)) if ranges else least
        start = draw(st.none() | st.integers(30, 60)) if dates else None
        end = draw(st.none() | st.integers((start or order) + 1, 70)) if dates else None
        left[owned] -= least
        made.append(
            Reported(
                order, order, owner, owned,
                Fraction(least, SCALE), Fraction(most, SCALE), start, end,
            )
        )  # fmt: skip
    return made


def graph_of(events: list[Reported]) -> OwnershipGraph:
    graph = OwnershipGraph()
    for company in COMPANIES:
        graph.note_party(company, 0, kind="entity")
    for person in PERSONS:
        graph.note_party(person, 0, kind="person")
    for event in events:
        exact = event.low == event.high
        assert not graph.observe(
            event.owner,
            event.owned,
            time_us=event.day * DAY,
            interest=event.interest,
            share=int(event.low * WHOLE) if exact else None,
            share_min=None if exact else int(event.low * WHOLE),
            share_max=None if exact else int(event.high * WHOLE),
            from_day=event.start,
            until_day=event.end,
        )
    return graph


def weights_today(events: list[Reported]) -> dict[str, dict[str, Fraction]]:
    return naive.weights_of(naive.in_force(events, TODAY), COMPANIES)


@given(registers(rings=False))
@SETTINGS
def test_without_rings_shares_are_sums_of_products_over_paths(events: list[Reported]) -> None:
    graph, weights = graph_of(events), weights_today(events)
    for company in COMPANIES:
        for owner in (*COMPANIES, *PERSONS):
            if owner != company:
                expected = sum(naive.paths(weights, company, owner), ZERO)
                assert graph.owner_share(owner, company, AT).low == expected


@given(registers(dates=True))
@SETTINGS
def test_rings_are_solved_and_periods_kept(events: list[Reported]) -> None:
    graph, weights = graph_of(events), weights_today(events)
    for owner in (*COMPANIES, *PERSONS):
        expected = naive.solved(weights, owner)
        most = naive.solved(weights, owner, rest=ONE)
        if expected is None or most is None:
            continue  # a ring that owns itself whole
        for company, share in expected.items():
            found = graph.owner_share(owner, company, AT)
            assert found.low == share
            assert found.open == most[company]


@given(registers(ranges=True), st.data())
@SETTINGS
def test_ranges_and_unreported_parts_hold_every_register_that_fits(
    events: list[Reported], data: st.DataObject
) -> None:
    graph = graph_of(events)
    holdings = naive.in_force(events, TODAY)
    low, high = (
        naive.weights_of(holdings, COMPANIES),
        naive.weights_of(holdings, COMPANIES, low=False),
    )
    chosen: dict[str, dict[str, Fraction]] = {}
    invented = data.draw(st.booleans())
    for company, held in low.items():
        left = ONE - sum(held.values(), ZERO)
        chosen[company] = {}
        for owner in data.draw(st.permutations(sorted(held))):
            more = min(left, high[company][owner] - held[owner])
            more = more * data.draw(st.integers(0, 4)) / 4
            left -= more
            chosen[company][owner] = held[owner] + more
        if invented and left:
            owner = data.draw(st.sampled_from(PERSONS))
            chosen[company][f"hidden/{owner}"] = left
            chosen.setdefault(f"hidden/{owner}", {})[owner] = ONE
    for owner in PERSONS:
        real = naive.solved(chosen, owner)
        if real is None:
            continue
        for company in low:
            found = graph.owner_share(owner, company, AT)
            assert found.low <= found.high <= found.open
            assert found.low <= real[company] <= found.open
            if not invented:
                assert real[company] <= found.high


@given(registers(), st.data())
@SETTINGS
def test_control_passes_wholly_and_votes_are_apart(
    events: list[Reported], data: st.DataObject
) -> None:
    apart = [
        Reported(
            100 + number, 20, data.draw(st.sampled_from((*COMPANIES, *PERSONS))),
            data.draw(st.sampled_from(COMPANIES)), ONE, ONE, interest="control",
        )
        for number in range(data.draw(st.integers(0, 2)))
    ]  # fmt: skip
    events = events + apart
    graph, holdings = graph_of(events), naive.in_force(events, TODAY)
    votes = naive.weights_of(holdings, COMPANIES)
    means = {(owner, owned) for owner, owned, word in holdings if word == "control"}
    for company in COMPANIES:
        if not graph.knows(company):
            continue
        controllers = graph.controllers(company, AT)
        for party in (*COMPANIES, *PERSONS):
            reach = naive.controlled(votes, means, frozenset({party}))
            assert (party in controllers.certain) == (company in reach), (party, company)
        answer = graph.beneficial_owners(company, AT, Fraction(1, 4))
        for owner in (*answer.owners, *answer.unclear):
            member = frozenset({owner.party})
            assert owner.votes.low == naive.cast(votes, means, member, company)
            in_control = company in naive.controlled(votes, means, member)
            assert (owner.control is Outcome.MET) == in_control


@given(
    registers(ranges=True, dates=True),
    st.fractions(Fraction(1, 100), 1),
    st.sampled_from(["at_least", "above"]),
)
@SETTINGS
def test_answers_agree_with_shares_and_lose_nobody(
    events: list[Reported], threshold: Fraction, comparator: Comparator
) -> None:
    graph = graph_of(events)
    for company in COMPANIES:
        answer = graph.beneficial_owners(company, AT, threshold, comparator)
        named = {owner.party: owner for owner in (*answer.owners, *answer.unclear)}
        low_total = answer.unseen
        for person in PERSONS:
            share = graph.owner_share(person, company, AT)
            low_total += share.low
            outcome = share.outcome(threshold, comparator)
            if outcome is Outcome.MET:
                assert named[person].outcome is Outcome.MET
            if person in named:
                assert named[person].shares.low == share.low
                assert named[person].shares.open == share.open
        assert low_total == 1
        for owner in answer.owners:
            assert sum(path.low for path in owner.paths) <= owner.shares.low


@given(registers(ranges=True, dates=True), st.integers(0, 14))
@SETTINGS
def test_a_restored_graph_answers_the_same(events: list[Reported], cut: int) -> None:
    whole, part = graph_of(events), graph_of(events[:cut])
    part = OwnershipGraph.restore(part.export_arrays())
    for event in events[cut:]:
        part.observe(
            event.owner,
            event.owned,
            time_us=event.day * DAY,
            share_min=int(event.low * WHOLE),
            share_max=int(event.high * WHOLE),
            from_day=event.start,
            until_day=event.end,
        )
    for company in COMPANIES:
        one = whole.beneficial_owners(company, AT, Fraction(1, 4))
        assert part.beneficial_owners(company, AT, Fraction(1, 4)) == one


@given(
    st.lists(
        st.tuples(
            st.sampled_from((*COMPANIES, *PERSONS)),
            st.sampled_from((*COMPANIES, *PERSONS)),
            st.sampled_from(
                ("shares", "votes", "income", "control", "board", "nominee", "nominator",
                 "concert", "unit", "pledge")
            ),
            st.none() | st.integers(-2, 3),
            st.none() | st.integers(30, 60),
            st.none() | st.integers(30, 60),
        ),
        max_size=16,
    )
)  # fmt: skip
@SETTINGS
def test_whatever_is_reported_is_answered(
    events: list[tuple[str, str, str, int | None, int | None, int | None]],
) -> None:
    graph = OwnershipGraph()
    for number, (owner, owned, word, share, start, end) in enumerate(events):
        graph.observe(
            owner,
            owned,
            time_us=number * DAY,
            interest=word,
            share=None if share is None else share * WHOLE // 2,
            from_day=start,
            until_day=end,
            indirect=number % 5 == 4,
            owner_kind="person" if owner in PERSONS else None,
        )
    for party in (*COMPANIES, *PERSONS):
        if graph.knows(party):
            answer = graph.beneficial_owners(party, AT, Fraction(1, 4))
            for found in (*answer.owners, *answer.unclear):
                assert 0 <= found.shares.low <= found.shares.high <= found.shares.open <= 1
                assert 0 <= found.votes.low <= found.votes.high <= found.votes.open <= 1
            graph.same_owner(party, "A", AT)
            low, high = graph.layers(party, AT)
            assert 0 <= low <= high


@given(st.integers(1, 12), st.randoms(use_true_random=False))
@SETTINGS
def test_rings_in_integers_never_claim_more_than_there_is(size: int, draw: object) -> None:
    import random

    assert isinstance(draw, random.Random)
    inside: list[list[tuple[int, int]]] = []
    for member in range(size):
        room = WHOLE - draw.choice((1, 1000, WHOLE // 10))
        out = [((member + 1) % size, draw.randrange(1, room))]
        other = draw.randrange(size)
        if other != out[0][0]:
            out.append((other, draw.randrange(0, room - out[0][1] + 1)))
        inside.append(out)
    inflow = [draw.randrange(0, 10**40) for _ in range(size)]
    exact = solve_exact([Fraction(value) for value in inflow], inside)
    fixed = solve_fixed(inflow, inside)
    assert exact is not None and fixed is not None
    found, missing = fixed
    for low, true in zip(found, exact, strict=True):
        assert low <= true
    # Everything that is missing has still to be given away, once.
    leaving = [WHOLE - sum(weight for _, weight in out) for out in inside]
    gone = sum(Fraction(leave * (true - low), WHOLE)
               for leave, true, low in zip(leaving, exact, found, strict=True))  # fmt: skip
    assert gone <= missing


def test_integers_and_fractions_give_the_same_flow() -> None:
    third = WHOLE // 3
    edges = {0: ((2, 4), (third, third)), 2: ((0, 4), (third, third)), 4: None}

    def step(state: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        return edges[state]

    exact, fixed = spread(0, step, Exact()), spread(0, step, Fixed())
    true, low = exact.fraction(exact.arrived[4]), fixed.fraction(fixed.arrived[4])
    assert low <= true <= low + fixed.fraction(fixed.loss)
    assert fixed.fraction(fixed.loss) < Fraction(1, 10**15)
