"""The reasons that directives give, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from casework.policy.lengths import window_text
from casework.policy.model import KEY_TITLES, Brake, Policy, Text

UNSORTED_TEXT: Final[Text] = {
    "en": "no policy takes this alert",
    "zh": "没有策略处理该预警",
}

SHADOW_TEXT: Final[Text] = {
    "en": "its rule is in the shadow: kept for comparison, nobody acts on it",
    "zh": "其规则为影子状态：仅留存比较，不作处理",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a brake says of a stretch; ``watched`` None: nobody knows, so that it cannot tell."""

    braked: bool
    alerted: int
    watched: int | None


def _percent(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def brake_reason(
    brake: Brake, rule: str, verdict: Verdict, *, events: bool, institution: str | None
) -> Text:
    """Why a rule is braked, with the numbers.

    ``events``: its subject is each single event. ``institution``: whose subjects were counted;
    None: everybody's.
    """
    share, over = _percent(brake.above), brake.over
    en, zh = ("events", "个事件") if events else ("subjects", "个主体")
    if institution is not None:
        en, zh = f"{en} of {institution}", f"{zh}（{institution}）"
    return {
        "en": f"{rule} fired on {verdict.alerted} of {verdict.watched} {en} within "
        f"{window_text(over)}: more than {share}",
        "zh": f"{rule} 在{window_text(over, 'zh')}内对 {verdict.watched} {zh}中的 "
        f"{verdict.alerted} 个触发，超过 {share}",
    }


def case_reason(policy: Policy, number: int, rules: int) -> Text:
    """Why so many alerts of so many rules are a case."""
    same = {
        language: mark.join(KEY_TITLES[name][language] for name in policy.same)
        for language, mark in (("en", ", "), ("zh", "、"))
    }
    said = "1 alert" if number == 1 else f"{number} alerts"
    of = "1 rule" if rules == 1 else f"{rules} rules"
    return {
        "en": f"{policy.title['en']}: {said} of {of}, same {same['en']}",
        "zh": f"{policy.title['zh']}：{rules} 条规则的 {number} 个预警，相同的{same['zh']}",
    }
