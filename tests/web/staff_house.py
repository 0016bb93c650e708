"""Those who sign in to salon «Лимон», in memory: for tests of the pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from leadgate.errors import AccessDeniedError, ConfigurationError, ConflictError, NotFoundError
from leadgate.model.reveals import Reveal, RevealReason
from leadgate.model.secret import Secret
from leadgate.model.staff import (
    PROOF_LIFE,
    ApiToken,
    Factors,
    PasskeyView,
    Role,
    Session,
    SessionView,
    SignIn,
    Staff,
    StaffView,
    Visit,
)
from leadgate.model.views import Page
from leadgate.staff.own_access import NewApp
from leadgate.staff.passkeys import Asked, Site
from leadgate.staff.people import NEW_BROWSER

NOW = datetime(2026, 11, 24, 11, 52, tzinfo=UTC)  # Tuesday, 14:52 in Moscow
PASSWORD = "четыре слова и лимон"
SETUP_TOKEN = "setup-token-invented"
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
FRESH_SECRET = "whsec_invented-shown-once"
CODE = "123456"


class FrozenClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return 0.0


@dataclass
class MemoryPeople:
    clock: FrozenClock
    staff: dict[str, Staff] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    setup_open: bool = True
    slow_down: bool = False
    factors: Factors = field(default_factory=lambda: Factors(has_codes=False, passkeys=(), recovery_left=0))

    def __post_init__(self) -> None:
        for name, role in (
            ("Ирина", Role.OWNER),
            ("Игорь", Role.INTEGRATOR),
            ("Лейла", Role.MANAGER),
            ("Аудитор", Role.AUDITOR),
        ):
            self.staff[name] = Staff(
                workspace_id="ws_1", staff_id=f"staff_{role}", name=name, role=role, created_at=NOW
            )

    async def find_setup(self, token: str) -> Staff | None:
        return self.staff["Ирина"] if token == SETUP_TOKEN and self.setup_open else None

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        staff = await self.find_setup(token)
        if staff is None:
            raise NotFoundError("Over.", code="staff.setup_over")
        if not name:
            raise ConfigurationError("No name.", code="staff.name_empty")
        if len(password.reveal()) < 10:
            raise ConfigurationError("Short.", code="staff.password_short")
        self.setup_open = False
        self.staff[name] = replace(staff, name=name)
        return self.staff[name]

    async def sign_in(self, *, name: str, password: Secret, visit: Visit = NEW_BROWSER) -> SignIn:
        if self.slow_down:
            raise AccessDeniedError("Too many.", code="access.slow_down", hint="Later.", retry_after_s=70)
        if name not in self.staff or password.reveal() != PASSWORD:
            raise AccessDeniedError("No.")
        if self.factors.is_on:
            return SignIn(ticket=name)
        return await self.open_session(self.staff[name], visit=visit)

    async def open_session(self, staff: Staff, *, visit: Visit = NEW_BROWSER) -> SignIn:
        token = f"session-{len(self.sessions) + 1}"
        self.sessions[token] = Session(
            staff=staff,
            csrf_token=f"csrf-of-{token}",
            expires_at=NOW + timedelta(days=1),
            session_id=f"sess_{len(self.sessions) + 1}",
            proven_at=self.clock.now(),
        )
        return SignIn(token=token, device="device-1")

    async def has_second(self, ticket: str) -> bool:
        return ticket in self.staff

    async def sign_in_second(self, ticket: str, *, code: str, visit: Visit = NEW_BROWSER) -> SignIn:
        if ticket not in self.staff:
            raise NotFoundError("Over.", code="staff.second_over")
        if code != CODE:
            raise AccessDeniedError("No.", code="staff.code_wrong")
        return await self.open_session(self.staff[ticket], visit=visit)

    async def ask_passkey(self, site: Site) -> Asked:
        return Asked("ticket", "{}")

    async def sign_in_by_passkey(self, ticket: str, *, answer: str, site: Site, visit: Visit = NEW_BROWSER) -> SignIn:
        raise AccessDeniedError("No.", code="staff.passkey_refused")

    async def prove(self, token: str, *, password: Secret | None = None, code: str | None = None) -> None:
        if code != CODE and (password is None or password.reveal() != PASSWORD or self.factors.is_on):
            raise AccessDeniedError("No.", code=None if code is None else "staff.code_wrong")
        self.sessions[token] = replace(self.sessions[token], proven_at=self.clock.now())

    async def ask_own_passkey(self, token: str, site: Site) -> Asked:
        return Asked("ticket", "{}")

    async def prove_by_passkey(self, token: str, *, ticket: str, answer: str, site: Site) -> None:
        raise AccessDeniedError("No.", code="staff.passkey_refused")

    def grow_stale(self) -> None:
        """Everybody showed who they are too long ago for dangerous acts."""
        for token, session in self.sessions.items():
            self.sessions[token] = replace(session, proven_at=self.clock.now() - PROOF_LIFE)

    async def find_session(self, token: str) -> Session | None:
        return self.sessions.get(token)

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)


PAPERS = tuple(f"ABCD-EFGH-IJKL-MN{number:02}" for number in range(10))
"""Codes on paper."""


def passkey(number: int, *, last_used_at: datetime | None = None) -> PasskeyView:
    """A passkey with a hostile name."""
    return PasskeyView(passkey_id=f"key_{number}", name=f"Телефон {HOSTILE}", created_at=NOW, last_used_at=last_used_at)


class MemoryOwnAccess:
    """What somebody proves with."""

    def __init__(self, people: MemoryPeople) -> None:
        self.people = people

    async def factors(self, staff_id: str) -> Factors:
        return self.people.factors

    async def begin_codes(self, staff: Staff) -> NewApp:
        return NewApp(Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), Secret("otpauth://totp/x?secret=JBSW"))

    async def confirm_codes(self, staff: Staff, code: str) -> Sequence[str]:
        if code != CODE:
            raise AccessDeniedError("No.", code="staff.code_wrong")
        self.people.factors = Factors(has_codes=True, passkeys=(), recovery_left=10)
        return PAPERS

    async def drop_codes(self, staff: Staff) -> None:
        self.people.factors = Factors(has_codes=False, passkeys=(), recovery_left=0)

    async def new_recovery(self, staff: Staff) -> Sequence[str]:
        return PAPERS

    async def ask_passkey(self, staff: Staff, site: Site) -> Asked:
        return Asked("ticket", "{}")

    async def add_passkey(self, staff: Staff, *, ticket: str, answer: str, name: str, site: Site) -> Sequence[str]:
        raise AccessDeniedError("No.", code="staff.passkey_refused")

    async def drop_passkey(self, staff: Staff, passkey_id: str) -> None:
        if passkey_id != "key_1":
            raise NotFoundError("None.", code="staff.passkey_unknown")


class MemoryRoster:
    """The salon's people: one hostile name among them, one who has not come yet."""

    def __init__(self, people: MemoryPeople) -> None:
        self.people = people
        self.acts: list[tuple[str, ...]] = []

    async def all(self) -> Sequence[StaffView]:
        some = Factors(has_codes=True, passkeys=[passkey(1, last_used_at=NOW)], recovery_left=9)
        none = Factors(has_codes=False, passkeys=(), recovery_left=0)
        invited = Staff(workspace_id="ws_1", staff_id="staff_new", name=HOSTILE, role=Role.MANAGER, created_at=NOW)
        known = [
            StaffView(
                staff=staff,
                has_password=True,
                factors=some if staff.role is Role.OWNER else none,
                sessions=[self._session(number, staff) for number in range(1, 3)],
                invited_until=None,
            )
            for staff in self.people.staff.values()
        ]
        new = StaffView(
            staff=invited, has_password=False, factors=none, sessions=(), invited_until=NOW + timedelta(days=3)
        )
        return [*known, new]

    def _session(self, number: int, staff: Staff) -> SessionView:
        return SessionView(
            session_id=f"sess_{number}",
            staff_id=staff.staff_id,
            agent="" if number == 2 else "firefox/linux",
            created_at=NOW,
            seen_at=NOW,
            expires_at=NOW + timedelta(days=7),
        )

    async def find(self, who: str) -> Staff:
        return self._find(who)

    async def add(self, name: str, role: Role, *, by: str) -> tuple[Staff, Secret]:
        if not name.strip():
            raise ConfigurationError("No name.", code="staff.name_empty")
        if name in self.people.staff:
            raise ConflictError("Taken.", code="staff.name_taken")
        self.acts.append(("add", name, role.value, by))
        return replace(self.people.staff["Лейла"], name=name, role=role), Secret(SETUP_TOKEN)

    async def change_role(self, who: str, role: Role, *, by: str) -> Staff:
        staff = self._find(who)
        if staff.role is role:
            raise ConflictError("Same.", code="staff.same_role")
        if staff.role is Role.OWNER:
            raise ConflictError("Last.", code="staff.last_owner")
        self.acts.append(("role", who, role.value, by))
        return replace(staff, role=role)

    async def dismiss(self, who: str, *, by: str) -> Staff:
        staff = self._find(who)
        if staff.role is Role.OWNER:
            raise ConflictError("Last.", code="staff.last_owner")
        self.acts.append(("dismiss", who, by))
        return staff

    async def reset(self, who: str, *, by: str) -> tuple[Staff, Secret]:
        self.acts.append(("reset", who, by))
        return self._find(who), Secret(SETUP_TOKEN)

    async def end_sessions(self, who: str, *, by: str) -> Staff:
        return self._find(who)

    async def end_session(self, session_id: str, *, by: str, of: str | None = None) -> None:
        if session_id not in {"sess_1", "sess_2"}:
            raise NotFoundError("None.", code="staff.session_unknown")
        self.acts.append(("end", session_id, of or "", by))

    def _find(self, who: str) -> Staff:
        found = [staff for staff in self.people.staff.values() if who in {staff.staff_id, staff.name}]
        if not found:
            raise NotFoundError("Nobody.", code="staff.not_found")
        return found[0]


class MemoryTokens:
    """A live token with a hostile name, one that may only read, one that is over."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, str, tuple[str, ...] | None, str]] = []
        self.revoked: list[str] = []
        token = ApiToken(
            token_id="tok_1",
            name=HOSTILE,
            role=Role.INTEGRATOR,
            created_at=NOW,
            expires_at=NOW + timedelta(days=90),
            last_used_at=NOW,
        )
        self.tokens = [
            token,
            replace(token, token_id="tok_2", name="", scopes=frozenset({"all:read"}), last_used_at=None),
            replace(token, token_id="tok_3", revoked_at=NOW),
        ]

    async def create(
        self,
        *,
        role: Role,
        days: int,
        name: str = "",
        scopes: Collection[str] | None = None,
        by: str = "command",
    ) -> tuple[ApiToken, Secret]:
        if len(name) > 80:
            raise ConfigurationError("Long.", code="access.token_name")
        self.made.append((role.value, days, name, None if scopes is None else tuple(scopes), by))
        return self.tokens[0], Secret(FRESH_SECRET)

    async def all(self) -> Sequence[ApiToken]:
        return self.tokens

    async def revoke(self, token_id: str, *, by: str = "command") -> None:
        self.revoked.append(token_id)


class MemoryReveals:
    """Two looks: one with hostile words, one of a program."""

    async def page(self, *, limit: int, cursor: str | None = None, on: str | None = None) -> Page[Reveal]:
        look = Reveal(
            reveal_id="rev_1",
            on_id=on or "evt_1",
            by="staff_manager",
            by_name="Лейла",
            reason=RevealReason.COMPLAINT,
            at=NOW,
            words=HOSTILE,
        )
        program = replace(look, reveal_id="rev_0", by="tok_1", by_name=None, reason=RevealReason.PROGRAM, words=None)
        return Page([look, program], None)
