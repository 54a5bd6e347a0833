"""How the tests themselves run: the garbage collector looks less often.

What thousands of collected tests keep alive is walked anew by each full collection, which took an
eighth of the processor's time. It looks after 50,000 new objects rather than after 700.
"""

from __future__ import annotations

import gc

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.set_threshold(50_000, 20, 20)
