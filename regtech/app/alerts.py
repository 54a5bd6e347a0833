"""Finding alerts in the files that ``run`` writes: by place, by id, or a sample of rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from regtech.errors import InputError, UsageError

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+)|#(?P<id>[^#]+))?")


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"alerts could not be read from {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"not a file of alerts: {path} is not UTF-8") from None
    alerts = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            alert = json.loads(line)
            if not isinstance(alert, dict) or "id" not in alert or "rule" not in alert:
                raise ValueError("not an alert")
        except ValueError:
            raise InputError(f"{path}:{number} is not an alert", hint="see `regtech run`") from None
        alerts.append(alert)
    if not alerts:
        raise InputError(f"{path} holds no alert")
    return alerts


def _sample(alerts: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """One alert of each rule, one jurisdiction after the other, up to ``count``.

    Alerts over several events, but not too many, come first: they show the most in the least.
    """

    def telling(alert: dict[str, Any]) -> bool:
        return 2 <= int(alert.get("event_count", 0)) <= 20

    chosen_of: dict[str, dict[str, Any]] = {}
    for alert in alerts:
        known = chosen_of.setdefault(str(alert["rule"]), alert)
        if telling(alert) and not telling(known):
            chosen_of[str(alert["rule"])] = alert
    queues: dict[str, list[dict[str, Any]]] = {}
    for alert in sorted(chosen_of.values(), key=lambda found: not telling(found)):
        queues.setdefault(str(alert.get("jurisdiction", "")), []).append(alert)
    chosen: list[dict[str, Any]] = []
    while len(chosen) < count and any(queues.values()):
        for queue in queues.values():
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    return chosen


def load_alerts(
    reference: str, default: Path, *, sample: int = 0, every: bool = False
) -> list[dict[str, Any]]:
    """The alerts that ``reference`` names: ``FILE``, ``FILE:LINE``, ``FILE#ID``, or an id.

    An id alone is looked up in ``default``. ``FILE`` means its first alert; with ``sample`` the
    first of that many rules; with ``every`` all. Raises ``UsageError`` where nothing has that
    name, ``InputError`` where the file is not one of alerts.
    """
    if Path(reference).is_file():
        alerts = _read(Path(reference))
        if every:
            return alerts
        return _sample(alerts, sample) if sample else alerts[:1]
    match = _PLACE.fullmatch(reference)
    if match is not None and (match["line"] or match["id"]) and Path(match["file"]).is_file():
        alerts = _read(Path(match["file"]))
        if match["id"]:
            return _by_id(alerts, match["id"], match["file"])
        line = int(match["line"])
        if not 1 <= line <= len(alerts):
            raise UsageError(f"{match['file']} has {len(alerts)} lines; there is no line {line}")
        return [alerts[line - 1]]
    if not default.is_file():
        raise UsageError(
            f"no file and no alert is called {reference}",
            hint="give FILE:LINE, or the alert's id and --alerts FILE",
        )
    return _by_id(_read(default), reference, str(default))


def _by_id(alerts: list[dict[str, Any]], wanted: str, file: str) -> list[dict[str, Any]]:
    found = [alert for alert in alerts if str(alert["id"]).startswith(wanted)]
    exact = [alert for alert in found if alert["id"] == wanted]
    if exact or len(found) == 1:
        return (exact or found)[:1]
    if found:
        raise UsageError(f"{len(found)} alerts in {file} begin with {wanted}; give more of the id")
    raise UsageError(f"no alert {wanted} in {file}")
