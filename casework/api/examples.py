"""Examples for the description of the API; a test holds each against its type."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from casework.api.types import (
    access,
    alerts,
    audit,
    backtests,
    cases,
    content,
    events,
    inforce,
    proposals,
    screening,
    search,
)

_CASE: Final = "C-dbc8c59a56ebd4585396"
_SHA: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_LINE: Final[dict[str, Any]] = {
    "id": _CASE,
    "version": 4,
    "state": "triage",
    "severity": "medium",
    "priority": 50,
    "queue": "cn",
    "jurisdiction": "CN",
    "theme": "large_value",
    "subject": {"per": "subject", "key": "BANK|C1"},
    "tenants": ["BANK"],
    "alerts": 1,
    "assignee": "li",
    "opened": "2026-03-02T08:31:00Z",
    "due": "2026-03-09T15:59:59.999999Z",
    "clock": {"state": "running", "working_days": 5},
    "tags": [],
    "reason": {"en": "Cash of CNY 50,000 in a day", "zh": "当日现金收支五万元以上"},
}
_ALERT: Final[dict[str, Any]] = {
    "id": "b7fba53012fac3ddebd96511a73f97f1",
    "rule": "cn-lvtr-0501",
    "pack": "cn-aml-large-value",
    "jurisdiction": "CN",
    "kind": "report",
    "severity": "medium",
    "time": "2026-03-02T08:30:00Z",
    "outcome": "met",
    "subject": {"per": "customer", "id": "C1", "institution": "BANK"},
    "measures": {"cny": {"amount": "50000.00", "currency": "CNY"}},
    "due": "2026-03-09",
}
_KEY: Final[dict[str, Any]] = {
    "id": "ahbcxiwtmbakwbnw",
    "owner": "li",
    "label": "laptop",
    "permissions": ["read", "work"],
    "roles": None,
    "jurisdictions": None,
    "tenants": None,
    "created": "2026-03-02T08:00:00Z",
    "expires": "2026-05-31T08:00:00Z",
    "revoked": None,
}
_JOB: Final[dict[str, Any]] = {
    "id": "J-236ba380dac70cef7d7d",
    "state": "running",
    "made": "2026-03-02T09:00:00Z",
    "changed": "2026-03-02T09:00:02Z",
    "sha256": _SHA,
    "size": 20_480_000,
    "at": 8_192_000,
    "lines": 40_000,
    "counts": {"judged": 39_990, "repeated": 8, "late": 2, "alerts": 61},
    "error": "",
}
_EVENT: Final[dict[str, Any]] = {
    "number": 7,
    "tenant": "BANK",
    "received": "2026-03-02T09:00:00Z",
    "source": "api",
    "line": 12,
    "field": "amount",
    "code": "amount_precision",
    "found": '"1.234"',
    "expected": "at most 2 decimals",
    "state": "open",
    "raw": None,
}
_PACK: Final[dict[str, Any]] = {
    "id": "cn-aml-large-value",
    "version": "1.0.0",
    "jurisdiction": "CN",
    "title": {"en": "Large-value transaction reports", "zh": "大额交易报告"},
    "digest": _SHA,
    "rules": 9,
}
_HIT: Final[dict[str, Any]] = {
    "kind": "case",
    "id": _CASE,
    "score": 16,
    "jurisdiction": "CN",
    "tenants": ["BANK"],
    "theme": "large_value",
    "state": "triage",
    "queue": "cn",
    "severity": "medium",
    "open": True,
    "at": "2026-03-02T08:31:00Z",
    "title": {"en": "Cash of CNY 50,000 in a day", "zh": "当日现金收支五万元以上"},
    "about": {},
    "highlights": [
        {
            "field": "numbers",
            "pieces": [{"text": "622202123", "match": False}, {"text": "4567", "match": True}],
        }
    ],
}
_SAVED: Final[dict[str, Any]] = {
    "name": "pressing",
    "search": {"severities": ["high"]},
    "changed": "2026-03-02T09:00:00Z",
}
_PROPOSAL: Final[dict[str, Any]] = {
    "id": "P-0123456789abcdef0123",
    "pack": "cn-aml-large-value",
    "jurisdiction": "CN",
    "version": "1.1.0",
    "base_version": "1.0.0",
    "author": "anna",
    "made": "2026-03-02T08:31:00Z",
    "note": "the figure of Order 3",
    "state": "approved",
    "standing": "in_force",
    "decided_by": "li",
    "decided": "2026-03-02T09:31:00Z",
    "reason": "",
}
_WHY: Final = "a salary, by the contract on file"

_BACKTEST: Final[dict[str, Any]] = {
    "id": "B-0123456789abcdef0123",
    "state": "running",
    "pack": "cn-aml-large-value",
    "jurisdiction": "CN",
    "version": "1.1.0",
    "base_version": "1.0.0",
    "sha256": _SHA,
    "history": "journal",
    "author": "anna",
    "made": "2026-03-02T09:00:00Z",
    "at": 40_960_000,
    "of": 122_880_000,
    "error": "",
}
_CHANGE: Final[dict[str, Any]] = {
    "number": 0,
    "change": "new",
    "rule": "cn-lvtr-0501",
    "jurisdiction": "CN",
    "institution": "BANK",
    "subject": {"per": "customer", "id": "C1"},
    "period": "2026-03-02",
    "time": "2026-03-02T08:30:00Z",
    "causes": [{"text": {"en": "cny is CNY 49,000", "zh": "cny 为 CNY 49,000"}}],
}
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    access.Login: {"name": "li", "password": "correct horse battery", "code": "123456"},
    access.NewKey: {"label": "laptop", "permissions": ["read", "work"], "days": 90},
    access.Key: _KEY,
    access.MadeKey: {**_KEY, "text": "rtk_ahbcxiwtmbakwbnw_…"},
    access.KeyList: {"items": [_KEY]},
    cases.CaseLine: _LINE,
    cases.CasePage: {"items": [_LINE], "after": None},
    cases.Claim: {"queue": "cn"},
    cases.Claimed: {
        "case": _LINE,
        "why": {"en": "priority 50, medium severity", "zh": "优先级 50"},
    },
    cases.Triage: {"action": "triage"},
    cases.Investigate: {"action": "investigate"},
    cases.Escalate: {"action": "escalate", "reason": "more than one institution"},
    cases.Reopen: {"action": "reopen", "reason": "a new report came"},
    cases.Close: {"action": "close", "outcome": "unfounded", "reason": _WHY},
    cases.AskClose: {"action": "ask_close", "outcome": "unfounded", "reason": _WHY},
    cases.AskReport: {"action": "ask_report", "outcome": "confirmed", "reason": "as the law asks"},
    cases.AskOverride: {"action": "ask_override", "about": "cn-lvtr-0501", "reason": "exempt"},
    cases.AskExport: {"action": "ask_export", "about": "to the court", "reason": "by its order"},
    cases.Approve: {"action": "approve", "number": 7},
    cases.Refuse: {"action": "refuse", "number": 7, "reason": "the contract is missing"},
    cases.Assign: {"action": "assign", "to": "wang"},
    cases.Comment: {"action": "comment", "text": "asked for the contract", "shared": True},
    cases.Tag: {"action": "tag", "add": ["salary"], "remove": []},
    cases.Check: {"action": "check", "item": "facts", "done": True},
    cases.Snooze: {"action": "snooze", "until": "2026-03-05T09:00:00+08:00", "reason": "waits"},
    cases.Wake: {"action": "wake"},
    cases.Prioritise: {"action": "prioritise", "priority": 90, "reason": "a minister asked"},
    cases.SetDue: {"action": "set_due", "due": "2026-03-31T18:00:00+08:00", "reason": "prolonged"},
    cases.LinkTo: {"action": "link", "case": _CASE, "relation": "related"},
    cases.Merge: {"action": "merge", "into": _CASE, "into_version": 4, "reason": "the same"},
    cases.Split: {"action": "split", "alerts": [_ALERT["id"]], "reason": "another matter"},
    cases.Share: {"action": "share", "shared": True, "reason": "the bank has to correct it"},
    cases.Bulk: {"cases": [{"case": _CASE, "version": 4}], "act": {"action": "investigate"}},
    cases.Unmask: {"reason": "to compare with the passport", "grade": "personal"},
    alerts.Alert: _ALERT,
    alerts.AlertPage: {"items": [_ALERT], "after": None},
    events.Decision: {
        "verdict": "judged",
        "alerts": [_ALERT],
        "cannot_tell": ["fatf-dealer-cash"],
        "refusal": None,
    },
    events.Job: _JOB,
    events.JobPage: {"items": [_JOB], "after": None},
    events.Quarantined: _EVENT,
    events.QuarantinePage: {"items": [_EVENT], "after": None},
    search.Search: {"text": "petrov 4567", "kinds": ["case"], "open": True},
    search.SearchPage: {
        "items": [_HIT],
        "total": 1,
        "at_least": False,
        "facets": {"state": {"triage": 1}},
        "after": None,
    },
    search.NewSearch: {"name": "pressing", "search": {"severities": ["high"]}},
    search.SavedSearch: _SAVED,
    search.SavedSearchList: {"items": [_SAVED]},
    screening.Screen: {"name": "Ivan Petrov", "kind": "person", "born": "1970"},
    screening.Screened: {
        "items": [
            {
                "query": "Ivan Petrov",
                "list": "ofac",
                "entry": "12345",
                "name": "PETROV, Ivan Sergeyevich",
                "primary": "PETROV, Ivan Sergeyevich",
                "quality": "primary",
                "kind": "person",
                "programs": ["SDNT"],
                "score": 0.957,
                "name_score": 0.87,
                "parts": [
                    {
                        "part": "birth_date",
                        "en": "date of birth",
                        "zh": "出生日期",
                        "log_odds": 1.2,
                        "asked": "1970",
                        "listed": "1970",
                    }
                ],
                "words": [
                    {
                        "left": "ivan",
                        "right": "ivan",
                        "relation": "same",
                        "en": "is",
                        "zh": "相同",
                        "alike": 1.0,
                        "log_odds": 1.9,
                    }
                ],
                "identifier": None,
                "start": None,
                "end": None,
            }
        ],
        "cut": False,
        "lists": ["ofac", "un"],
        "unknown": [],
    },
    content.Pack: _PACK,
    content.PackList: {"items": [_PACK]},
    content.Lint: {
        "errors": 1,
        "warnings": 0,
        "faults": [
            {
                "code": "RL102",
                "severity": "error",
                "message": "unknown key 'whem'",
                "line": 12,
                "column": 5,
                "hint": "did you mean when?",
            }
        ],
    },
    proposals.NewProposal: {
        "yaml": "pack: cn-aml-large-value\nversion: 1.1.0\n…",
        "note": "the figure of Order 3",
        "base": _SHA,
    },
    proposals.ProposalLine: _PROPOSAL,
    proposals.ProposalPage: {"items": [_PROPOSAL], "after": None},
    proposals.ProposalDecision: {"act": "refuse", "reason": "the text says 50,000"},
    inforce.RulesInForce: {
        "state": "reading",
        "since": "2026-03-02T08:00:00Z",
        "place": 81_920_000,
        "writes": True,
        "progress": {"stage": "journal", "at": 40_960_000, "of": 122_880_000},
        "refused": None,
    },
    backtests.NewBacktest: {
        "yaml": "pack: cn-aml-large-value\nversion: 1.1.0\n…",
        "history": "journal",
    },
    backtests.Backtest: _BACKTEST,
    backtests.BacktestList: {"items": [_BACKTEST], "histories": ["journal", "history"]},
    backtests.BacktestResult: {
        "events": 409_600,
        "alerts": {"new": 2, "gone": 0, "moved": 0, "same": 61},
        "sides": {"base": 61, "head": 63},
        "set_aside": {},
        "by_rule": [{"rule": "cn-lvtr-0501", "new": 2, "gone": 0, "moved": 0}],
        "by_institution": [{"institution": "BANK", "new": 2, "gone": 0, "moved": 0}],
        "causes": [{"rule": "cn-lvtr-0501", "name": "cny", "alerts": 2}],
        "around": [
            {
                "rule": "cn-lvtr-0501",
                "measure": "cny",
                "figures": ["CNY 47,000"],
                "bins": [{"from": 98, "to": 100, "count": 7}],
                "beyond": 3,
            }
        ],
        "kept": 2,
    },
    backtests.ChangePage: {"items": [_CHANGE], "after": None},
    backtests.Change: {**_CHANGE, "base": None, "head": _ALERT},
    content.NewEndpoint: {
        "url": "https://example.org/in",
        "kinds": ["case.opened"],
        "description": "",
    },
    audit.ChainList: {"items": [{"chain": "BANK", "length": 42, "hash": _SHA}]},
}
"""Type to an example of it."""
