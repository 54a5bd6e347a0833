"""The kernels' hashes and their plain twins are the same, and stay what they are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.columns.hashing import field_digest, hash_bytes, hash_span, padded

HASHES = (
    0x1AE64B366F4F61A0,
    0xAF21B9A4385C6AFD,
    0x28AFFF612E730F3C,
    0xF51FA4532CF27BB1,
)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60), before=st.binary(max_size=9))
def test_kernel_and_plain_hash_agree_at_any_place(data: bytes, before: bytes) -> None:
    text = padded(before + data + b"rest")
    assert int(hash_span(text, len(before), len(data))) == hash_bytes(data)


def test_hashes_are_part_of_stored_files_and_do_not_change() -> None:
    assert hash_bytes(b"") == HASHES[0]
    assert hash_bytes(b"payer.id") == HASHES[1]
    assert hash_bytes(b"a string of more than sixteen bytes") == HASHES[2]
    assert field_digest(hash_bytes(b"amount"), -5) == HASHES[3]


def test_lengths_are_told_apart() -> None:
    texts = [b"\0" * k for k in range(40)]
    assert len({hash_bytes(t) for t in texts}) == 40
