"""Headings and set phrases of an explanation, English and Chinese."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "whom": ("About whom", "涉及对象"),
    "law": ("The law", "法律依据"),
    "event": ("The deciding event", "决定性事件"),
    "found": ("What was found", "查明的情况"),
    "steps": ("The arithmetic", "计算过程"),
    "deadline": ("The deadline", "期限"),
    "events": ("Contributing events", "相关事件"),
    "rates": ("Conversion", "汇率换算"),
    "follows": ("What follows", "后续要求"),
    "unseen": ("What the rule cannot see", "本规则的局限"),
    "note": ("Note", "说明"),
    "replay": ("Deciding it again", "重新判定"),
    "article": ("article", "条款"),
    "confidence": ("Confidence of the citation", "引用可信度"),
    "force": ("In force", "施行期间"),
    "obligation": ("Obligation", "义务"),
    "no_law": ("An indicator of the product; no law is cited.", "产品自有指标，未引用法律。"),
    "period": ("Period", "期间"),
    "where": ("What counts", "计入范围"),
    "when": ("Met when", "触发条件"),
    "all": ("all of these", "以下全部成立"),
    "any": ("any of these", "以下任一成立"),
    "figures": ("Other figures used", "所用其他数值"),
    "yields": ("Gives way to", "让位于"),
    "rule": ("Rule", "规则"),
    "severity": ("Severity", "等级"),
    "status": ("Status", "状态"),
    "due": ("Due", "截止"),
    "report": ("Report", "报告"),
}
OUTCOMES: Final = (("not met", "不成立"), ("cannot be told", "无法判断"), ("met", "成立"))
WHOLE: Final = (("not met", "未触发"), ("cannot tell", "无法判断"), ("met", "触发"))
SUBJECTS: Final = {
    "event": ("event", "事件"),
    "customer": ("customer", "客户"),
    "account": ("account", "账户"),
    "party": ("party", "当事方"),
    "group": ("group", "集团"),
    "institution": ("institution", "机构"),
}
NEAR: Final = (
    "A deadline is near and the duty has not been done",
    "期限临近，义务尚未履行",
)
UNTOLD: Final = (
    "The facts given do not say whether the rule is met; that is a finding of its own",
    "现有事实不足以判断是否触发，此结果本身即为一项提示",
)
ADVISORY: Final = (
    "Advisory: the rule is not certain enough to act on before a person has checked it",
    "建议性：该规则尚不够确定，人工核对前不得据此行动",
)
