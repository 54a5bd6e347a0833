"""Which case comes first, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casework.cases.case import Case
from casework.cases.sla import FOREVER_US, ClockReading, ClockState

PRIORITIES: Final[Mapping[str, int]] = {"urgent": 90, "high": 70, "normal": 50, "low": 30}
"""What the words of policies are on the scale of 0 to 100 that people use."""


def order_of(case: Case) -> tuple[int, int, int, str]:
    """The order of every queue: priority (more first), due (sooner first), opened, id."""
    due = FOREVER_US if case.due_us is None else case.due_us
    return (-case.priority, due, case.opened_us, case.id)


_SEVERITY_ZH = {"critical": "极高", "high": "高", "medium": "中", "low": "低", "info": "提示"}


def why_first(case: Case, reading: ClockReading, rival: Case | None) -> dict[str, str]:
    """Why the case is the first of its queue; ``rival`` is the one that would come next."""
    zh_severity = _SEVERITY_ZH.get(case.severity, case.severity)
    en = [f"priority {case.priority}, {case.severity} severity"]
    zh = [f"优先级 {case.priority}，严重程度{zh_severity}"]
    days = reading.working_days
    if reading.state is ClockState.OVERDUE and days is not None:
        en.append(f"overdue by {-days} working days")
        zh.append(f"已逾期 {-days} 个工作日")
    elif days is not None:
        en.append(f"{days} working days left")
        zh.append(f"剩余 {days} 个工作日")
    if rival is None:
        en.append("nothing else waits")
        zh.append("没有其他待办")
    elif rival.priority != case.priority:
        en.append(f"the next, {rival.id}, has priority {rival.priority}")
        zh.append(f"下一件 {rival.id} 的优先级为 {rival.priority}")
    elif order_of(rival)[1] != order_of(case)[1]:
        en.append(f"the next, {rival.id}, of the same priority is due later")
        zh.append(f"下一件 {rival.id} 优先级相同但期限较晚")
    else:
        en.append(f"opened before {rival.id}, which is as pressing")
        zh.append(f"早于同样紧急的 {rival.id} 立案")
    return {"en": "; ".join(en), "zh": "；".join(zh)}
