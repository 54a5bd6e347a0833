"""The summary of a run as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regtech.cli.console import counted, shortened, table

if TYPE_CHECKING:
    from regtech.app.summary import RunSummary


_TITLE_PLACES = 56


def _number(value: int) -> str:
    return f"{value:,}"


def _counts(summary: RunSummary) -> str:
    parts = [counted(summary.events, "event"), f"{_number(summary.judged)} judged"]
    for count, word in (
        (summary.repeats, "repeats"),
        (summary.conflicts, "conflicts"),
        (summary.late, "late"),
        (summary.outside, "outside the period"),
        (sum(summary.quarantined.values()), "quarantined"),
    ):
        if count:
            parts.append(f"{_number(count)} {word}")
    return ", ".join(parts)


def run_report(summary: RunSummary, lang: str) -> str:
    """Counts, findings by jurisdiction and rule, what could not be told, where all of it is."""
    lines = [_counts(summary)]
    if summary.seconds > 0:
        rate = _number(round(summary.events / summary.seconds))
        lines.append(f"{summary.seconds:.1f} s, {rate} events/s")
    if summary.ungoverned:
        lines.append(
            f"{counted(summary.ungoverned, 'event')} that named no country went by the "
            "international set alone; --home says whose law applies"
        )
    if summary.quarantined:
        reasons = ", ".join(f"{code} {n}" for code, n in sorted(summary.quarantined.items()))
        lines.append(f"quarantined in {summary.quarantine}: {reasons}")
    found = [rule for rule in summary.rules if rule.alerts or rule.cannot_tell]
    if found:
        rows = [
            [
                rule.jurisdiction,
                rule.rule,
                shortened(rule.title.get(lang) or rule.title.get("en", ""), _TITLE_PLACES),
                rule.severity,
                _number(rule.alerts),
                _number(rule.cannot_tell),
            ]
            for rule in found
        ]
        headings = ["", "rule", "title", "severity", "alerts", "cannot tell"]
        lines += ["", table(headings, rows, right="    rr")]
    lines += ["", *summary.notes] if summary.notes else [""]
    if summary.near:
        close = sum(int(entry["near"]) for entry in summary.near)
        lines.append(
            f"{counted(close, 'near miss', 'near misses')} of {counted(len(summary.near), 'rule')}"
        )
    lines.append(f"{counted(summary.alerts, 'alert')} in {summary.out}")
    if summary.store is not None:
        lines += store_report(summary.store, lang)
    lines.append(f"digest {summary.digest}")
    return "\n".join(lines)


def store_report(store: dict[str, Any], lang: str) -> list[str]:
    """What became of alerts in a store of cases, and how to see them."""
    new, repeated, conflicts = store["new"], store["repeated"], len(store["conflicts"])
    opened, changed = store["cases_opened"], store["cases_changed"]
    ended = store["cases_merged"] + store["cases_withdrawn"]
    aside, unknown = store["aside"], len(store["brake_cannot_tell"])
    if lang == "zh":
        lines = [f"入库：新增预警 {_number(new)} 条，重复 {_number(repeated)} 条；"]
        lines[0] += f"新立案 {_number(opened)} 件，更新 {_number(changed)} 件"
        if ended:
            lines[0] += f"，由策略并案或撤案 {_number(ended)} 件"
        if aside:
            said = "，".join(f"{_ASIDE_ZH[name]} {_number(n)} 条" for name, n in aside.items())
            lines.append(f"不立案：{said}：regtech cases aside --store {store['url']}")
        if unknown:
            lines.append(f"{_number(unknown)} 条规则无法判断是否制动：见 REGTECH_WATCHED")
        if conflicts:
            lines.append(f"{_number(conflicts)} 条预警编号相同而内容不同：regtech cases conflicts")
        lines.append(f"查看：regtech cases list --store {store['url']}")
        return lines
    lines = [f"in the store: {counted(new, 'new alert')}, {_number(repeated)} known; "]
    lines[0] += f"{counted(opened, 'case')} opened, {_number(changed)} changed"
    if ended:
        lines[0] += f", {_number(ended)} merged or withdrawn by policies"
    if aside:
        said = ", ".join(f"{_number(n)} {name}" for name, n in aside.items())
        lines.append(f"in no case: {said}: regtech cases aside --store {store['url']}")
    if unknown:
        lines.append(f"brakes cannot tell of {counted(unknown, 'rule')} (see REGTECH_WATCHED)")
    if conflicts:
        lines.append(f"{_number(conflicts)} came under a known id: regtech cases conflicts")
    lines.append(f"see them: regtech cases list --store {store['url']}")
    return lines


_ASIDE_ZH = {"suppressed": "抑制", "snoozed": "暂缓", "braked": "制动"}
