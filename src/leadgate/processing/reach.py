"""Writing to a person first: the chat to take, and the next one when that way is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadgate.crm.identity import Identities
from leadgate.delivery.payloads import Outbox
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.source import Source

FALL_OVER_AFTER = timedelta(minutes=5)
"""How long a notice waits for a messenger that does not answer before it takes the next way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the salon says of its own accord, for instance a reminder.

    Attributes:
        template: our word for what it is, for messengers that then send approved texts only.
        parameters: what a template fills in.
    """

    text: str
    template: str | None = None
    parameters: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()


class Reach:
    """Knows the ways to a person."""

    def __init__(
        self,
        chats: Chats,
        identities: Identities,
        outbox: Outbox,
        ids: IdSource,
        find_source: Callable[[str], Source | None],
    ) -> None:
        """Send through `outbox`; a way is open while `find_source` knows its connection."""
        self._chats = chats
        self._identities = identities
        self._outbox = outbox
        self._ids = ids
        self._find_source = find_source

    def tell(self, tx: Transaction, subject_id: str, notice: Notice, *, at: datetime) -> str | None:
        """Send a notice where the person was last heard; the delivery's id, or None when there is no way to them."""
        message = OutgoingMessage(
            message_id=self._ids.new("msg"),
            chat_id="",
            text=notice.text,
            buttons=notice.buttons,
            template=notice.template,
            parameters=notice.parameters,
            tried=(),
        )
        return self._send(tx, subject_id, message, at=at)

    def fall_over(self, tx: Transaction, subject_id: str, message: OutgoingMessage, *, at: datetime) -> str | None:
        """Send a notice the next way; None when it is no notice or there is none left."""
        if message.tried is None:
            return None
        fresh = replace(message, message_id=self._ids.new("msg"), callback_id=None)
        return self._send(tx, subject_id, fresh, at=at)

    def ways(self, tx: Transaction, subject_id: str) -> list[Chat]:
        """The chats in which the person can be written to now, the one last heard of first."""
        stored = tx.conversations.of_subjects(self._identities.everyone(tx, subject_id))
        return [
            self._chats.opened(tx, chat) for chat in stored if self._is_open(chat.connection_id, chat.unreachable_since)
        ]

    def _is_open(self, connection_id: str, unreachable_since: datetime | None) -> bool:
        source = self._find_source(connection_id)
        return unreachable_since is None and source is not None and source.integration.open_channel is not None

    def _send(self, tx: Transaction, subject_id: str, message: OutgoingMessage, *, at: datetime) -> str | None:
        tried = message.tried or ()
        for chat in self.ways(tx, subject_id):
            address = chat.address(tx)
            if address is None or chat.stored.conversation_id in tried:
                continue
            ready = replace(
                message,
                chat_id=address,
                heard_at=chat.stored.heard_at,
                tried=(*tried, chat.stored.conversation_id),
            )
            chat.add_message(tx, ready.message_id, outgoing=True, text=ready.text, buttons=ready.buttons, at=at)
            return self._outbox.enqueue(
                tx,
                ready,
                lane=chat.lane,
                connection_id=chat.stored.connection_id,
                subject_id=chat.subject_id,
                event_id=None,
                at=at,
            )
        return None
