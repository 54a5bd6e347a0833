"""Wiring of evidence: checking bundles, and the folder of keys that sign."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casework.evidence import verify_bundle
from regtech.app.eventtexts import EventTexts
from regtech.app.versions import kept_by_digest
from regtech.clock import Clock
from regtech.errors import InputError, UsageError

if TYPE_CHECKING:
    from casework.cases.alert import StoredAlert
    from casework.cases.scope import Scope
    from casework.evidence.bundle import Rule
    from regtech.app.casework import Casework
    from regtech.rulelang.ir import Pack


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


def export_case(
    parts: Casework,
    scope: Scope,
    case_id: str,
    out: Path,
    *,
    keys: Path,
    personal: bool,
    number: int,
    rules: Path | None,
    events: Sequence[Path] = (),
) -> dict[str, Any]:
    """Write the evidence of a case; the file appears whole or not at all.

    ``events``: files of events, or folders of servers, in which the events behind the alerts are.
    Gives what is in it, and ``without_text``: rules whose text is not the one that judged.
    Raises ``UsageError`` where there is a file of that name, and what the service raises.
    """
    from casework.cases.chain import SALT_BYTES
    from casework.evidence.keys import load_keys

    if out.exists():
        raise UsageError(f"{out} is there already", hint="name another file")
    ring = load_keys(keys)
    found = RuleTexts(rules)
    texts = EventTexts(events, scope)
    data = parts.service.bundle(
        scope,
        case_id,
        keys=ring,
        rules_of=found,
        events_of=texts,
        salt=lambda: secrets.token_bytes(SALT_BYTES),
        personal=personal,
        number=number,
    )
    write_whole(out, data)
    report = verify_bundle.verify(data, [])
    return {
        "case": case_id,
        "out": str(out),
        "bytes": len(data),
        "personal": personal,
        "key": ring.active.id,
        "without_text": sorted(found.missing),
        **{name: report.facts[name] for name in _COUNTED},
    }


def write_whole(out: Path, data: bytes) -> None:
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{out} could not be written: {error.strerror}") from None


_COUNTED = ("entries", "alerts", "events", "missing_events", "rules", "withheld")


class RuleTexts:
    """The packs that judged alerts, in use or kept since; ``missing``: rules of the others."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.missing: set[str] = set()

    def __call__(self, alerts: Sequence[StoredAlert]) -> list[Rule]:
        from casework.evidence.bundle import Rule
        from regtech.app.choice import chosen_packs
        from regtech.content import read_text
        from regtech.rulelang.packs import load_packs

        # What ships has no faults and is kept; a folder that is worked on may have some.
        packs = chosen_packs(()) if self._folder is None else load_packs([self._folder])[0]
        by_digest: dict[tuple[str, str], Pack | None] = {(p.id, p.digest): p for p in packs}
        texts: dict[str, str] = {}
        found: dict[str, Rule] = {}
        for alert in alerts:
            body = alert.body()
            digest = str(body.get("pack_digest"))
            if (alert.pack, digest) not in by_digest:
                kept = kept_by_digest(self._folder, alert.pack, digest)
                by_digest[alert.pack, digest] = kept
            pack, other = by_digest[alert.pack, digest], found.get(alert.rule)
            if pack is None or (other is not None and other.pack_digest != digest):
                self.missing.add(alert.rule)
                continue
            if digest not in texts:
                texts[digest] = read_text(Path(pack.path))
            found[alert.rule] = Rule(
                id=alert.rule,
                version=str(body.get("rule_version", "")),
                pack=pack.id,
                pack_digest=pack.digest,
                text=texts[digest],
                cite=body.get("cite"),
            )
        # A bundle has one text of a rule: where two alerts were judged by two, neither is it.
        return [found[name] for name in sorted(found) if name not in self.missing]


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
