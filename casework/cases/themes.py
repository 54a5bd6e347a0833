"""Themes of cases: what they are called and which points are to be gone through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a checklist. A required one is ticked off before the case is closed."""

    id: str
    title: Text
    required: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """What a case is about. Unknown themes have the points of ``general``."""

    id: str
    title: Text
    points: tuple[Point, ...]


_COMMON: Final = (
    Point("facts", {"en": "Facts checked against the events", "zh": "已与事件核对事实"}, True),
    Point("law", {"en": "Article and its date checked", "zh": "已核对条文及其生效时间"}, True),
)


def _theme(identity: str, en: str, zh: str, *points: Point) -> Theme:
    return Theme(identity, {"en": en, "zh": zh}, (*_COMMON, *points))


THEMES: Final[Mapping[str, Theme]] = {
    theme.id: theme
    for theme in (
        _theme(
            "money_laundering",
            "Money laundering",
            "洗钱",
            Point("profile", {"en": "Customer's profile compared", "zh": "已比对客户画像"}),
            Point("network", {"en": "Counterparties looked at", "zh": "已查看交易对手"}),
            Point("funds", {"en": "Source of funds asked for", "zh": "已询问资金来源"}),
        ),
        _theme(
            "large_value",
            "Large-value reports",
            "大额交易报告",
            Point("report", {"en": "Report filed or excused", "zh": "已报送或可免报"}),
        ),
        _theme(
            "data_export",
            "Cross-border data",
            "数据出境",
            Point("basis", {"en": "Legal basis of the transfer found", "zh": "已确认出境依据"}),
            Point("count", {"en": "Persons counted again", "zh": "已复核人数"}),
        ),
        _theme(
            "data_protection",
            "Personal data",
            "个人信息保护",
            Point("consent", {"en": "Consent or other basis seen", "zh": "已查验同意或其他依据"}),
        ),
        _theme(
            "prudential",
            "Prudential limits",
            "审慎监管指标",
            Point("figures", {"en": "Figures agreed with the returns", "zh": "已与报表核对数字"}),
        ),
        _theme(
            "ownership",
            "Ownership and control",
            "股权与控制",
            Point("chain", {"en": "Chain of ownership drawn", "zh": "已绘制股权链条"}),
        ),
        _theme(
            "lending",
            "Lending conduct",
            "贷款业务",
            Point("contract", {"en": "Contract and rates seen", "zh": "已查验合同与利率"}),
        ),
        _theme(
            "incident",
            "Incidents",
            "安全事件",
            Point("clock", {"en": "Time of awareness proven", "zh": "已核实知悉时间"}),
        ),
        _theme("general", "General", "其他"),
    )
}


def theme_of(identity: str) -> Theme:
    """A theme by its id; the general one for an id that is not known."""
    return THEMES.get(identity, THEMES["general"])


def missing_points(theme: str, ticked: frozenset[str]) -> tuple[Point, ...]:
    """Required points that are not ticked off."""
    return tuple(p for p in theme_of(theme).points if p.required and p.id not in ticked)
