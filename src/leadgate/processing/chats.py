"""A chat as the house keeps it: state, address and messages, each sealed under the key of the person it began with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from leadgate.delivery.payloads import chat_lane
from leadgate.dialogue.script import DialogueState
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredConversation, StoredMessage, Transaction
from leadgate.vault.envelope import Vault, subject_scope


class MessageBody(msgspec.Struct, frozen=True):
    """A message of a conversation as it is sealed; `gone` says that the client took it back, then there are no words."""

    text: str
    buttons: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat inside a transaction."""

    vault: Vault
    stored: StoredConversation
    state: DialogueState

    @property
    def lane(self) -> str:
        """Where its messages wait."""
        return chat_lane(self.stored.connection_id, self.stored.chat_index)

    @property
    def subject_id(self) -> str:
        """Whose key seals it."""
        return self.stored.subject_id

    def keep(self, tx: Transaction, state: DialogueState, *, at: datetime) -> None:
        """Keep a new state."""
        if state != self.state:
            sealed = _sealed_state(self.vault, tx, self.subject_id, self.stored.conversation_id, state)
            tx.conversations.set_state(self.stored.conversation_id, sealed, at=at)

    def note_heard(self, tx: Transaction, chat_id: str, *, at: datetime) -> None:
        """The client wrote from this address: they can be reached there, whatever we thought before."""
        sealed = None
        if self.stored.sealed_address is None:
            place = _address_place(self.stored.conversation_id)
            sealed = self.vault.seal(tx, subject_scope(self.subject_id), place, chat_id.encode())
        tx.conversations.note_heard(self.stored.conversation_id, sealed, at=at)

    def address(self, tx: Transaction) -> str | None:
        """The vendor's id of the chat; None for one from before addresses were kept."""
        if self.stored.sealed_address is None:
            return None
        place = _address_place(self.stored.conversation_id)
        return self.vault.open(tx, subject_scope(self.subject_id), place, self.stored.sealed_address).decode()

    def add_message(
        self,
        tx: Transaction,
        message_id: str,
        *,
        outgoing: bool,
        text: str,
        at: datetime,
        buttons: tuple[str, ...] = (),
    ) -> None:
        """Append a message."""
        tx.conversations.add_message(
            self.stored.conversation_id,
            message_id=message_id,
            subject_id=self.subject_id,
            outgoing=outgoing,
            sealed_body=_sealed_body(
                self.vault, tx, self.subject_id, message_id, MessageBody(text=text, buttons=buttons)
            ),
            at=at,
        )


class Chats:
    """Finds and begins chats."""

    def __init__(self, vault: Vault, ids: IdSource) -> None:
        """Seal with this vault."""
        self._vault = vault
        self._ids = ids

    def find(self, tx: Transaction, connection_id: str, chat_id: str) -> Chat | None:
        """The chat with this address, or None."""
        index = self._vault.index(tx.workspace_id, f"chat:{connection_id}", chat_id)
        return self.find_by_index(tx, connection_id, index)

    def find_owner(self, tx: Transaction, connection_id: str, chat_id: str) -> str | None:
        """Whose chat this is; None when there is none."""
        stored = tx.conversations.find(
            connection_id, self._vault.index(tx.workspace_id, f"chat:{connection_id}", chat_id)
        )
        return None if stored is None else stored.subject_id

    def find_by_index(self, tx: Transaction, connection_id: str, chat_index: bytes) -> Chat | None:
        """The chat with this blind index, or None."""
        stored = tx.conversations.find(connection_id, chat_index)
        return None if stored is None else self.opened(tx, stored)

    def opened(self, tx: Transaction, stored: StoredConversation) -> Chat:
        """A stored chat; what it says stays sealed under the subject it began with."""
        scope = subject_scope(stored.subject_id)
        plain = self._vault.open(tx, scope, _state_place(stored.conversation_id), stored.sealed_state)
        return Chat(self._vault, stored, msgspec.json.decode(plain, type=DialogueState))

    def begin(
        self, tx: Transaction, connection_id: str, chat_id: str, subject_id: str, state: DialogueState, *, at: datetime
    ) -> Chat:
        """Keep a new chat."""
        conversation_id = self._ids.new("conv")
        place = _address_place(conversation_id)
        stored = StoredConversation(
            conversation_id=conversation_id,
            connection_id=connection_id,
            subject_id=subject_id,
            chat_index=self._vault.index(tx.workspace_id, f"chat:{connection_id}", chat_id),
            sealed_state=_sealed_state(self._vault, tx, subject_id, conversation_id, state),
            sealed_address=self._vault.seal(tx, subject_scope(subject_id), place, chat_id.encode()),
            heard_at=at,
        )
        tx.conversations.add(stored, at=at)
        return Chat(self._vault, stored, state)

    def take_back(self, tx: Transaction, message_id: str) -> str | None:
        """The client deleted a message: its words are gone here too. Under whose key it lies, or None when we have it not."""
        message = tx.conversations.find_message(message_id)
        if message is None:
            return None
        gone = _sealed_body(self._vault, tx, message.subject_id, message_id, MessageBody(text="", gone=True))
        tx.conversations.replace_body(message_id, gone)
        return message.subject_id


def open_body(vault: Vault, tx: Transaction, message: StoredMessage) -> MessageBody:
    """The words of a stored message."""
    scope, place = subject_scope(message.subject_id), message_place(message.message_id)
    return msgspec.json.decode(vault.open(tx, scope, place, message.sealed_body), type=MessageBody)


def message_place(message_id: str) -> str:
    """Where a message is sealed for."""
    return f"messages.body:{message_id}"


def _sealed_body(vault: Vault, tx: Transaction, subject_id: str, message_id: str, body: MessageBody) -> bytes:
    return vault.seal(tx, subject_scope(subject_id), message_place(message_id), msgspec.json.encode(body))


def _sealed_state(vault: Vault, tx: Transaction, subject_id: str, conversation_id: str, state: DialogueState) -> bytes:
    return vault.seal(tx, subject_scope(subject_id), _state_place(conversation_id), msgspec.json.encode(state))


def _state_place(conversation_id: str) -> str:
    return f"conversations.state:{conversation_id}"


def _address_place(conversation_id: str) -> str:
    return f"conversations.address:{conversation_id}"
