"""Exposure of addresses: parts carried on, and nothing carried on twice."""

from __future__ import annotations

from random import Random

from detectors.graph.exposure import HOPS_MOST, Exposures

EURO = 1


def pay(flow: Exposures, number: int, payer: str, payee: str, amount: int) -> None:
    flow.observe(
        (f"e{number}", payer, payee, amount, EURO, number),
        payer_listed=payer == "listed",
        payee_listed=payee == "listed",
    )


def test_a_payment_carries_on_its_share_of_what_is_left() -> None:
    flow = Exposures()
    pay(flow, 1, "listed", "a", 100)
    pay(flow, 2, "other", "a", 300)
    pay(flow, 3, "a", "b", 200)
    assert flow.received("b", EURO, 3).part == 50
    # Half is gone: of twice what is left half is unknown money.
    pay(flow, 4, "a", "c", 400)
    found = flow.received("c", EURO, 3)
    assert (found.part, found.whole, found.hops) == (50, 400, 2)
    assert [edge[0] for edge in found.path] == ["e1", "e4"]
    assert flow.received("c", EURO, 1).part == 0
    pay(flow, 5, "a", "d", 400)
    assert flow.received("d", EURO, 3).part == 0


def test_what_is_paid_to_a_listed_address_counts_at_once() -> None:
    flow = Exposures()
    pay(flow, 1, "a", "b", 900)
    pay(flow, 2, "a", "listed", 100)
    found = flow.paid("a", EURO)
    assert (found.part, found.whole, found.path[0][0]) == (100, 1000, "e2")
    assert flow.paid("b", EURO).part == 0


def test_no_more_is_carried_on_than_came_in_and_restarts_change_nothing() -> None:
    draw, flow, other = Random(6), Exposures(), Exposures()
    names = ["listed", *(f"a{number}" for number in range(6))]
    came = 0
    for number in range(500):
        payer, payee = draw.choice(names), draw.choice(names)
        amount = draw.randrange(1, 1000)
        came += amount if payer == "listed" != payee else 0
        pay(flow, number, payer, payee, amount)
        pay(other, number, payer, payee, amount)
        if number % 50 == 0:
            again = Exposures()
            again.restore(other.export())
            other = again
        held = flow._held  # what is left of listed money, over all addresses
        left = sum(sum(h.left_listed) for (name, _), h in held.items() if name != "listed")
        assert left <= came
        for name in names[1:]:
            for hops in range(1, HOPS_MOST + 1):
                found = flow.received(name, EURO, hops)
                assert found == other.received(name, EURO, hops)
                assert 0 <= found.part <= found.whole
                assert len(found.path) == (found.hops if found.part else len(found.path))
