"""Set-up, sign-in and sessions.

Tokens of addresses and sessions are random 256 bits; the database keeps only their hashes, so a stolen copy opens nothing. A
session ends after twelve hours without use and after seven days in any case (ASVS v5.0.0-7.3.1 and 7.3.2), and at once when its
person signs out, gets another role or works here no more. Every step is in the audit journal. Signing in works while the journal
cannot be written, since the pages tell what is wrong; what is guarded is refused then by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.audit.trail import recorded
from leadgate.errors import AccessDeniedError, ConfigurationError, ConflictError, NotFoundError
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import Proof, Role, Session, SignIn, Staff, Visit
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, StoredChallenge, StoredSession, Transaction
from leadgate.staff.codes import Codes
from leadgate.staff.lockout import Counter, begin_try, counters_of, end_try, proof_counter, second_counter
from leadgate.staff.passkeys import Asked, Passkeys, Site
from leadgate.staff.passwords import Passwords, check_password, checked_name, name_key
from leadgate.staff.tickets import (
    CHALLENGE_LIFE,
    SECOND_STEP,
    SESSION_IDLE,
    SESSION_LIFE,
    SETUP_LIFE,
    hash_token,
)

STRANGER = "stranger"
"""Who acts in the journal when nobody has shown yet who they are."""

NEW_BROWSER = Visit()
_TOUCH_EVERY = timedelta(minutes=1)
_log = get_logger("staff")


class People:
    """See `web.house.People`."""

    def __init__(
        self,
        storage: Storage,
        journal: Trail,
        codes: Codes,
        passkeys: Passkeys,
        *,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        """Keep people in this storage."""
        self._storage = storage
        self._journal = journal
        self._codes = codes
        self._passkeys = passkeys
        self._clock = clock
        self._ids = ids
        self._passwords = Passwords(ids)

    async def invite_owner_again(self) -> str | None:
        """A fresh one-time address for an owner who has no password yet; None when every owner has one."""
        token, now = self._ids.token(), self._clock.now()
        staff_id = await self._storage.write(lambda tx: invite_again(tx, token, at=now))
        if staff_id is not None:
            await self._journal.record(JournalEntry(tag=Tag.STAFF_INVITED, by="command", on=staff_id))
        return None if staff_id is None else token

    async def find_setup(self, token: str) -> Staff | None:
        """Whom a one-time address belongs to."""
        now = self._clock.now()

        def unit(tx: Transaction) -> Staff | None:
            staff_id = tx.staff.find_setup_token(hash_token(token), now=now)
            return None if staff_id is None else tx.staff.find(staff_id)

        return await self._storage.read(unit)

    async def set_up(self, token: str, *, name: str, password: Secret) -> Staff:
        """Set name and password and use the address up; older sessions of the person end."""
        name = checked_name(name)
        check_password(password, name)
        invited = await self.find_setup(token)
        if invited is None:  # before the costly hash, so that guesses at addresses stay cheap for us
            raise _setup_over()
        password_hash = await self._passwords.hash(password)
        now = self._clock.now()

        def unit(tx: Transaction) -> Staff:
            staff_id = tx.staff.use_setup_token(hash_token(token), now=now)
            if staff_id is None:
                raise _setup_over()
            tx.staff.set_password(staff_id, name=name, name_key=name_key(name), password_hash=password_hash)
            tx.staff.end_sessions_of(staff_id)
            staff = tx.staff.find(staff_id)
            if staff is None:
                raise NotFoundError("This person no longer works here.", code="staff.setup_over")
            return staff

        entry = JournalEntry(tag=Tag.STAFF_SET_UP, by=invited.staff_id, on=invited.staff_id)
        try:
            async with recorded(self._journal, entry):
                staff = await self._storage.write(unit)
        except ConflictError as error:
            raise ConfigurationError(str(error), code=error.code) from error
        _log.info("staff.set_up", outcome="done", role=staff.role.value)
        return staff

    async def sign_in(self, *, name: str, password: Secret, visit: Visit = NEW_BROWSER) -> SignIn:
        """Check name and password; slow down after five failures in a row, never for good."""
        key, now = name_key(name), self._clock.now()

        def begin(tx: Transaction) -> tuple[tuple[Staff, str] | None, bool, int]:
            found = tx.staff.find_password(key)
            is_known = found is not None and _is_known(tx, found[0].staff_id, visit)
            return found, is_known, begin_try(tx, counters_of(key, visit, is_known=is_known), now)

        found, is_known, tries = await self._storage.write(begin)
        # An unknown name costs the same time as a known one, so the answer does not tell who works here.
        is_right = await self._passwords.verify(found[1] if found else None, password)
        if found is None or not is_right:
            await self._refused(found[0].staff_id if found else None, Proof.PASSWORD, is_known=is_known, tries=tries)
            raise AccessDeniedError("Name and password do not fit.")
        staff = found[0]
        counters = counters_of(key, visit, is_known=is_known)
        needs_second = await self._storage.write(lambda tx: _end_password(tx, staff.staff_id, counters))
        if needs_second:
            return SignIn(ticket=await self._ask_second(staff))
        return await self.open_session(staff, visit=visit, proof=Proof.PASSWORD)

    async def has_second(self, ticket: str) -> bool:
        """True while the second step of a sign-in is waited for."""
        return await self._find_ticket(ticket) is not None

    async def sign_in_second(self, ticket: str, *, code: str, visit: Visit = NEW_BROWSER) -> SignIn:
        """The second step: a code of the app, or one on paper.

        Raises:
            NotFoundError: the first step was too long ago (`staff.second_over`).
            AccessDeniedError: the code is wrong (`staff.code_wrong`), or too many were (`access.slow_down`).
        """
        asked, now = await self._find_ticket(ticket), self._clock.now()
        staff_id = asked.staff_id if asked else None
        if staff_id is None:
            raise NotFoundError("The first step was too long ago.", code="staff.second_over")
        is_known, tries = await self._storage.write(lambda tx: _begin_second(tx, staff_id, visit, now))
        counter = second_counter(staff_id, is_known=is_known)

        def unit(tx: Transaction) -> tuple[Staff, Proof] | None:
            staff, proof = tx.staff.find(staff_id), self._codes.check(tx, staff_id, code, at=now)
            if staff is None or proof is None:
                return None
            tx.factors.take_challenge(hash_token(ticket), kind=SECOND_STEP, now=now)
            end_try(tx, [counter])
            return staff, proof

        done = await self._storage.write(unit)
        if done is None:
            await self._refused(staff_id, Proof.CODE, is_known=is_known, tries=tries)
            raise AccessDeniedError("The code does not fit.", code="staff.code_wrong")
        return await self.open_session(done[0], visit=visit, proof=done[1])

    async def ask_passkey(self, site: Site) -> Asked:
        """Ask a browser for a passkey of anybody."""
        now = self._clock.now()
        return await self._storage.write(lambda tx: self._passkeys.ask_to_prove(tx, site, staff_id=None, at=now))

    async def sign_in_by_passkey(self, ticket: str, *, answer: str, site: Site, visit: Visit = NEW_BROWSER) -> SignIn:
        """Sign in by a passkey alone. Raises AccessDeniedError (`staff.passkey_refused`)."""
        now = self._clock.now()
        asked = await self._storage.write(lambda tx: self._passkeys.take(tx, ticket, at=now))

        def unit(tx: Transaction) -> Staff | None:
            return tx.staff.find(self._passkeys.check(tx, site, asked, answer=answer, at=now).staff_id)

        try:
            staff = await self._storage.write(unit)
        except AccessDeniedError:
            await self._refused(None, Proof.PASSKEY, is_known=False, tries=1)
            raise
        if staff is None:
            raise AccessDeniedError("This person no longer works here.", code="staff.passkey_refused")
        return await self.open_session(staff, visit=visit, proof=Proof.PASSKEY)

    async def open_session(self, staff: Staff, *, visit: Visit = NEW_BROWSER, proof: Proof = Proof.SETUP) -> SignIn:
        """Open a session with fresh tokens, and know the browser from now on."""
        token, csrf_token, now = self._ids.token(), self._ids.token(), self._clock.now()
        device = self._ids.token()
        session = StoredSession(
            session_id=self._ids.new("sess"),
            staff_id=staff.staff_id,
            csrf_token=csrf_token,
            agent=visit.agent,
            created_at=now,
            proven_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIFE,
        )

        def unit(tx: Transaction) -> str:
            tx.staff.add_session(hash_token(token), session)
            if visit.device is not None and _is_known(tx, staff.staff_id, visit):
                return visit.device
            tx.factors.add_device(hash_token(device), staff_id=staff.staff_id, at=now)
            return device

        details: dict[str, str | int] = {"proof": proof.value, "session": session.session_id}
        entry = JournalEntry(tag=Tag.STAFF_SIGNED_IN, by=staff.staff_id, on=staff.staff_id, details=details)
        async with recorded(self._journal, entry, is_required=False):
            kept = await self._storage.write(unit)
        _log.info("staff.signed_in", outcome="done", role=staff.role.value)
        return SignIn(token=token, device=kept)

    async def find_session(self, token: str) -> Session | None:
        """The live session of a token whose person still works here."""
        now, token_hash = self._clock.now(), hash_token(token)

        def unit(tx: Transaction) -> tuple[Session, datetime] | None:
            found = tx.staff.find_session(token_hash, now=now)
            staff = None if found is None else tx.staff.find(found.staff_id)
            if found is None or staff is None or now - found.seen_at > SESSION_IDLE:
                return None
            session = Session(
                staff=staff,
                csrf_token=found.csrf_token,
                expires_at=found.expires_at,
                session_id=found.session_id,
                proven_at=found.proven_at,
            )
            return session, found.seen_at

        result = await self._storage.read(unit)
        if result is None:
            return None
        session, seen_at = result
        if now - seen_at > _TOUCH_EVERY:
            await self._storage.write(lambda tx: tx.staff.touch_session(token_hash, now=now))
        return session

    async def sign_out(self, token: str) -> None:
        """End a session."""
        session = await self.find_session(token)
        if session is None:
            await self._storage.write(lambda tx: tx.staff.end_session(hash_token(token)))
            return
        staff_id = session.staff.staff_id
        entry = JournalEntry(
            tag=Tag.STAFF_SIGNED_OUT, by=staff_id, on=staff_id, details={"session": session.session_id}
        )
        async with recorded(self._journal, entry, is_required=False):
            await self._storage.write(lambda tx: tx.staff.end_session(hash_token(token)))

    async def prove(self, token: str, *, password: Secret | None = None, code: str | None = None) -> None:
        """Show again who one is: by a code when the person has an app or paper, else by the password.

        Raises:
            NotFoundError: the session is over. AccessDeniedError: it does not fit (`access.denied`), a second factor is
                asked for and a password was given (`staff.code_wrong`), or too many tries (`access.slow_down`).
        """
        session, now = await self._session(token), self._clock.now()
        staff_id, counter = session.staff.staff_id, proof_counter(session.session_id)
        tries = await self._storage.write(lambda tx: begin_try(tx, [counter], now))
        proof: Proof | None = None
        if code is not None:
            proof = await self._storage.write(lambda tx: self._codes.check(tx, staff_id, code, at=now))
        elif password is not None and not await self._storage.read(lambda tx: has_factor(tx, staff_id)):
            password_hash = await self._storage.read(lambda tx: tx.staff.password_hash(staff_id))
            proof = Proof.PASSWORD if await self._passwords.verify(password_hash, password) else None
        if proof is None:
            await self._refused(
                staff_id, Proof.CODE if code is not None else Proof.PASSWORD, is_known=True, tries=tries
            )
            raise AccessDeniedError("That does not fit.", code="staff.code_wrong" if code is not None else None)
        await self._proven(token, session, proof, counter)

    async def ask_own_passkey(self, token: str, site: Site) -> Asked:
        """Ask whoever is signed in for one of their passkeys. Raises NotFoundError."""
        session, now = await self._session(token), self._clock.now()
        staff_id = session.staff.staff_id
        return await self._storage.write(lambda tx: self._passkeys.ask_to_prove(tx, site, staff_id=staff_id, at=now))

    async def prove_by_passkey(self, token: str, *, ticket: str, answer: str, site: Site) -> None:
        """Show again who one is by a passkey. Raises NotFoundError, AccessDeniedError (`staff.passkey_refused`)."""
        session, now = await self._session(token), self._clock.now()
        asked = await self._storage.write(lambda tx: self._passkeys.take(tx, ticket, at=now))
        try:
            passkey = await self._storage.write(lambda tx: self._passkeys.check(tx, site, asked, answer=answer, at=now))
        except AccessDeniedError:
            await self._refused(session.staff.staff_id, Proof.PASSKEY, is_known=True, tries=1)
            raise
        if passkey.staff_id != session.staff.staff_id:
            raise AccessDeniedError("This passkey is somebody else's.", code="staff.passkey_refused")
        await self._proven(token, session, Proof.PASSKEY, proof_counter(session.session_id))

    async def _session(self, token: str) -> Session:
        session = await self.find_session(token)
        if session is None:
            raise NotFoundError("This session is over.", code="staff.session_over")
        return session

    async def _proven(self, token: str, session: Session, proof: Proof, counter: Counter) -> None:
        now, staff_id = self._clock.now(), session.staff.staff_id

        def unit(tx: Transaction) -> None:
            tx.staff.prove_session(hash_token(token), now=now)
            end_try(tx, [counter])

        details: dict[str, str | int] = {"proof": proof.value, "session": session.session_id}
        entry = JournalEntry(tag=Tag.STAFF_PROVEN, by=staff_id, on=staff_id, details=details)
        async with recorded(self._journal, entry):
            await self._storage.write(unit)

    async def _ask_second(self, staff: Staff) -> str:
        ticket, now = self._ids.token(), self._clock.now()
        asked = StoredChallenge(
            kind=SECOND_STEP, staff_id=staff.staff_id, challenge=b"", expires_at=now + CHALLENGE_LIFE
        )
        await self._storage.write(lambda tx: tx.factors.add_challenge(hash_token(ticket), asked, now=now))
        return ticket

    async def _find_ticket(self, ticket: str) -> StoredChallenge | None:
        now = self._clock.now()
        return await self._storage.read(
            lambda tx: tx.factors.find_challenge(hash_token(ticket), kind=SECOND_STEP, now=now)
        )

    async def _refused(self, staff_id: str | None, proof: Proof, *, is_known: bool, tries: int) -> None:
        _log.warning("staff.sign_in_refused", outcome="refused", error_code=AccessDeniedError.code)
        entry = JournalEntry(
            tag=Tag.STAFF_SIGN_IN_REFUSED,
            by=STRANGER,
            on=staff_id,
            result=Result.REFUSED,
            details={"proof": proof.value, "browser": "known" if is_known else "new", "tries": tries},
        )
        async with recorded(self._journal, entry, is_required=False):
            pass


def has_factor(tx: Transaction, staff_id: str) -> bool:
    """True when the password alone does not show who somebody is."""
    codes = tx.factors.find_codes(staff_id)
    return (codes is not None and codes.confirmed_at is not None) or bool(tx.factors.passkeys(staff_id))


def invite(tx: Transaction, staff: Staff, token: str, *, at: datetime) -> None:
    """Keep a new person and the one-time address where a password is set."""
    tx.staff.add(staff)
    tx.staff.add_setup_token(hash_token(token), staff_id=staff.staff_id, expires_at=at + SETUP_LIFE)


def invite_again(tx: Transaction, token: str, *, at: datetime) -> str | None:
    """Keep another one-time address for an owner who has no password yet, in place of the old one; who, None when all have one."""
    for staff in tx.staff.all():
        if staff.role is Role.OWNER and not tx.staff.has_password(staff.staff_id):
            tx.staff.add_setup_token(hash_token(token), staff_id=staff.staff_id, expires_at=at + SETUP_LIFE)
            return staff.staff_id
    return None


def new_owner(workspace_id: str, ids: IdSource, *, at: datetime) -> Staff:
    """The first person of a workspace."""
    return Staff(workspace_id=workspace_id, staff_id=ids.new("staff"), name="", role=Role.OWNER, created_at=at)


def _is_known(tx: Transaction, staff_id: str, visit: Visit) -> bool:
    return visit.device is not None and tx.factors.find_device(hash_token(visit.device)) == staff_id


def _begin_second(tx: Transaction, staff_id: str, visit: Visit, now: datetime) -> tuple[bool, int]:
    is_known = _is_known(tx, staff_id, visit)
    return is_known, begin_try(tx, [second_counter(staff_id, is_known=is_known)], now)


def _end_password(tx: Transaction, staff_id: str, counters: Sequence[Counter]) -> bool:
    end_try(tx, counters)
    return has_factor(tx, staff_id)


def _setup_over() -> NotFoundError:
    return NotFoundError("This address was used already or has expired.", code="staff.setup_over")
