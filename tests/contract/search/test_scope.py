"""Nobody finds, counts or sees marked what is not theirs."""

from __future__ import annotations

import pytest

from casework.cases.grades import MASK
from casework.cases.scope import Role, Scope
from casework.search.document import Document
from casework.search.ports import SearchIndex
from casework.search.query import Kind, SearchQuery
from casework.search.text import sealed
from regtech.errors import ForbiddenError, UsageError
from tests.contract.search.support import (
    AUTHOR,
    OPERATOR,
    SERVICE,
    SUPERVISOR,
    ask,
    case,
    fill,
    found,
    institution,
    shown,
)


def test_a_full_view_ends_at_its_jurisdictions_and_institutions(index: SearchIndex) -> None:
    fill(
        index,
        [
            case(1),
            case(2, jurisdiction="EU"),
            case(3, tenants=("BANK-B",)),
            case(4, tenants=("BANK-A", "BANK-B")),
            case(5, tenants=()),
            case(6, full=False),
            case(7, full=False, restricted=True),
        ],
    )
    supervisor = frozenset({Role.SUPERVISOR})
    for wanted, jurisdictions, tenants in (
        ([5, 4, 3, 2, 1], None, None),
        ([5, 4, 3, 1], {"CN"}, None),
        ([2, 1], None, {"BANK-A"}),
        ([4, 3, 2, 1], None, {"BANK-A", "BANK-B"}),
        ([2], {"EU"}, {"BANK-A"}),
        ([], {"US"}, {"BANK-A"}),
        ([], set[str](), None),
        ([], None, set[str]()),
    ):
        scope = Scope(
            "x",
            supervisor,
            None if jurisdictions is None else frozenset(jurisdictions),
            None if tenants is None else frozenset(tenants),
        )
        page = ask(index, scope=scope)
        assert found(index, scope=scope) == wanted
        assert page.total == len(wanted)
        assert sum(page.facets["kind"].values()) == len(wanted)
        assert set(page.facets["tenant"]) <= (tenants or {"BANK-A", "BANK-B"})


def test_a_filter_does_not_widen_the_scope(index: SearchIndex) -> None:
    fill(index, [case(1), case(2, tenants=("BANK-B",)), case(3, jurisdiction="EU")])
    scope = Scope("x", frozenset({Role.AUDITOR}), frozenset({"CN"}), frozenset({"BANK-A"}))
    assert found(index, scope=scope, tenants=("BANK-B",)) == []
    assert found(index, scope=scope, jurisdictions=("EU",)) == []


def test_an_institution_finds_its_own_documents_alone(index: SearchIndex) -> None:
    fill(
        index,
        [
            case(1, names=("Anna",)),
            case(2, names=("Anna",), full=False, restricted=True),
            case(3, names=("Anna",), full=False, restricted=True, tenants=("BANK-B",)),
            Document(
                "alert:4", Kind.ALERT, "C-4", 1, full=True, restricted=True,
                names=("Anna",), tenants=("BANK-A",), severity="high",
            ),
        ],
    )  # fmt: skip
    page = ask(index, "anna", institution("BANK-A"))
    assert found(index, "anna", institution("BANK-A")) == [2, 4]
    assert page.facets == {
        "kind": {"alert": 1, "case": 1},
        "jurisdiction": {"CN": 1},
        "theme": {"lending": 1},
        "tenant": {"BANK-A": 2},
    }
    assert {(hit.state, hit.queue, hit.severity) for hit in page.hits} == {("", "", "")}
    # What it is not told it cannot ask by either.
    assert found(index, "anna", institution("BANK-A"), severities=("low",)) == [2, 4]
    assert found(index, "anna", institution("BANK-A"), states=("closed",)) == [2, 4]
    assert found(index, "anna", institution("BANK-C")) == []


def test_a_role_that_reads_no_cases_may_not_search(index: SearchIndex) -> None:
    fill(index, [case(1)])
    with pytest.raises(ForbiddenError):
        ask(index, scope=AUTHOR)


def test_what_is_masked_is_found_and_not_shown(index: SearchIndex) -> None:
    fill(
        index,
        [case(1, names=("Anna Berg", "Anna Berger"), numbers=("6222",), sealed=(sealed("P123"),))],
    )
    assert [shown(h) for h in ask(index, "anna 6222").hits[0].highlights] == [
        "[Anna] Berg",
        "[Anna] Berger",
        "[6222]",
    ]
    (hit,) = ask(index, "anna 6222 p123", SUPERVISOR).hits
    marks = {highlight.field: shown(highlight) for highlight in hit.highlights}
    assert marks == {"names": f"[{MASK}]", "numbers": "[6222]", "sealed": f"[{MASK}]"}
    # With a typo as well, but not letter after letter: that would unmask it.
    assert found(index, "anan", SUPERVISOR) == [1]
    assert found(index, "ann", SUPERVISOR) == [] and found(index, "ann") == [1]


def test_a_masked_chinese_name_is_not_found_sign_after_sign(index: SearchIndex) -> None:
    fill(index, [case(1, names=("欧阳修文",))])
    assert found(index, "欧") == [1] and found(index, "欧", SUPERVISOR) == []
    assert found(index, "欧阳修", SUPERVISOR) == [1]


def test_an_operator_searches_what_says_nothing_of_persons(index: SearchIndex) -> None:
    fill(index, [case(1, names=("Anna",), numbers=("6222",), notes=("Anna",), text=("wire",))])
    assert found(index, "wire", OPERATOR) == [1]
    assert found(index, "C-00000000000000000001", OPERATOR) == [1]
    for word in ("anna", "6222"):
        assert found(index, word, OPERATOR) == []
        assert ask(index, word, OPERATOR).total == 0


def test_a_party_is_shown_as_far_as_its_grade_allows(index: SearchIndex) -> None:
    party = Document(
        "party:1", Kind.PARTY, "P-1", 1, full=True, names=("Anna Berg",), numbers=("6222",)
    )
    fill(index, [party])
    for scope, about in (
        (SERVICE, {"names": ("Anna Berg",), "numbers": ("6222",)}),
        (SUPERVISOR, {"names": (MASK,), "numbers": ("6222",)}),
        (OPERATOR, {"names": (MASK,), "numbers": (MASK,)}),
    ):
        (hit,) = ask(index, scope=scope).hits
        assert hit.about == about


def test_a_cursor_is_good_for_its_own_search_and_scope(index: SearchIndex) -> None:
    fill(index, [case(number, names=("Anna",)) for number in range(5)])
    after = index.search(SUPERVISOR, SearchQuery("anna"), limit=2).after
    assert after is not None
    one = Scope("wang", SUPERVISOR.roles, None, frozenset({"BANK-A"}))
    for scope, query, cursor in (
        (one, SearchQuery("anna"), after),
        (institution("BANK-A"), SearchQuery("anna"), after),
        (SUPERVISOR, SearchQuery("berta"), after),
        (SUPERVISOR, SearchQuery("anna", open=True), after),
        (SUPERVISOR, SearchQuery("anna"), after[:-3]),
        (SUPERVISOR, SearchQuery("anna"), "…"),
        (SUPERVISOR, SearchQuery("anna"), ""),
    ):
        with pytest.raises(UsageError):
            index.search(scope, query, after=cursor)
    # Anybody of the same reach may go on with it.
    li = Scope("li", SUPERVISOR.roles, None, None)
    assert index.search(li, SearchQuery("anna"), after=after, limit=2).hits
