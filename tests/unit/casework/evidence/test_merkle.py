"""The hash tree: against a plain reading of RFC 6962, and its paths by the verifier's own code."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.evidence.merkle import Frontier, Tree
from casework.evidence.verify_bundle import root_of_path


def leaves(size: int) -> list[bytes]:
    return [hashlib.sha256(str(i).encode()).digest() for i in range(size)]


def by_definition(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word by word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    half = 1
    while half * 2 < len(entries):
        half *= 2
    return hashlib.sha256(
        b"\x01" + by_definition(entries[:half]) + by_definition(entries[half:])
    ).digest()


@pytest.mark.parametrize("size", range(70))
def test_tree_and_frontier_have_the_root_of_the_definition(size: int) -> None:
    entries = leaves(size)
    frontier = Frontier()
    frontier.extend(entries)
    assert Tree(entries).root() == frontier.root() == by_definition(entries)
    again = Frontier(frontier.size, list(frontier.peaks))
    again.add(b"\x07" * 32)
    assert again.root() == by_definition([*entries, b"\x07" * 32])


@pytest.mark.parametrize("size", range(1, 35))
def test_every_path_leads_to_the_root_and_no_other_does(size: int) -> None:
    entries = leaves(size)
    tree = Tree(entries)
    root = tree.root()
    for position, entry in enumerate(entries, 1):
        path = tree.path(position)
        assert root_of_path(position, size, entry, path) == root
        assert root_of_path(position, size, bytes(32), path) != root
        assert root_of_path(position, size, entry, [*path, bytes(32)]) is None
        if path:
            assert root_of_path(position, size, entry, path[:-1]) is None
        for other in {position - 1, position + 1}:
            assert root_of_path(other, size, entry, path) != root


@given(st.integers(2, 40), st.data())
def test_a_changed_step_leads_elsewhere(size: int, data: st.DataObject) -> None:
    tree = Tree(leaves(size))
    position = data.draw(st.integers(1, size))
    path = list(tree.path(position))
    step = data.draw(st.integers(0, len(path) - 1))
    path[step] = data.draw(st.binary(min_size=32, max_size=32).filter(lambda b: b != path[step]))
    assert root_of_path(position, size, leaves(size)[position - 1], path) != tree.root()


def test_an_entry_that_is_not_there_has_no_path() -> None:
    with pytest.raises(IndexError):
        Tree(leaves(3)).path(4)


def test_a_frontier_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="peaks"):
        Frontier(3, [bytes(32)])
