"""Passwords as argon2id hashes; checking one takes the same work whether or not there is a user."""

from __future__ import annotations

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from regtech.errors import StoreError, UsageError

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 1024
"""Characters; a longer text is no password but an attempt to keep the server busy."""
AT_ONCE: Final = 2
"""Hashes worked out at the same time; each takes 64 MiB."""


class Passwords:
    """Makes and checks hashes. ``time_cost`` and ``memory_kib`` as argon2 means them."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        # A hash of no password: what strangers' tries are compared with.
        self._nobody = self._hasher.hash("\0" * LENGTH_MIN)

    def hash(self, password: str) -> str:
        """The hash to keep. Raises ``UsageError`` for a password that is too short or too long."""
        if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
            raise UsageError(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
        with self._turns:
            return self._hasher.hash(password)

    def check(self, kept: str, password: str) -> bool:
        """Whether it is the password of the hash; never for an empty hash.

        Raises ``StoreError`` where what is kept is no hash.
        """
        with self._turns:
            try:
                self._hasher.verify(kept or self._nobody, password[:LENGTH_MAX])
            except VerifyMismatchError:
                return False
            except (InvalidHashError, VerificationError):
                raise StoreError("a password's hash is damaged") from None
        return bool(kept)

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with less work than is asked for now."""
        return self._hasher.check_needs_rehash(kept)
