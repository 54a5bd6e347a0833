"""Where a document matched, from its own values: no backend shows what another would hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from casework.cases.grades import MASK
from casework.search.document import Document
from casework.search.ports import Highlight, Piece
from casework.search.query import Field, How, Step
from casework.search.reach import Reach
from casework.search.text import near, placed_tokens

HIGHLIGHTS_MAX: Final = 4
_AROUND: Final = 40
"""Signs of a long value that are shown before and after a match."""

Span = tuple[int, int]


def highlights(
    document: Document, reach: Reach, terms: Sequence[Sequence[Step]]
) -> tuple[Highlight, ...]:
    """The first values that matched, field by field; what may not be shown is a mark.

    ``terms``: for each word the steps that the scope may take.
    """
    found: list[Highlight] = []
    for where in Field:
        steps = [step for term in terms for step in term if step.field is where]
        if not steps:
            continue
        for value in document.values(where):
            spans = _spans(value, steps) if where is not Field.SEALED else _sealed(value, steps)
            if not spans:
                continue
            if where in reach.shown:
                found.append(Highlight(where.value, _pieces(value, spans)))
            else:
                # Once a field: how many values matched would tell something as well.
                found.append(Highlight(where.value, ((MASK, True),)))
                break
            if len(found) >= HIGHLIGHTS_MAX:
                return tuple(found)
    return tuple(found[:HIGHLIGHTS_MAX])


def _sealed(value: str, steps: Sequence[Step]) -> list[Span]:
    return [(0, len(value))] if any(step.value[0] == value for step in steps) else []


def _spans(value: str, steps: Sequence[Step]) -> list[Span]:
    """Places of the value that any of the steps matches, in order, joined where they overlap."""
    placed = placed_tokens(value)
    found = sorted(span for step in steps for span in _of_step(placed, step))
    joined: list[Span] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _of_step(placed: Sequence[tuple[str, int, int]], step: Step) -> Iterator[Span]:
    words = [token for token, _, _ in placed]
    wanted = list(step.value)
    if step.how is How.PHRASE:
        for i in range(len(words) - len(wanted) + 1):
            if words[i : i + len(wanted)] == wanted:
                yield placed[i][1], placed[i + len(wanted) - 1][2]
    elif step.how is How.LOOSE:
        if set(wanted) <= set(words):
            yield from ((start, end) for token, start, end in placed if token in wanted)
    elif step.how is How.NEAR or (step.how is How.PREFIX and step.field is not Field.IDS):
        for token, start, end in placed:
            if token.startswith(wanted[0]) if step.how is How.PREFIX else near(token, wanted[0]):
                yield start, end
    else:
        yield from _in_number(placed, step)


def _in_number(placed: Sequence[tuple[str, int, int]], step: Step) -> Iterator[Span]:
    """A whole, a part or a beginning of the value without blanks and dashes."""
    whole, wanted = "".join(token for token, _, _ in placed), step.value[0]
    at = whole.find(wanted)
    if at < 0 or (step.how is not How.PART and at != 0):
        return
    if step.how is How.WHOLE and whole != wanted:
        return
    # Back to the places of the signs as written; a token may be longer than what was written.
    places: list[Span] = []
    for token, start, end in placed:
        signs = len(token)
        for i in range(signs):
            exact = end - start == signs
            places.append((start + i, start + i + 1) if exact else (start, end))
    yield places[at][0], places[at + len(wanted) - 1][1]


def _pieces(value: str, spans: Sequence[Span]) -> tuple[Piece, ...]:
    """The value around its first matches, cut at both ends where it is long."""
    first = max(0, spans[0][0] - _AROUND)
    last = min(len(value), spans[0][1] + 2 * _AROUND)
    made: list[Piece] = [("…", False)] if first else []
    place = first
    for start, end in spans:
        if end > last:
            break
        if start > place:
            made.append((value[place:start], False))
        made.append((value[start:end], True))
        place = end
    if place < last:
        made.append((value[place:last], False))
    if last < len(value):
        made.append(("…", False))
    return tuple(made)
