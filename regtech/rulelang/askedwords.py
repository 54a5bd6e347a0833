"""What rules ask of detectors, in words: ``event.owner_share(owner, owned) > 1/2 @CN``."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from regtech.rulelang.vocabulary import Words, pick

_ASKED: Final = re.compile(
    r"(?:event|party|payer|payee)\.(?P<asks>\w+)\((?P<inside>.*)\)"
    r"(?: (?P<op>[<>=!]+) (?P<figure>\S+))?(?: @\w+)?\Z"
)
_PATTERNS: Final[dict[str, Words]] = {
    "screened": ("the name of {0} is on the list {1}", "{0}的姓名或名称列于名单{1}"),
    "owner_share": ("what {0} holds of {1} in all, {2}", "{0}合计持有{1}的比例{2}"),
    "same_owner": ("one owner controls both {0} and {1}", "同一所有者控制{0}与{1}"),
    "layers": ("layers of products below {0}, {2}", "{0}之下的产品嵌套层数{2}"),
}
_COMPARED: Final[dict[str, Words]] = {
    ">": ("more than {0}", "超过{0}"),
    ">=": ("at least {0}", "不低于{0}"),
    "<": ("less than {0}", "低于{0}"),
    "<=": ("at most {0}", "不超过{0}"),
}
_DETECTORS: Final[dict[str, Words]] = {
    "anomaly": (
        "the anomaly score of the payment is beyond its level",
        "该笔交易的异常得分超过阈值",
    ),
    "model_drift": (
        "payments no longer look like those that the model was trained on",
        "交易已与模型训练时的交易明显不同",
    ),
    "beneficial_owner": (
        "a person newly stands behind it through a chain of holdings",
        "有自然人经由持股链新成为受益所有人",
    ),
    "common_owner": (
        "one owner stands behind several partners just under a limit",
        "同一所有人控制多家略低于限额的合作方",
    ),
    "address_exposure": (
        "too large a part of what the address received or paid has to do with listed addresses",
        "地址收付中与名单地址有关的比例过高",
    ),
}
_FOUND: Final[Words] = ("found by the detector {0}", "检测器{0}的发现")


def asked_words(path: str, language: str, party: Callable[[str], str]) -> str | None:
    """A question to a detector in words, or None for a path that is none.

    ``party`` gives the words of a party's path.
    """
    found = _ASKED.match(path)
    if found is None:
        return None
    asks, inside = found["asks"], found["inside"]
    if asks not in _PATTERNS:
        named = _DETECTORS.get(asks)
        text = pick(named, language) if named else pick(_FOUND, language).format(asks)
        return f"{text} ({inside})" if language != "zh" else f"{text}（{inside}）"
    parts = [part.strip() for part in inside.split(",")]
    words = [party(part) for part in parts[:2]] + [""] * (2 - len(parts))
    if asks == "screened":
        words[1] = parts[1]
    figure = ""
    if found["op"] in _COMPARED:
        share = asks == "owner_share"
        figure = pick(_COMPARED[found["op"]], language).format(
            _percent(found["figure"]) if share else found["figure"]
        )
    return pick(_PATTERNS[asks], language).format(words[0], words[1], figure)


def _percent(text: str) -> str:
    value = Fraction(text) * 100
    return f"{value}%" if value.denominator == 1 else f"{float(value):g}%"
