"""What an expression is read from and in: its text with places, and the names it may use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from regtech.content.faults import Faults, Mark
from regtech.rulelang.ir import Expr, Param


class Source(Protocol):
    """The text of an expression and where its characters stand in a file."""

    @property
    def text(self) -> str: ...

    def mark(self, offset: int) -> Mark: ...


@dataclass(frozen=True, slots=True)
class Names:
    """Words of the reference data that expressions may name; None: not checked."""

    currencies: Collection[str] | None = None
    sets: Collection[str] | None = None
    lists: Collection[str] | None = None


@dataclass(slots=True)
class Scope:
    """What an expression of one rule may use, and what it did use."""

    types: tuple[str, ...]
    per: tuple[str, ...]
    params: dict[str, Param]
    names: Names
    faults: Faults
    # None: known but faulty, so later uses of the name are silent.
    lets: dict[str, Expr | None] = field(default_factory=dict)
    let_names: Collection[str] = ()  # all, for "used before it is defined"
    param_names: Collection[str] = ()  # all, also those whose figures cannot be read
    lets_used: set[str] = field(default_factory=set)
    params_used: set[str] = field(default_factory=set)
