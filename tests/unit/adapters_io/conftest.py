"""One decoder for all tests of this folder: kernels are compiled once, vocabularies only grow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import all_fields
from regtech.reference.load import Reference


@pytest.fixture(scope="session")
def decoder() -> NdjsonDecoder:
    table = Reference.shipped().currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    return NdjsonDecoder(list(all_fields().values()), Vocabulary(), Vocabulary(), currencies)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    """Write a file and give its name."""

    def made(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return made
