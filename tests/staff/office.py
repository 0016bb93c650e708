"""A salon's people on a real database, with a clock that can be moved."""

from __future__ import annotations

import json

import pyotp

from leadgate.model.journal import Tag
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, SignIn, Staff, Visit
from leadgate.ports.stores import Transaction
from leadgate.staff.codes import Codes
from leadgate.staff.own_access import OwnAccess
from leadgate.staff.passkeys import Passkeys
from leadgate.staff.people import NEW_BROWSER, People, invite, new_owner
from leadgate.staff.roster import Roster
from leadgate.staff.tokens import ApiTokens
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import CountedIds, FixedClock
from leadgate.testing.journal import MemoryJournal
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.envelope import SECRETS, Vault
from leadgate.vault.key_file import FileKeyWrapper

PASSWORD = Secret("лимонад и корица")
TOKEN = "token-of-the-owner"
NAME = "Гузель"


class Office:
    """One owner who was invited."""

    def __init__(self, storage: SqlStorage, clock: FixedClock | None = None) -> None:
        self.storage = storage
        self.clock = clock or FixedClock()
        self.ids = CountedIds()
        self.journal = MemoryJournal(self.clock)
        self.vault = Vault(FileKeyWrapper(new_cipher_keyset()), self.clock)
        codes, passkeys = Codes(self.vault, self.ids), Passkeys(self.ids, salon="Лимон")
        self.people = People(storage, self.journal, codes, passkeys, clock=self.clock, ids=self.ids)
        self.own = OwnAccess(storage, self.journal, codes, passkeys, salon="Лимон", clock=self.clock)
        self.roster = Roster(storage, self.journal, workspace_id="ws", clock=self.clock, ids=self.ids)
        self.tokens = ApiTokens(storage, self.journal, clock=self.clock, ids=self.ids)

    async def invite(self) -> None:
        def unit(tx: Transaction) -> None:
            self.vault.ensure_scope(tx, SECRETS)
            invite(tx, new_owner("ws", self.ids, at=self.clock.now()), TOKEN, at=self.clock.now())

        await self.storage.write(unit)

    async def open(self) -> Staff:
        """The owner has set a password."""
        await self.invite()
        return await self.people.set_up(TOKEN, name=NAME, password=PASSWORD)

    async def hire(self, name: str, role: Role = Role.MANAGER, password: Secret = PASSWORD) -> Staff:
        """Somebody was invited and has set a password."""
        _, token = await self.roster.add(name, role, by="staff_owner")
        return await self.people.set_up(token.reveal(), name=name, password=password)

    async def enter(self, name: str = NAME, password: Secret = PASSWORD, visit: Visit = NEW_BROWSER) -> SignIn:
        """Name and password."""
        return await self.people.sign_in(name=name, password=password, visit=visit)

    async def sign_in(self, password: Secret = PASSWORD, name: str = NAME) -> str:
        """The session's token of whoever has no second factor."""
        done = await self.enter(name, password)
        assert done.token is not None
        return done.token

    async def connect_app(self, staff: Staff) -> tuple[Secret, list[str]]:
        """Enrol an app and confirm it; its secret, and the codes on paper."""
        app = await self.own.begin_codes(staff)
        return app.secret, list(await self.own.confirm_codes(staff, self.code(app.secret)))

    def code(self, secret: Secret) -> str:
        """What the app shows now."""
        return pyotp.TOTP(secret.reveal()).at(self.clock.now())

    def told(self, *tags: Tag) -> list[str]:
        """Entries of the journal, of these tags alone when they are given: by, tag, on, details."""
        entries = [row.entry for row in self.journal.rows]
        return [
            f"{one.by} {one.tag.value} {one.on} {json.dumps(dict(one.details), sort_keys=True)}"
            for one in entries
            if not tags or one.tag in tags
        ]
