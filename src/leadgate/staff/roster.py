"""Who works here: inviting, roles, dismissal, sessions. A role that changes and a dismissal end every session at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from leadgate.audit.trail import recorded
from leadgate.errors import ConflictError, NotFoundError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import Factors, Role, SessionView, Staff, StaffView
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, StoredPasskey, StoredSession, Transaction
from leadgate.staff.own_access import view_passkey
from leadgate.staff.passwords import checked_name, name_key
from leadgate.staff.people import invite
from leadgate.staff.tickets import SESSION_IDLE, SETUP_LIFE, hash_token

_log = get_logger("staff")


class Roster:
    """See `web.house.Roster`."""

    def __init__(self, storage: Storage, journal: Trail, *, workspace_id: str, clock: Clock, ids: IdSource) -> None:
        """The people of one workspace."""
        self._storage = storage
        self._journal = journal
        self._workspace_id = workspace_id
        self._clock = clock
        self._ids = ids

    async def all(self) -> Sequence[StaffView]:
        """Everybody who works here, oldest first, with their live sessions."""
        now = self._clock.now()
        return await self._storage.read(lambda tx: _views(tx, now))

    async def find(self, who: str) -> Staff:
        """A person by id or sign-in name. Raises NotFoundError (`staff.not_found`)."""
        return await self._storage.read(lambda tx: _find(tx, who))

    async def add(self, name: str, role: Role, *, by: str) -> tuple[Staff, Secret]:
        """Invite somebody; the person, and the token of the one-time address where they set a password.

        Raises:
            ConfigurationError: the name is empty or too long (`staff.name_empty`).
            ConflictError: somebody has it (`staff.name_taken`).
        """
        name, token, now = checked_name(name), self._ids.token(), self._clock.now()
        staff = Staff(
            workspace_id=self._workspace_id, staff_id=self._ids.new("staff"), name=name, role=role, created_at=now
        )

        def unit(tx: Transaction) -> None:
            if tx.staff.find_by_name(name_key(name)) is not None:
                raise ConflictError("Somebody has this name already.", code="staff.name_taken")
            invite(tx, staff, token, at=now)
            tx.staff.set_name(staff.staff_id, name=name, name_key=name_key(name))

        entry = JournalEntry(tag=Tag.STAFF_INVITED, by=by, on=staff.staff_id, details={"role": role.value})
        async with recorded(self._journal, entry):
            await self._storage.write(unit)
        _log.info("staff.invited", role=role.value, action=by)
        return staff, Secret(token)

    async def change_role(self, who: str, role: Role, *, by: str) -> Staff:
        """Another role, and every session of the person ends.

        Raises:
            NotFoundError: nobody of this id or name (`staff.not_found`).
            ConflictError: the last owner stays one (`staff.last_owner`); the role is this one already (`staff.same_role`).
        """
        staff = await self.find(who)
        if staff.role is role:
            raise ConflictError(f"This person's role is {role.value} already.", code="staff.same_role")

        def act(tx: Transaction, found: Staff) -> None:
            tx.staff.set_role(found.staff_id, role)

        details = {"role": role.value, "was": staff.role.value}
        return await self._change(staff, Tag.STAFF_ROLE_CHANGED, act, by=by, details=details, keeps_owner=False)

    async def dismiss(self, who: str, *, by: str) -> Staff:
        """They work here no more: sessions, passkeys and addresses end at once, the name is free again.

        Raises:
            NotFoundError: nobody of this id or name. ConflictError: the last owner (`staff.last_owner`).
        """
        now = self._clock.now()

        def act(tx: Transaction, found: Staff) -> None:
            tx.staff.disable(found.staff_id, at=now)
            tx.staff.drop_setup_tokens(found.staff_id)
            tx.factors.drop_all(found.staff_id)

        return await self._change(await self.find(who), Tag.STAFF_DISMISSED, act, by=by, keeps_owner=False)

    async def reset(self, who: str, *, by: str) -> tuple[Staff, Secret]:
        """A fresh one-time address is the only way in: password, app, passkeys, sessions and known browsers are gone.

        Raises:
            NotFoundError: nobody of this id or name.
        """
        token, now = self._ids.token(), self._clock.now()

        def act(tx: Transaction, found: Staff) -> None:
            tx.staff.drop_password(found.staff_id)
            tx.factors.drop_all(found.staff_id)
            tx.staff.add_setup_token(hash_token(token), staff_id=found.staff_id, expires_at=now + SETUP_LIFE)

        staff = await self._change(await self.find(who), Tag.STAFF_RESET, act, by=by, keeps_owner=True)
        return staff, Secret(token)

    async def end_sessions(self, who: str, *, by: str) -> Staff:
        """Every browser of somebody is signed out at once. Raises NotFoundError."""
        return await self._change(
            await self.find(who), Tag.STAFF_SESSION_ENDED, lambda _tx, _found: None, by=by, keeps_owner=True
        )

    async def end_session(self, session_id: str, *, by: str, of: str | None = None) -> None:
        """One browser is signed out at once.

        Args:
            of: only when it is a session of this person.

        Raises:
            NotFoundError: there is none of this id (`staff.session_unknown`).
        """
        now = self._clock.now()
        found = await self._storage.read(lambda tx: tx.staff.sessions(now=now))
        whose = next((one.staff_id for one in found if one.session_id == session_id), None)
        if whose is None or (of is not None and whose != of):
            raise NotFoundError("There is no such session.", code="staff.session_unknown")
        entry = JournalEntry(tag=Tag.STAFF_SESSION_ENDED, by=by, on=whose, details={"session": session_id})
        async with recorded(self._journal, entry, is_required=False):
            await self._storage.write(lambda tx: tx.staff.end_session_of_id(session_id))

    async def _change(
        self,
        staff: Staff,
        tag: Tag,
        act: Callable[[Transaction, Staff], None],
        *,
        by: str,
        keeps_owner: bool,
        details: Mapping[str, str | int] | None = None,
    ) -> Staff:
        """Do it to somebody who still works here, and end their sessions in the same transaction."""

        def unit(tx: Transaction) -> Staff:
            owners = tx.staff.owners()
            found = _find(tx, staff.staff_id)
            if not keeps_owner and found.role is Role.OWNER and not [one for one in owners if one != found]:
                raise ConflictError(
                    "This is the last owner.", code="staff.last_owner", hint="Make somebody else an owner first."
                )
            act(tx, found)
            tx.staff.end_sessions_of(found.staff_id)
            return _find_again(tx, found)

        entry = JournalEntry(tag=tag, by=by, on=staff.staff_id, details=details or {})
        async with recorded(self._journal, entry):
            changed = await self._storage.write(unit)
        _log.info("staff.changed", kind=tag.value, role=changed.role.value, action=by)
        return changed


def _find(tx: Transaction, who: str) -> Staff:
    found = tx.staff.find(who) or tx.staff.find_by_name(name_key(who))
    if found is None:
        raise NotFoundError("Nobody of this name works here.", code="staff.not_found", hint="See: leadgate staff list")
    return found


def _find_again(tx: Transaction, staff: Staff) -> Staff:
    return tx.staff.find(staff.staff_id) or staff


def _views(tx: Transaction, now: datetime) -> Sequence[StaffView]:
    live = [one for one in tx.staff.sessions(now=now) if now - one.seen_at <= SESSION_IDLE]
    with_codes, papers, invited = (
        tx.factors.staff_with_codes(),
        tx.factors.recovery_counts(),
        dict(tx.staff.invitations(now=now)),
    )
    passkeys = tx.factors.passkeys()
    return [
        StaffView(
            staff=staff,
            has_password=tx.staff.has_password(staff.staff_id),
            factors=Factors(
                has_codes=staff.staff_id in with_codes,
                passkeys=[view_passkey(one) for one in _of(passkeys, staff)],
                recovery_left=papers.get(staff.staff_id, 0),
            ),
            sessions=[_view(one) for one in live if one.staff_id == staff.staff_id],
            invited_until=invited.get(staff.staff_id),
        )
        for staff in tx.staff.all()
    ]


def _of(passkeys: Sequence[StoredPasskey], staff: Staff) -> Sequence[StoredPasskey]:
    return [one for one in passkeys if one.staff_id == staff.staff_id]


def _view(session: StoredSession) -> SessionView:
    return SessionView(
        session_id=session.session_id,
        staff_id=session.staff_id,
        agent=session.agent,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
    )
