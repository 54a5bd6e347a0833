"""Signatures of Standard Webhooks: symmetric secrets, several at once while one is being replaced.

What is signed is ``<webhook-id>.<webhook-timestamp>.<body>`` with HMAC-SHA256; the header
``webhook-signature`` holds one ``v1,<base64>`` for each active secret, with blanks between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from regtech.errors import ForbiddenError, UsageError

PREFIX: Final = "whsec_"
_LEAST, _MOST = 24, 64  # bytes, as the standard has it
TOLERANCE_S: Final = 300
SECRETS_MAX: Final = 5


class SignatureError(ForbiddenError):
    """A webhook is not what a holder of the secret sent, or not now."""

    code = "webhook_signature"


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret; ``until_us`` None is the one in force, others still sign until then.

    Its text (``whsec_…``) is shown once, when it is made.
    """

    key: bytes = field(repr=False)
    until_us: int | None = None

    def __post_init__(self) -> None:
        if not _LEAST <= len(self.key) <= _MOST:
            raise UsageError(f"a webhook secret has {_LEAST} to {_MOST} bytes, not {len(self.key)}")

    @classmethod
    def of(cls, text: str) -> Secret:
        """Read ``whsec_<base64>``. Raises ``UsageError``, which never quotes the secret."""
        try:
            if not text.startswith(PREFIX):
                raise ValueError
            return cls(base64.b64decode(text.removeprefix(PREFIX), validate=True))
        except (ValueError, binascii.Error):
            raise UsageError(
                "this is no webhook secret", hint=f"it begins with {PREFIX} and goes on in Base64"
            ) from None

    def text(self) -> str:
        """``whsec_<base64>``, to be handed to the receiver once."""
        return PREFIX + base64.b64encode(self.key).decode("ascii")

    def active(self, now_us: int) -> bool:
        """Whether it signs at this time."""
        return self.until_us is None or now_us < self.until_us


def new_secret(random_bytes: Callable[[int], bytes]) -> Secret:
    """A fresh secret; ``random_bytes`` is ``secrets.token_bytes``."""
    return Secret(random_bytes(32))


def rotated(
    secrets: Sequence[Secret], fresh: Secret, now_us: int, overlap_us: int
) -> tuple[Secret, ...]:
    """``fresh`` first; those in force before go on signing for ``overlap_us``, expired ones go.

    Raises ``UsageError`` where more than five would be active at once.
    """
    until = now_us + overlap_us
    kept = [
        replace(old, until_us=until if old.until_us is None else min(until, old.until_us))
        for old in secrets
        if old.active(now_us) and overlap_us > 0
    ]
    if len(kept) >= SECRETS_MAX:
        raise UsageError(
            f"{len(kept)} secrets are active", hint="wait until one has expired, or overlap less"
        )
    return (fresh, *kept)


def _signature(secret: Secret, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def signed_headers(
    secrets: Sequence[Secret], message_id: str, now_us: int, body: bytes
) -> dict[str, str]:
    """The three headers of an attempt at ``now_us``. ``UsageError`` where no secret is active."""
    active = [secret for secret in secrets if secret.active(now_us)]
    if not active:
        raise UsageError("no secret of the endpoint is active", hint="rotate its secret")
    timestamp = str(now_us // 1_000_000)
    signatures = [_signature(secret, message_id, timestamp, body) for secret in active]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def verify(
    secrets: Sequence[Secret],
    headers: Mapping[str, str],
    body: bytes,
    now_us: int,
    *,
    tolerance_s: int = TOLERANCE_S,
) -> str:
    """The id of a received webhook whose signature and time hold; a model for receivers.

    Raises ``SignatureError``. The id says whether it came before: receivers keep the ids they saw.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id = given["webhook-id"]
        timestamp = given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
    except KeyError as error:
        raise SignatureError(f"the header {error.args[0]} is missing") from None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureError("webhook-timestamp is not a count of seconds")
    if abs(now_us // 1_000_000 - int(timestamp)) > tolerance_s:
        raise SignatureError(
            f"webhook-timestamp is more than {tolerance_s} seconds from now",
            hint="check both clocks; an old message may have been sent again by somebody else",
        )
    found = False
    for secret in secrets:
        if not secret.active(now_us):
            continue
        expected = _signature(secret, message_id, timestamp, body).encode()
        for signature in signatures:
            # No early end: the time taken tells nothing of which one fits.
            found |= hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
    if not found:
        raise SignatureError("no signature fits", hint="was the body changed, or the secret?")
    return message_id
