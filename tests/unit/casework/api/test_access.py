"""Who may come in: sessions, second factors, keys; what is refused looks the same."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from casework.api.gate import KNOWN_S
from casework.cases.accounts import EVERYTHING, Permission
from casework.cases.scope import Role
from casework.identity.rate import COOKIE
from regtech.errors import ConflictError, NotFoundError, UsageError
from tests.contract.world import DAY_US, SERVICE
from tests.unit.casework.api.api_world import PASSWORD, SECOND_US, ApiWorld, problem

MINUTE_US = 60 * SECOND_US


def _acts(api: ApiWorld) -> list[tuple[str, str]]:
    log = api.world.record.log(SERVICE, "")
    return [(e.detail["act"], e.detail["user"]) for e in log if "act" in e.detail]


def test_a_session_is_begun_used_and_ended(api: ApiWorld) -> None:
    api.person()
    begun = api.log_in()
    assert begun.status_code == 200
    assert begun.json()["name"] == "wang"
    again = api.client.get("/api/v1/session")
    assert again.json() == begun.json()
    ended = api.client.delete("/api/v1/session", headers={"X-CSRF-Token": begun.json()["csrf"]})
    assert ended.status_code == 204
    problem(api.client.get("/api/v1/session"), 401, "unauthenticated")
    assert _acts(api) == [("user_created", "wang"), ("logged_in", "wang"), ("logged_out", "wang")]


def test_the_cookie_is_for_this_host_and_not_for_scripts(api: ApiWorld) -> None:
    api.person()
    cookie = api.log_in().headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert flag.lower() in cookie.lower()
    assert "domain" not in cookie.lower()


def test_a_token_that_was_planted_is_of_no_use(api: ApiWorld) -> None:
    """Session fixation: the token changes at login, and the one from before ends."""
    api.person()
    api.person("mallory")
    api.log_in("mallory")
    planted = api.client.cookies[COOKIE]
    api.log_in()
    mine = api.client.cookies[COOKIE]
    assert mine != planted
    api.client.cookies.clear()
    response = api.client.get("/api/v1/session", headers={"Cookie": f"{COOKIE}={planted}"})
    problem(response, 401, "session_ended")
    invented = api.client.get("/api/v1/session", headers={"Cookie": f"{COOKIE}=mine"})
    problem(invented, 401, "session_ended")


def test_a_session_ends_without_use_and_after_its_time(api: ApiWorld) -> None:
    api.person()
    api.log_in()
    for _ in range(3):
        api.clock.advance(29 * MINUTE_US)
        assert api.client.get("/api/v1/session").status_code == 200
    api.clock.advance(30 * MINUTE_US)
    problem(api.client.get("/api/v1/session"), 401, "session_ended")
    api.log_in()
    for _ in range(25):
        api.clock.advance(29 * MINUTE_US)
        last = api.client.get("/api/v1/session")
    problem(last, 401, "session_ended")


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_a_session_changes_nothing_without_its_token(api: ApiWorld, token: str | None) -> None:
    api.person()
    case = api.case()
    api.log_in()
    headers = {"If-Match": '"1"'}
    if token is not None:
        headers |= {"X-CSRF-Token": token}
    encoded = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    response = api.client.post(
        f"/api/v1/cases/{case.id}/actions", headers=encoded, json={"action": "triage"}
    )
    problem(response, 403, "csrf")
    assert api.world.all()[0].version == 1


def test_a_page_of_another_site_cannot_log_a_browser_in(api: ApiWorld) -> None:
    api.person()
    body = {"name": "wang", "password": PASSWORD}
    response = api.client.post(
        "/api/v1/session", json=body, headers={"Sec-Fetch-Site": "cross-site"}
    )
    problem(response, 403, "csrf")


def test_what_was_wrong_with_a_login_is_not_told(api: ApiWorld) -> None:
    api.person()
    api.person("gone")
    api.identity.disable_user(SERVICE, "gone")
    api.identity.create_user(SERVICE, "machine", [Role.SERVICE])
    bodies = []
    for name, password in (
        ("wang", "wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD),
        ("machine", ""), ("machine", PASSWORD),
    ):  # fmt: skip
        found = problem(api.log_in(name, password or " "), 401, "login_refused")
        bodies.append({**found, "request": ""})
    assert all(body == bodies[0] for body in bodies)


def test_guessing_is_slowed_down_and_ends_by_itself(api: ApiWorld) -> None:
    api.person()
    for _ in range(5):
        problem(api.log_in(password="wrong password"), 401, "login_refused")
    refused = api.log_in()
    problem(refused, 429, "throttled")
    assert int(refused.headers["retry-after"]) >= 1
    api.clock.advance(2 * SECOND_US)
    problem(api.log_in(password="wrong password"), 401, "login_refused")
    api.clock.advance(SECOND_US)
    problem(api.log_in(), 429, "throttled")
    api.clock.advance(2 * SECOND_US)
    assert api.log_in().status_code == 200
    assert api.log_in().status_code == 200
    assert _acts(api).count(("login_refused", "wang")) == 6


def test_a_second_factor_is_asked_for_and_taken_once(api: ApiWorld) -> None:
    api.person()
    secret, uri = api.identity.enrol_second_factor(SERVICE, "wang")
    assert secret in uri
    totp = pyotp.TOTP(secret)
    seconds = api.clock.now_us() // SECOND_US
    problem(api.log_in(), 401, "login_refused")
    problem(api.log_in(code="000000"), 401, "login_refused")
    assert api.log_in(code=totp.at(seconds)).status_code == 200
    problem(api.log_in(code=totp.at(seconds)), 401, "login_refused")
    api.clock.advance(30 * SECOND_US)
    assert api.log_in(code=totp.at(seconds + 30)).status_code == 200
    problem(api.log_in(code=totp.at(seconds)), 401, "login_refused")
    stored = api.accounts.user(SERVICE, "wang")
    assert stored is not None and secret not in stored.totp


def test_a_new_password_ends_all_sessions(api: ApiWorld) -> None:
    api.person()
    api.log_in()
    api.identity.set_password(SERVICE, "wang", "another long password")
    problem(api.client.get("/api/v1/session"), 401, "session_ended")
    problem(api.log_in(), 401, "login_refused")
    assert api.log_in(password="another long password").status_code == 200


def test_who_is_kept_out_is_out_at_once(api: ApiWorld) -> None:
    api.person()
    api.key("wang", EVERYTHING)
    api.log_in()
    api.identity.disable_user(SERVICE, "wang")
    problem(api.client.get("/api/v1/session"), 401, "session_ended")
    problem(api.ask("wang", "GET", "/session"), 401, "key_refused")
    api.identity.disable_user(SERVICE, "wang", disabled=False)
    assert api.ask("wang", "GET", "/session").status_code == 200


def test_a_key_expires(api: ApiWorld) -> None:
    api.user("wang", Role.SUPERVISOR)
    api.clock.advance(30 * DAY_US - 1)
    assert api.ask("wang", "GET", "/session").status_code == 200
    api.clock.advance(1)
    problem(api.ask("wang", "GET", "/session"), 401, "key_refused")


def test_a_key_is_shown_once_and_kept_as_a_hash(api: ApiWorld) -> None:
    api.person()
    csrf = api.log_in().json()["csrf"]
    made = api.client.post(
        "/api/v1/keys", json={"label": "laptop", "permissions": ["read"], "days": 1},
        headers={"X-CSRF-Token": csrf},
    )  # fmt: skip
    assert made.status_code == 201
    text = made.json()["text"]
    assert re.fullmatch(r"rtk_[a-z2-7]{16}_[\w-]{43}", text)
    assert text not in api.client.get("/api/v1/keys").text
    (kept,) = api.accounts.keys(SERVICE)
    assert text.rpartition("_")[2] not in repr(kept)
    api.keys["wang"] = text
    assert api.ask("wang", "GET", "/session").json()["permissions"] == ["read"]
    gone = api.client.delete(f"/api/v1/keys/{made.json()['id']}", headers={"X-CSRF-Token": csrf})
    assert gone.json()["revoked"]
    api.clock.advance(int(KNOWN_S * SECOND_US))
    problem(api.ask("wang", "GET", "/session"), 401, "key_refused")


def test_a_key_makes_no_keys(api: ApiWorld) -> None:
    api.user("wang", Role.SUPERVISOR)
    body = {"label": "more", "permissions": ["read"], "days": 400}
    problem(api.ask("wang", "POST", "/keys", json=body), 403, "forbidden")


@pytest.mark.parametrize(
    "text", ["rtk_", "rtk_a_b", "rtk__", "Bearer", "rtk_" + "a" * 5000, "rtk_aaaaaaaaaaaaaaab_x"]
)
def test_keys_that_are_none_look_the_same(api: ApiWorld, text: str) -> None:
    api.user("wang", Role.SUPERVISOR)
    api.keys["other"] = text
    found = problem(api.ask("other", "GET", "/session"), 401, "key_refused")
    assert found["detail"] == "the key is not known, or no longer"


def test_the_secret_of_another_key_is_refused(api: ApiWorld) -> None:
    mine, other = api.user("wang", Role.SUPERVISOR), api.user("li", Role.SUPERVISOR)
    head, _, _ = mine.rpartition("_")
    api.keys["mixed"] = f"{head}_{other.rpartition('_')[2]}"
    problem(api.ask("mixed", "GET", "/session"), 401, "key_refused")


def test_a_key_may_do_less_than_its_owner_and_never_more(api: ApiWorld) -> None:
    api.user("wang", Role.SUPERVISOR, jurisdictions={"CN", "HK"})
    case = api.case()
    other = api.case(2, jurisdiction="HK", subject="K2")
    api.key("wang", frozenset({Permission.READ}), jurisdictions={"CN"})
    assert api.ask("wang", "GET", f"/cases/{case.id}").status_code == 200
    problem(api.ask("wang", "GET", f"/cases/{other.id}"), 404, "not_found")
    problem(api.act("wang", case, 1, "triage"), 403, "forbidden")
    with pytest.raises(UsageError, match="jurisdictions EU"):
        api.key("wang", EVERYTHING, jurisdictions={"EU"})
    with pytest.raises(UsageError, match="roles operator"):
        api.key("wang", EVERYTHING, roles={Role.OPERATOR})


def test_somebody_elses_keys_are_not_there(api: ApiWorld) -> None:
    api.user("wang", Role.SUPERVISOR)
    api.user("li", Role.SUPERVISOR)
    api.user("op", Role.OPERATOR)
    (key,) = api.accounts.keys(SERVICE, "li")
    strange = problem(api.ask("wang", "DELETE", f"/keys/{key.id}"), 404, "not_found")
    assert strange["detail"] == f"there is no key {key.id}"
    problem(api.ask("wang", "GET", "/keys?owner=li"), 403, "forbidden")
    problem(api.ask("wang", "GET", "/users"), 403, "forbidden")
    assert len(api.ask("op", "GET", "/keys?owner=*").json()["items"]) == 3
    names = [user["name"] for user in api.ask("op", "GET", "/users").json()["items"]]
    assert names == ["li", "op", "wang"]
    assert api.ask("op", "DELETE", f"/keys/{key.id}").status_code == 200


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": "Wang"}, "no name"),
        ({"name": ""}, "no name"),
        ({"name": "a" * 65}, "no name"),
        ({"password": "short"}, "12 to 1024"),
        ({"roles": []}, "needs a role"),
        ({"roles": [Role.INSTITUTION]}, "tenants"),
        ({"roles": [Role.INSTITUTION, Role.AUDITOR], "tenants": {"BANK-A"}}, "of the authority"),
        ({"roles": [Role.INSTITUTION, Role.AUTHOR], "tenants": {"BANK-A"}}, "of the authority"),
    ],
)
def test_users_that_cannot_be(api: ApiWorld, change: dict[str, Any], match: str) -> None:
    wanted = {"name": "wang", "roles": [Role.SUPERVISOR], "password": PASSWORD, **change}
    name, roles = wanted.pop("name"), wanted.pop("roles")
    with pytest.raises(UsageError, match=match):
        api.identity.create_user(SERVICE, name, roles, **wanted)
    assert api.accounts.users(SERVICE) == ()
    assert _acts(api) == []


def test_there_is_no_user_at_first_and_no_two_of_a_name(api: ApiWorld) -> None:
    problem(api.log_in("admin", "admin password"), 401, "login_refused")
    api.person()
    with pytest.raises(ConflictError, match="already"):
        api.person()
    with pytest.raises(NotFoundError):
        api.identity.disable_user(SERVICE, "nobody")
