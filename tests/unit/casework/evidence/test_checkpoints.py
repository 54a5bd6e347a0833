"""Checkpoints: what they say holds, and one is never signed over a record that shrank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.cases.chain import FIRST_PREVIOUS, Link, entry_hash, verify_chain
from casework.evidence.checkpoints import Schedule, checkpoint_of, sign_checkpoint
from casework.evidence.keys import SigningKey, first_ring
from casework.evidence.merkle import Frontier
from regtech.errors import InputError, StoreError

KEY = SigningKey.of_seed(b"\x01" * 32)
RING = first_ring(KEY, 0)


def frontier(*hashes: bytes) -> Frontier:
    made = Frontier()
    made.extend(hashes)
    return made


HASHES = [entry_hash(FIRST_PREVIOUS, {"n": n}) for n in range(5)]


def test_a_checkpoint_survives_being_written_and_holds() -> None:
    one = sign_checkpoint(KEY, "t", frontier(*HASHES[:2]), HASHES[1], None, 1_000_001)
    two = sign_checkpoint(KEY, "t", frontier(*HASHES), HASHES[4], one, 2_000_000)
    assert one.time == "1970-01-01T00:00:01.000001Z"
    assert two.previous == one.digest()
    assert checkpoint_of(two.as_dict()) == two
    assert one.holds(RING)
    assert two.holds(RING)
    assert not two.holds(first_ring(SigningKey.of_seed(b"\x02" * 32), 0))


@pytest.mark.parametrize("name", ["tenant", "head", "root", "time", "previous", "size"])
def test_a_changed_checkpoint_does_not_hold(name: str) -> None:
    written = sign_checkpoint(KEY, "t", frontier(*HASHES), HASHES[4], None, 0).as_dict()
    written[name] = 4 if name == "size" else ("0" * 63 + "1")
    assert not checkpoint_of(written).holds(RING)


def test_nothing_is_signed_over_a_shorter_or_another_chain() -> None:
    before = sign_checkpoint(KEY, "t", frontier(*HASHES), HASHES[4], None, 0)
    with pytest.raises(StoreError, match="4 entries, and a checkpoint was signed over 5"):
        sign_checkpoint(KEY, "t", frontier(*HASHES[:4]), HASHES[3], before, 1)
    with pytest.raises(StoreError):
        sign_checkpoint(KEY, "t", frontier(*HASHES), HASHES[3], before, 1)
    with pytest.raises(ValueError, match="chain 't'"):
        sign_checkpoint(KEY, "other", frontier(*HASHES), HASHES[4], before, 1)


def test_a_chain_that_was_cut_is_named_by_its_checkpoint() -> None:
    first = entry_hash(FIRST_PREVIOUS, {"n": 1})
    second = entry_hash(first, {"n": 2})
    links = [Link(1, {"n": 1}, first), Link(2, {"n": 2}, second)]
    checkpoint = sign_checkpoint(KEY, "t", frontier(first, second), second, None, 0)
    assert verify_chain(links, [checkpoint.anchor()]).whole
    broken = verify_chain(links[:1], [checkpoint.anchor()]).broken
    assert broken is not None
    assert broken.position == 2


junk = st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(["tenant", "head", "size", "format", "x"]), junk))
def test_what_is_no_checkpoint_is_refused(changed: dict[str, object]) -> None:
    written = sign_checkpoint(KEY, "t", frontier(*HASHES), HASHES[4], None, 0).as_dict()
    try:
        read = checkpoint_of({**written, **changed})
    except InputError:
        return
    assert read.holds(RING) == (read.as_dict() == written)


def test_a_checkpoint_is_due_after_entries_or_after_time_but_not_for_nothing() -> None:
    schedule = Schedule(entries=10, us=1000)
    assert not schedule.due(size=5, covered=5, now_us=10**9, last_us=0)
    assert not schedule.due(size=14, covered=5, now_us=999, last_us=0)
    assert schedule.due(size=15, covered=5, now_us=0, last_us=0)
    assert schedule.due(size=6, covered=5, now_us=1000, last_us=0)
