"""Backtests for tests, without a process that runs one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from casework.service.outside import Backtest
from regtech.app.backtesting import REQUEST, RESULT

BACKTEST = "B-0123456789abcdef0123"
_ALERT = {
    "measures": {"cny": {"amount": "49000.00", "currency": "CNY"}},
    "params": {"cash_cny": "CNY 47,000"},
    "subject": {"per": "customer", "id": "SECRET-CUSTOMER", "institution": "BANK-A"},
    "facts": {"payee.id": "SECRET-CUSTOMER"},
}
_COUNTS = {"new": 1, "gone": 0, "moved": 0}


def result() -> dict[str, Any]:
    """What one brought: an alert about somebody, which only the draft finds."""
    change = {
        "change": "new", "rule": "cn-lvtr-0501", "jurisdiction": "CN", "institution": "BANK-A",
        "subject": _ALERT["subject"], "period": "2026-03-02", "time": "2026-03-02T00:03:00Z",
        "fields": [], "causes": [{"text": {"en": "of SECRET-CUSTOMER", "zh": "x"}}],
        "base": None, "head": _ALERT,
    }  # fmt: skip
    bins = [{"from": 98, "to": 100, "count": 1}]
    return {
        "alerts": {**_COUNTS, "same": 7}, "sides": {"base": 7, "head": 8}, "events": 9,
        "set_aside": {}, "titles": {}, "by_rule": [{"rule": "cn-lvtr-0501", **_COUNTS}],
        "by_institution": [{"institution": "BANK-A", **_COUNTS}], "changes": [change],
        "causes": [{"rule": "cn-lvtr-0501", "kind": "measure", "name": "cny", "alerts": 1}],
        "around": [{"rule": "cn-lvtr-0501", "measure": "cny", "figures": ["CNY 47,000"],
                    "bins": bins, "beyond": 0}],
    }  # fmt: skip


def kept_backtest(folder: Path, identity: str, **more: Any) -> None:
    """One of Anna's that is done, as a server keeps it."""
    given: dict[str, Any] = {
        "id": identity, "actor": "anna", "pack": "cn-aml-large-value", "jurisdiction": "CN",
        "version": "1.1.0", "base_version": "1.0.0", "sha256": "0" * 64, "history": "journal",
        "made_us": 1_772_413_200_000_000, **more,
    }  # fmt: skip
    place = folder / identity
    place.mkdir(parents=True)
    (place / REQUEST).write_text(json.dumps({"backtest": asdict(Backtest(**given))}))
    (place / RESULT).write_text(json.dumps(result()))
