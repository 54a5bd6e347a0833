"""The built files of the pages are those of the sources beside them; no Node is needed to know.

After a change under ``frontend/``: ``make frontend``; commit ``casework/web/static/bundle`` too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
SOURCES = ("package-lock.json", "package.json", "src", "tools", "tsconfig.json", "vite.config.ts")
"""As in ``frontend/tools/record.ts``."""

BUNDLE = resources.files("casework").joinpath("web", "static", "bundle")


def _record() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(BUNDLE.joinpath("build.json").read_bytes())
    return record


def digest_of_sources(root: Path) -> str:
    """The digest that ``record.ts`` describes."""
    files = [
        path
        for name in SOURCES
        for path in ([root / name] if "." in name else (root / name).rglob("*"))
        if path.is_file()
    ]
    whole = hashlib.sha256()
    for name in sorted(path.relative_to(root).as_posix() for path in files):
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


@pytest.mark.skipif(not FRONTEND.is_dir(), reason="the sources stay in the checkout")
def test_the_bundle_was_built_from_these_sources() -> None:
    assert _record()["sources"] == digest_of_sources(FRONTEND), (
        "casework/web/static/bundle is stale: run `make frontend` (needs Node) and commit it"
    )


def test_every_built_file_is_as_it_was_built() -> None:
    files = _record()["files"]
    found = {item.name for item in BUNDLE.iterdir()}
    assert found == {*files, "build.json"}
    for name, said in files.items():
        content = BUNDLE.joinpath(name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            said["bytes"],
            said["sha256"],
        )


def test_licences_of_what_was_bundled_are_carried() -> None:
    text = BUNDLE.joinpath("THIRD-PARTY-LICENSES.txt").read_text("utf-8")
    for name in (
        "@codemirror/view",
        "@lezer/yaml",
        "d3-force",
        "d3-geo",
        "d3-zoom",
        "style-mod",
        "world-atlas",
    ):
        assert f"\n{name} " in text
    assert text.count("Permission ") >= 15


@pytest.mark.skipif(not FRONTEND.is_dir(), reason="the sources stay in the checkout")
def test_the_lock_names_no_host() -> None:
    """Any registry can serve what the lock names by version and digest."""
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize(
    ("beginning", "most"),
    [
        ("app.js", 10_000),
        ("app.css", 4_000),
        ("map", 40_000),
        ("network", 40_000),
        ("editor", 150_000),
    ],
)
def test_pages_stay_light(beginning: str, most: int) -> None:
    """Bytes over the wire; graph and editor come only to pages that have one."""
    (name,) = (each for each in _record()["files"] if each.startswith(beginning))
    assert len(gzip.compress(BUNDLE.joinpath(name).read_bytes())) <= most


def test_no_file_names_another_host() -> None:
    for item in BUNDLE.iterdir():
        if item.name.endswith((".js", ".css")):
            text = item.read_text("utf-8")
            hosts = {part.split('"')[0].split("/")[0] for part in text.split("://")[1:]}
            # Names of XML, not addresses.
            assert hosts <= {"www.w3.org"}, item.name
