"""What detectors found, as lines of a page: chains of owners, names that matched, edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from regtech.rulelang.vocabulary import Words

DEPTH_MAX: Final = 6
LINES_MAX: Final = 60
_KEYS: Final[dict[str, Words]] = {
    "owners": ("Owners", "所有者"),
    "owner": ("owner", "所有者"),
    "owned": ("owned entity", "被持有实体"),
    "entity": ("entity", "实体"),
    "reasons": ("by", "依据"),
    "shares": ("shares", "股权"),
    "share": ("share", "比例"),
    "votes": ("votes", "表决权"),
    "control": ("control", "控制"),
    "paths": ("chains", "链条"),
    "control_chain": ("chain of control", "控制链"),
    "more_paths": ("more chains than shown", "另有未列出的链条"),
    "parties": ("parties", "当事方"),
    "controlled_by": ("controlled by", "控制人"),
    "at_least": ("at least", "至少"),
    "at_most": ("at most", "至多"),
    "least": ("at least", "至少"),
    "greatest": ("at most", "至多"),
    "list": ("list", "名单"),
    "entry": ("entry", "条目"),
    "name": ("name", "姓名或名称"),
    "score": ("score", "得分"),
    "parts": ("parts of the score", "得分构成"),
    "period": ("finding", "发现编号"),
    "accounts": ("accounts", "账户"),
    "edges": ("payments in order", "依次的付款"),
    "span": ("from and until", "起止"),
    "model": ("model", "模型"),
    "role": ("its role", "模型角色"),
    "digest": ("digest", "摘要值"),
    "trained_until": ("trained until", "训练截止"),
    "threshold": ("threshold", "阈值"),
    "reason": ("reason", "原因"),
    "payments": ("payments", "交易笔数"),
    "limit": ("limit", "限值"),
    "moved": ("what has moved", "发生变化的特征"),
    "moved_in_all": ("how many have moved", "变化特征总数"),
    "stability_index": ("stability index", "稳定性指数"),
}
_SHARES: Final = frozenset({"shares", "share", "votes", "at_least", "at_most"})
_NOT_SAID: Final = frozenset({"row"})
"""What is there to decide by, not to be read."""


def _is_feature(part: Any) -> bool:
    return isinstance(part, Mapping) and {"text", "unit", "value", "usually"} <= part.keys()


class FindingLines:
    """Writes findings as nested lines; ``pick`` chooses among the words of both languages."""

    def __init__(self, pick: Callable[[str, str], str], colon: str) -> None:
        self._pick, self._colon = pick, colon

    def lines(self, data: Mapping[str, Any]) -> list[str]:
        """The lines of one finding, at most ``LINES_MAX`` and then how many more there are."""
        found = list(self._mapping(data, 0))
        if len(found) <= LINES_MAX:
            return found
        more = len(found) - LINES_MAX
        return [*found[:LINES_MAX], self._pick(f"- {more} more lines", f"- 另有{more}行")]

    def _mapping(self, data: Mapping[str, Any], depth: int) -> Iterator[str]:
        for key, value in data.items():
            if value in (None, [], {}, False) or key in _NOT_SAID:
                continue
            yield from self._entry(self._name(key), key, value, depth)

    def _entry(self, name: str, key: str, value: Any, depth: int) -> Iterator[str]:
        indent = "    " * depth
        if key == "paths" and isinstance(value, list):
            for path in value:
                yield f"{indent}- {name}{self._colon}{self._chain(path)}"
        elif isinstance(value, Mapping) and value.keys() == {"en", "zh"}:
            yield f"{indent}- {name}{self._colon}{self._pick(value['en'], value['zh'])}"
        elif key == "reasons" and isinstance(value, list) and all(map(_is_feature, value)):
            for part in value:
                yield f"{indent}- {self._feature(part)}"
        elif isinstance(value, Mapping) and not (value.keys() <= {"at_least", "at_most"}):
            yield f"{indent}- {name}{self._colon}"
            if depth < DEPTH_MAX:
                yield from self._mapping(value, depth + 1)
        elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
            for part in value:
                if depth < DEPTH_MAX:
                    yield f"{indent}- {name}{self._colon}"
                    yield from self._mapping(part, depth + 1)
        else:
            yield f"{indent}- {name}{self._colon}{self._plain(key, value)}"

    def _feature(self, part: Mapping[str, Any]) -> str:
        """A feature of a score against what is usual."""
        text, unit = (self._pick(part[k]["en"], part[k]["zh"]) for k in ("text", "unit"))
        value, (low, high) = part["value"], part["usually"]
        return self._pick(
            f"{text}: {value} ({unit}), usually {low} to {high}",
            f"{text}：{value}（{unit}），通常为 {low} 至 {high}",
        )

    def _chain(self, path: Any) -> str:
        """``P 50 % → H 60 % → X``, from the owner down."""
        links = [link for link in reversed(path) if isinstance(link, Mapping)]
        text = "".join(f"{x.get('owner')} {self._plain('share', x.get('share'))} → " for x in links)
        return text + (str(links[-1].get("owned")) if links else "")

    def _plain(self, key: str, value: Any) -> str:
        if isinstance(value, Mapping):
            ends = (self._plain("share", value.get(end)) for end in ("at_least", "at_most"))
            return self._pick(" to ", "至").join(ends)
        if isinstance(value, list):
            return self._pick(", ", "、").join(self._plain(key, part) for part in value)
        if value is True:
            return self._pick("yes", "是")
        if key in _SHARES and isinstance(value, str):
            return _percent(value)
        return str(value)

    def _name(self, key: str) -> str:
        words = _KEYS.get(key)
        return self._pick(*words) if words else key.replace("_", " ")


def _percent(text: str) -> str:
    """An exact share as a percentage, shortened only where it does not end."""
    try:
        value = Fraction(text) * 100
    except (ValueError, ZeroDivisionError):
        return text
    if value.denominator == 1:
        return f"{value}%"
    digits = f"{value.numerator * 10**9 // value.denominator / 10**9:.9f}".rstrip("0")
    return f"{digits}%"
