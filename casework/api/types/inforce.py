"""Rules in force, and rules read anew."""

from __future__ import annotations

from pydantic import Field

from casework.api.types.common import Shown
from casework.service.outside import ReadingState


class PlacedFault(Shown):
    """A fault of a pack that was read, with its place."""

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    hint: str = ""


class Progress(Shown):
    """How far a reading is."""

    stage: str = Field(description="packs, journal or exchange.")
    at: int = Field(description="Bytes of the journal of events that were followed.")
    of: int = Field(description="Bytes that are to be followed; 0 where nobody knows yet.")


class Refused(Shown):
    """Why the rules that were read last are not used."""

    at: str
    error: str
    hint: str
    faults: list[PlacedFault]


class RulesInForce(Shown):
    """The rules that events are held against, and how far it is with others."""

    state: ReadingState
    since: str = Field(description="When they took over.")
    place: int | None = Field(
        description="Bytes of the journal of events that others had judged by then; null where "
        "the server judges nothing."
    )
    writes: bool = Field(description="Whether approved proposals can be applied here.")
    progress: Progress | None = Field(description="Of a reading that is under way.")
    refused: Refused | None
