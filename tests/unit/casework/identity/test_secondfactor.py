"""One-time passwords: the vectors of RFC 6238 (SHA-1), and the seal around the secret."""

from __future__ import annotations

import base64

import pyotp
import pytest

from casework.identity.secondfactor import SecondFactor
from regtech.errors import StoreError, UsageError

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    text = base64.b32encode(SECRET).decode()
    assert pyotp.TOTP(text, digits=8).at(seconds) == code
    # Six digits, as devices show them, are the last six of the eight.
    factor = SecondFactor("k" * 32)
    shown, sealed = factor.enrol(SECRET)
    assert shown == text
    assert factor.step_of(sealed, code[2:], seconds * 1_000_000, 0) == seconds // 30


def test_clocks_may_differ_by_one_step_and_no_more() -> None:
    factor = SecondFactor("k" * 32)
    text, sealed = factor.enrol(SECRET)
    now = 2_000_000_000
    for seconds, taken in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        code = pyotp.TOTP(text).at(now + seconds)
        assert (factor.step_of(sealed, code, now * 1_000_000, 0) is not None) is taken


@pytest.mark.parametrize("code", ["", "1", "１２３４５６", "'; --", "0" * 1000])
def test_what_is_no_code(code: str) -> None:
    factor = SecondFactor("k" * 32)
    _, sealed = factor.enrol(SECRET)
    assert factor.step_of(sealed, code, 2_000_000_000_000_000, 0) is None


def test_another_secret_of_the_server_opens_nothing() -> None:
    _, sealed = SecondFactor("k" * 32).enrol(SECRET)
    with pytest.raises(StoreError, match="cannot be opened"):
        SecondFactor("l" * 32).step_of(sealed, "123456", 0, 0)
    with pytest.raises(UsageError, match="need a secret"):
        SecondFactor("").enrol(SECRET)
