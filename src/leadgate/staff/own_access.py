"""What somebody changes about their own way in: the app that counts time, passkeys, codes on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.audit.trail import recorded
from leadgate.errors import AccessDeniedError, NotFoundError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import Factors, PasskeyView, Staff
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, StoredPasskey, Transaction
from leadgate.staff.codes import Codes, enrolment_address
from leadgate.staff.passkeys import Asked, Passkeys, Site
from leadgate.staff.tickets import PASSKEY_ENROLMENT


@dataclass(frozen=True, slots=True)
class NewApp:
    """What an app is enrolled with, shown this once: the secret to type, and the address to press on a phone."""

    secret: Secret
    address: Secret


class OwnAccess:
    """See `web.house.OwnAccess`."""

    def __init__(
        self, storage: Storage, journal: Trail, codes: Codes, passkeys: Passkeys, *, salon: str, clock: Clock
    ) -> None:
        """`salon` is the name that an app shows."""
        self._storage = storage
        self._journal = journal
        self._codes = codes
        self._passkeys = passkeys
        self._salon = salon
        self._clock = clock

    async def factors(self, staff_id: str) -> Factors:
        """What somebody proves with besides the password."""
        return await self._storage.read(lambda tx: read_factors(tx, staff_id))

    async def begin_codes(self, staff: Staff) -> NewApp:
        """Begin to enrol an app; it counts when a first code was right."""
        now = self._clock.now()
        secret = await self._storage.write(lambda tx: self._codes.enrol(tx, staff.staff_id, at=now))
        return NewApp(secret, enrolment_address(secret, staff, self._salon))

    async def confirm_codes(self, staff: Staff, code: str) -> Sequence[str]:
        """Ask for codes from now on; the codes on paper, shown this once, when there are none yet.

        Raises:
            AccessDeniedError: this first code is wrong (`staff.code_wrong`).
        """
        now, staff_id = self._clock.now(), staff.staff_id

        def unit(tx: Transaction) -> Sequence[str]:
            if not self._codes.confirm(tx, staff_id, "".join(code.split()), at=now):
                raise AccessDeniedError("The code does not fit.", code="staff.code_wrong")
            return () if tx.factors.count_recovery(staff_id) else self._codes.new_recovery(tx, staff_id)

        async with recorded(self._journal, _entry(Tag.STAFF_FACTOR_ADDED, staff_id, "code")):
            return await self._storage.write(unit)

    async def drop_codes(self, staff: Staff) -> None:
        """The app is asked for no more."""
        staff_id = staff.staff_id

        def unit(tx: Transaction) -> None:
            tx.factors.drop_codes(staff_id)
            _drop_paper_of_nothing(tx, staff_id)

        async with recorded(self._journal, _entry(Tag.STAFF_FACTOR_REMOVED, staff_id, "code")):
            await self._storage.write(unit)

    async def new_recovery(self, staff: Staff) -> Sequence[str]:
        """Ten fresh codes for paper, shown this once; earlier ones are worth nothing."""
        async with recorded(self._journal, _entry(Tag.STAFF_FACTOR_ADDED, staff.staff_id, "recovery")):
            return await self._storage.write(lambda tx: self._codes.new_recovery(tx, staff.staff_id))

    async def ask_passkey(self, staff: Staff, site: Site) -> Asked:
        """Ask the browser for a new passkey."""
        now = self._clock.now()
        return await self._storage.write(lambda tx: self._passkeys.ask_to_enrol(tx, staff, site, at=now))

    async def add_passkey(self, staff: Staff, *, ticket: str, answer: str, name: str, site: Site) -> Sequence[str]:
        """Keep the passkey that the browser made; the codes on paper, shown this once, when there are none yet.

        Raises:
            AccessDeniedError: it is not what was asked for (`staff.passkey_refused`).
            ConflictError: it is known already (`staff.passkey_known`).
        """
        now, staff_id = self._clock.now(), staff.staff_id
        asked = await self._storage.write(lambda tx: self._passkeys.take(tx, ticket, at=now, kind=PASSKEY_ENROLMENT))

        def unit(tx: Transaction) -> Sequence[str]:
            self._passkeys.enrol(tx, staff, site, asked, answer=answer, name=name, at=now)
            return () if tx.factors.count_recovery(staff_id) else self._codes.new_recovery(tx, staff_id)

        async with recorded(self._journal, _entry(Tag.STAFF_FACTOR_ADDED, staff_id, "passkey")):
            return await self._storage.write(unit)

    async def drop_passkey(self, staff: Staff, passkey_id: str) -> None:
        """A passkey opens nothing any more. Raises NotFoundError."""
        staff_id = staff.staff_id

        def unit(tx: Transaction) -> None:
            if not tx.factors.drop_passkey(staff_id, passkey_id):
                raise NotFoundError("There is no such passkey.", code="staff.passkey_unknown")
            _drop_paper_of_nothing(tx, staff_id)

        async with recorded(self._journal, _entry(Tag.STAFF_FACTOR_REMOVED, staff_id, "passkey")):
            await self._storage.write(unit)


def read_factors(tx: Transaction, staff_id: str) -> Factors:
    """What somebody proves with."""
    codes = tx.factors.find_codes(staff_id)
    return Factors(
        has_codes=codes is not None and codes.confirmed_at is not None,
        passkeys=[view_passkey(passkey) for passkey in tx.factors.passkeys(staff_id)],
        recovery_left=tx.factors.count_recovery(staff_id),
    )


def view_passkey(passkey: StoredPasskey) -> PasskeyView:
    """A passkey as people see it."""
    return PasskeyView(
        passkey_id=passkey.passkey_id,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )


def _drop_paper_of_nothing(tx: Transaction, staff_id: str) -> None:
    """Codes on paper stand in for a lost phone; without an app and a passkey nobody asks for them."""
    if not read_factors(tx, staff_id).is_on:
        tx.factors.set_recovery(staff_id, ())


def _entry(tag: Tag, staff_id: str, factor: str) -> JournalEntry:
    return JournalEntry(tag=tag, by=staff_id, on=staff_id, details={"factor": factor})
