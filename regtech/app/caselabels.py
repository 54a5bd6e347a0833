"""``regtech cases outcomes``: labels from what cases ended with, for ``regtech score``."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from casework.cases.scope import Scope
from casework.cases.times import time_text
from regtech.app.casework import Casework
from regtech.app.evidence import write_whole
from regtech.errors import UsageError

COLUMNS = ("id", "institution", "label", "known", "typology", "theme")


def write_outcomes(parts: Casework, scope: Scope, out: Path) -> dict[str, Any]:
    """Write a table of events with what is known of them; the file appears whole or not at all.

    Raises ``UsageError`` where there is a file of that name, and what the service raises.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", hint="name another file")
    found = parts.service.event_outcomes(scope)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for one in found:
        known = time_text(one.known_us)
        label = int(one.confirmed)
        table.writerow((one.event, one.institution, label, known, one.rule, one.theme))
    write_whole(out, text.getvalue().encode())
    confirmed = sum(one.confirmed for one in found)
    return {"out": str(out), "confirmed": confirmed, "unfounded": len(found) - confirmed}
