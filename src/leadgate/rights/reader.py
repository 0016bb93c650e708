"""What reads sealed things for the rooms of a person's rights; `leadgate.app` offers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from leadgate.delivery.payloads import Payload
from leadgate.dialogue.script import DialogueState
from leadgate.model.events import NormalisedEvent
from leadgate.ports.stores import StoredConversation, StoredDelivery, StoredEvent, StoredMessage, Transaction


@dataclass(frozen=True, slots=True)
class Words:
    """A message that was opened; `is_gone`: the client took it back, there are no words any more."""

    text: str
    buttons: Sequence[str]
    is_gone: bool


@dataclass(frozen=True, slots=True)
class ChatNotes:
    """What is kept of a chat beside its messages: the vendor's address, and where the dialogue stands."""

    address: str | None
    state: DialogueState


class Reader(Protocol):
    """Opens what is sealed. Each raises UnknownKeyError when the key of the person was destroyed."""

    def words(self, tx: Transaction, message: StoredMessage) -> Words:
        """A message."""
        ...

    def chat(self, tx: Transaction, stored: StoredConversation) -> ChatNotes:
        """A chat."""
        ...

    def correct_chat(self, tx: Transaction, stored: StoredConversation, state: DialogueState) -> None:
        """Replace what the dialogue remembers."""
        ...

    def body(self, tx: Transaction, event: StoredEvent) -> bytes | None:
        """The raw body of an event; None when it is not kept any more."""
        ...

    def facts(self, tx: Transaction, event: StoredEvent, body: bytes) -> Sequence[NormalisedEvent] | None:
        """What stands in a body; None when nobody can read bodies of its kind any more."""
        ...

    def payload(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        """What a delivery carries."""
        ...
