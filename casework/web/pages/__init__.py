"""One module for each page: what it shows, and what its forms do."""

from __future__ import annotations

from fastapi import APIRouter

from casework.web.pages import (
    accounts,
    alerts,
    audit,
    backtests,
    case,
    files,
    health,
    inforce,
    institutions,
    missing,
    overview,
    parties,
    policies,
    proposals,
    quarantine,
    queue,
    ruleeditor,
    rules,
    settings,
    signin,
    views,
    webhooks,
)


def routers() -> list[APIRouter]:
    """The routes of every page; a new page is added here and, where it is led to, in ``menu``."""
    modules = (
        signin, settings, overview, views, queue, files, case, alerts, parties, institutions,
        quarantine, rules, ruleeditor, proposals, inforce, backtests, policies, webhooks, accounts,
        audit, health,
    )  # fmt: skip
    return [module.router for module in modules]


__all__ = ["missing", "routers"]
