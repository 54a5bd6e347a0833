"""Whether a party, or a text of a payment, is on a list of names."""

from __future__ import annotations

from fastapi import APIRouter

from casework.api.context import Parts
from casework.api.gate import Reader, needs_role
from casework.api.problems import documented
from casework.api.types import screening as T
from casework.api.types.common import microseconds
from casework.cases.scope import Role
from casework.service.outside import ScreenedParty
from regtech.errors import InternalError, UsageError

router = APIRouter(tags=["screening"])


@router.post("/screen", responses=documented(), summary="Screen a name or a text against lists")
def screen(caller: Reader, parts: Parts, wanted: T.Screen) -> T.Screened:
    """Entries that the party may be, with what made each score, in English and Chinese.

    Whether a hit is the listed person is decided by people. Nothing is kept of what is asked; the
    question is in the body, and so in no log of a proxy. `unknown` names lists that cannot be
    answered for: no hit on those says nothing.
    """
    needs_role(caller.scope, "screen names", Role.SUPERVISOR, Role.INSTITUTION, Role.SERVICE)
    if parts.screening is None:
        raise InternalError("a route of screening without lists")
    if bool(wanted.name.strip()) == bool(wanted.text.strip()):
        raise UsageError("a name or a text, one of them")
    if wanted.text.strip() and (wanted.kind or wanted.born or wanted.countries):
        raise UsageError("kind, born and countries say more of a name, not of a text")
    party = ScreenedParty(
        name=wanted.name,
        text=wanted.text,
        kind=wanted.kind,
        born=wanted.born,
        countries=tuple(code.upper() for code in wanted.countries),
    )
    found = parts.screening.screen(
        caller.scope,
        party,
        at_us=None if wanted.at is None else microseconds(wanted.at),
        lists=tuple(wanted.lists),
        threshold=wanted.threshold,
    )
    return T.Screened.model_validate(found)
