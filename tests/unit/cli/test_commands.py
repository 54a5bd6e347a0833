"""The surface of the commands: help with examples, exit statuses, one shape of errors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from regtech.cli.main import app
from regtech.errors import ContentError, InputError, InternalError, StoreError

Command = Callable[..., Any]


def _commands(group: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*prefix, name))
        else:
            yield (*prefix, name), command


COMMANDS = dict(_commands(typer.main.get_command(app)))

CONTRACT = {
    ("run",): "--packs --rules --out --store --snapshot --resume --batch --lateness --from --to "
    "--law-as-of --strict --near --map",
    ("backtest",): "--base --head",
    ("explain",): "--lang",
    ("replay",): "",
    ("rules", "lint"): "",
    ("rules", "test"): "--mutate",
    ("rules", "show"): "--lang",
    ("rules", "new"): "",
    ("rules", "format"): "",
    ("rules", "coverage"): "",
    ("rules", "lock"): "",
    ("rules", "schema"): "",
    ("rules", "upcoming"): "",
    ("simulate",): "--events --seed",
    ("score",): "--train-until --labels --budget --out --models --settle",
    ("models", "list"): "--models --json",
    ("models", "promote"): "--models --reason --by --json",
    ("models", "rollback"): "--models --reason --by --json",
    ("schema",): "",
    ("owners",): "--at --threshold --comparator --complete --paths --quarantine",
    ("quarantine", "list"): "",
    ("quarantine", "show"): "",
    ("quarantine", "retry"): "",
    ("cases", "list"): "--store --queue --lang --json",
    ("cases", "show"): "--store --lang --json",
    ("cases", "act"): "--store --seen --reason --json",
    ("cases", "import"): "--store --json",
}


@pytest.mark.parametrize("path", list(CONTRACT), ids=" ".join)
def test_the_contract_is_there(path: tuple[str, ...]) -> None:
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    assert set(CONTRACT[path].split()) <= options


@pytest.mark.parametrize("path", list(COMMANDS), ids=" ".join)
def test_every_command_has_an_example_and_json(path: tuple[str, ...], regtech: Command) -> None:
    done = regtech(*path, "--help")
    assert done.status == 0
    assert f"\n    regtech {' '.join(path)}" in done.out
    assert "--json" in done.out or path == ("serve",)  # whose log is JSON already
    assert done.err == ""


LATER = ("screen", "match", "score", "owners", "motifs")


@pytest.mark.parametrize("name", LATER)
def test_commands_that_are_not_there_yet_are_not_offered(name: str, regtech: Command) -> None:
    assert regtech(name).status == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["run"],
        ["run", "x", "--resume"],
        ["run", "x", "--lateness", "soon"],
        ["run", "x", "--batch", "0"],
        ["run", "x", "--near", "200%"],
        ["run", "x", "--lang", "fr"],
        ["simulate", "out.xlsx", "--events", "1", "--seed", "1"],
        ["simulate", "out.ndjson", "--events", "0", "--seed", "1"],
        ["schema", "nothing"],
        ["explain", "no-such-alert"],
        ["rules", "show", "no-such-rule"],
        ["rules", "lint", "--nothing"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_status_2_and_says_what_to_do(
    arguments: list[str], regtech: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = regtech(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error[usage]: ")
    as_json = regtech(*arguments, "--json")
    assert as_json.status == 2
    error = json.loads(as_json.out)["error"]
    assert set(error) == {"code", "message", "hint", "faults"} and error["code"] == "usage"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ContentError("c", ["one", "two"]), 1),
        (InputError("i"), 3),
        (StoreError("s"), 3),
        (InternalError("d"), 3),
        (RuntimeError("a defect"), 3),
    ],
)
def test_every_failure_has_its_status(
    error: Exception, status: int, regtech: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr("regtech.app.schemas.schema_of", fail)
    done = regtech("schema", "event")
    assert done.status == status and str(error.args[0]) in done.err
    for fault in getattr(error, "faults", ()):
        assert f"\n  {fault}\n" in done.err


def test_models_that_are_not_there_are_told_and_not_waited_for(
    regtech: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text("")
    monkeypatch.setenv("REGTECH_MODELS", str(tmp_path / "modles"))
    done = regtech("run", events, "--packs", "intl-anomalies", "--out", tmp_path / "alerts.ndjson")
    assert done.status == 2 and f"REGTECH_MODELS is '{tmp_path}/modles'" in done.err, done
    assert not (tmp_path / "alerts.ndjson").exists()


@pytest.mark.parametrize("field", ["amont: value", "amont: value\n  currncy: code"])
def test_each_fault_of_a_column_map_is_said_once(
    field: str, regtech: Command, tmp_path: Path
) -> None:
    rows, column_map = tmp_path / "rows.csv", tmp_path / "m.yml"
    rows.write_text("value\n1\n")
    column_map.write_text(f"map: m\ntitle: {{en: a, zh: b}}\nfields:\n  id: a\n  {field}\n")
    done = regtech("motifs", rows, "--map", column_map)
    assert done.status == 1, done
    faults = field.count("\n") + 1
    assert done.err.count("unknown_field") == faults, done.err
    assert done.err.startswith(f"error[content]: {column_map} has {faults} fault")


def test_without_a_command_the_help_is_shown(regtech: Command) -> None:
    done = regtech()
    assert done.status == 2 and done.err.startswith("Usage: regtech")


def test_help_loads_nothing_heavy() -> None:
    """Cold start: the libraries that take long are imported by the commands that need them."""
    code = (
        "import sys; from regtech.cli.main import run; run(['--help']); "
        "heavy = {'numpy', 'numba', 'polars', 'pyarrow', 'yaml', 'rich.console', 'holidays'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(regtech: Command) -> None:
    from regtech import __version__

    assert regtech("version").out == f"regtech {__version__}\n"
    assert json.loads(regtech("version", "--json").out)["regtech"] == __version__


@pytest.mark.parametrize("name", ["event", "rule", "alert"])
def test_schemas_are_json_schema(name: str, regtech: Command, tmp_path: Path) -> None:
    schema = json.loads(regtech("schema", name).out)
    assert schema["$schema"].startswith("https://json-schema.org/draft/2020-12")
    out = tmp_path / "s.json"
    assert regtech("schema", name, "--out", out).out == f"{out}\n"
    assert json.loads(out.read_text()) == schema


def test_the_alert_schema_names_the_keys_that_are_written() -> None:
    from dataclasses import fields

    from regtech.app.schemas import ALERT_PROPERTIES
    from regtech.model.alert import Alert

    written = [f.name for f in fields(Alert) if f.name not in ("order", "shared")]
    assert list(ALERT_PROPERTIES) == [*written, "seal"]


def test_a_closed_pipe_is_status_3() -> None:
    code = (
        "import sys; from regtech.cli.main import main; "
        "sys.argv = ['regtech', 'schema', 'event']; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 3
    assert said.startswith("error[store]: standard output could not be written")
