"""A process that calls kernels does not pay for what none of them calls."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

_CALLED: Final = """
import sys
from regtech.columns.vocabulary import Vocabulary
code = Vocabulary().code_of("a word")
print(code, *(name for name in ("scipy.linalg", "cffi") if name in sys.modules))
"""
_WANTED_LATER: Final = """
import cffi, scipy.linalg.cython_blas
print(cffi.FFI().sizeof("int64_t"))
"""


def test_calling_a_kernel_loads_neither_linear_algebra_nor_cffi() -> None:
    assert _printed(_CALLED) == ["0"]


def test_what_kernels_do_without_can_be_imported_afterwards() -> None:
    assert _printed(_CALLED + _WANTED_LATER) == ["0", "8"]


def test_it_stays_where_it_was_imported_before() -> None:
    assert _printed("import cffi, scipy.linalg.cython_blas" + _CALLED) == [
        "0", "scipy.linalg", "cffi",
    ]  # fmt: skip


def _printed(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()
