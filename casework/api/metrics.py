"""Counters for Prometheus. Labels are routes, statuses and kinds: never ids, tenants or names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The registry of one application: two of them in a process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "regtech_requests", "Requests by route, method and status.",
            ("method", "route", "status"), registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "regtech_request_seconds", "Time of a request by route.",
            ("method", "route"), buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._events = Counter(
            "regtech_events", "Events by what became of them.", ("status",), registry=self.registry
        )
        self._logins = Counter(
            "regtech_logins", "Logins by outcome.", ("outcome",), registry=self.registry
        )
        self._waiting = Gauge(
            "regtech_alerts_waiting", "Alerts on their way into the record.", registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def events(self, status: str, count: int = 1) -> None:
        """Count events."""
        self._events.labels(status).inc(count)

    def login(self, outcome: str) -> None:
        """Count a login."""
        self._logins.labels(outcome).inc()

    def waiting(self, alerts: int) -> None:
        """Say how many alerts wait."""
        self._waiting.set(alerts)

    def text(self) -> bytes:
        """Everything as Prometheus reads it."""
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
