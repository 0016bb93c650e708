"""Opens what is sealed of a person for the rooms of their rights; see `rights.reader.Reader`."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.connections.book import ConnectionBook
from leadgate.delivery.payloads import Outbox, Payload
from leadgate.dialogue.script import DialogueState
from leadgate.errors import ConfigurationError
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.ports.clock import Clock
from leadgate.ports.stores import StoredConversation, StoredDelivery, StoredEvent, StoredMessage, Transaction
from leadgate.processing.chats import open_body
from leadgate.processing.source import Source
from leadgate.processing.turn import Turns
from leadgate.rights.reader import ChatNotes, Words
from leadgate.vault.envelope import Vault


class PersonReader:
    """Reads by the same code that wrote."""

    def __init__(self, vault: Vault, turns: Turns, outbox: Outbox, book: ConnectionBook, clock: Clock) -> None:
        """Open with these; `book` knows which kinds there are."""
        self._vault = vault
        self._turns = turns
        self._outbox = outbox
        self._book = book
        self._clock = clock

    def words(self, tx: Transaction, message: StoredMessage) -> Words:
        """A message."""
        body = open_body(self._vault, tx, message)
        return Words(body.text, body.buttons, body.gone)

    def chat(self, tx: Transaction, stored: StoredConversation) -> ChatNotes:
        """A chat."""
        chat = self._turns.chats.opened(tx, stored)
        return ChatNotes(chat.address(tx), chat.state)

    def correct_chat(self, tx: Transaction, stored: StoredConversation, state: DialogueState) -> None:
        """Replace what the dialogue remembers."""
        self._turns.chats.opened(tx, stored).keep(tx, state, at=self._clock.now())

    def body(self, tx: Transaction, event: StoredEvent) -> bytes | None:
        """The raw body of an event."""
        return self._turns.open_body(tx, event)

    def facts(self, tx: Transaction, event: StoredEvent, body: bytes) -> Sequence[NormalisedEvent] | None:
        """What stands in a body, also of a connection that is paused or was removed: its settings are kept."""
        opened = self._book.find(event.connection_id)
        if opened is None:
            connection = tx.connections.find(event.connection_id)
            opened = None if connection is None else OpenConnection(connection, {})
        if opened is None:
            return None
        try:
            integration = self._book.integration(opened.connection.kind)
        except ConfigurationError:
            return None
        return self._turns.read_facts(body, Source(opened=opened, integration=integration, crm_connection_id=None))

    def payload(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        """What a delivery carries."""
        return self._outbox.open(tx, delivery)
