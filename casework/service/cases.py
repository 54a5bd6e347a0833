"""The one service that API, pages and commands call for everything they do with cases."""

from __future__ import annotations

from casework.service.clocks import Clocks
from casework.service.export import Exporting
from casework.service.join import Joining
from casework.service.learn import Learning
from casework.service.read import Reading
from casework.service.work import Working


class CaseService(Reading, Working, Exporting, Joining, Clocks, Learning):
    """All use cases over one record. Every call takes the scope first; ``seen`` is the version
    of the case that the caller has before it. Faults are those of ``regtech.errors`` and
    ``casework.cases.errors``; where one is raised, nothing was written.
    """
