"""Checked packs as bytes and back, for the next start: what a run needs of them, without tests.

The bytes are Python's pickle, the fastest form that keeps every type and place. Pickle can call
whatever it names, so names are held against a list: the classes of ``ir``, decimals, fractions and
days. Bytes that somebody made up can give wrong packs, never run code; that they are ours is for
the cache to see to.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final

from regtech.rulelang import ir
from regtech.rulelang.ir import Pack

_PROTOCOL: Final = 5
_CLASSES: Final = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (
        *(value for value in vars(ir).values() if is_dataclass(value)),
        Decimal,
        Fraction,
        date,
    )
    if isinstance(kind, type)
}


def without_tests(packs: Iterable[Pack]) -> list[Pack]:
    """The packs as a run needs them. Tests are not in a digest, so digests stay as they are."""
    return [
        replace(pack, rules=tuple(replace(rule, tests=()) for rule in pack.rules)) for pack in packs
    ]


def packed(packs: Iterable[Pack]) -> bytes:
    """The packs as bytes."""
    stream = io.BytesIO()
    _Pickler(stream, _PROTOCOL).dump(list(packs))
    return stream.getvalue()


def unpacked(data: bytes) -> list[Pack] | None:
    """The packs of ``packed``, equal in every part; None where the bytes are none of its making."""
    try:
        found = _Unpickler(io.BytesIO(data)).load()
    except Exception:  # broken pickles raise whatever they run into
        return None
    if isinstance(found, list) and all(isinstance(pack, Pack) for pack in found):
        return found
    return None


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Dataclasses by their constructor: half the time of setting field by field."""
        kind = type(value)
        if not is_dataclass(kind):
            return NotImplemented
        return kind, tuple(getattr(value, name) for name in _names(kind))


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _CLASSES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a pack") from None
