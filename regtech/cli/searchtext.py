"""What a search found, as a person reads it on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from regtech.cli.casetext import word
from regtech.cli.console import shortened

_ZH: Final[Mapping[str, str]] = {
    "case": "案件",
    "alert": "预警",
    "party": "当事方",
    "kind": "类别",
    "jurisdiction": "法域",
    "tenant": "机构",
    "theme": "主题",
    "ids": "编号",
    "names": "名称",
    "numbers": "账号",
    "text": "内容",
    "notes": "批注",
    "sealed": "证件",
    "found": "条结果",
    "nothing": "没有结果",
    "more than": "超过",
    "narrow": "（各项数字为下限；再加一个词可缩小范围）",
    "same": "与记录一致",
    "differs": "与记录不一致",
    "missing": "缺失",
    "stale": "过时",
    "differing": "内容不同",
    "foreign": "记录中没有",
    "documents": "文档",
    "digest": "摘要",
    "passed on": "已更新消息",
}
_EN: Final[Mapping[str, str]] = {
    "tenant": "institution",
    "nothing": "nothing found",
    "narrow": "(the numbers are the least that there are; another word finds fewer)",
    "same": "the same as the record",
    "differs": "not what the record says",
}
_FACET_VALUES: Final = 6


def said(text: str, lang: str) -> str:
    """A word of search in the language."""
    if lang == "zh":
        return _ZH.get(text) or word(text, lang)
    return _EN.get(text, text)


def page_text(page: Mapping[str, Any], lang: str) -> str:
    """Hits with where they matched, then the counts."""
    if not page["total"]:
        return said("nothing", lang)
    parts = [f"{page['total']} {said('found', lang)}"]
    if page["at_least"]:
        parts = [f"{said('more than', lang)} {parts[0]} {said('narrow', lang)}"]
    parts += [_hit(hit, lang) for hit in page["hits"]]
    counts = [
        f"{said(name, lang)}: "
        + " · ".join(f"{said(v, lang)} {n}" for v, n in list(values.items())[:_FACET_VALUES])
        + (" …" if len(values) > _FACET_VALUES else "")
        for name, values in page["facets"].items()
        if values
    ]
    return "\n".join([*parts, "", *counts])


def _hit(hit: Mapping[str, Any], lang: str) -> str:
    facts = [
        said(hit["kind"], lang),
        hit["id"],
        hit["jurisdiction"],
        ", ".join(filter(None, hit["tenants"])),
        said(hit["state"], lang),
        said(hit["severity"], lang),
        (hit["at"] or "")[:10],
    ]
    title = hit["title"].get(lang) or hit["title"].get("en") or ""
    about = ", ".join(value for values in hit["about"].values() for value in values)
    lines = ["  ".join(filter(None, (*facts, shortened(title or about, 60))))]
    for highlight in hit["highlights"]:
        text = "".join(
            f"«{piece['text']}»" if piece["match"] else piece["text"]
            for piece in highlight["pieces"]
        )
        lines.append(f"      {said(highlight['field'], lang)}: {text}")
    return "\n".join(lines)


def comparison_text(found: Mapping[str, Any], lang: str) -> str:
    """How an index compares with the record."""
    counts = ", ".join(f"{said(kind, lang)} {n:,}" for kind, n in found["documents"].items())
    lines = [
        f"{found['index']}: {said('same' if found['same'] else 'differs', lang)}",
        f"{said('documents', lang)}: {counts}",
        f"{said('digest', lang)}: {found['record_digest'][:16]} / {found['index_digest'][:16]}",
    ]
    for name in ("missing", "stale", "differing", "foreign"):
        if found[name]["count"]:
            ids = ", ".join(found[name]["ids"][:5])
            lines.append(f"{said(name, lang)}: {found[name]['count']} ({ids})")
    return "\n".join(lines)
