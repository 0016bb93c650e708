"""Whose the events are that nobody has worked on: their bodies are sealed as they came, and no row says whose words they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from leadgate.connections.book import ConnectionBook
from leadgate.crm.identity import Identities
from leadgate.errors import LeadgateError
from leadgate.model.events import NormalisedEvent
from leadgate.model.leads import Person
from leadgate.ports.stores import StoredEvent, Transaction
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns
from leadgate.vault.envelope import Vault

Marks = frozenset[tuple[str, bytes]]
_AT_ONCE = 200


class UnreadEvents:
    """Reads what is still unread, also of paused connections, and compares it with what a person is known by."""

    def __init__(self, turns: Turns, book: ConnectionBook, vault: Vault, identities: Identities) -> None:
        """Parse with these."""
        self._turns = turns
        self._book = book
        self._vault = vault
        self._identities = identities

    def of(self, tx: Transaction, marks: Marks, *, is_waiting: bool) -> list[str]:
        """Ids of those that come from the person; with `is_waiting` of those alone that wait for work."""
        found, after = [], -1
        while page := tx.erasures.unread(after_seq=after, limit=_AT_ONCE, is_waiting=is_waiting):
            after = page[-1].seq
            found += [event.event_id for event in page if self._is_theirs(tx, event, marks)]
        return found

    def _is_theirs(self, tx: Transaction, event: StoredEvent, marks: Collection[tuple[str, bytes]]) -> bool:
        opened = self._book.find(event.connection_id)
        if opened is None:  # removed: nobody will work on it, and nothing can be read without the vendor's settings
            return False
        integration = self._book.integration(opened.connection.kind)
        source = Source(opened=opened, integration=integration, crm_connection_id=None)
        try:
            facts = self._turns.read_facts(self._turns.open_body(tx, event), source)
        except (
            LeadgateError,
            ValueError,
            KeyError,
            TypeError,
        ):  # a body that breaks our parser stays what it is: unreadable
            return False
        return any(mark in marks for fact in facts for mark in self._marks(tx, fact, source))

    def _marks(self, tx: Transaction, fact: NormalisedEvent, source: Source) -> Iterator[tuple[str, bytes]]:
        kind = source.integration.manifest.kind
        if fact.lead is not None:
            yield from self._identities.marks(tx, fact.lead.contact, fact.lead.channel)
        person = Person(
            phone=fact.phone if fact.phone_verified else None,
            username=fact.username,
            channel_user_id=fact.sender_id or fact.chat_id,
        )
        yield from self._identities.marks(tx, person, kind)
        if fact.chat_id is not None:
            chat = f"chat:{source.connection_id}"
            yield chat, self._vault.index(tx.workspace_id, chat, fact.chat_id)
