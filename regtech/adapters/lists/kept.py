"""Lists as they were at one moment: told by what their files hold, and kept under that name.

Whoever publishes lists writes over them. What screens by them needs files that stay as they are: a
copy, named by the digest of its content, that is only there once it is whole.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from regtech.adapters.lists.folder import list_files
from regtech.content.saying import say
from regtech.errors import InputError, StoreError

_NAMED: Final = 32
_END_OF_FILE: Final = b"\x1a"
"""How OFAC ends a file."""


def lists_digest(folder: Path) -> str:
    """SHA-256, in hex, over names and content of all lists of a folder. Raises ``InputError``."""
    whole = hashlib.sha256()
    try:
        for path in list_files(folder):
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            whole.update(f"{path.relative_to(folder)}\0{found}\n".encode())
    except OSError as error:
        raise InputError(
            say(
                "the lists of %(folder)s could not be read: %(why)s",
                folder=folder,
                why=error.strerror or "",
            )
        ) from None
    return whole.hexdigest()


def kept_folder(into: Path, digest: str) -> Path:
    """Where lists of a digest are kept."""
    return into / digest[:_NAMED]


def keep_lists(folder: Path, into: Path, digest: str) -> Path | None:
    """Copy the lists of a digest under it; None where they have changed meanwhile.

    Raises ``StoreError`` where the copy could not be written.
    """
    kept = kept_folder(into, digest)
    if kept.is_dir():
        return kept
    part = into / f"{kept.name}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for path in list_files(folder):
            to = part / path.relative_to(folder)
            to.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, to)
        if lists_digest(part) != digest:
            shutil.rmtree(part)
            return None
        part.rename(kept)
    except FileNotFoundError:
        return None  # a list was taken away while it was copied
    except OSError as error:
        raise StoreError(f"lists could not be kept in {into}: {error.strerror}") from None
    return kept


def forget_lists(into: Path, still: set[Path]) -> None:
    """Take copies away that nobody needs."""
    for path in into.iterdir() if into.is_dir() else ():
        if path.is_dir() and path not in still:
            shutil.rmtree(path, ignore_errors=True)


def broken_off(before: Path, after: Path) -> list[str]:
    """Lists in CSV that end within a line, and did not before: names from the folder on."""
    found = []
    for path in list_files(after):
        named = path.relative_to(after)
        if (
            path.suffix.lower() == ".csv"
            and not _ends(path)
            and not ((before / named).is_file() and not _ends(before / named))
        ):
            found.append(str(named))
    return found


def _ends(path: Path) -> bool:
    return path.read_bytes().rstrip(_END_OF_FILE).endswith((b"\n", b"\r"))
