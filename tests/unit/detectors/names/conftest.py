"""The analyser, model and lists that ship or lie in tests/data, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.names.analysis import Analyser
from detectors.names.scoring import Model
from detectors.names.screener import Screener
from detectors.names.tables import NameTables
from regtech.adapters.lists.folder import read_lists
from regtech.app.names import FOLDER, country_words, load_model, load_tables
from regtech.content import content_root
from regtech.reference.watchlists import ListVersion

LISTS = Path(__file__).parents[3] / "data" / "lists"


@pytest.fixture(scope="session")
def tables() -> NameTables:
    return load_tables()


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="session")
def analyser(tables: NameTables) -> Analyser:
    return Analyser(tables)


@pytest.fixture(scope="session")
def versions() -> list[ListVersion]:
    return read_lists(LISTS, country_words(content_root("mappings") / FOLDER))


@pytest.fixture(scope="session")
def screener(tables: NameTables, model: Model, versions: list[ListVersion]) -> Screener:
    return Screener(tables, model, versions)
