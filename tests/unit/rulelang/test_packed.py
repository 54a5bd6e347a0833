"""Packs as bytes: back come the same packs, and nothing else ever happens."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtech.rulelang.ir import Pack
from regtech.rulelang.packed import packed, unpacked, without_tests
from regtech.rulelang.packs import load_packs, with_digests


@pytest.fixture(scope="module")
def packs() -> list[Pack]:
    found, _ = load_packs()
    return found


def said(value: Any) -> Any:
    """All of a value, marks and types included, in a form that compares part by part."""
    kind = type(value).__name__
    if is_dataclass(value):
        return kind, [(part.name, said(getattr(value, part.name))) for part in fields(value)]
    if isinstance(value, list | tuple):
        return kind, [said(item) for item in value]
    if isinstance(value, frozenset):
        return kind, sorted(value)
    if isinstance(value, dict):
        return kind, [(said(key), said(item)) for key, item in value.items()]
    return kind, value


def test_the_packs_come_back_in_every_part(packs: list[Pack]) -> None:
    found = unpacked(packed(packs))
    assert found is not None
    assert said(found) == said(packs)


def test_without_tests_digests_stay(packs: list[Pack]) -> None:
    bare = without_tests(packs)
    assert any(rule.tests for pack in packs for rule in pack.rules)
    assert not any(rule.tests for pack in bare for rule in pack.rules)
    found = unpacked(packed(bare))
    assert found is not None
    again = [with_digests(pack) for pack in found]
    assert [pack.digest for pack in again] == [pack.digest for pack in packs]
    assert [rule.digest for pack in again for rule in pack.rules] == [
        rule.digest for pack in packs for rule in pack.rules
    ]


class _Does:
    """What a pickle of somebody else's could hold: a call."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


@pytest.mark.parametrize("call", [Path.touch, eval, getattr, partial, __import__])
def test_bytes_cannot_call_anything(tmp_path: Path, call: Callable[..., Any]) -> None:
    mark = tmp_path / "called"
    arguments: dict[Any, tuple[Any, ...]] = {
        Path.touch: (mark,),
        eval: (f"open({str(mark)!r}, 'w')",),
        getattr: (mark, "touch"),
        partial: (mark.touch,),
        __import__: ("antigravity",),
    }
    data = pickle.dumps([_Does(call, *arguments[call])])
    assert unpacked(data) is None
    assert not mark.exists()


@pytest.mark.parametrize("value", [[], {}, None, "text", [1], [Pack]])
def test_only_a_list_of_packs_is_one(value: Any) -> None:
    assert unpacked(pickle.dumps(value)) == ([] if value == [] else None)


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused_quietly(data: bytes) -> None:
    assert unpacked(data) in (None, [])


def test_a_piece_of_them_is_refused(packs: list[Pack]) -> None:
    data = packed(packs[:1])
    for length in range(0, len(data), 97):
        assert unpacked(data[:length]) is None
