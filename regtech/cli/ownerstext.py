"""Owners of a party as a person reads them on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ZH: Final[Mapping[str, str]] = {
    "owners of": "所有人：",
    "as of": "截至",
    "threshold": "门槛",
    "at_least": "不低于",
    "above": "超过",
    "nobody": "没有达到门槛的所有人",
    "cannot tell": "无法判断",
    "below": "未达门槛",
    "listed companies, not looked through": "上市公司，不再穿透",
    "missing": "缺失信息",
    "findings": "申报问题",
    "there may be owners that are not reported": "可能还有未申报的所有人",
    "nobody else reaches the threshold": "不存在其他达到门槛的所有人",
    "shares": "股权",
    "votes": "表决权",
    "income": "收益权",
    "control": "控制权",
    "board": "董事任免权",
    "person": "自然人",
    "entity": "实体",
    "institution": "机构",
    "government": "政府",
    "product": "产品",
    "kind not reported": "类型未申报",
    "to": "至",
    "if what is not reported were his too": "如未申报部分亦归其所有",
    "in concert with": "一致行动人",
    "controlled by": "受控于",
    "by": "凭",
    "as nominee": "代持",
    "chains were cut": "链条未全部列出",
    "declared in all": "申报合计",
    "of": "占",
    "records": "条记录",
    "used": "已用",
    "not usable": "不可用",
    "because of": "依据",
}


def _said(text: str, lang: str) -> str:
    return _ZH.get(text, text) if lang == "zh" else text.replace("_", " ")


def percent(text: str) -> str:
    """``0.275`` as ``27.5 %``, exactly."""
    whole, _, rest = text.partition(".")
    digits = whole + rest.ljust(2, "0")[:2]
    more = rest[2:].rstrip("0")
    return f"{int(digits)}{'.' + more if more else ''} %"


def _bounds(share: Mapping[str, Any], lang: str) -> str:
    low, high, open_ = share["low"], share["high"], share["open"]
    text = percent(low)
    if "fraction" in share:
        text += f" ({share['fraction']})"
    elif high != low:
        text += f" {_said('to', lang)} {percent(high)}"
    if not share["known"] and open_ != high:
        text += f" ({percent(open_)} {_said('if what is not reported were his too', lang)})"
    return text


def _owner_lines(owner: Mapping[str, Any], lang: str) -> list[str]:
    kind = _said(owner["kind"] or "kind not reported", lang)
    reasons = ", ".join(_said(reason, lang) for reason in owner["reasons"])
    lines = [f"  {owner['party']}  ({kind})  {_said('because of', lang)}: {reasons}"]
    lines.append(f"      {_said('shares', lang)} {_bounds(owner['share'], lang)}")
    if owner["votes"] != owner["share"]:
        lines.append(f"      {_said('votes', lang)} {_bounds(owner['votes'], lang)}")
    if owner["income"] is not None:
        lines.append(f"      {_said('income', lang)} {_bounds(owner['income'], lang)}")
    if owner["together"]:
        lines.append(f"      {_said('in concert with', lang)} {', '.join(owner['together'])}")
    if owner["declared"] is not None:
        lines.append(f"      {_said('declared in all', lang)} {_bounds(owner['declared'], lang)}")
    for link in owner["control_chain"]:
        means = _said(link["means"], lang)
        if link["means"] == "votes":
            means += f" {percent(link['votes'])}"
        holders = " + ".join(link["holders"])
        lines.append(
            f"      {link['controlled']} {_said('controlled by', lang)} {holders} ({means})"
        )
    for path in owner["paths"]:
        lines.append("      " + _path_text(path, lang))
    if owner["paths_cut"]:
        lines.append(f"      … {_said('chains were cut', lang)}")
    return lines


def _path_text(path: Mapping[str, Any], lang: str) -> str:
    parts = [path["links"][0]["owned"]]
    for link in path["links"]:
        share = percent(link["share"])
        if link["share"] != link["share_max"]:
            share += f"–{percent(link['share_max'])}"
        mark = f", {_said('as nominee', lang)}" if link.get("nominee") else ""
        parts.append(f"← {link['owner']} ({share}{mark})")
    total = percent(path["share"])
    if path["share"] != path["share_max"]:
        total += f"–{percent(path['share_max'])}"
    return " ".join(parts) + f" = {total}"


def owners_text(result: Mapping[str, Any], lang: str) -> str:
    """The whole answer."""
    lines = [
        f"{_said('owners of', lang)} {result['party']}, "
        f"{_said('as of', lang)} {result['at']['day']}, "
        f"{_said('threshold', lang)} {_said(result['comparator'], lang)} "
        f"{percent(result['threshold'])}"
    ]
    for owner in result["owners"]:
        lines += _owner_lines(owner, lang)
    if not result["owners"]:
        lines.append("  " + _said("nobody", lang))
    if result["cannot_tell"]:
        lines.append(_said("cannot tell", lang) + ":")
        for owner in result["cannot_tell"]:
            lines += _owner_lines(owner, lang)
        if result["cannot_tell_more"]:
            lines.append(f"  … +{result['cannot_tell_more']}")
    if result["below"]:
        named = [f"{o['party']} {percent(o['share']['low'])}" for o in result["below"][:10]]
        more = result["below_count"] - len(named)
        lines.append(
            f"{_said('below', lang)}: " + ", ".join(named) + (f" … +{more}" if more else "")
        )
    if result["stops"]:
        named = [f"{s['party']} {percent(s['share']['low'])}" for s in result["stops"]]
        lines.append(f"{_said('listed companies, not looked through', lang)}: " + ", ".join(named))
    if result["missing"]:
        lines.append(_said("missing", lang) + ":")
        for entry in result["missing"]:
            owner = f" {entry['owner']}" if entry["owner"] else ""
            part = "" if entry["part"] == "0" else f" ({percent(entry['part'])})"
            lines.append(f"  {entry['party']}{owner}: {entry['text'][lang]}{part}")
    if result["further"] != "not_met":
        lines.append(_said("there may be owners that are not reported", lang))
    elif result["missing"]:
        lines.append(_said("nobody else reaches the threshold", lang))
    for finding in (*result["read"]["findings"], *result["findings"]):
        who = " ".join(filter(None, (finding["owned"], finding["owner"])))
        lines.append(
            f"{_said('findings', lang)}: {who}: {finding['text'][lang]} [{finding['detail']}]"
        )
    read = result["read"]
    if read["rejected"] or read["conflicts"]:
        refused = sum(read["rejected"].values()) + read["conflicts"]
        lines.append(
            f"{read['records']} {_said('records', lang)}, {read['used']} {_said('used', lang)}, "
            f"{refused} {_said('not usable', lang)}"
        )
    return "\n".join(lines)
