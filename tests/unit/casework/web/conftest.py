"""Pages over stores in memory, with people of every role; nothing listens anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.casework.web.page_world import PageWorld


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageWorld]:
    """A world without cases."""
    with PageWorld.made(tmp_path) as world:
        yield world
