"""A policy as a page for people, in English or Chinese."""

from __future__ import annotations

from typing import Final

from casework.policy.lengths import EVER, window_text
from casework.policy.model import (
    KEY_TITLES,
    Brake,
    OpenCase,
    Pattern,
    Policy,
    Snooze,
    Suppress,
    Test,
)

_WORDS: Final[dict[str, dict[str, str]]] = {
    "order": {"en": "chooses at place", "zh": "顺序"},
    "on": {"en": "alerts", "zh": "预警"},
    "together": {"en": "together", "zh": "同时出现"},
    "or": {"en": "or", "zh": "或者"},
    "any": {"en": "any alert", "zh": "任何预警"},
    "not": {"en": "but not", "zh": "但不包括"},
    "same": {"en": "with the same", "zh": "相同的"},
    "within": {"en": "within", "zh": "时间窗口"},
    "count": {"en": "at least", "zh": "至少"},
    "different": {"en": "different", "zh": "不同的"},
    "absent": {"en": "and none follows of", "zh": "且其后没有"},
    "queue": {"en": "case in the queue", "zh": "案件队列"},
    "theme": {"en": "theme", "zh": "主题"},
    "priority": {"en": "priority", "zh": "优先级"},
    "merge": {"en": "joins an open case for", "zh": "并入未结案件的期限"},
    "due": {"en": "due", "zh": "期限"},
    "duty": {"en": "the day of the duty", "zh": "义务本身的期限"},
    "else": {"en": "else", "zh": "否则"},
    "suppress": {"en": "suppressed", "zh": "抑制"},
    "snooze": {"en": "repeats held back for", "zh": "重复预警暂缓"},
    "brake": {
        "en": "rule held back when it fires on more than",
        "zh": "规则触发超过以下比例时制动",
    },
    "of": {"en": "of its subjects in", "zh": "的主体，统计时段"},
    "least": {"en": "and on at least", "zh": "且至少"},
    "tests": {"en": "tests", "zh": "测试"},
}


def show(policy: Policy, language: str) -> str:
    """The page of one policy."""

    def word(name: str) -> str:
        return _WORDS[name][language]

    title = policy.title[language]
    rows = [(word("order"), str(policy.order))]
    for number, branch in enumerate(policy.branches):
        said = f" + {word('together')} ".join(_pattern(p, language) for p in branch)
        rows.append((word("or") if number else word("on"), said))
    if policy.same:
        rows.append((word("same"), ", ".join(KEY_TITLES[name][language] for name in policy.same)))
    if policy.count is not None:
        distinct = policy.count.distinct
        what = f" {word('different')} {KEY_TITLES[distinct][language]}" if distinct else ""
        rows.append((word("count"), f"{policy.count.at_least}{what}"))
    if policy.absent is not None:
        rows.append((word("absent"), _pattern(policy.absent, language)))
    if policy.within:
        rows.append((word("within"), window_text(policy.within, language)))
    match policy.action:
        case OpenCase() as case:
            due = [word("duty")] if case.due_of_alert else []
            due += [str(case.sla)] if case.sla is not None else []
            rows += [
                (word("queue"), case.queue),
                (word("theme"), case.theme),
                (word("priority"), case.priority),
                (word("merge"), window_text(min(case.merge, EVER), language)),
                (word("due"), f", {word('else')} ".join(due)),
            ]
        case Suppress(reason=reason):
            rows.append((word("suppress"), reason[language]))
        case Snooze(length=length):
            rows.append((word("snooze"), window_text(length, language)))
        case Brake() as brake:
            share = f"{brake.above / 100:g}%"
            over = window_text(brake.over, language)
            text = f"{share} {word('of')} {over} {word('least')} {brake.at_least}"
            rows.append((word("brake"), text))
    rows.append((word("tests"), str(len(policy.tests))))
    lines = [f"{policy.id} {policy.version}", title, ""]
    return "\n".join([*lines, *(f"{name}: {text}" for name, text in rows)])


def _pattern(pattern: Pattern, language: str) -> str:
    if pattern.is_any:
        return _WORDS["any"][language]
    text = ", ".join(_test(test) for test in pattern.tests)
    if pattern.excluding:
        inner = ", ".join(_test(test) for test in pattern.excluding)
        text = f"{text or _WORDS['any'][language]} {_WORDS['not'][language]} ({inner})"
    return text


def _test(test: Test) -> str:
    if test.flag is not None:
        return f"{test.name}: {'true' if test.flag else 'false'}"
    words = [*sorted(test.words), *(f"{start}*" for start in test.beginnings)]
    return f"{test.name}: {' | '.join(words)}"
