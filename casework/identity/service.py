"""Everything done with accounts. Each act is in the log, in the same transaction as what it did."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from casework.cases.accounts import (
    EVERYTHING,
    ApiKey,
    Permission,
    Session,
    User,
    check_name,
    narrowed,
)
from casework.cases.errors import UnauthenticatedError
from casework.cases.scope import Role, Scope, service_scope
from casework.cases.timeline import Draft, EntryKind
from casework.identity.passwords import Passwords
from casework.identity.secondfactor import SECRET_BYTES, SecondFactor
from casework.identity.throttle import Throttle
from casework.ports import Accounts, AccountsUnit
from regtech.clock import Clock
from regtech.content.faults import meant_or_known
from regtech.content.saying import say
from regtech.errors import ConflictError, ForbiddenError, NotFoundError, UsageError

DAY_US: Final = 86_400 * 1_000_000
KEY_DAYS_MAX: Final = 400
KEY_PREFIX: Final = "rtk_"
SEEN_EVERY_US: Final = 60 * 1_000_000
"""A session's last use is written at most this often."""
LABEL_MAX: Final = 100

_NO: Final = say("the name, the password or the code is wrong")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person in a session, or a machine with a key."""

    user: User
    scope: Scope
    permissions: frozenset[Permission]
    key: ApiKey | None = None
    session: Session | None = None

    @property
    def id(self) -> str:
        """By what a caller's requests are counted."""
        return f"key:{self.key.id}" if self.key is not None else f"user:{self.user.name}"


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a session lasts, in microseconds: in all, and without a request."""

    longest_us: int = 12 * 3600 * 1_000_000
    idle_us: int = 30 * 60 * 1_000_000


class Identity:
    """Users, sessions and keys. ``random`` gives so many random bytes a call; accounts can be held
    to the ``jurisdictions`` that there are."""

    def __init__(
        self,
        accounts: Accounts,
        clock: Clock,
        random: Callable[[int], bytes],
        *,
        passwords: Passwords,
        second_factor: SecondFactor,
        jurisdictions: Collection[str],
        times: SessionTimes | None = None,
    ) -> None:
        self._accounts, self._clock, self._random = accounts, clock, random
        self._passwords, self._second = passwords, second_factor
        self._jurisdictions = tuple(jurisdictions)
        self._times = times or SessionTimes()
        self._throttle = Throttle(clock)
        self._own = service_scope("identity")

    # --- users

    def create_user(
        self,
        scope: Scope,
        name: str,
        roles: Collection[Role],
        *,
        jurisdictions: Collection[str] | None = None,
        tenants: Collection[str] | None = None,
        password: str | None = None,
        subject: str = "",
    ) -> User:
        """Make a user; without a password it can only use keys or a provider.

        Raises ``ConflictError`` where there is one of that name, ``UsageError``.
        """
        if not roles:
            raise UsageError(say("a user needs a role"))
        if Role.INSTITUTION in roles and len(set(roles)) > 1:
            # Any role of the authority shows all that may not be told to an institution.
            raise UsageError(
                say("who answers for an institution has no role of the authority"),
                hint=say("make another user for it"),
            )
        user = User(
            check_name(name),
            frozenset(roles),
            self._known(jurisdictions),
            None if tenants is None else frozenset(tenants),
            self._clock.now_us(),
            password="" if password is None else self._passwords.hash(password),
            subject=subject,
        )
        user.scope()  # says what does not go together
        with self._accounts.unit(scope) as unit:
            if unit.user(scope, name) is not None:
                raise ConflictError(say("there is a user %(name)s already", name=name))
            unit.put_user(scope, user)
            self._log(unit, scope, "user_created", name, roles=sorted(user.roles))
        return user

    def _known(self, jurisdictions: Collection[str] | None) -> frozenset[str] | None:
        """Jurisdictions of an account. One that is none would show its owner nothing at all."""
        for name in jurisdictions or ():
            if name not in self._jurisdictions:
                raise UsageError(
                    say("unknown jurisdiction %(text)r", text=name),
                    hint=meant_or_known(name, self._jurisdictions),
                )
        return None if jurisdictions is None else frozenset(jurisdictions)

    def users(self, scope: Scope) -> tuple[User, ...]:
        """All users that lie in the scope's reach."""
        _oversees(scope)
        return tuple(user for user in self._accounts.users(scope) if _reaches(scope, user))

    def disable_user(self, scope: Scope, name: str, *, disabled: bool = True) -> User:
        """Keep somebody out, or let them in again; their sessions end, their keys rest."""

        def change(unit: AccountsUnit, user: User) -> User:
            unit.drop_sessions(scope, name)
            return replace(user, disabled=disabled)

        return self._change(scope, name, "user_disabled" if disabled else "user_enabled", change)

    def set_password(self, scope: Scope, name: str, password: str) -> User:
        """Another password; all sessions of the user end."""
        made = self._passwords.hash(password)

        def change(unit: AccountsUnit, user: User) -> User:
            unit.drop_sessions(scope, name)
            return replace(user, password=made)

        return self._change(scope, name, "password_changed", change)

    def enrol_second_factor(self, scope: Scope, name: str) -> tuple[str, str]:
        """A new second factor, asked for from now on: (secret, URI), shown once."""
        text, sealed = self._second.enrol(self._random(SECRET_BYTES))

        def change(unit: AccountsUnit, user: User) -> User:
            unit.drop_sessions(scope, name)
            return replace(user, totp=sealed, totp_step=0)

        self._change(scope, name, "second_factor_enrolled", change)
        return text, self._second.uri(name, text)

    def drop_second_factor(self, scope: Scope, name: str) -> User:
        """Let a user in without a second factor, such as after the loss of a device."""
        return self._change(
            scope, name, "second_factor_dropped", lambda _, user: replace(user, totp="")
        )

    def _change(
        self, scope: Scope, name: str, act: str, change: Callable[[AccountsUnit, User], User]
    ) -> User:
        with self._accounts.unit(scope) as unit:
            user = unit.user(scope, name)
            if user is None or not _reaches(scope, user):
                raise NotFoundError(say("there is no user %(name)s", name=name))
            changed = change(unit, user)
            unit.put_user(scope, changed)
            self._log(unit, scope, act, name)
        return changed

    # --- sessions

    def log_in(
        self, name: str, password: str, code: str, *, address: str, replacing: str | None = None
    ) -> tuple[str, Session]:
        """A session by password and, where there is one, second factor: (token, session).

        ``replacing``: the token that the browser had; it ends, so that nobody keeps using one that
        was planted. Raises ``UnauthenticatedError``, the same for whatever was wrong, or
        ``ThrottledError``.
        """
        self._throttle.check(name, address)
        user = self._accounts.user(self._own, name)
        right = self._passwords.check("" if user is None else user.password, password)
        step = 0
        if user is not None and right and user.totp:
            found = self._second.step_of(user.totp, code, self._clock.now_us(), user.totp_step)
            right, step = found is not None, found or 0
        if user is None or not right or user.disabled:
            self._throttle.failed(name, address)
            known = "" if user is None else user.name
            with self._accounts.unit(self._own) as unit:
                self._log(unit, self._own, "login_refused", known)
            raise UnauthenticatedError(_NO, code="login_refused")
        self._throttle.passed(name, address)
        rehash = self._passwords.outdated(user.password)
        made = self._passwords.hash(password) if rehash else user.password

        def change(found: User) -> User:
            if step and step <= found.totp_step:
                raise UnauthenticatedError(_NO, code="login_refused")
            return replace(found, password=made, totp_step=max(step, found.totp_step))

        return self._begin(user, change, replacing, second_factor=bool(step))

    def log_in_by_subject(self, subject: str, *, replacing: str | None) -> tuple[str, Session]:
        """A session of whom an OpenID Connect provider vouches for; the user has to be there."""
        user = self._accounts.user_of_subject(self._own, subject)
        if user is None or user.disabled:
            with self._accounts.unit(self._own) as unit:
                self._log(unit, self._own, "login_refused", "" if user is None else user.name)
            raise UnauthenticatedError(
                say("nobody here belongs to that login"), code="login_refused"
            )
        return self._begin(user, lambda found: found, replacing, second_factor=True)

    def _begin(
        self,
        user: User,
        change: Callable[[User], User],
        replacing: str | None,
        *,
        second_factor: bool,
    ) -> tuple[str, Session]:
        now = self._clock.now_us()
        token, csrf = _text(self._random(32)), _text(self._random(32))
        ends = now + self._times.longest_us
        session = Session(_digest(token), user.name, csrf, now, now, ends, second_factor)
        scope = user.scope()
        with self._accounts.unit(scope) as unit:
            found = unit.user(scope, user.name)
            if found is None or found.disabled:
                raise UnauthenticatedError(_NO, code="login_refused")
            changed = change(found)
            if changed != found:
                unit.put_user(scope, changed)
            if replacing:
                unit.drop_session(scope, _digest(replacing))
            unit.drop_sessions(scope, "", now)
            unit.put_session(scope, session)
            self._log(unit, scope, "logged_in", user.name)
        return token, session

    def log_out(self, caller: Caller) -> None:
        """End the caller's session."""
        if caller.session is None:
            raise UsageError(say("a key has no session to end"))
        with self._accounts.unit(caller.scope) as unit:
            unit.drop_session(caller.scope, caller.session.digest)
            self._log(unit, caller.scope, "logged_out", caller.user.name)

    def of_session(self, token: str) -> Caller:
        """Who has the session. Raises ``UnauthenticatedError``."""
        session = self._accounts.session(self._own, _digest(token))
        now = self._clock.now_us()
        ended = (
            session is None
            or now >= session.expires_us
            or now >= session.seen_us + self._times.idle_us
        )
        user = None if session is None else self._accounts.user(self._own, session.user)
        if session is None or ended or user is None or user.disabled:
            raise UnauthenticatedError(say("the session has ended"), code="session_ended")
        if now - session.seen_us >= SEEN_EVERY_US:
            session = replace(session, seen_us=now)
            with self._accounts.unit(self._own) as unit:
                unit.put_session(self._own, session)
        return Caller(user, user.scope(), EVERYTHING, session=session)

    # --- keys

    def create_key(
        self,
        scope: Scope,
        owner: str,
        label: str,
        permissions: Collection[Permission],
        *,
        days: int,
        roles: Collection[Role] | None = None,
        jurisdictions: Collection[str] | None = None,
        tenants: Collection[str] | None = None,
    ) -> tuple[str, ApiKey]:
        """A key: (its text, shown this once; what is kept). Raises ``UsageError``."""
        if not permissions:
            raise UsageError(
                say("a key needs a permission"),
                hint=say("permissions: %(permission)s", permission=", ".join(Permission)),
            )
        if not 1 <= days <= KEY_DAYS_MAX:
            raise UsageError(
                say(
                    "a key lasts 1 to %(key_days_max)s days, not %(days)s",
                    key_days_max=KEY_DAYS_MAX,
                    days=days,
                )
            )
        if not label.strip() or len(label) > LABEL_MAX:
            raise UsageError(
                say("a key needs a label of at most %(label_max)s characters", label_max=LABEL_MAX)
            )
        now = self._clock.now_us()
        secret = _text(self._random(32))
        key = ApiKey(
            base64.b32encode(self._random(10)).decode().lower(),
            owner,
            label.strip(),
            _digest(secret),
            frozenset(permissions),
            None if roles is None else frozenset(roles),
            self._known(jurisdictions),
            None if tenants is None else frozenset(tenants),
            now,
            now + days * DAY_US,
        )
        with self._accounts.unit(scope) as unit:
            user = unit.user(scope, owner)
            if user is None or user.disabled:
                raise NotFoundError(say("there is no user %(owner)s", owner=owner))
            _within(user, key)
            narrowed(user, key)
            unit.put_key(scope, key)
            self._log(unit, scope, "key_created", owner, key=key.id)
        return f"{KEY_PREFIX}{key.id}_{secret}", key

    def keys(self, scope: Scope, owner: str | None) -> tuple[ApiKey, ...]:
        """Keys of one's own, or anybody's for those who oversee."""
        if owner != scope.actor:
            _oversees(scope)
        mine = {user.name for user in self._accounts.users(scope) if _reaches(scope, user)}
        return tuple(key for key in self._accounts.keys(scope, owner) if key.owner in mine)

    def revoke_key(self, scope: Scope, key_id: str) -> ApiKey:
        """End a key for good; again changes nothing. Raises ``NotFoundError``.

        Somebody else's key is not there for those who do not oversee.
        """
        key = self._accounts.key(scope, key_id)
        # Asked in any case: no key takes the same time as somebody else's.
        owner = self._accounts.user(scope, _NOBODY if key is None else key.owner)
        may = owner is not None and (
            owner.name == scope.actor or (bool(scope.roles & _KEEPERS) and _reaches(scope, owner))
        )
        if key is None or not may:
            raise NotFoundError(say("there is no key %(key_id)s", key_id=key_id))
        if key.revoked_us is not None:
            return key
        revoked = replace(key, revoked_us=self._clock.now_us())
        with self._accounts.unit(scope) as unit:
            unit.put_key(scope, revoked)
            self._log(unit, scope, "key_revoked", key.owner, key=key.id)
        return revoked

    def of_key(self, text: str) -> Caller:
        """Who has the key. Raises ``UnauthenticatedError``, the same for whatever is wrong."""
        identity, _, secret = text.removeprefix(KEY_PREFIX).partition("_")
        key = self._accounts.key(self._own, identity) if text.startswith(KEY_PREFIX) else None
        digest = "0" * 64 if key is None else key.digest
        same = hmac.compare_digest(digest, _digest(secret))
        user = self._accounts.user(self._own, _NOBODY if key is None else key.owner)
        alive = key is not None and key.alive(self._clock.now_us())
        if key is None or not same or not alive or user is None or user.disabled:
            raise UnauthenticatedError(
                say("the key is not known, or no longer"), code="key_refused"
            )
        return Caller(user, narrowed(user, key), key.permissions, key=key)

    # --- the log

    def _log(self, unit: AccountsUnit, scope: Scope, act: str, user: str, **more: object) -> None:
        detail = {"act": act, "user": user, **more}
        unit.log(scope, "", Draft(EntryKind.NOTED, detail=detail))


_NOBODY: Final = ""
"""A name that no user has."""
_KEEPERS: Final = frozenset({Role.OPERATOR, Role.SERVICE})
_OVERSEERS: Final = frozenset({Role.OPERATOR, Role.AUDITOR, Role.SERVICE})


def _reaches(scope: Scope, user: User) -> bool:
    """Whether a user lies wholly within a scope; oneself always does."""
    if user.name == scope.actor:
        return True
    pairs = ((scope.tenants, user.tenants), (scope.jurisdictions, user.jurisdictions))
    return all(mine is None or (theirs is not None and theirs <= mine) for mine, theirs in pairs)


def _oversees(scope: Scope) -> None:
    if not scope.roles & _OVERSEERS:
        raise ForbiddenError(
            say("%(actor)s may not list accounts", actor=scope.actor),
            hint=say("it takes the role operator or auditor"),
        )


def _within(user: User, key: ApiKey) -> None:
    """Raise ``UsageError`` where a key names what its owner does not have."""
    pairs = (
        ("roles", user.roles, key.roles),
        ("jurisdictions", user.jurisdictions, key.jurisdictions),
        ("tenants", user.tenants, key.tenants),
    )
    for what, mine, wanted in pairs:
        if wanted is not None and mine is not None and not wanted <= mine:
            strange = sorted(str(value) for value in wanted - mine)
            raise UsageError(
                say(
                    "%(name)s does not have the %(what)s %(strange)s",
                    name=user.name,
                    what=what,
                    strange=", ".join(strange),
                )
            )
    if key.roles is not None and not key.roles:
        raise UsageError(say("a key needs a role"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).decode().rstrip("=")
