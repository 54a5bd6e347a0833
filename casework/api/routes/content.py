"""Rules and policies in use, and a reader for drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from casework.api.context import Context, Parts
from casework.api.gate import Reader
from casework.api.problems import documented
from casework.api.types import content as T
from casework.service.outside import PolicyBook, RuleBook
from regtech.errors import InternalError

rules_router = APIRouter(tags=["rules"])
policies_router = APIRouter(tags=["policies"])

Id = Annotated[str, Path(max_length=200)]
Lang = Annotated[Literal["en", "zh"], Query(description="Language of the page.")]
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "description": "The page."}
}


@rules_router.get("/packs", responses=documented(), summary="Rulepacks")
def packs(caller: Reader, parts: Parts) -> T.PackList:
    """The rulepacks that events are held against."""
    return T.PackList(items=[T.Pack.model_validate(pack) for pack in _rules(parts).packs()])


@rules_router.get("/packs/{pack}", responses=documented(404), summary="A rulepack")
def pack(caller: Reader, parts: Parts, pack: Id) -> T.PackView:
    """A rulepack with its rules."""
    return T.PackView.model_validate(_rules(parts).pack(pack))


@rules_router.get(
    "/rules/{rule}",
    responses={**documented(404), **_PAGE},
    response_class=Response,
    summary="A rule as a page",
)
def rule(caller: Reader, parts: Parts, rule: Id, lang: Lang = "en") -> Response:
    """A rule as a lawyer reads it: law, condition, figures with basis and dates."""
    return Response(_rules(parts).page(rule, lang), media_type="text/markdown")


@rules_router.post("/rules/lint", responses=documented(413), summary="Look at a draft of rules")
def lint(caller: Reader, parts: Parts, draft: T.Draft) -> T.Lint:
    """Every fault of a rulepack in YAML, with line and column. Nothing is kept."""
    return _lint(_rules(parts).lint(draft.yaml))


@policies_router.get("/policies", responses=documented(), summary="Policies")
def policies(caller: Reader, parts: Parts) -> T.PolicyList:
    """The policies that make cases of alerts."""
    found = _policies(parts).policies()
    return T.PolicyList(items=[T.PolicyLine.model_validate(policy) for policy in found])


@policies_router.get(
    "/policies/{policy}",
    responses={**documented(404), **_PAGE},
    response_class=Response,
    summary="A policy as a page",
)
def policy(caller: Reader, parts: Parts, policy: Id, lang: Lang = "en") -> Response:
    """A policy for people."""
    return Response(_policies(parts).page(policy, lang), media_type="text/markdown")


@policies_router.post(
    "/policies/lint", responses=documented(413), summary="Look at a draft of policies"
)
def lint_policies(caller: Reader, parts: Parts, draft: T.Draft) -> T.Lint:
    """Every fault of policies in YAML. Nothing is kept."""
    return _lint(_policies(parts).lint(draft.yaml))


def _lint(faults: Sequence[Mapping[str, Any]]) -> T.Lint:
    errors = sum(fault["severity"] == "error" for fault in faults)
    shown = [T.ContentFault.model_validate(fault) for fault in faults]
    return T.Lint(errors=errors, warnings=len(faults) - errors, faults=shown)


def _rules(parts: Context) -> RuleBook:
    if parts.rules is None:
        raise InternalError("the routes of rules are there without rules")
    return parts.rules


def _policies(parts: Context) -> PolicyBook:
    if parts.policies is None:
        raise InternalError("the routes of policies are there without policies")
    return parts.policies
