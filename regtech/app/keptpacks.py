"""Packs for a run: as they were checked the last time, where nothing has changed since.

Checking some thirty packs takes most of a second. An entry of the cache is named by every byte that
decides what comes out: the packs and their places, what the register is made from, the code that
reads them (by its source), PyYAML and Python.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from regtech.content.cache import Inputs, keep, kept, sources_of
from regtech.rulelang import packed
from regtech.rulelang.ir import Pack
from regtech.rulelang.register import register_inputs

_KIND: Final = "packs"
_CODE: Final = Path(packed.__file__).resolve().parent


def packs_for_run(files: Sequence[Path], cache: Path | None = None) -> list[Pack]:
    """As ``require_packs``, but without the tests of the rules, which no finding depends on.

    On a first reading everything is checked, tests included; ``ContentError`` lists every fault.
    Packs with faults are never kept. ``cache``: a folder in place of the user's.
    """
    before = _inputs(files)
    data = None if before is None else kept(_KIND, before.digest, cache)
    packs = None if data is None else packed.unpacked(data)
    if packs is not None:
        return packs
    # The reader of the language is only imported where it is needed.
    from regtech.rulelang.packs import require_packs

    packs = packed.without_tests(require_packs(files))
    # Where a file was written meanwhile, nobody knows which of its states was read.
    if before is not None and before == _inputs(files):
        keep(_KIND, before.digest, packed.packed(packs), cache)
    return packs


def _inputs(files: Sequence[Path]) -> Inputs | None:
    """Everything that decides; None where some of it cannot be read."""
    try:
        names, register = register_inputs()
        code = sources_of(_CODE / "packs.py") | sources_of(_CODE / "packed.py")
        texts = (sys.version, version("PyYAML"), "names", *names)
        return Inputs(texts, (*sorted(code), *register, *files))
    except (OSError, UnicodeDecodeError, PackageNotFoundError):
        return None
