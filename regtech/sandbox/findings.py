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
}
_SHARES: Final = frozenset({"shares", "share", "votes", "at_least", "at_most"})


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
            if value in (None, [], {}, False):
                continue
            yield from self._entry(self._name(key), key, value, depth)

    def _entry(self, name: str, key: str, value: Any, depth: int) -> Iterator[str]:
        indent = "    " * depth
        if key == "paths" and isinstance(value, list):
            for path in value:
                yield f"{indent}- {name}{self._colon}{self._chain(path)}"
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
