"""Numba made ready without what no kernel of ours calls.

Before its first kernel numba imports all that it could compile for, and where they are installed
SciPy's linear algebra (for ``np.dot`` and its like) and CFFI (for C functions of others). Both
take longer to import than everything that our kernels need. Numba does without either where they
cannot be imported; so they cannot while it looks for them, and can again afterwards.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_OPTIONAL: Final = {
    "scipy.linalg.cython_blas": "numba.np.arraymath",
    "cffi": "numba.core.typing.cffi_utils",
}
"""What numba can do without, and the module of its own that looks for it once."""


def load_lean() -> None:
    """Import those modules of numba, in this process, without the ones that they look for."""
    for name, looks in _OPTIONAL.items():
        with _out_of_reach(name):
            importlib.import_module(looks)


@contextmanager
def _out_of_reach(name: str) -> Iterator[None]:
    """Have an import of a module fail, as where it is not installed, unless it is there already."""
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
