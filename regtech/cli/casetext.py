"""Cases as a person reads them on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from regtech.cli.console import counted, shortened, table

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "case": "案件",
        "prio": "优先级",
        "severity": "严重程度",
        "state": "状态",
        "due": "期限",
        "assignee": "经办人",
        "alerts": "预警",
        "what": "事由",
        "theme": "主题",
        "subject": "对象",
        "institution": "机构",
        "queue": "队列",
        "policy": "策略",
        "outcome": "结论",
        "tags": "标签",
        "checklist": "核查清单",
        "requests": "待批事项",
        "files": "文件",
        "links": "关联",
        "related": "相关案件",
        "timeline": "时间线",
        "rule": "规则",
        "time": "时间",
        "nobody": "无",
        "open": "未结案",
        "new": "新建",
        "triage": "初审",
        "investigation": "调查",
        "escalated": "已上报",
        "awaiting_approval": "待批准",
        "reported": "已报送",
        "closed": "已结案",
        "reopened": "重新调查",
        "critical": "极高",
        "high": "高",
        "medium": "中",
        "low": "低",
        "info": "提示",
        "confirmed": "属实",
        "unfounded": "不实",
        "duplicate": "重复",
        "data_error": "数据错误",
        "precision": "准确率",
        "no cases": "没有案件",
        "key": "归并键",
        "reason": "原因",
        "outcome of policy": "处理",
        "suppressed": "已抑制",
        "snoozed": "已暂缓",
        "braked": "已制动",
        "nothing aside": "没有搁置的预警",
        "until": "至",
        "more": "还有更多：",
    }
}

_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "opened": "立案",
        "alerts_added": "加入预警",
        "alerts_moved": "移动预警",
        "state_changed": "状态变更",
        "assigned": "已分派",
        "priority_changed": "优先级变更",
        "due_changed": "期限变更",
        "clock_told": "时限提示",
        "snoozed": "暂缓或恢复",
        "tagged": "标签变更",
        "checked": "核查清单变更",
        "linked": "已关联",
        "file_added": "添加文件",
        "merged": "已合并",
        "revised": "策略修订",
        "taken_over": "接续",
        "withdrawn": "策略撤回",
        "requested": "申请第二人批准",
        "approved": "已批准",
        "refused": "已驳回",
        "shared": "共享变更",
        "commented": "备注",
        "disclosed": "已向机构展示",
        "unmasked": "查看个人信息",
        "exported": "已导出",
    }
}
"""Kinds of entries of a timeline, as the pages call them."""


def _moment(text: str) -> str:
    """A time to the second. It is in UTC and says so: a day of the law may be another one."""
    return f"{text[:19]}Z"


def word(text: str, lang: str) -> str:
    """A word of the product in the language, or as it is."""
    return _WORDS.get(lang, {}).get(text, text)


def due_text(line: Mapping[str, Any], lang: str) -> str:
    """The due day and what is left of it in working days."""
    clock = line["clock"]
    if line["due"] is None:
        return "–"
    day, days = line["due_day"], clock["working_days"]
    if clock["state"] == "overdue":
        over = f"逾期 {-days} 个工作日" if lang == "zh" else f"overdue {-days} wd"
        return f"{day} ! {over}"
    if days is None:
        return str(day)
    left = f"剩 {days} 个工作日" if lang == "zh" else f"{days} wd left"
    return f"{day} {'~ ' if clock['state'] == 'warning' else ''}{left}"


def list_text(lines: Sequence[Mapping[str, Any]], lang: str) -> str:
    """Cases as a table, the most important first."""
    if not lines:
        return word("no cases", lang)
    names = (
        "case", "prio", "severity", "state", "due", "assignee", "alerts", "theme", "key", "policy"
    )  # fmt: skip
    rows = [
        [
            line["id"],
            str(line["priority"]),
            word(line["severity"], lang),
            word(line["state"], lang),
            due_text(line, lang),
            line["assignee"] or word("nobody", lang),
            str(line["alerts"]),
            shortened(line["theme_title"][lang], 30),
            shortened(_key(line), 30),
            line["policy"],
        ]
        for line in lines
    ]
    return table([word(name, lang) for name in names], rows, right=" r    r")


def _key(line: Mapping[str, Any]) -> str:
    return f"{line['subject']['per']} {line['subject']['key']}"


def aside_text(lines: Sequence[Mapping[str, Any]], lang: str) -> str:
    """Alerts that are in no case, with the reason."""
    if not lines:
        return word("nothing aside", lang)
    names = ("time", "rule", "outcome of policy", "policy", "reason", "until")
    rows = [
        [
            _moment(line["time"]),
            line["rule"],
            word(line["outcome"], lang),
            line["policy"],
            shortened(line["reason"][lang], 70),
            _moment(line["until"]) if line["until"] else "–",
        ]
        for line in lines
    ]
    head = [word(name, lang) if lang == "zh" else name.partition(" ")[0] for name in names]
    return table(head, rows)


def disclosed_text(lines: Sequence[Mapping[str, Any]], lang: str) -> str:
    """The cases that an institution may know of."""
    said = [f"{line['case']}  {line['theme']}  {_open(line, lang)}" for line in lines]
    return "\n".join(said) or word("no cases", lang)


def _open(line: Mapping[str, Any], lang: str) -> str:
    return word("open" if line["open"] else "closed", lang)


def case_text(view: Mapping[str, Any], lang: str) -> str:
    """A case whole."""
    facts = [
        ("state", word(view["state"], lang)),
        ("severity", f"{word(view['severity'], lang)} ({view['priority']})"),
        ("due", due_text(view, lang)),
        ("assignee", view["assignee"] or word("nobody", lang)),
        ("policy", f"{view['policy']} {view['policy_version']}"),
        ("theme", f"{view['theme_title'][lang]} ({view['theme']})"),
        ("key", _key(view)),
        ("institution", ", ".join(view["tenants"])),
        ("queue", view["queue"]),
        ("tags", ", ".join(view["tags"])),
        ("outcome", word(view["outcome"] or "", lang)),
        ("links", ", ".join(f"{x['case']} ({x['relation']})" for x in view["links"])),
        ("related", ", ".join(found["case"] for found in view["related"])),
    ]
    reason = view["reason"].get(lang) or view["reason"].get("en", "")
    rows = [[word(name, lang), value] for name, value in facts if value]
    parts = [f"{view['id']}  v{view['version']}  {reason}", table(["", ""], rows).strip("\n")]
    alerts = [
        [_moment(a["time"]), a["rule"], word(a["severity"], lang), shortened(_said(a, lang), 60)]
        for a in view["found"]
    ]
    names = [word(name, lang) for name in ("time", "rule", "severity", "what")]
    parts.append(f"{word('alerts', lang)}: {view['alerts']}\n" + table(names, alerts))
    points = [
        f"  [{'x' if point['done'] else ' '}] {point['id']}: {point['title'][lang]}"
        + (" *" if point["required"] else "")
        for point in view["checklist"]
    ]
    parts.append(f"{word('checklist', lang)} (*)\n" + "\n".join(points))
    if view["requests"]:
        asked = [
            f"  {r['number']}: {r['gate']} {word(r['outcome'] or '', lang)} {r['about']} – "
            f"{r['author']}: {r['reason']}"
            for r in view["requests"]
        ]
        parts.append(f"{word('requests', lang)}\n" + "\n".join(asked))
    kinds = _KINDS.get(lang, {})
    lines = [
        [
            str(e["sequence"]), _moment(e["at"]), e["actor"], kinds.get(e["kind"], e["kind"]),
            shortened(_what(e), 70),
        ]
        for e in view["timeline"]
    ]  # fmt: skip
    parts.append(word("timeline", lang) + "\n" + table(["#", "", "", "", ""], lines).strip())
    return "\n\n".join(parts)


def _said(alert: Mapping[str, Any], lang: str) -> str:
    said = alert.get("explanation") or {}
    return str(said.get(lang) or said.get("en") or "")


def _ticked(side: Mapping[str, Any]) -> list[str]:
    """Points of the checklist that are ticked off."""
    return [str(check["item"]) for check in side.get("checks") or ()]


def _what(entry: Mapping[str, Any]) -> str:
    detail, said = entry["detail"], []
    if "text" in detail:
        said.append(str(detail["text"]))
    if "alerts" in detail:
        said.append(counted(len(detail["alerts"]), "alert"))
    if "policy" in detail:
        said.append(f"by {detail['policy']} {detail.get('policy_version', '')}".strip())
    for name in ("from", "into", "to"):
        if name in detail:
            said.append(f"{name} {detail[name]}")
    before, after = (_ticked(entry[side]) for side in ("before", "after"))
    said += [f"[x] {item}" for item in after if item not in before]
    said += [f"[ ] {item}" for item in before if item not in after]
    if entry["kind"] != "opened":
        for name, value in entry["after"].items():
            if not isinstance(value, (list, dict)) and not name.endswith("_us"):
                said.append(f"{name} {entry['before'].get(name)} → {value}")
    if entry["why"]:
        said.append(f"({entry['why']})")
    return "; ".join(said)


def institution_text(view: Mapping[str, Any], lang: str) -> str:
    """What an institution is shown of a case."""
    head = f"{view['case']}  {view['theme']}  {_open(view, lang)}"
    rows = [
        [_moment(a["time"]), a["rule"], a["due"] or "–", _said(a, lang)] for a in view["alerts"]
    ]
    names = [word(name, lang) for name in ("time", "rule", "due", "what")]
    said = [f"  {m['by']}: {m.get('text') or m.get('name')}" for m in view["messages"]]
    return "\n\n".join([head, table(names, rows), *(["\n".join(said)] if said else [])])


def export_text(done: Mapping[str, Any], lang: str) -> str:
    """What a bundle of evidence has in it, and how it is checked."""
    if lang == "zh":
        lines = [
            f"{done['out']}：{done['entries']} 条时间线，{done['alerts']} 条预警，"
            f"{done['events']} 个事件，{done['rules']} 条规则，{done['withheld']} 个值不予披露"
        ]
        if done["missing_events"]:
            lines.append(f"预警所依据的 {done['missing_events']} 个事件未收入：见 --events")
        if done["without_text"]:
            lines.append("规则文本已变更，未收入：" + "，".join(done["without_text"]))
        return "\n".join([*lines, f"核验：regtech verify {done['out']} --key {done['key']}"])
    lines = [
        f"{done['out']}: {counted(done['entries'], 'entry', 'entries')}, "
        f"{counted(done['alerts'], 'alert')}, {counted(done['events'], 'event')}, "
        f"{counted(done['rules'], 'rule')}, {counted(done['withheld'], 'value')} withheld"
    ]
    if done["missing_events"]:
        lines.append(
            counted(
                done["missing_events"],
                "event behind the alerts is not in it: see --events",
                "events behind the alerts are not in it: see --events",
            )
        )
    if done["without_text"]:
        lines.append("left out, since the text has changed: " + ", ".join(done["without_text"]))
    return "\n".join([*lines, f"check it: regtech verify {done['out']} --key {done['key']}"])


def outcomes_text(done: Mapping[str, Any], lang: str) -> str:
    """How many events were written with what is known of them."""
    if lang == "zh":
        return f"{done['out']}：{done['confirmed']} 个事件属实，{done['unfounded']} 个不属实"
    confirmed = counted(done["confirmed"], "event")
    return f"{done['out']}: {confirmed} confirmed, {done['unfounded']} unfounded"


_NEXT: Final = (
    ("cases list --store {store}", "the whole queue", "全部案件"),
    ("cases act next --store {store}", "take the first case", "领取第一件案件"),
    ("cases show {case} --store {store}", "what it rests on", "查看案件依据"),
    ("cases aside --store {store}", "alerts that are in no case, and why", "未立案的预警及原因"),
    ("signing-keys create {folder}/keys", "a key to sign evidence", "生成证据签名密钥"),
    (
        "cases export {case} --store {store} --keys {folder}/keys --out {folder}/case.json"
        " --events {folder}/simulated.ndjson",
        "the case as evidence",
        "导出案件证据包",
    ),
    ("verify {folder}/case.json", "nobody has changed it", "核验证据包未被更改"),
)


def demo_text(lines: Sequence[Mapping[str, Any]], store: str, lang: str) -> str:
    """The first cases, and what to type next."""
    folder, case = store.rpartition("/")[0] or ".", lines[0]["id"] if lines else "CASE"
    rows = [
        [
            "  regtech " + text.format(store=store, case=case, folder=folder),
            zh if lang == "zh" else en,
        ]
        for text, en, zh in _NEXT
    ]
    head = (
        ("最先处理的案件：", "接下来可以输入：")
        if lang == "zh"
        else ("First in the queue:", "Next:")
    )
    said = "\n".join(f"{command}  # {about}" for command, about in rows)
    return f"{head[0]}\n{list_text(lines, lang)}\n\n{head[1]}\n{said}"


def pages_text(store: str, users: Sequence[str], password: str, lang: str) -> str:
    """The one command that opens the queue, and who may sign in."""
    named = "、".join(users) if lang == "zh" else " or ".join(users)
    if lang == "zh":
        return (
            f"打开案件队列：\n  regtech serve --store {store}\n"
            f"然后访问 http://127.0.0.1:8000/ ，用户 {named}，密码 {password}"
        )
    return (
        f"Open the queue:\n  regtech serve --store {store}\n"
        f"then http://127.0.0.1:8000/ as {named}, password {password}"
    )


def rings_text(rings: Sequence[Sequence[str]], lang: str) -> str:
    """How many rings of accounts there are, and the first of them."""
    ring = rings[0]
    drawn = " → ".join((*ring, ring[0]))
    if lang == "zh":
        found = f"样例数据中发现{len(rings)}个资金环（短期内多笔付款的账户对首尾相接）"
        return f"{found}，例如：\n  {drawn}"
    return (
        f"{counted(len(rings), 'ring')} of money in the sample (pairs with several payments "
        f"in a short time that lead back to the start), for example:\n  {drawn}"
    )


def precision_text(rows: Sequence[Mapping[str, Any]], lang: str) -> str:
    """How often rules were right."""
    names = ("rule", "institution", "confirmed", "unfounded", "data_error", "duplicate")
    made = [
        [
            *(str(row[name]) for name in ("rule", "tenant", *names[2:])),
            "–" if row["precision"] is None else f"{row['precision']}",
        ]
        for row in rows
    ]
    return table([*(word(n, lang) for n in names), word("precision", lang)], made, right="  rrrrr")
