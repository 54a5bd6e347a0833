"""The house rules that no linter knows: what lies where, and who owns which name."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from regtech.content import ContentKind, content_root

PACKAGES = ("regtech", "detectors", "streams", "casework")


def test_the_four_import_names_belong_to_this_distribution_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    # An editable install owns no files at all, so that the set may be empty there.
    found = {name: set(owners.get(name, ())) for name in PACKAGES}
    assert all(owner <= {"regtech"} for owner in found.values()), found


@pytest.mark.parametrize("kind", ["rules", "mappings", "policies"])
def test_content_is_found_and_holds_no_code(kind: ContentKind) -> None:
    root = content_root(kind)
    assert any(root.rglob("*.yml"))
    assert not [path for path in root.rglob("*.py")]


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_typed(name: str) -> None:
    module = __import__(name)
    assert module.__file__ is not None
    assert (Path(module.__file__).parent / "py.typed").is_file()


def test_the_installed_version_is_that_of_the_code() -> None:
    import regtech

    assert importlib.metadata.version("regtech") == regtech.__version__
