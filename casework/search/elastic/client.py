"""A client for a URL, and its errors as ours; no message holds a password or a document's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote, urlsplit

from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    Elasticsearch,
    TransportError,
)
from elasticsearch import ConnectionError as ElasticConnectionError

from regtech.errors import RegtechError, StoreError, UsageError

DEFAULT_PREFIX: Final = "regtech-search"
_PREFIX: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_HINT: Final = "write https://user:password@host:9200/prefix"
_TIMEOUT_S: Final = 30.0


def connect(url: str) -> tuple[Elasticsearch, str, str]:
    """A client, the URL without a password, and the prefix. Raises ``UsageError``."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 9200)
    except ValueError:
        raise UsageError("not the URL of a search server", hint=_HINT) from None
    prefix = parts.path.strip("/") or DEFAULT_PREFIX
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise UsageError("not the URL of a search server", hint=_HINT)
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"{prefix!r} cannot begin the name of an index", hint="letters a–z, digits, - and _"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    bare = f"{parts.scheme}://{host}:{port}"
    basic = None
    if parts.username is not None:
        basic = (unquote(parts.username), unquote(parts.password or ""))
    # Nothing is tried again here: whoever asks knows how long it can wait.
    client = Elasticsearch(bare, basic_auth=basic, request_timeout=_TIMEOUT_S, max_retries=0)
    return client, f"{bare}/{prefix}", prefix


@contextmanager
def told(client: Elasticsearch, shown: str) -> Iterator[Elasticsearch]:
    """The client, with its errors as ``StoreError``."""
    try:
        yield client
    except RegtechError:
        raise
    except (ElasticConnectionError, ConnectionTimeout) as error:
        raise StoreError(
            f"the search index {shown} is not in reach: {type(error).__name__}",
            hint="is the server running? what was written meanwhile waits in the record",
        ) from error
    except (AuthenticationException, AuthorizationException) as error:
        raise StoreError(
            f"the search index {shown} does not let us in", hint="user and password in the URL"
        ) from error
    except ApiError as error:
        # Its text may quote documents; its kind does not.
        raise StoreError(f"the search index {shown} failed: {error.error}") from error
    except TransportError as error:
        raise StoreError(f"the search index {shown} failed: {type(error).__name__}") from error
