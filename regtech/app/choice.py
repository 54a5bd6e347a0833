"""Which rulepacks a command uses: those that ship or a folder's, all or the chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from regtech.app.keptpacks import packs_for_run
from regtech.content import content_root
from regtech.errors import UsageError
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack


def chosen_packs(names: Sequence[str], rules: Path | None = None) -> list[Pack]:
    """Packs by jurisdiction, by folder or by id, in lower case; no names: all of them. As a run
    needs them: without the tests of their rules.

    ``rules``: a file or folder in place of what ships. Raises ``UsageError`` for a name that names
    nothing and ``ContentError`` for packs with faults.
    """
    root = content_root("rules") if rules is None else rules
    files = some_pack_files([root])
    if rules is None and names:
        # Reading all of them takes most of a second; file names tell enough about those that ship.
        files = [file for file in files if any(_may_name(name, file) for name in names)]
    packs = packs_for_run(files) if files else []
    if not names:
        return packs
    unknown = [name for name in names if not any(_names(name, pack) for pack in packs)]
    if unknown:
        # Only imported where something is wrong.
        from regtech.content.faults import did_you_mean

        every = packs_for_run(pack_files([root]))
        known = {word for pack in every for word in _words(pack)}
        hint = did_you_mean(unknown[0], sorted(known)) or "known: " + ", ".join(sorted(known))
        raise UsageError(f"no pack and no jurisdiction is called {unknown[0]!r}", hint=hint)
    return [pack for pack in packs if any(_names(name, pack) for name in names)]


def some_pack_files(paths: Sequence[Path]) -> list[Path]:
    """Files of rulepacks under each of the paths; of what ships where none is named.

    Raises ``UsageError`` for a folder without any: nothing was looked at, which must not read as
    nothing found. ``InputError`` for a path that does not exist.
    """
    for path in paths:
        if not pack_files([path]):
            raise UsageError(
                f"there are no rulepacks in {path}", hint="they are files that end in .yml"
            )
    return pack_files(paths or None)


def _may_name(name: str, file: Path) -> bool:
    return name in (file.stem, file.parent.name) or file.stem.startswith(f"{name}-")


def _words(pack: Pack) -> tuple[str, str, str]:
    return pack.id, pack.jurisdiction.lower(), Path(pack.path).parent.name.lower()


def _names(name: str, pack: Pack) -> bool:
    return name in _words(pack)
