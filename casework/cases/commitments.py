"""Salted commitments: graded values are proved without being shown, and can be forgotten.

A graded leaf of a document is replaced by ``{"$commitment": hex of SHA-256(salt || canonical JSON
of the value)}`` before the document is hashed. Salt and value, the *opening*, are kept beside it.
Who holds the opening can check the value; who does not learns nothing from the commitment, since
the salt has 32 random bytes; and when an opening is erased, every hash stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.cases.chain import MARK, commitment
from regtech.errors import InputError


@dataclass(frozen=True, slots=True)
class Opening:
    """What a commitment hides: ``at`` is the JSON pointer (RFC 6901) of the leaf."""

    at: str
    salt: bytes
    value: Any


@dataclass(frozen=True, slots=True)
class Committed:
    """A document whose graded leaves are commitments, and what they hide as far as it is known."""

    content: Mapping[str, Any]
    openings: tuple[Opening, ...] = ()


def commit(
    document: Mapping[str, Any],
    graded: Callable[[str], bool],
    salt: Callable[[], bytes],
) -> Committed:
    """Hide every value for whose JSON pointer ``graded`` is true.

    ``salt`` gives 32 fresh random bytes a call (``secrets.token_bytes(32)``). A graded mapping or
    list is hidden as one value. ``null`` is hidden like any other value, so that its absence does
    not show. Raises ``InputError`` where the document already holds the mark of a commitment.
    """
    openings: list[Opening] = []

    def walk(value: Any, at: str) -> Any:
        if at and graded(at):
            _without_marks(value, at)
            opening = Opening(at, salt(), value)
            openings.append(opening)
            return {MARK: commitment(opening.salt, value)}
        if isinstance(value, Mapping):
            if MARK in value:
                raise _marked(at)
            return {key: walk(inner, f"{at}/{escaped(key)}") for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [walk(inner, f"{at}/{index}") for index, inner in enumerate(value)]
        return value

    content = walk(document, "")
    return Committed(content, tuple(openings))


def _without_marks(value: Any, at: str) -> None:
    if isinstance(value, Mapping):
        if MARK in value:
            raise _marked(at)
        for inner in value.values():
            _without_marks(inner, at)
    elif isinstance(value, list | tuple):
        for inner in value:
            _without_marks(inner, at)


def _marked(at: str) -> InputError:
    return InputError(
        f"{at or 'the document'} holds the key {MARK!r}, which only commitments may have",
        hint="rename the key at its source",
        code="commitment_mark",
    )


def reopened(committed: Committed) -> dict[str, Any]:
    """The document with every value put back whose opening is there; the rest stay commitments.

    Raises ``InputError`` for an opening that is not the one committed to, or has no place.
    """
    openings = {opening.at: opening for opening in committed.openings}
    used: set[str] = set()

    def walk(value: Any, at: str) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {MARK}:
                opening = openings.get(at)
                if opening is None:
                    return dict(value)
                used.add(at)
                if commitment(opening.salt, opening.value) != value[MARK]:
                    raise InputError(f"the value at {at} is not the one committed to")
                return opening.value
            return {key: walk(inner, f"{at}/{escaped(key)}") for key, inner in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [walk(inner, f"{at}/{index}") for index, inner in enumerate(value)]
        return value

    document: dict[str, Any] = walk(committed.content, "")
    if len(used) != len(openings):
        lost = next(at for at in openings if at not in used)
        raise InputError(f"there is no commitment at {lost}")
    return document


def escaped(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
