"""``ETag`` and ``If-Match``: the version of a case; nobody overwrites what they never saw."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Header, Response

from casework.api.problems import ProblemError
from casework.cases.case import Case
from casework.cases.scope import Scope

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The version that was seen, as `ETag` gave it: `"7"`. Institutions, to whom '
        "versions are not shown, leave it out.",
        examples=['"7"'],
    ),
]

_ONE: Final = re.compile(r'"([0-9]{1,9})"')


def seen_version(if_match: str | None, scope: Scope) -> int:
    """The version in ``If-Match``; 0 for an institution, which has none.

    Raises ``ProblemError`` 428 where it is missing and 400 where it is none of ours.
    """
    if scope.restricted:
        return 0
    if if_match is None:
        raise ProblemError(
            428, "precondition_missing", "If-Match is missing",
            "send the ETag of the case that you have seen",
        )  # fmt: skip
    found = _ONE.fullmatch(if_match.strip())
    if found is None:
        raise ProblemError(400, "usage", "If-Match is not an ETag of a case", 'such as "7"')
    return int(found.group(1))


def tag(response: Response, case: Case) -> None:
    """Say which version this is."""
    response.headers["ETag"] = f'"{case.version}"'
