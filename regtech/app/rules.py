"""What ``regtech rules`` does: reading packs, and turning what comes back into lines and data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from regtech.app.choice import some_pack_files
from regtech.app.languages import translator
from regtech.app.progress import NoProgress, Progress
from regtech.clock import Clock, SystemClock
from regtech.content import content_root, read_text
from regtech.errors import ContentError, InputError, StoreError, UsageError
from regtech.rulelang.ir import Pack, Rule
from regtech.rulelang.packs import load_packs, require_packs

LOCK_NAME = "rules.lock"


@dataclass(frozen=True, slots=True)
class Findings:
    """Lines for people, ``total`` to close with, ``data`` for machines; ``failed`` is status 1."""

    lines: tuple[str, ...]
    total: str
    failed: bool
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """``data``."""
        return self.data


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def lint_rules(paths: tuple[Path, ...], lang: str = "en") -> Findings:
    """Every fault of every pack; errors fail, warnings do not."""
    files = some_pack_files(paths)
    packs, faults = load_packs(files)
    errors = sum(fault.severity == "error" for fault in faults)
    warnings = len(faults) - errors
    rules = sum(len(pack.rules) for pack in packs)
    said = f"{_count(len(files), 'pack')}, {_count(rules, 'rule')}: "
    return Findings(
        lines=tuple(fault.told(translator(lang)) for fault in faults),
        total=said + f"{_count(errors, 'error')}, {_count(warnings, 'warning')}",
        failed=errors > 0,
        data={
            "packs": len(files),
            "rules": rules,
            "errors": errors,
            "warnings": warnings,
            "faults": [fault.as_data() for fault in faults],
        },
    )


def test_rules(
    paths: tuple[Path, ...],
    *,
    only: str | None = None,
    mutate: bool = False,
    progress: Progress | None = None,
) -> Findings:
    """Run the tests in the packs on the real engine, or mutate the rules and see who notices."""
    from regtech.reference.load import Reference

    told = progress or NoProgress()
    packs = require_packs(some_pack_files(paths))
    wanted = _wanted(packs, only)
    reference = Reference.shipped()
    if mutate:
        return _mutate(packs, reference, wanted, told)
    from regtech.app.detection import shipped_detectors
    from regtech.sandbox.ruletest import run_tests

    told.stage("running tests", sum(len(pack.rules) for pack in packs))
    lines: list[str] = []
    results, waiting = [], {}
    for pack in packs:
        report = run_tests([pack], reference, wanted, shipped_detectors(trial=True))
        results += report.results
        waiting.update(report.waiting)
        told.advance(len(pack.rules), pack.id)
    for result in results:
        if not result.passed:
            lines.append(f"{result.test.mark}: {result.rule}: {result.test.name}")
            lines += [f"    {problem}" for problem in result.problems]
    failed = [result for result in results if not result.passed]
    for rule, detector in sorted(waiting.items()):
        lines.append(f"{rule} waits for the detector {detector}")
    total = f"{_count(len(results), 'test')}, {len(failed)} failed"
    if waiting:
        total += f", {_count(len(waiting), 'rule')} waiting for a detector"
    return Findings(
        lines=tuple(lines),
        total=total,
        failed=bool(failed),
        data={
            "tests": len(results),
            "failed": [
                {
                    "pack": result.pack,
                    "rule": result.rule,
                    "test": result.test.name,
                    "place": str(result.test.mark),
                    "problems": list(result.problems),
                    "found": list(result.found),
                }
                for result in failed
            ],
            "waiting": waiting,
        },
    )


def _wanted(packs: list[Pack], only: str | None) -> list[str] | None:
    if only is None:
        return None
    wanted = [rule.id for pack in packs for rule in pack.rules if only in rule.id]
    if not wanted:
        raise UsageError(f"no rule has {only!r} in its id")
    return wanted


def _mutate(
    packs: list[Pack], reference: Any, wanted: list[str] | None, told: Progress
) -> Findings:
    from regtech.app.detection import shipped_detectors
    from regtech.sandbox.mutate import mutate_packs

    told.stage("mutating rules", len(wanted or [rule for pack in packs for rule in pack.rules]))
    report = mutate_packs(packs, reference, wanted, told.advance, shipped_detectors(trial=True))
    lines = [str(survivor) for survivor in report.survivors]
    lines += [f"{rule}: its tests fail as it is, so it is not mutated" for rule in report.failing]
    total = f"{_count(report.tried, 'mutation')}, {len(report.survivors)} unnoticed"
    if report.failing:
        total += f", {_count(len(report.failing), 'rule')} failing"
    if report.skipped:
        total += f", {_count(len(report.skipped), 'rule')} not mutated"
    return Findings(
        lines=tuple(lines),
        total=total,
        failed=bool(lines),
        data={
            "mutations": report.tried,
            "noticed": report.noticed,
            "unfit": report.unfit,
            "unnoticed": [survivor.as_data() for survivor in report.survivors],
            "failing": report.failing,
            "not_mutated": report.skipped,
        },
    )


def show_rule(name: str, folder: Path | None, lang: str) -> str:
    """The page of a rule, or of every rule of a pack, one after the other."""
    from regtech.rulelang.show import show

    path = Path(name)
    if folder is None and path.suffix in (".yml", ".yaml"):
        packs = require_packs([path])
        chosen = [(rule, pack) for pack in packs for rule in pack.rules]
    else:
        packs, _ = load_packs([folder] if folder is not None else None)
        chosen = _named(packs, name)
    return "\n\n".join(show(rule, pack, lang) for rule, pack in chosen)


def _named(packs: list[Pack], name: str) -> list[tuple[Rule, Pack]]:
    rules = {rule.id: (rule, pack) for pack in packs for rule in pack.rules}
    if name in rules:
        return [rules[name]]
    of_pack = [(rule, pack) for pack in packs if pack.id == name for rule in pack.rules]
    if of_pack:
        return of_pack
    from regtech.content.faults import did_you_mean

    hint = did_you_mean(name, [*rules, *(pack.id for pack in packs)])
    raise UsageError(f"no rule and no pack is called {name!r}", hint=hint)


def new_rule(identifier: str, jurisdiction: str, out: Path | None) -> Path:
    """Write a pack of one rule; refuses to replace a file."""
    from regtech.reference.load import Reference
    from regtech.rulelang.new import new_pack

    reference = Reference.shipped()
    profile = reference.profile(jurisdiction)
    currency = profile.currency or "USD"
    decimals = reference.currencies[currency].exponent
    path = out if out is not None else Path(f"{identifier}.yml")
    text = new_pack(path.stem, profile.id, identifier, currency, decimals)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="choose another with --out") from None
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}") from None
    return path


def format_rules(paths: tuple[Path, ...], *, write: bool) -> list[Path]:
    """The files whose layout is not the one layout; rewritten where ``write``."""
    from regtech.content.format import format_text

    changed, faults = [], []
    for path in some_pack_files(paths):
        before = read_text(path)
        try:
            after = format_text(before, str(path))
        except ContentError as error:
            faults.append(error.message)
            continue
        if after == before:
            continue
        changed.append(path)
        if write:
            _write(path, after)
    if faults:
        raise ContentError(f"{_count(len(faults), 'file')} cannot be formatted", faults)
    return changed


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: whoever reads it sees the old text or the new."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}") from None


def coverage_table(paths: tuple[Path, ...], *, out: Path | None, check: bool) -> Findings:
    """Which rule decides each obligation of the register; fails where one is missing or stale."""
    from regtech.rulelang.coverage import coverage, coverage_page, missing
    from regtech.rulelang.register import load_register

    if check and out is None:
        raise UsageError("--check compares with a file", hint="add --out FILE")
    packs = require_packs(some_pack_files(paths))
    covered = coverage(packs, load_register())
    page, gaps = coverage_page(covered), missing(covered)
    lines = [f"missing: {name}" for name in gaps]
    stale = False
    if out is not None and check:
        stale = not out.is_file() or read_text(out) != page
        if stale:
            lines.append(f"{out} is stale: regtech rules coverage --out {out}")
    elif out is not None:
        _write(out, page)
    elif not paths:
        lines = [page.rstrip("\n"), *lines]
    else:
        lines = [page.rstrip("\n")]
    counts: dict[str, int] = {}
    for item in covered:
        counts[item.state] = counts.get(item.state, 0) + 1
    total = ", ".join(f"{number} {state}" for state, number in counts.items())
    return Findings(
        lines=tuple(lines),
        total=f"{_count(len(covered), 'obligation')}: {total}",
        # Some packs alone are not expected to cover the whole register.
        failed=stale or (bool(gaps) and not paths),
        data={
            "obligations": len(covered),
            "counts": counts,
            "missing": gaps,
            "stale": stale,
            "covered": [item.as_data() for item in covered],
        },
    )


def lock_rules(paths: tuple[Path, ...], *, check: bool) -> Findings:
    """Compare packs with their lock; write it anew where every change has a new version."""
    from regtech.rulelang.lock import check_lock, lock_text, make_lock, read_lock

    if len(paths) > 1:
        raise UsageError("a lock belongs to one folder", hint="name one folder")
    folder = paths[0] if paths else content_root("rules")
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", hint="a lock belongs to a folder of packs")
    path = folder / LOCK_NAME
    packs = require_packs(some_pack_files([folder]))
    before = read_lock(read_text(path)) if path.is_file() else None
    faults = check_lock(packs, before, str(path)) if before is not None else []
    # RL703 says that the lock lags behind; writing it anew is the remedy, not a fault.
    blocking = [fault for fault in faults if check or fault.code != "RL703"]
    if before is None and check:
        return Findings(
            (f"{path} is not there",), "no lock", True, {"lock": str(path), "faults": []}
        )
    if not blocking and not check:
        _write(path, lock_text(make_lock(packs, before)))
    word = "holds" if check else "written"
    return Findings(
        lines=tuple(str(fault) for fault in blocking),
        total=_count(len(blocking), "fault") if blocking else f"{path} {word}",
        failed=bool(blocking),
        data={"lock": str(path), "faults": [fault.as_data() for fault in blocking]},
    )


def upcoming_changes(
    paths: tuple[Path, ...],
    *,
    on: date | None,
    days: int,
    lang: str,
    events: tuple[str, ...] = (),
    home: str | None = None,
    clock: Clock | None = None,
) -> list[dict[str, Any]]:
    """Changes of law in the ``days`` from ``on`` (default: today in UTC), for people and machines.

    ``what`` and ``touches`` are texts; the other keys are those of ``Upcoming.as_data``. With
    ``events``, ``institutions`` has those that reported events of the kinds that the rules look at
    and that the jurisdiction governs, with their number, most first. ``home``: see ``run``.
    """
    from regtech.rulelang.upcoming import upcoming

    if on is None:
        seconds = (clock or SystemClock()).now_us() // 1_000_000
        on = datetime.fromtimestamp(seconds, UTC).date()
    try:
        until = on + timedelta(days=days)
    except OverflowError:
        until = date.max
    packs = require_packs(some_pack_files(paths))
    changes = upcoming(packs, on, until)
    touched_packs = {item.pack for item in changes}
    census: dict[tuple[str, str], Counter[str]] = {}
    if events and changes:
        from regtech.app.census import take_census

        census = take_census(events, tuple(p for p in packs if p.id in touched_packs), home)
    looks_at = {(pack.id, rule.id): rule.on for pack in packs for rule in pack.rules}
    found = []
    for item in changes:
        change = f"{item.old} → {item.new}" if item.change == "changes" else (item.new or item.old)
        touched = f"{_count(len(item.rules), 'rule')}: {', '.join(item.whom)}"
        reported: Counter[str] = Counter()
        for event_type in {kind for rule in item.rules for kind in looks_at[(item.pack, rule)]}:
            reported += census.get((item.jurisdiction, event_type), Counter())
        institutions = sorted(reported.items(), key=lambda entry: (-entry[1], entry[0]))
        found.append(
            {
                **item.as_data(),
                "institutions": [{"id": name, "events": n} for name, n in institutions],
                "what": f"{item.level} {item.name}" + (f": {change}" if change else ""),
                "touches": touched,
            }
        )
    return found
