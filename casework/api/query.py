"""Parameters of an address that no route knows are refused, as unknown fields of a body are.

A filter that is misspelled would otherwise be no filter: the answer would hold everything, and
look like what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute

from regtech.content.faults import did_you_mean

_SHOWN: Final = 100
"""Characters of a parameter's name that an answer repeats."""

_NAMES: Final[dict[Callable[..., Any], tuple[str, ...]]] = {}
"""Parameters by the function that answers; there are as many as there are routes."""


async def known_parameters(request: Request) -> None:
    """A dependency of every route: raises ``RequestValidationError`` with each unknown name."""
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    names = _NAMES.get(route.endpoint)
    if names is None:
        names = _NAMES[route.endpoint] = _names(route)
    faults = [_fault(name, names) for name in request.query_params if name not in names]
    if faults:
        raise RequestValidationError(faults)


def _names(route: APIRoute) -> tuple[str, ...]:
    """The names of its parameters, those of what it depends on with them."""
    found = [field for field in get_flat_params(route.dependant) if _of_query(field.field_info)]
    return tuple(dict.fromkeys(str(field.alias) for field in found))


def _of_query(info: object) -> bool:
    return isinstance(info, Query)


def _fault(name: str, names: tuple[str, ...]) -> dict[str, Any]:
    hint = str(did_you_mean(name, names)) or (f"one of {', '.join(names)}" if names else "")
    said = f"there is no such parameter{f' ({hint})' if hint else ''}"
    return {"type": "extra_forbidden", "loc": ("query", name[:_SHOWN]), "msg": said, "input": None}
