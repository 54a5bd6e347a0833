"""What can go wrong with an index beyond the kinds of ``regtech.errors``; codes are stable.

StoreError
├── IndexAbsentError   index_absent   nothing was built yet, or it was lost: build it anew
└── IndexRefusedError  index_refused  some documents were not taken; the others were
UsageError
└── WalkEndedError     walk_ended     the pages of a search are kept for some minutes only
"""

from __future__ import annotations

from collections.abc import Sequence

from regtech.content.saying import say
from regtech.errors import StoreError, UsageError


class IndexAbsentError(StoreError):
    """There is no index of the present shape. The record has everything that belongs into it."""

    code = "index_absent"

    def __init__(self, message: str = "there is no search index yet, or it was lost") -> None:
        super().__init__(message, hint=say("build it: regtech search rebuild"))


class IndexRefusedError(StoreError):
    """The index would never take some of the documents; ``ids`` names them. The rest is in it."""

    code = "index_refused"

    def __init__(self, ids: Sequence[str], why: str) -> None:
        super().__init__(
            say(
                "documents that the search index refuses: %(ids)s, such as %(ids_2)s: %(why)s",
                ids=len(ids),
                ids_2=ids[0],
                why=why,
            ),
            hint=say("they are in the record and cannot be searched; report this as a defect"),
        )
        self.ids = tuple(ids)


class WalkEndedError(UsageError):
    """The cursor is of a search that is no longer kept."""

    code = "walk_ended"

    def __init__(self) -> None:
        super().__init__(
            say("this search is no longer kept"), hint=say("search again from the first page")
        )
