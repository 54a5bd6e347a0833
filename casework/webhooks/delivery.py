"""What becomes of deliveries: pure scheduling, with time and chance passed in.

Deliveries of an endpoint go out one at a time and in order. While the first one fails the others
wait behind it, and the attempts thin out from seconds to half days. A receiver that refuses one
message as such (400, 413, 415, 422 …) gets it a few times and then goes on with the next; any other
failure is the endpoint's, and an endpoint that fails for days is disabled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

from casework.cases.times import time_text
from casework.webhooks.endpoints import DAY_US, Endpoint, Health

SECOND_US: Final = 1_000_000
BODY_MAX: Final = 256 << 10
_REFUSED: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431, 501})
"""Answers about the message itself: sending it again for days changes nothing."""


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; kept until somebody replays or forgets it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one endpoint. Its ``id`` is the ``webhook-id`` of every attempt.

    ``number`` orders the deliveries of an endpoint; the outbox gives it. ``attempts`` since it was
    made or replayed.
    """

    id: str
    endpoint: str
    tenant: str
    kind: str
    body: bytes
    made_us: int
    number: int = 0
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last: str = ""
    """What came of the last attempt, in a few words."""
    ended_us: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened, before it is known who is to be told.

    ``key`` is unique for it (``C-…/17``): the same again makes no second delivery. ``data`` goes
    out: ids and kinds, no personal data; the receiver asks the API for more, with its own rights.
    """

    key: str
    kind: str
    at_us: int
    tenants: frozenset[str]
    """Whose it is; endpoints of the regulator ("") are told as well."""
    data: Mapping[str, Any]

    def body(self) -> bytes:
        """``{"type", "timestamp", "data"}``, as Standard Webhooks has it."""
        document = {"type": self.kind, "timestamp": time_text(self.at_us), "data": self.data}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def delivery_id(endpoint_id: str, key: str) -> str:
    """The same for the same message and endpoint in every run: receivers know doubles by it."""
    digest = hashlib.sha256(f"{endpoint_id}\x1f{key}".encode()).hexdigest()
    return f"msg_{digest[:32]}"


def fan_out(message: Message, endpoints: Iterable[Endpoint]) -> list[Delivery]:
    """A delivery for each endpoint that is to be told. Raises ``ValueError`` for a huge body."""
    body = message.body()
    if len(body) > BODY_MAX:
        raise ValueError(f"the body of {message.key} has {len(body)} bytes, more than {BODY_MAX}")
    return [
        Delivery(
            id=delivery_id(endpoint.id, message.key),
            endpoint=endpoint.id,
            tenant=endpoint.tenant,
            kind=message.kind,
            body=body,
            made_us=message.at_us,
        )
        for endpoint in endpoints
        if (endpoint.tenant == "" or endpoint.tenant in message.tenants)
        and endpoint.wants(message.kind)
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. ``status`` None: no answer; ``said`` has no secrets in it."""

    status: int | None
    said: str
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Retry:
    """The schedule: ``first_us`` after the first failure, then ``factor`` times as long, up to
    ``most_us``, each shortened or lengthened by chance by up to ``jitter``.

    As it stands 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 6 h, then every 12 h: 2.8 days.
    """

    first_us: int = 5 * SECOND_US
    factor: int = 4
    most_us: int = DAY_US // 2
    jitter: float = 0.2
    attempts: int = 13
    refused_attempts: int = 3
    disable_after_us: int = 3 * DAY_US
    retry_after_most_us: int = DAY_US

    def wait_us(self, failures: int, chance: float) -> int:
        """Time until the next attempt after so many failures in a row; ``chance`` in [0, 1)."""
        plain = self.first_us
        for _ in range(failures - 1):
            plain = min(plain * self.factor, self.most_us)
            if plain == self.most_us:
                break
        return int(min(plain, self.most_us) * (1 + self.jitter * (2 * chance - 1)))


def retry_after_us(value: str | None, now_us: int) -> int | None:
    """What ``Retry-After`` asks for: seconds or a date; None where it cannot be read."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return int(value[:9]) * SECOND_US
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp()) * SECOND_US - now_us)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt makes of the delivery and its endpoint; ``disable`` says why, or is empty."""

    delivery: Delivery
    health: Health
    disable: str = ""


def verdict(
    endpoint: Endpoint,
    delivery: Delivery,
    outcome: Outcome,
    *,
    now_us: int,
    retry: Retry,
    chance: float,
) -> Verdict:
    """Delivered, to be tried again and when, or given up. ``chance`` in [0, 1) spreads attempts."""
    tried = replace(delivery, attempts=delivery.attempts + 1, last=outcome.said)
    spaced = now_us + 60 * SECOND_US // endpoint.per_minute
    if outcome.delivered:
        done = replace(tried, state=DeliveryState.DELIVERED, ended_us=now_us)
        return Verdict(done, Health(ready_us=spaced))
    since = endpoint.health.failing_since_us
    since = now_us if since is None else since
    failures = endpoint.health.failures + 1
    refused = outcome.status in _REFUSED
    dead = tried.attempts >= (retry.refused_attempts if refused else retry.attempts)
    if dead and refused:
        ready = spaced  # the next one is another message
    else:
        # By the endpoint's failures in a row, not by this delivery's: the one behind a dead
        # delivery must not begin again with seconds.
        wait = retry.wait_us(tried.attempts if refused else failures, chance)
        asked = retry_after_us(outcome.retry_after, now_us) or 0
        wait = max(wait, min(asked, retry.retry_after_most_us))
        ready = max(now_us + wait, spaced)
    if dead:
        tried = replace(tried, state=DeliveryState.DEAD, ended_us=now_us)
    why = ""
    if outcome.status == 410:
        why = "the receiver answered 410 Gone"
    elif now_us - since >= retry.disable_after_us:
        why = f"every attempt since {time_text(since)} has failed; the last: {outcome.said}"
    return Verdict(tried, Health(ready, failures, since), why)


def replayed(delivery: Delivery) -> Delivery:
    """The delivery as if it had not been tried; it keeps its id and its place in the order."""
    return replace(delivery, state=DeliveryState.PENDING, attempts=0, ended_us=None)
