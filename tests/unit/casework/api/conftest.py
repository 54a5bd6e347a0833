"""An API over stores in memory, with callers of every kind; nothing listens anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.casework.api.api_world import ApiWorld


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiWorld]:
    """A world without an engine: fast to make."""
    with ApiWorld.made(tmp_path) as world:
        yield world


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[ApiWorld]:
    """A world with an engine of one pack."""
    with ApiWorld.made(tmp_path, events=True) as world:
        yield world
