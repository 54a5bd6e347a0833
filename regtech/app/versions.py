"""Versions of packs that were replaced, kept beside those in use, and found by their digest.

What an alert was decided by is told by its pack's digest. After the pack has changed, the text that
decided is still there: for explanations, for bundles of evidence, and as the base of a proposal.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from regtech.content import content_root
from regtech.rulelang.ir import Pack

VERSIONS: Final = ".versions"
"""Folder beside the packs that holds kept versions: ``<pack>@<version>/<pack>.yml``."""
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def kept_files(rules: Path | None, pack: str) -> list[Path]:
    """Files of kept versions of a pack below a folder of packs, or below those that ship."""
    if not _ID.fullmatch(pack):
        return []  # no path is made of what somebody sent
    root = content_root("rules") if rules is None else rules
    return sorted((root / VERSIONS).glob(f"{pack}@*/{pack}.yml"), reverse=True)


def kept_by_digest(rules: Path | None, pack: str, digest: str) -> Pack | None:
    """The kept version of that digest, with its tests; None where it is not kept."""
    from regtech.rulelang.packs import load_packs

    for path in kept_files(rules, pack):
        packs, _ = load_packs([path])
        for found in packs:
            if found.digest == digest:
                return found
    return None
