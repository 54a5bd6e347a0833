"""The ``regtech`` command: what there is, and the one place where errors become exit statuses."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final

import typer

from regtech.app.languages import translator
from regtech.cli import (
    accounts,
    anomalies,
    backup,
    cases,
    data,
    engine,
    evidence,
    models,
    motifs,
    names,
    owners,
    policies,
    quarantine,
    rules,
    search,
    serve,
)
from regtech.cli.console import fault_json, fault_text, write_json
from regtech.cli.options import language
from regtech.content.cache import when_compiling
from regtech.errors import InternalError, RegtechError, UsageError

app = typer.Typer(
    name="regtech",
    help="Holds events against dated law: rules in YAML, run exactly over files and streams.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
engine.register(app)
data.register(app)
evidence.register(app)
anomalies.register(app)
motifs.register(app)
owners.register(app)
names.register(app)
app.add_typer(rules.app, name="rules")
app.add_typer(policies.app, name="policies")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(cases.app, name="cases")
app.add_typer(search.app, name="search")
app.add_typer(models.models, name="models")
app.add_typer(accounts.users, name="users")
app.add_typer(accounts.keys, name="keys")
serve.register(app)
backup.register(app)

INTERRUPTED = 130
_COMPILING: Final = "compiling for this machine, once: this takes up to a minute"
_COLLECT_EVERY: Final = (200_000, 20, 20)
"""Objects between two collections, and how many of those between two deeper ones."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status: 0 done, 1 findings, 2 wrong use, 3 failed."""
    when_compiling(lambda: print(_COMPILING, file=sys.stderr, flush=True))
    try:
        result = _command().main(arguments, prog_name=app.info.name, standalone_mode=False)
    except RegtechError as error:
        return _failed(error, arguments)
    except typer.TyperException as error:
        message = error.format_message()
        if message.startswith("Usage:"):  # called without a command: the help is the answer
            print(message, file=sys.stderr)
            return UsageError.exit_status
        return _failed(UsageError(message, hint="see --help of the command"), arguments)
    except typer.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        # A defect of ours: never status 1, which would read as findings.
        traceback.print_exc()
        return InternalError.exit_status
    finally:
        when_compiling(None)
    return result if isinstance(result, int) else 0


@cache
def _command() -> typer.core.TyperGroup:
    """All commands as they are called: made once, for a process that calls several."""
    made = typer.main.get_command(app)
    assert isinstance(made, typer.core.TyperGroup)
    return made


def _failed(error: RegtechError, arguments: list[str]) -> int:
    if "--json" in arguments:
        # Where standard output is what broke, standard error still says so below.
        with suppress(RegtechError):
            write_json(fault_json(error))
    print(fault_text(error, _speaker()), file=sys.stderr)
    return error.exit_status


def _speaker() -> Callable[[str], str]:
    """The language that is set; English where none that is known is."""
    with suppress(RegtechError):
        return translator(language(None))
    return translator("en")


def main() -> None:
    """The console script."""
    # Importing and reading make hundreds of thousands of objects that stay: looking through them
    # every 700, as Python does, took an eighth of a start, and again as much at the end.
    gc.set_threshold(*_COLLECT_EVERY)
    status = run(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
