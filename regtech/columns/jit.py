"""The one way to compile a kernel: ``@kernel`` and ``@inline_kernel``, with a cache never stale.

Numba keeps compiled code beside its own index, keyed by the file of the function alone: an edited
callee or constant in another file goes unnoticed. Each file with kernels therefore has its own
cache folder, named by a hash of that file and of every project file it imports, directly or not::

    <user cache>/regtech/kernels-<hash>/

``REGTECH_CACHE_DIR`` replaces ``<user cache>/regtech``. Where nothing is writable the kernels are
compiled anew in each process, and a warning says so. ``REGTECH_BOUNDSCHECK=1`` compiles with checks
of array bounds (slow, for tests).
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import numba
from numba.core import config as _numba_config
from numba.core import event as _numba_event

from regtech.columns.late_code import make_machine_code_late
from regtech.columns.lean_numba import load_lean
from regtech.content.cache import cache_root, sources_of, told_of_compiling

BOUNDSCHECK: Final = os.environ.get("REGTECH_BOUNDSCHECK", "") not in ("", "0")


CACHE_ROOT: Final = cache_root()
"""Folder of all kernel caches, or None where nothing is writable."""

if CACHE_ROOT is None:
    warnings.warn(
        "no folder for compiled kernels is writable: they are compiled in every process; "
        "set REGTECH_CACHE_DIR to a writable folder",
        RuntimeWarning,
        stacklevel=2,
    )

_config: Any = _numba_config
if CACHE_ROOT is not None:
    # Before a function is decorated: without any writable folder numba raises. In the environment,
    # since numba reads that again before it compiles.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE_ROOT))
    _config.reload_config()
make_machine_code_late()
load_lean()


class _Compiling(_numba_event.Listener):
    """What numba finds in the cache is no event."""

    def on_start(self, event: object) -> None:
        told_of_compiling()

    def on_end(self, event: object) -> None:
        return None


_event: Any = _numba_event
_event.register("numba:compile", _Compiling())

_F = TypeVar("_F", bound=Callable[..., Any])
_folders: dict[Path, str] = {}


def _cache_folder(source: Path) -> str:
    """Folder for the kernels of one file; changes with every project file that it depends on."""
    if source not in _folders:
        digest = hashlib.sha256(f"{numba.__version__} {BOUNDSCHECK}".encode())
        for path in sorted(sources_of(source)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        _folders[source] = f"kernels-{digest.hexdigest()[:16]}"
    return _folders[source]


def uncompiled(*names: str) -> tuple[str, ...]:
    """Names of the imported kernel files that the cache has no code for: calling them will compile.

    Of those that are named, or of all; some of all may never be called by what is done.

    Lets a first run say what it waits for. Where there is no cache, all of them.
    """
    return tuple(
        sorted(
            source.stem
            for source, folder in _folders.items()
            if (not names or source.stem in names)
            and (CACHE_ROOT is None or not any((CACHE_ROOT / folder).rglob("*.nbi")))
        )
    )


def _compile(function: Callable[..., Any], nrt: bool, inner: bool, options: dict[str, Any]) -> Any:
    flags = {"error_model": "numpy", "nogil": True, "boundscheck": BOUNDSCHECK, **options}
    if not nrt:
        flags["_nrt"] = False
    if inner:
        flags |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return numba.njit(**flags)(function)
    folder = _cache_folder(Path(function.__code__.co_filename).resolve())
    if CACHE_ROOT is None:
        return numba.njit(**flags)(function)
    # Numba reads the setting when it decorates, so each source file can have its own folder.
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(CACHE_ROOT / folder)
    try:
        return numba.njit(cache=True, **flags)(function)
    finally:
        _config.CACHE_DIR = before


@overload
def kernel(function: _F, /) -> _F: ...
@overload
def kernel(*, nrt: bool = True, inner: bool = False, **options: Any) -> Callable[[_F], _F]: ...
def kernel(
    function: Any = None, /, *, nrt: bool = True, inner: bool = False, **options: Any
) -> Any:
    """Compile a function: cached, GIL released, C division, no fast-math.

    ``nrt=False`` leaves reference counting out (the function must not allocate arrays). ``inner``
    is for functions that only kernels call: they are compiled with their callers, without a way in
    from Python and without a place of their own in the cache, which took a third of the time. Other
    options go to ``numba.njit``. Usable bare, ``@kernel``, or as ``@kernel(nrt=False)``.
    """
    if function is not None:
        return _compile(function, nrt, inner, options)
    return lambda given: _compile(given, nrt, inner, options)


@overload
def inline_kernel(function: _F, /) -> _F: ...
@overload
def inline_kernel(
    *, nrt: bool = True, inner: bool = False, **options: Any
) -> Callable[[_F], _F]: ...
def inline_kernel(
    function: Any = None, /, *, nrt: bool = True, inner: bool = False, **options: Any
) -> Any:
    """A kernel inlined into its callers by LLVM, after numba has typed it.

    Not numba's own ``inline="always"``: that copies the body before typing and leaves atomic
    reference counts of array arguments in hot loops.
    """
    options["forceinline"] = True
    if function is not None:
        return _compile(function, nrt, inner, options)
    return lambda given: _compile(given, nrt, inner, options)
