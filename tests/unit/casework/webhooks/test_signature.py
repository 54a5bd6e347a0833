"""Signatures, held against the independent library of the standard."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from casework.webhooks.signature import (
    Secret,
    SignatureError,
    new_secret,
    rotated,
    signed_headers,
    verify,
)
from regtech.clock import SystemClock
from regtech.errors import UsageError

NOW = 1_800_000_000_000_000
DAY = 86_400_000_000
BODY = '{"type":"case.opened","data":{"case":"C-1","zh":"案件"}}'.encode()

keys = st.binary(min_size=24, max_size=64)


def test_the_example_of_the_standard() -> None:
    """Secret, id, time, body and signature as its specification prints them."""
    secret = Secret.of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000_000, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@given(keys, st.text(min_size=1, max_size=200))
def test_the_independent_library_accepts_what_is_signed(key: bytes, text: str) -> None:
    now = SystemClock().now_us()  # the library reads the time itself
    body = text.encode("utf-8", "replace")
    secret = Secret(key)
    headers = signed_headers([secret], "msg_1", now, body)
    Webhook(secret.text()).verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret.text()).verify(body + b"x", headers, json_parse=False)


@given(keys)
def test_what_the_independent_library_signs_is_accepted(key: bytes) -> None:
    moment = datetime.fromtimestamp(NOW // 1_000_000, tz=UTC)
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(NOW // 1_000_000),
        "Webhook-Signature": Webhook(key).sign("msg_1", moment, BODY.decode()),
    }
    assert verify([Secret(key)], headers, BODY, NOW) == "msg_1"


def test_while_secrets_overlap_both_holders_can_verify() -> None:
    now = SystemClock().now_us()
    old, fresh = Secret(b"o" * 32), Secret(b"f" * 32)
    both = rotated([old], fresh, now, DAY)
    headers = signed_headers(both, "msg_1", now, BODY)
    for secret in (old, fresh):
        Webhook(secret.text()).verify(BODY, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2
    later = signed_headers(both, "msg_1", now + DAY, BODY)
    assert len(later["webhook-signature"].split(" ")) == 1
    with pytest.raises(SignatureError):
        verify([old], later, BODY, now + DAY)
    assert verify([fresh], later, BODY, now + DAY) == "msg_1"


def test_rotation_keeps_what_is_active_and_bounds_it() -> None:
    secrets: tuple[Secret, ...] = (Secret(b"0" * 32),)
    for number in range(4):
        secrets = rotated(secrets, Secret(bytes([number]) * 32), NOW, DAY)
    assert len(secrets) == 5
    with pytest.raises(UsageError, match="5 secrets are active"):
        rotated(secrets, Secret(b"x" * 32), NOW, DAY)
    assert len(rotated(secrets, Secret(b"x" * 32), NOW + DAY, DAY)) == 2
    assert len(rotated(secrets, Secret(b"x" * 32), NOW, 0)) == 1
    longer = rotated(secrets[:2], Secret(b"x" * 32), NOW + 1, DAY * 9)
    assert [secret.until_us for secret in longer] == [None, NOW + 1 + DAY * 9, NOW + DAY]


@pytest.mark.parametrize("seconds", [-301, 301, 10**7])
def test_a_time_too_far_from_now_is_refused(seconds: int) -> None:
    secret = Secret(b"k" * 32)
    headers = signed_headers([secret], "msg_1", NOW + seconds * 1_000_000, BODY)
    with pytest.raises(SignatureError, match="300 seconds"):
        verify([secret], headers, BODY, NOW)
    assert verify([secret], headers, BODY, NOW, tolerance_s=abs(seconds)) == "msg_1"


@given(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.data())
def test_a_changed_header_or_body_is_refused(name: str, data: st.DataObject) -> None:
    secret = Secret(b"k" * 32)
    headers = signed_headers([secret], "msg_1", NOW, BODY)
    at = data.draw(st.integers(0, len(headers[name]) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=0x4E00))
    changed = headers[name][:at] + letter + headers[name][at + 1 :]
    if changed != headers[name]:
        with pytest.raises(SignatureError):
            verify([secret], {**headers, name: changed}, BODY, NOW)
    with pytest.raises(SignatureError):
        verify([secret], headers, BODY + b" ", NOW)
    without = {key: value for key, value in headers.items() if key != name}
    with pytest.raises(SignatureError, match=f"{name} is missing"):
        verify([secret], without, BODY, NOW)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "key_" + "A" * 44])
def test_what_is_no_secret_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Secret.of(text)
    assert not text or text not in str(caught.value)


def test_a_secret_survives_its_text_and_never_shows() -> None:
    secret = new_secret(lambda size: b"\x07" * size)
    assert Secret.of(secret.text()) == secret
    assert base64.b64encode(secret.key).decode() not in repr(secret)
    assert "x07" not in repr(secret)


def test_without_an_active_secret_nothing_is_signed() -> None:
    with pytest.raises(UsageError, match="no secret"):
        signed_headers([Secret(b"k" * 32, until_us=NOW)], "msg_1", NOW, BODY)
