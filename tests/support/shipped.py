"""The packs that ship are read once a process, not for each simulation."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from regtech.content.faults import Fault
from regtech.rulelang import packs
from regtech.rulelang.ir import Pack
from regtech.rulelang.register import Register

_load = packs.load_packs


@cache
def _shipped() -> tuple[list[Pack], list[Fault]]:
    return _load()


def _loaded(
    paths: Iterable[Path] | Path | None = None, register: Register | None = None
) -> tuple[list[Pack], list[Fault]]:
    """As ``load_packs``."""
    if paths is not None or register is not None:
        return _load(paths, register)
    found, faults = _shipped()
    return list(found), list(faults)


def read_once() -> None:
    """For the rest of this process, but for who imports ``load_packs`` before, as its tests do.

    Packs are immutable, and reading all of them with their tests takes a second.
    """
    packs.load_packs = _loaded
