"""Reference pages hold tables made from the code; this test compares them with it.

After a change of the code: ``REGTECH_UPDATE=1 pytest tests/test_docs.py``, and read the difference.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the pages stay in the checkout")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join([_row(*headings), "|---" * len(headings) + "|", *(_row(*r) for r in rows)])


def events() -> str:
    """The fields of every type; parties once."""
    from regtech.model.fields import COMMON, EVENT_TYPES, PARTY_FIELDS, REQUIRED, TYPE_FIELDS

    headings = ("field", "kind", "meaning")

    def rows(fields: Any, required: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for field in fields:
            name = f"**`{field.path}`**" if field.path in required else f"`{field.path}`"
            words = field.enum or field.words
            said = field.doc + (": " + ", ".join(f"`{word}`" for word in words) if words else "")
            found.append((name, field.kind.value, said))
        return found

    parts = ["### Every event", _table(headings, rows(COMMON))]
    parts += ["### A party", _table(headings, rows(PARTY_FIELDS))]
    for event_type in EVENT_TYPES:
        required = REQUIRED[event_type]
        own, parties = [], []
        for field in TYPE_FIELDS[event_type]:
            head, dot, rest = field.path.partition(".")
            if dot and head != "data":
                if head not in parties:
                    parties.append(head)
            else:
                own.append(field)
        said = ", ".join(
            f"**`{name}`**" if f"{name}.id" in required else f"`{name}`" for name in parties
        )
        parts.append(f"### `{event_type}`")
        if said:
            parts.append(f"Parties: {said}.")
        if own:
            parts.append(_table(headings, rows(own, required)))
    return "\n\n".join(parts)


def alerts() -> str:
    """The keys of an alert."""
    from regtech.app.schemas import ALERT_PROPERTIES

    rows = []
    for name, schema in ALERT_PROPERTIES.items():
        kind = schema.get("type", "")
        kind = "one of " + ", ".join(map(str, schema["enum"])) if "enum" in schema else kind
        kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
        rows.append((f"`{name}`", kind, str(schema.get("description", ""))))
    return _table(("key", "type", "meaning"), rows)


def quarantine() -> str:
    """The reasons."""
    from regtech.model.quarantine import REASONS

    return _table(("reason", "meaning"), [(f"`{code}`", said) for code, said in REASONS.items()])


def settings() -> str:
    """The settings."""
    from regtech.app.settings import SETTINGS

    rows = [
        (
            f"`{entry.name}`",
            f"`{entry.option}`" if entry.option else "",
            f"`{entry.default}`" if entry.default else "",
            entry.help,
        )
        for entry in SETTINGS
    ]
    return _table(("variable", "option", "default", "meaning"), rows)


def _walk(group: Any, prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _walk(command, (*prefix, name))
        else:
            yield (*prefix, name), command


def commands() -> str:
    """The help of every command, as it is printed on a terminal of 100 columns."""
    from regtech.cli.main import app

    parts = []
    for path, command in _walk(typer.main.get_command(app), ()):
        context = command.make_context(
            " ".join(("regtech", *path)), ["--help"], resilient_parsing=True,
            terminal_width=100, max_content_width=100,
        )  # fmt: skip
        with context:
            said = command.get_help(context)
        parts.append(f"## regtech {' '.join(path)}\n\n```text\n{said.rstrip()}\n```")
    return "\n\n".join(parts)


def errors() -> str:
    """Kinds of errors with their exit status."""
    from regtech.errors import RegtechError

    def kinds(kind: type[RegtechError]) -> Iterator[type[RegtechError]]:
        for sub in kind.__subclasses__():
            if sub.__module__ == "regtech.errors":
                yield sub
                yield from kinds(sub)

    rows = [
        (f"`{kind.code}`", str(kind.exit_status), (kind.__doc__ or "").split("\n\n")[0])
        for kind in kinds(RegtechError)
    ]
    return _table(("code", "exit status", "meaning"), rows)


def pattern_fields() -> str:
    """What patterns of policies can name."""
    from casework.policy.model import FLAG_FIELDS, WORD_FIELDS

    flags = {name: f"`true` or `false`: {doc}" for name, doc in FLAG_FIELDS.items()}
    rows = [(f"`{name}`", doc) for name, doc in {**WORD_FIELDS, **flags}.items()]
    return _table(("field", "meaning"), rows)


def policy_faults() -> str:
    """Faults of policy files."""
    from casework.policy.faults import CODES

    rows = [(code, item.severity, item.meaning, item.remedy) for code, item in CODES.items()]
    return _table(("code", "severity", "meaning", "what to do"), rows)


def api_codes() -> str:
    """Codes of problems."""
    from casework.api.problems import CODES

    rows = [(f"`{code}`", str(status), said) for code, (status, said) in CODES.items()]
    return _table(("code", "status", "meaning"), rows)


def api_routes() -> str:
    """Every route of a server that has all parts."""
    from casework.api.app import create_app
    from casework.api.context import Context

    parts: Any = {name: object() for name in Context.__dataclass_fields__}
    paths = create_app(Context(**parts), version="0", random=bytes).openapi()["paths"]
    rows = [
        (f"`{method.upper()} {path}`", operation["summary"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
    return _table(("route", "what"), rows)


PAGES = {
    "events": (DOCS / "reference" / "events.md", events),
    "alerts": (DOCS / "reference" / "alerts.md", alerts),
    "quarantine": (DOCS / "reference" / "quarantine.md", quarantine),
    "settings": (DOCS / "reference" / "settings.md", settings),
    "commands": (DOCS / "reference" / "commands.md", commands),
    "pattern fields": (DOCS / "reference" / "policies.md", pattern_fields),
    "policy faults": (DOCS / "reference" / "policies.md", policy_faults),
    "errors": (DOCS / "reference" / "commands.md", errors),
    "api-codes": (DOCS / "reference" / "api.md", api_codes),
    "api-routes": (DOCS / "reference" / "api.md", api_routes),
}


@pytest.mark.parametrize("name", list(PAGES))
def test_the_page_says_what_the_code_says(name: str) -> None:
    path, render = PAGES[name]
    begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    text = path.read_text(encoding="utf-8")
    head, found, rest = text.partition(begin)
    assert found, f"{path} has no place for {name}"
    body, found, tail = rest.partition(end)
    assert found, f"{path} does not end its {name}"
    expected = f"\n{render()}\n"
    if os.environ.get("REGTECH_UPDATE") and body != expected:
        path.write_text(head + begin + expected + end + tail, encoding="utf-8")
        return
    assert body == expected, f"{path} is stale: REGTECH_UPDATE=1 pytest tests/test_docs.py"


def test_every_runtime_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[=<>\[ ]", entry)[0] for entry in project["dependencies"]}
    text = (DOCS / "decisions" / "0002-runtime-dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w.-]+)`", text, re.M)) == wanted


def test_every_pinned_dependency_is_in_the_lock_with_its_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    locked = {normal(a): b for a, b in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.M)}
    for entry in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name, _, version = re.sub(r"\[.*\]", "", entry.partition(";")[0]).partition("==")
        assert locked.get(normal(name)) == version, entry
    blocks = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in block for block in blocks if "==" in block.split("\n")[0])


LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _pages() -> list[Path]:
    return [*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]


@pytest.mark.parametrize("path", _pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    broken = [
        link
        for link in links
        if not link.startswith(("http://", "https://", "mailto:"))
        and not (path.parent / link).exists()
    ]
    assert broken == []


def test_commands_in_the_pages_exist() -> None:
    """Every `regtech …` line of a code block names a command and options that there are."""
    from regtech.cli.main import app

    known = {
        path: {option for parameter in command.params for option in parameter.opts}
        for path, command in _walk(typer.main.get_command(app), ())
    }
    wrong = []
    for page in _pages():
        for block in re.findall(r"```(?:sh|console|bash)\n(.*?)```", page.read_text(), re.S):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.removeprefix("$ ").split("#")[0].split("|")[0].split()
                if words[:1] != ["regtech"]:
                    continue
                path = next((p for n in (3, 2) if (p := tuple(words[1:n])) in known), None)
                if path is None:
                    wrong.append(f"{page.name}: {line}")
                    continue
                options = {word.split("=")[0] for word in words if word.startswith("--")}
                if not options <= known[path] | {"--help"}:
                    wrong.append(f"{page.name}: {line}")
    assert wrong == []
