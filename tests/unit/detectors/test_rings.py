"""Rings among pairs: each once, from its first name on, of three accounts or more."""

from __future__ import annotations

from detectors.graph.rings import rings


def test_each_ring_is_told_once_and_begins_with_its_first_name() -> None:
    pairs = [("C", "A"), ("A", "B"), ("B", "C"), ("B", "A"), ("X", "Y"), ("A", "B"), ("D", "D")]
    assert rings(pairs) == [("A", "B", "C")]


def test_direction_counts() -> None:
    assert rings([("A", "B"), ("B", "C"), ("A", "C")]) == []


def test_longer_rings_than_asked_for_are_left_out() -> None:
    pairs = [(f"N{k}", f"N{(k + 1) % 12:d}") for k in range(12)]
    assert rings(pairs) == []
    assert len(rings(pairs, most=12)) == 1
