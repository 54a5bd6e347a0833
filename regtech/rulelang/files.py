"""Which files are rulepacks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from regtech.content import content_root
from regtech.errors import InputError


def pack_files(paths: Iterable[Path] | Path | None = None) -> list[Path]:
    """Files of rulepacks under the given files and folders (default: those shipped), in order.

    Raises ``InputError`` for a path that does not exist.
    """
    if paths is None:
        paths = [content_root("rules")]
    elif isinstance(paths, Path):
        paths = [paths]
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            files = [item for end in ("*.yml", "*.yaml") for item in path.rglob(end)]
            # hidden folders hold kept versions, not rules that apply
            files = [item for item in files if not _is_hidden(item.relative_to(path))]
            found.update(dict.fromkeys(sorted(files)))
        elif path.is_file():
            found[path] = None
        else:
            raise InputError(f"{path}: no such file or folder")
    return list(found)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
