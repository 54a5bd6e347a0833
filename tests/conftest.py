"""How the tests themselves run: the collector looks less often, what ships is read once, processes
are forked from one that is ready.

What thousands of collected tests keep alive is walked anew by each full collection, which took an
eighth of the processor's time. It looks after 50,000 new objects rather than after 700, and what
was there when the first test began stays and is not walked over at all, as in a server.
"""

from __future__ import annotations

import gc
import sys

import pytest

from regtech.collector import let_stay

gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish(session: pytest.Session) -> None:
    if "casework.stores.sql.engine" in sys.modules:
        from tests.support.stores import migrate_once

        migrate_once()
    if "regtech.rulelang.packs" in sys.modules:
        from tests.support.shipped import read_once

        read_once()
    if "regtech.app" in sys.modules:
        from tests.support.standby import fork_beside

        fork_beside()
    let_stay()
