"""Pages as HTML: every page, role and language; what forms do; what must not happen."""

from __future__ import annotations

import pytest

from tests.contract.world import SERVICE
from tests.unit.casework.web.page_world import PageWorld

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_supervisor_takes_the_first_case_and_closes_it(pages: PageWorld, lang: str) -> None:
    case = pages.case(1, kind="suspicion")
    person = pages.browser("wang", lang=lang)
    queue = person.get("/queue")
    assert case.id in queue.text
    page = person.done("/queue/claim", {})
    assert case.id in page.text
    for item in ("facts", "law"):
        version = page.values("version")[0]
        page = person.done(
            f"/cases/{case.id}/act",
            {"act": "check", "item": item, "done": "1", "version": version},
        )
    page = person.done(
        f"/cases/{case.id}/act",
        {
            "act": "close",
            "outcome": "unfounded",
            "reason": "looked at",
            "version": page.values("version")[0],
        },
    )
    assert pages.api.world.record.case(SERVICE, case.id).ended
