"""The second factor: time-based one-time passwords (RFC 6238), each taken once.

The secret is sealed before it is kept, with a key that only the process has, so that a copy of the
store alone does not give codes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import pyotp
from cryptography.fernet import Fernet, InvalidToken

from regtech.errors import StoreError, UsageError

STEP_S: Final = 30
SECRET_BYTES: Final = 20


class SecondFactor:
    """Makes, seals and checks secrets. ``secret``: the server's own; "" means there is none."""

    def __init__(self, secret: str) -> None:
        self._fernet: Fernet | None = None
        if secret:
            key = hashlib.sha256(b"regtech second factor\0" + secret.encode()).digest()
            self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def enrol(self, random: bytes) -> tuple[str, str]:
        """A secret in base 32 for the person's device, and the same sealed for the store."""
        text = base64.b32encode(random).decode()
        return text, self._sealer().encrypt(text.encode()).decode()

    def uri(self, user: str, text: str) -> str:
        """What a device reads as a QR code."""
        return pyotp.TOTP(text, interval=STEP_S).provisioning_uri(name=user, issuer_name="regtech")

    def step_of(self, sealed: str, code: str, now_us: int, last_step: int) -> int | None:
        """The step that the code is of, if it is right and later than ``last_step``.

        One step before and after now is allowed for clocks that differ.
        """
        try:
            text = self._sealer().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise StoreError(
                "a second factor cannot be opened", hint="REGTECH_SECRET is not what it was"
            ) from None
        totp = pyotp.TOTP(text, interval=STEP_S)
        now = now_us // 1_000_000 // STEP_S
        for step in (now, now - 1, now + 1):
            right = totp.generate_otp(step)
            if hmac.compare_digest(right.encode(), code.encode()) and step > last_step:
                return step
        return None

    def _sealer(self) -> Fernet:
        if self._fernet is None:
            raise UsageError(
                "second factors need a secret of the server",
                hint="set REGTECH_SECRET or REGTECH_SECRET_FILE",
            )
        return self._fernet
