"""Stable 64-bit hashes of byte strings and of fields: one for kernels, the same for plain Python.

The values are part of snapshots and of the content digest: changing the functions changes both.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import PADDING, load64

_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_EIGHT: Final = np.uint64(8)
# Odd constants with well spread bits, from splitmix64 and wyhash.
_MUL_A: Final = np.uint64(0x9E3779B97F4A7C15)
_MUL_B: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_XOR_A: Final = np.uint64(0x2D358DCCAA6C78A5)
_LONG: Final = np.uint64(0x8BB84B93962EACC9)
_S29: Final = np.uint64(29)
_S31: Final = np.uint64(31)
_S32: Final = np.uint64(32)

SHORT_MAX: Final = 16
"""Up to this many bytes the two words are the bytes themselves, so equal words mean equal bytes."""


@inline_kernel(nrt=False, inner=True)
def low_bytes(count: int) -> Any:
    """Mask of the lowest ``count`` bytes of a word; all of them from 8 on, none below 1."""
    if count >= 8:
        return _ALL
    if count <= 0:
        return _ZERO
    return (_ONE << (np.uint64(count) * _EIGHT)) - _ONE


@kernel(nrt=False, inner=True)
def long_words(text: Any, offset: int, length: int) -> Any:
    """Two hash words of more than ``SHORT_MAX`` bytes."""
    first = _LONG
    second = np.uint64(length) * _MUL_B
    k = offset
    end = offset + length
    while k < end:
        word = load64(text, k) & low_bytes(end - k)
        first = (first ^ word) * _MUL_A
        first ^= first >> _S32
        second = (second + word) * _MUL_B
        second ^= second >> _S31
        k += 8
    return first, second


@inline_kernel(nrt=False, inner=True)
def key_words(text: Any, offset: int, length: int) -> Any:
    """The two words that stand for a byte string: its bytes up to ``SHORT_MAX``, else a hash."""
    first = load64(text, offset) & low_bytes(length)
    second = _ZERO
    if length > 8:
        if length <= 16:
            second = load64(text, offset + 8) & low_bytes(length - 8)
        else:
            first, second = long_words(text, offset, length)
    return first, second


@inline_kernel(nrt=False, inner=True)
def mix_words(first: Any, second: Any, length: int) -> Any:
    """The hash of a byte string from its two words and its length."""
    value = (first ^ _XOR_A) * _MUL_A
    value = (value ^ (value >> _S29)) + second * _MUL_B
    value = (value ^ (value >> _S32) ^ np.uint64(length)) * _MUL_A
    return value ^ (value >> _S29)


@inline_kernel(nrt=False, inner=True)
def mix_field(salt: Any, value: Any) -> Any:
    """What one field adds to a content digest; ``salt`` is the hash of its path."""
    mixed = (value ^ salt) * _MUL_A
    mixed = (mixed ^ (mixed >> _S32)) * _MUL_B
    return mixed ^ (mixed >> _S29)


@kernel(nrt=False)
def hash_span(text: Any, offset: int, length: int) -> Any:
    """Hash of ``text[offset:offset + length]``; ``text`` is padded."""
    first, second = key_words(text, offset, length)
    return mix_words(first, second, length)


_MASK: Final = (1 << 64) - 1


def padded(data: bytes | bytearray | memoryview) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A copy of the bytes with the padding that kernels need."""
    out = np.zeros(len(data) + PADDING, np.uint8)
    out[: len(data)] = np.frombuffer(data, np.uint8)
    return out


def words_of(data: bytes) -> tuple[int, int]:
    """``key_words`` in plain Python."""
    if len(data) <= SHORT_MAX:
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
    first, second = int(_LONG), len(data) * int(_MUL_B) & _MASK
    for k in range(0, len(data), 8):
        word = int.from_bytes(data[k : k + 8], "little")
        first = (first ^ word) * int(_MUL_A) & _MASK
        first ^= first >> 32
        second = (second + word) * int(_MUL_B) & _MASK
        second ^= second >> 31
    return first, second


def hash_bytes(data: bytes) -> int:
    """64-bit hash of a byte string, the same as the kernels', in plain Python."""
    first, second = words_of(data)
    value = (first ^ int(_XOR_A)) * int(_MUL_A) & _MASK
    value = (value ^ value >> 29) + second * int(_MUL_B) & _MASK
    value = (value ^ value >> 32 ^ len(data)) * int(_MUL_A) & _MASK
    return value ^ value >> 29


def field_digest(salt: int, value: int) -> int:
    """``mix_field`` in plain Python; a negative value counts as its two's complement."""
    mixed = ((value & _MASK) ^ salt) * int(_MUL_A) & _MASK
    mixed = (mixed ^ mixed >> 32) * int(_MUL_B) & _MASK
    return mixed ^ mixed >> 29
