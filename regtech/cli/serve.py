"""``regtech serve``: API and workers in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.app.options import parse_names
from regtech.app.settings import setting, whole
from regtech.cli.cases import store_of
from regtech.cli.console import write
from regtech.cli.options import Packs, Rules, Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="serve")(serve)


def serve(
    store: Store = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen on; 0: one that is free.", min=0, max=65_535, show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of journal and uploads; default: beside the SQLite store."),
    ] = None,
    packs: Packs = None,
    rules: Rules = None,
    home: Annotated[
        str | None, typer.Option(help="Jurisdiction of events that name no country.")
    ] = None,
    events: Annotated[
        bool, typer.Option("--events/--no-events", help="Judge events, or work cases alone.")
    ] = True,
    hsts: Annotated[
        bool, typer.Option("--hsts", help="Say that this host is reached by HTTPS alone.")
    ] = False,
) -> int:
    """Serve pages and API and run the workers, in one process, until SIGTERM or SIGINT.

    The address is printed once it answers.

    TLS is a proxy's to do. The log goes to standard error as JSON lines without personal data.

    \b
    Examples:
      regtech users create li --role supervisor --store cases.db
      regtech serve --store cases.db --port 8000
    """
    from regtech.app.serve import serve as run
    from regtech.app.serve import server_settings

    settings = server_settings(
        store_of(store),
        data=data,
        packs=parse_names(packs),
        rules=rules,
        home=(home or setting("REGTECH_HOME")).upper() or None,
        events=events,
        hsts=hsts,
    )
    chosen_host = host or setting("REGTECH_HOST")
    chosen_port = whole("REGTECH_PORT") if port is None else port
    shown = f"[{chosen_host}]" if ":" in chosen_host else chosen_host

    def listening(port: int) -> None:
        write(f"http://{shown}:{port}/\nhttp://{shown}:{port}/api/v1/openapi.json")

    run(settings, host=chosen_host, port=chosen_port, listening=listening)
    return 0
