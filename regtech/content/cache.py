"""What was worked out once is kept for the next start, under names that are never stale.

Compiled kernels and checked rulepacks lie in one folder, ``<user cache>/regtech``; in its place
that of ``REGTECH_CACHE_DIR``, or one in the folder for temporary files where neither is writable.
An entry is named by a digest of all that it was made from, the code included, so an edit gives
another name and nothing is ever out of date. Losing an entry costs time, nothing else: whatever is
wrong with the folder or a file in it, the answer is "not there".
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Final

_SOURCE_ROOT: Final = Path(__file__).resolve().parents[2]
_IMPORT: Final = re.compile(
    r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^#\n]*)|import\s+([\w.]+))", re.M
)
_PROJECT: Final = ("regtech", "detectors", "streams", "casework")
_FOLDER: Final = "kept"
_ENDING: Final = ".kept"
ENTRIES_MAX: Final = 16
"""So many entries are kept, the ones written last; each edit of a pack makes a new one."""


# --- the folder


def _user_cache() -> Path:
    if configured := os.environ.get("REGTECH_CACHE_DIR"):
        return Path(configured)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "regtech"


def _usable(folder: Path) -> bool:
    """Whether the folder can be written to, and is ours (cached code is executed)."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def cache_root() -> Path | None:
    """Folder of all caches, made where it was missing; None where nothing is writable."""
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    for folder in (_user_cache(), Path(tempfile.gettempdir()) / f"regtech-{user}"):
        if _usable(folder):
            return folder
    return None


# --- the first time


_when_compiling: list[Callable[[], None]] = []


def when_compiling(call: Callable[[], None] | None) -> None:
    """Have ``call`` called once, before this process compiles the first kernel that the cache does
    not have: whoever waits is to know for what. None: nobody is told."""
    _when_compiling[:] = [] if call is None else [call]


def told_of_compiling() -> None:
    """Tell whoever wants to know that something is compiled."""
    while _when_compiling:
        _when_compiling.pop()()


# --- names


def sources_of(source: Path) -> frozenset[Path]:
    """The file and every file of the project that it imports, directly or not."""
    pending, seen = [source], {source}
    while pending:
        for path in _direct_imports(pending.pop()):
            if path not in seen:
                seen.add(path)
                pending.append(path)
    return frozenset(seen)


@cache
def _direct_imports(path: Path) -> frozenset[Path]:
    found: set[Path] = set()
    for match in _IMPORT.finditer(path.read_text(encoding="utf-8")):
        found.update(_module_files(match[1] or match[3], match[2] or ""))
    return frozenset(found)


def _module_files(name: str, names: str) -> list[Path]:
    """Project files that ``from name import names`` may load."""
    if name.split(".")[0] not in _PROJECT:
        return []
    base = _SOURCE_ROOT.joinpath(*name.split("."))
    words = re.findall(r"\w+", names)
    candidates = [base.with_suffix(".py"), base / "__init__.py"]
    candidates += [base / f"{word}.py" for word in words]
    return [path for path in candidates if path.is_file()]


class Inputs:
    """All that an entry is made from: texts, and files with their names and bytes.

    ``digest`` names the entry. Two of them, taken before and after the work, are equal where no
    file was written in between; only then is it sure that the result was made from these bytes.
    Raises ``OSError`` where a file cannot be read.
    """

    def __init__(self, texts: Iterable[str], files: Iterable[Path]) -> None:
        whole = hashlib.sha256()
        stamps = []
        for text in texts:
            _add(whole, text.encode("utf-8", "surrogatepass"))
        for path in files:
            with open(path, "rb") as stream:
                found = os.fstat(stream.fileno())
                _add(whole, os.fsencode(path))
                _add(whole, stream.read())
            stamps.append((found.st_ino, found.st_mtime_ns))
        self.digest = whole.hexdigest()
        self._stamps = tuple(stamps)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Inputs):
            return NotImplemented
        return (self.digest, self._stamps) == (other.digest, other._stamps)


def _add(whole: hashlib._Hash, part: bytes) -> None:
    # With its length in front, so that parts cannot run into each other.
    whole.update(len(part).to_bytes(8, "little"))
    whole.update(part)


# --- entries


def kept(kind: str, digest: str, root: Path | None = None) -> bytes | None:
    """The entry of this kind and name; None where there is none that is whole.

    ``root`` None: ``cache_root()``. Entries are read only from a folder that nobody else can write
    to, and only where their checksum holds.
    """
    folder = _entries(root)
    if folder is None:
        return None
    try:
        data = (folder / f"{kind}-{digest}{_ENDING}").read_bytes()
    except OSError:
        return None
    size = hashlib.sha256().digest_size
    return data[size:] if data[:size] == _checksum(kind, digest, data[size:]) else None


def keep(kind: str, digest: str, data: bytes, root: Path | None = None) -> None:
    """Keep an entry, whole or not at all; where that is not possible, nothing happens.

    Processes that write the same entry at once replace each other's file by an equal one.
    """
    folder = _entries(root)
    if folder is None:
        return
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as stream:
            try:
                stream.write(_checksum(kind, digest, data) + data)
                stream.flush()
                os.replace(stream.name, folder / f"{kind}-{digest}{_ENDING}")
            except BaseException:
                os.unlink(stream.name)
                raise
        written = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in written[:-ENTRIES_MAX]:
            path.unlink()
    except OSError:
        return  # a full disk, or another process that has just taken an old entry away


def _checksum(kind: str, digest: str, data: bytes) -> bytes:
    """Over the name too: a file under another's name is not whole."""
    return hashlib.sha256(f"{kind}-{digest}\n".encode() + data).digest()


def _entries(root: Path | None) -> Path | None:
    """The folder of entries, made where it was missing; None where others can write to it."""
    root = cache_root() if root is None else root
    if root is None:
        return None
    folder = root / _FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        return None
    return folder
