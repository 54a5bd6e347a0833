"""The worker that empties the outbox: claim, sign, send, settle, until it is asked to stop.

Several threads or processes may run it over one outbox: claims keep them apart. Killed at any
moment, nothing is lost; an attempt that was not settled is made again with the same id.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final

from casework.cases.scope import Scope
from casework.webhooks.delivery import Message, Outcome, Retry, fan_out, verdict
from casework.webhooks.ports import Claim, Outbox, Owners, Sender
from casework.webhooks.signature import signed_headers
from regtech.clock import Clock
from regtech.errors import RegtechError, UsageError

_LOG = logging.getLogger(__name__)
LEASE_S: Final = 15.0
"""How long the endpoint of an attempt whose worker was killed has to wait."""
AT_ONCE: Final = 8
"""Attempts under way at a time, each to another endpoint."""
_LOOK_S: Final = 0.5
"""How often it is looked for what has become due while attempts are under way."""
_SOON_S: Final = 0.1
_SOON: Final = 10
"""After an attempt the next of its endpoint is due within moments, by its rate: it is looked for so
many times, ``_SOON_S`` apart."""


def enqueue(outbox: Outbox, scope: Scope, messages: Iterable[Message]) -> int:
    """Put a delivery for every endpoint that wants a message; how many were new.

    Called again with the same messages it changes nothing, so that a relay may be killed anywhere.
    """
    endpoints = outbox.endpoints(scope)
    deliveries = [each for message in messages for each in fan_out(message, endpoints)]
    return outbox.put(scope, deliveries) if deliveries else 0


def _waits_its_turn(under_way: Iterable[str], free: int) -> list[str]:
    """Institutions that must not begin another attempt: as many under way as there are places free.

    One alone gets half of the places. However many are slow, one with nothing under way is given
    the next place, before all that have some. Source: A. K. Choudhury, E. L. Hahne, "Dynamic queue
    length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6
    (1998), with a factor of one.
    """
    return [tenant for tenant, count in Counter(under_way).items() if count >= free]


class Worker:
    """Attempts, one by one (``step``) or several at a time (``work``).

    ``chance`` gives numbers in [0, 1) (``random.random``). A claim holds for ``lease_s`` and is
    renewed while its attempt is under way, however long it takes: so much later at most another
    worker goes on where this one was killed.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        owners: Owners,
        *,
        scope: Scope,
        clock: Clock,
        chance: Callable[[], float],
        retry: Retry | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._owners = owners
        self._scope = scope
        self._clock = clock
        self._chance = chance
        self._retry = retry or Retry()
        self._lease_s, self._lease_us = lease_s, int(lease_s * 1_000_000)

    def run(self, stop: threading.Event, *, idle_s: float = 1.0) -> None:
        """Work until ``stop`` is set; the attempt that is under way is finished first.

        Trouble, be it of the outbox or a defect, is logged and waited out: a worker that ends
        unseen would be worse than one that complains.
        """
        while not stop.is_set():
            try:
                busy = self.step()
            except RegtechError as error:
                _LOG.error("webhooks wait: %s", error)
                busy = False
            except Exception:
                _LOG.exception("webhooks wait after a defect")
                busy = False
            if not busy:
                stop.wait(idle_s)

    def step(self) -> bool:
        """Make one attempt, or tell one owner; False where there was nothing to do."""
        claim = self._claim()
        if claim is not None:
            self._attempt(claim)
        return self._tell() or claim is not None

    def work(self, stopping: Callable[[], bool], *, at_once: int = AT_ONCE) -> None:
        """Make attempts, several at a time, until nothing is due or the end is asked for.

        A receiver that answers late holds up its own deliveries alone: an endpoint has one attempt
        under way, and an institution fewer than places are free (``_waits_its_turn``). Attempts
        under way are finished first. What an attempt raises is raised once they are.
        """
        with ThreadPoolExecutor(at_once, thread_name_prefix="webhook") as pool:
            under_way: dict[Future[None], str] = {}
            looks = 0
            while not stopping():
                for done in [future for future in under_way if future.done()]:
                    del under_way[done]
                    done.result()
                claim = None
                if free := at_once - len(under_way):
                    claim = self._claim(_waits_its_turn(under_way.values(), free))
                if claim is not None:
                    under_way[pool.submit(self._attempt, claim)] = claim.endpoint.tenant
                    looks = _SOON
                elif self._tell():
                    continue
                elif under_way:
                    pause = _SOON_S if looks else _LOOK_S
                    wait(under_way, timeout=pause, return_when=FIRST_COMPLETED)
                elif looks:
                    threading.Event().wait(_SOON_S)
                else:
                    return
                looks -= looks > 0 and claim is None

    def _claim(self, without: Collection[str] = ()) -> Claim | None:
        now_us = self._clock.now_us()
        claims = self._outbox.claim(self._scope, now_us, self._lease_us, 1, without=without)
        return claims[0] if claims else None

    def _attempt(self, claim: Claim) -> None:
        endpoint, delivery = claim.endpoint, claim.delivery
        try:
            headers = signed_headers(
                endpoint.secrets, delivery.id, self._clock.now_us(), delivery.body
            )
            with self._held(claim):
                outcome = self._sender.send(endpoint.url, headers, delivery.body)
        except UsageError as error:  # no active secret
            outcome = Outcome(None, error.message)
        result = verdict(
            endpoint,
            delivery,
            outcome,
            now_us=self._clock.now_us(),
            retry=self._retry,
            chance=self._chance(),
        )
        settled = self._outbox.settle(self._scope, claim, result)
        _LOG.log(
            logging.INFO if outcome.delivered else logging.WARNING,
            "webhook %s to %s: %s, attempt %d, %s%s",
            delivery.id,
            endpoint.id,
            outcome.status or "no answer",
            result.delivery.attempts,
            result.delivery.state,
            "" if settled else " (another worker was given it)",
        )

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[None]:
        """Nobody else is given the claim while an attempt is under way."""
        done = threading.Event()

        def hold() -> None:
            while not done.wait(self._lease_s / 3):
                try:
                    until = self._clock.now_us() + self._lease_us
                    if not self._outbox.renew(self._scope, claim, until):
                        return
                except RegtechError as error:
                    _LOG.warning("a webhook's claim could not be renewed: %s", error)

        holder = threading.Thread(target=hold, name="webhook-claim", daemon=True)
        holder.start()
        try:
            yield
        finally:
            done.set()
            holder.join()

    def _tell(self) -> bool:
        untold = self._outbox.untold(self._scope)
        for endpoint in untold:
            self._owners.endpoint_disabled(endpoint)
            self._outbox.told(self._scope, endpoint.id, self._clock.now_us())
        return bool(untold)
