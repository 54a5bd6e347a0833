"""Documents and questions as Elasticsearch has them.

Tokens are made by ``casework.search.text`` and sent ready, between blanks, so that both backends
have one idea of a word and no analysis module has to be installed on the server. Scores are
constants, the best one a word, summed: the formula of ``casework.search.query``.
"""

from __future__ import annotations

import json
from typing import Any, Final

from casework.search.base import Asked
from casework.search.document import Document, document_of
from casework.search.query import Field, How, Step
from casework.search.reach import FILTERS
from casework.search.text import compact, pieces, tokens

_FACETS_MAX: Final = 10_000
_NEAR_WORDS: Final = 500
_ID_MAX: Final = 500

Plain = dict[str, Any]


def source_of(document: Document) -> Plain:
    """What is sent for a document."""
    visible = [] if document.gone else _visible(document)
    made: Plain = {
        "id": document.id,
        "kind": document.kind.value,
        "visible": visible,
        "body": json.dumps(document.as_dict(), ensure_ascii=False, separators=(",", ":")),
    }
    if document.gone:
        return made
    numbers = [compact(value) for value in document.numbers]
    return {
        **made,
        "jurisdiction": document.jurisdiction,
        "tenants": list(document.tenants),
        "tenant_count": len(set(document.tenants)),
        "theme": document.theme,
        "state": document.state,
        "queue": document.queue,
        "severity": document.severity,
        "open": document.open,
        "at_us": document.at_us,
        "ids": compact(document.subject),
        "names": _streams(document, Field.NAMES),
        "numbers": numbers,
        "parts": [" ".join(pieces(number)) for number in numbers],
        "text": _streams(document, Field.TEXT),
        "notes": _streams(document, Field.NOTES),
        "sealed": list(document.sealed),
    }


def _visible(document: Document) -> list[str]:
    return [name for name in ("full", "restricted") if getattr(document, name)]


def _streams(document: Document, where: Field) -> list[str]:
    # A list: the server keeps a gap between values, so that no phrase goes across.
    return [" ".join(tokens(value)) for value in document.values(where)]


def read_source(source: Plain) -> Document:
    """The document of what was sent."""
    return document_of(json.loads(source["body"]))


def fits(identity: str) -> bool:
    """Whether the server takes an id of this length."""
    return len(identity.encode()) <= _ID_MAX


def question(asked: Asked) -> Plain:
    """Words, filters and scope as one query; the scope is always in it."""
    made: Plain = {"filter": _scope(asked) + _filters(asked)}
    if asked.terms:
        made["must"] = [
            {"dis_max": {"queries": [_constant(step) for step in steps]}} for steps in asked.terms
        ]
    return {"bool": made}


def _scope(asked: Asked) -> list[Plain]:
    reach = asked.reach
    made: list[Plain] = [{"term": {"visible": "restricted" if reach.restricted else "full"}}]
    if reach.jurisdictions is not None:
        made.append({"terms": {"jurisdiction": list(reach.jurisdictions)}})
    if reach.tenants is not None:
        # All of a document's institutions, and at least one: nobody sees a stranger's data.
        every = {"terms": list(reach.tenants), "minimum_should_match_field": "tenant_count"}
        made += [{"range": {"tenant_count": {"gte": 1}}}, {"terms_set": {"tenants": every}}]
    return made


def _filters(asked: Asked) -> list[Plain]:
    query = asked.query
    made: list[Plain] = []
    for name, where in (*FILTERS.items(), ("tenants", "tenants")):
        wanted = getattr(query, name)
        if wanted:
            made.append({"terms": {where: [str(value) for value in wanted]}})
    if query.open is not None:
        made.append({"term": {"open": query.open}})
    bounds = {"gte": query.since_us, "lte": query.until_us}
    given = {name: value for name, value in bounds.items() if value is not None}
    if given:
        made.append({"range": {"at_us": given}})
    return made


def _constant(step: Step) -> Plain:
    return {"constant_score": {"filter": _step(step), "boost": step.score}}


def _step(step: Step) -> Plain:
    field, value = step.field.value, step.value[0]
    if step.how is How.PART:
        return _phrase("parts", pieces(value))
    if step.how is How.PREFIX:
        return {"prefix": {field: {"value": value}}}
    if step.how is How.NEAR:
        near = {"value": value, "fuzziness": 1, "prefix_length": 0, "transpositions": True}
        return {"fuzzy": {field: {**near, "max_expansions": _NEAR_WORDS}}}
    if step.how is How.LOOSE:
        return {"bool": {"filter": [{"term": {field: word}} for word in step.value]}}
    return _phrase(field, list(step.value))


def _phrase(field: str, words: list[str]) -> Plain:
    if len(words) == 1:
        return {"term": {field: words[0]}}
    return {"match_phrase": {field: " ".join(words)}}


def aggregations(asked: Asked) -> Plain:
    """Counts by what the scope may count by; empty values count nowhere."""
    if not asked.facets:
        return {}
    return {
        name: {
            "terms": {
                "field": "tenants" if name == "tenant" else name,
                "size": _FACETS_MAX,
                "exclude": [""],
            }
        }
        for name in asked.reach.facets
    }
