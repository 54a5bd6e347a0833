"""The chain: the formula, and that whatever is done to it is found and named."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.cases.chain import (
    FIRST_PREVIOUS,
    Anchor,
    BreakKind,
    Link,
    canonical,
    entry_hash,
    verify_chain,
)
from regtech.errors import InputError


def test_the_formula_is_the_one_that_is_written_down() -> None:
    content = {"zh": "大额", "a": [1, None, True], "B": {"y": "1.50", "x": 2}}
    written = '{"B":{"x":2,"y":"1.50"},"a":[1,null,true],"zh":"大额"}'.encode()
    assert canonical(content) == written
    assert entry_hash(FIRST_PREVIOUS, content) == hashlib.sha256(bytes(32) + written).digest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, object()])
def test_what_has_no_canonical_form_is_an_input_error(value: Any) -> None:
    with pytest.raises(InputError, match="canonical JSON"):
        canonical({"value": value})


def test_a_previous_hash_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        entry_hash(b"short", {})


def chain(length: int, salt: str = "") -> list[Link]:
    links, previous = [], FIRST_PREVIOUS
    for position in range(1, length + 1):
        content = {"kind": "comment", "text": f"{salt}{position}"}
        previous = entry_hash(previous, content)
        links.append(Link(position, content, previous))
    return links


def rehashed(links: list[Link], at: int) -> list[Link]:
    """The links from ``at`` on with fresh hashes, as somebody who may write everything would."""
    result = list(links[:at])
    previous = result[-1].hash if result else FIRST_PREVIOUS
    for position, link in enumerate(links[at:], at + 1):
        previous = entry_hash(previous, link.content)
        result.append(Link(position, link.content, previous))
    return result


lengths = st.integers(2, 12)


@given(lengths)
def test_a_whole_chain_verifies_with_every_anchor(length: int) -> None:
    links = chain(length)
    result = verify_chain(links, [Anchor(link.position, link.hash) for link in links])
    assert result.whole
    assert (result.length, result.head) == (length, links[-1].hash)


@given(lengths, st.data())
def test_a_changed_entry_is_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 1))
    links[at] = Link(at + 1, {**links[at].content, "text": "other"}, links[at].hash)
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.CHANGED, at + 1)
    assert broken.since <= at + 1


@given(lengths, st.data())
def test_a_changed_hash_is_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(links[at].hash)
    flipped[bit // 8] ^= 1 << bit % 8
    links[at] = Link(at + 1, links[at].content, bytes(flipped))
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.CHANGED, at + 1)


@given(lengths, st.data())
def test_an_entry_changed_with_its_own_hash_is_within_what_is_named(
    length: int, data: st.DataObject
) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 2))
    content = {"kind": "comment", "text": "other"}
    previous = links[at - 1].hash if at else FIRST_PREVIOUS
    links[at] = Link(at + 1, content, entry_hash(previous, content))
    broken = verify_chain(links).broken
    assert broken is not None
    assert broken.kind is BreakKind.CHANGED
    assert broken.since <= at + 1 <= broken.position


@given(lengths, st.data())
def test_a_removed_entry_is_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 2))
    del links[at]
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.REMOVED, at + 1)


@given(lengths, st.data())
def test_reordered_entries_are_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    one, two = sorted(
        data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True))
    )
    links[one], links[two] = links[two], links[one]
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.REORDERED, one + 1)


@given(lengths, st.data())
def test_a_duplicated_entry_is_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 1))
    links.insert(data.draw(st.integers(at + 1, length)), links[at])
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.DUPLICATED, at + 1)


@given(lengths, st.data())
def test_an_inserted_entry_is_named(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(1, length))
    content = {"kind": "comment", "text": "never said"}
    links.insert(at, Link(at, content, entry_hash(links[at - 1].hash, content)))
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.INSERTED, at)


@given(lengths, st.data())
def test_entries_cut_off_are_named_by_an_anchor(length: int, data: st.DataObject) -> None:
    links = chain(length)
    kept = data.draw(st.integers(0, length - 1))
    assert verify_chain(links[:kept]).whole  # the chain alone cannot tell
    anchor = Anchor(length, links[-1].hash)
    broken = verify_chain(links[:kept], [anchor]).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.TRUNCATED, kept + 1)


@given(lengths, st.data())
def test_a_tail_written_anew_is_named_by_the_next_anchor(length: int, data: st.DataObject) -> None:
    links = chain(length)
    at = data.draw(st.integers(0, length - 1))
    forged = list(links)
    forged[at] = Link(at + 1, {"kind": "comment", "text": "other"}, b"")
    forged = rehashed(forged, at)
    assert verify_chain(forged).whole  # the chain alone cannot tell
    anchored = data.draw(st.sets(st.integers(1, length), min_size=1)) | {length}
    anchors = [Anchor(position, links[position - 1].hash) for position in anchored]
    broken = verify_chain(forged, anchors).broken
    assert broken is not None
    assert broken.kind is BreakKind.CHANGED
    assert broken.since <= at + 1 <= broken.position


def test_the_empty_chain_is_whole() -> None:
    assert verify_chain([]).whole


def test_an_entry_with_an_impossible_number_is_named() -> None:
    links = chain(3)
    links.insert(1, Link(0, {"kind": "x"}, bytes(32)))
    broken = verify_chain(links).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.INSERTED, 2)
