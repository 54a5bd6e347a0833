"""Pages over stores in memory, with people of every role; nothing listens anywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[4])
if ROOT not in sys.path:
    # ``tests`` is no package: as a namespace it is found from the folder above it.
    sys.path.append(ROOT)

from tests.unit.casework.web.page_world import PageWorld  # noqa: E402


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageWorld]:
    """A world without cases."""
    with PageWorld.made(tmp_path) as world:
        yield world
