"""Wiring of evidence: checking bundles, and the folder of keys that sign."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from casework.evidence import verify_bundle
from regtech.clock import Clock
from regtech.errors import InputError, UsageError


def verify_file(path: Path, trusted: Sequence[str], lang: str) -> tuple[dict[str, Any], str, int]:
    """Check a bundle: what was found as data and as text, and the exit status (0 whole, 1 changed).

    ``trusted`` are key ids, public keys or files of public records. Raises ``UsageError`` for one
    that is none of these, ``InputError`` where the file is no bundle.
    """
    keys = []
    for given in trusted:
        try:
            keys.append(verify_bundle.trusted_key(given))
        except ValueError as error:
            raise UsageError(f"--key {given!r} is {error}") from None
    try:
        report = verify_bundle.verify(verify_bundle.read(str(path)), keys)
    except verify_bundle.Unreadable as error:
        raise InputError(
            f"{path}: {error.finding.said(lang)}",
            hint="give a file that `regtech cases export` wrote",
            code="bundle",
        ) from None
    text = verify_bundle.told(report, str(path), lang)
    return verify_bundle.as_json(report, lang), text, report.status


def create_signing_keys(folder: Path, clock: Clock) -> list[dict[str, Any]]:
    """Make the first key of a folder; the public records afterwards."""
    from casework.evidence.keys import create_keys

    return [dict(record) for record in create_keys(folder, clock.now_us()).lineage]


def rotate_signing_keys(folder: Path, clock: Clock) -> list[dict[str, Any]]:
    """Make the key that succeeds the newest; the public records afterwards."""
    from casework.evidence.keys import rotate_keys

    return [dict(record) for record in rotate_keys(folder, clock.now_us()).lineage]


def show_signing_keys(folder: Path) -> list[dict[str, Any]]:
    """The public records of a folder, oldest first; the last one signs."""
    from casework.evidence.keys import load_keys

    return [dict(record) for record in load_keys(folder).lineage]
