"""Pages of the documentation that tests hold against the code."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def reference_page(name: str) -> str:
    """A page of the reference; skips where the tests stand apart from the checkout, without it."""
    path = DOCS / "reference" / name
    if not path.is_file():
        pytest.skip("the pages stay in the checkout")
    return path.read_text(encoding="utf-8")
