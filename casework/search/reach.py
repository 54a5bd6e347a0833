"""How far a scope reaches into the index: which documents, which fields, what is shown of them.

Every backend is handed a ``Reach`` in place of a scope; there is no way to ask without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from casework.cases.grades import clear_grade
from casework.cases.lifecycle import ALLOWED, Action, allow
from casework.cases.scope import Scope
from casework.search.document import GRADES, Document
from casework.search.query import Field, How, SearchQuery, Step, Term
from casework.search.text import alone

FACETS: Final = ("kind", "jurisdiction", "theme", "state", "queue", "severity", "tenant")
RESTRICTED_FACETS: Final = ("kind", "jurisdiction", "theme", "tenant")


@dataclass(frozen=True, slots=True)
class Reach:
    """``jurisdictions`` and ``tenants`` None means all. ``searched``: fields that words are looked
    for in; ``shown``: those whose matches are shown, the others only say that they matched."""

    restricted: bool
    jurisdictions: tuple[str, ...] | None
    tenants: tuple[str, ...] | None
    searched: frozenset[Field]
    shown: frozenset[Field]

    @property
    def facets(self) -> tuple[str, ...]:
        """What is counted by: an institution is not told states, queues and severities."""
        return RESTRICTED_FACETS if self.restricted else FACETS

    def effective(self, query: SearchQuery) -> SearchQuery:
        """The question as far as it may be asked."""
        return query.limited() if self.restricted else query

    def steps(self, term: Term) -> list[Step]:
        """The ways in which a word may be found here.

        What is masked is found by who knows it, with a typo or not. It is not found by how it
        begins: letter after letter, that would unmask it.
        """
        return [
            step
            for step in term.steps()
            if step.field in self.shown or (step.field in self.searched and _known(step))
        ]

    def sees(self, document: Document) -> bool:
        """The filter of every backend as a function: the contract suite holds them together."""
        if document.gone:
            return False
        if not (document.restricted if self.restricted else document.full):
            return False
        if self.jurisdictions is not None and document.jurisdiction not in self.jurisdictions:
            return False
        if self.tenants is None:
            return True
        return bool(document.tenants) and all(t in self.tenants for t in document.tenants)


def _known(step: Step) -> bool:
    if step.how is How.PHRASE:
        return len(step.value) > 1 or not alone(step.value[0])
    return step.how in (How.WHOLE, How.NEAR, How.LOOSE)


def reach_of(scope: Scope) -> Reach:
    """How far the scope reaches. Raises ``ForbiddenError`` for a role that reads no cases.

    Whoever may unmask may also search by what is masked: looking for a person by name is what the
    index is there for. What is found is then shown without the name.
    """
    allow(scope, Action.READ)
    clear = clear_grade(scope)
    shown = frozenset(where for where, grade in GRADES.items() if grade <= clear)
    # An institution searches what it reported itself.
    all_of_it = scope.restricted or bool(scope.roles & ALLOWED[Action.UNMASK])
    return Reach(
        restricted=scope.restricted,
        jurisdictions=_sorted(scope.jurisdictions),
        tenants=_sorted(scope.tenants),
        searched=frozenset(Field) if all_of_it else shown,
        shown=shown - {Field.SEALED},
    )


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


FILTERS: Final[Mapping[str, str]] = {
    "kinds": "kind",
    "jurisdictions": "jurisdiction",
    "themes": "theme",
    "states": "state",
    "queues": "queue",
    "severities": "severity",
}
"""Filters of a query to the field of a document that they compare."""


def passes(document: Document, query: SearchQuery) -> bool:
    """Whether the filters of the query let the document through."""
    for name, where in FILTERS.items():
        wanted = getattr(query, name)
        if wanted and getattr(document, where) not in wanted:
            return False
    if query.tenants and not set(query.tenants) & set(document.tenants):
        return False
    if query.open is not None and document.open != query.open:
        return False
    if query.since_us is not None and document.at_us < query.since_us:
        return False
    return query.until_us is None or document.at_us <= query.until_us
