"""Writing to a person first: the chat to take, the next one when that way is closed, and closing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadgate.crm.consent.gate import AdvertisingPermit, may_advertise
from leadgate.crm.identity import Identities
from leadgate.delivery.payloads import Outbox, chat_lane
from leadgate.errors import VaultError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.source import Source

FALL_OVER_AFTER = timedelta(minutes=5)
"""How long a notice waits for a messenger that does not answer before it takes the next way."""

FAILURE_TOO_LATE_AFTER = timedelta(hours=24)
"""A vendor that tells a failure later than this tells it of a notice whose time is over."""

WENT_ELSEWHERE = "message.went_elsewhere"
CONSENT_WITHDRAWN = "message.consent_withdrawn"
_WAITING_AT_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the salon says of its own accord, for instance a reminder: service, not advertising (`Reach.advertise`).

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
        return self._send(tx, subject_id, self._message(notice), at=at)

    def advertise(self, tx: Transaction, permit: AdvertisingPermit, notice: Notice, *, at: datetime) -> str | None:
        """Send advertising to whom the permit is for; the delivery's id, or None when there is no way to them.

        Raises:
            PrivacyError: the permit was made in another transaction (`consent.no_permit`).
        """
        permit.check(tx, permit.subject_id)
        return self._send(tx, permit.subject_id, replace(self._message(notice), is_advertising=True), at=at)

    def drop_advertising(self, tx: Transaction, subject_id: str, *, at: datetime) -> None:
        """Of what waits for a person's chats, advertising is sent no more."""
        for stored in tx.conversations.of_subjects(self._identities.everyone(tx, subject_id)):
            lane = chat_lane(stored.connection_id, stored.chat_index)
            for delivery, message in self._waiting_notices(tx, lane):
                if message.is_advertising:
                    _give_up(tx, delivery, CONSENT_WITHDRAWN, at=at)

    def _message(self, notice: Notice) -> OutgoingMessage:
        return OutgoingMessage(
            message_id=self._ids.new("msg"),
            chat_id="",
            text=notice.text,
            buttons=notice.buttons,
            template=notice.template,
            parameters=notice.parameters,
            tried=(),
        )

    def fall_over(self, tx: Transaction, subject_id: str, message: OutgoingMessage, *, at: datetime) -> str | None:
        """Send a notice the next way; None when it is no notice or there is none left."""
        if message.tried is None:
            return None
        fresh = replace(message, message_id=self._ids.new("msg"), callback_id=None)
        return self._send(tx, subject_id, fresh, at=at)

    def close(self, tx: Transaction, chat: Chat, code: str, *, at: datetime) -> None:
        """Nothing more is sent until the client writes again: notices that wait take the next way, the rest is given up."""
        tx.conversations.set_unreachable(chat.stored.conversation_id, code, at=at)
        notices = self._waiting_notices(tx, chat.lane)
        tx.deliveries.give_up_lane(chat.lane, error_code=code, at=at)
        for delivery, message in notices:
            self.fall_over(tx, delivery.subject_id, message, at=at)

    def pass_on_overdue(self, tx: Transaction, lane: str, *, at: datetime) -> None:
        """The messenger does not answer: notices that have waited for it long enough, behind whatever, take the next way."""
        for delivery, message in self._waiting_notices(tx, lane):
            is_overdue = at - delivery.created_at >= FALL_OVER_AFTER
            if is_overdue and self.fall_over(tx, delivery.subject_id, message, at=at) is not None:
                _give_up(tx, delivery, WENT_ELSEWHERE, at=at)

    def carry_on(self, tx: Transaction, delivery_id: str, *, at: datetime) -> str | None:
        """The vendor took a notice and could not bring it: the next way, unless its time is over."""
        delivery = tx.deliveries.find(delivery_id)
        if delivery is None or at - delivery.created_at >= FAILURE_TOO_LATE_AFTER:
            return None
        message = self.find_message(tx, delivery)
        return None if message is None else self.fall_over(tx, delivery.subject_id, message, at=at)

    def find_uncertain(self, tx: Transaction, lane: str, message_id: str) -> StoredDelivery | None:
        """The delivery of this message, when nobody knows whether it arrived."""
        for delivery in tx.deliveries.uncertain_in_lane(lane):
            message = self.find_message(tx, delivery)
            if message is not None and message.message_id == message_id:
                return delivery
        return None

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
        if message.is_advertising and not may_advertise(tx, subject_id):
            return None
        for chat in self.ways(tx, subject_id):
            address = chat.address(tx)
            if address is None or chat.stored.conversation_id in tried:
                continue
            addressed = replace(
                message,
                chat_id=address,
                heard_at=chat.stored.heard_at,
                tried=(*tried, chat.stored.conversation_id),
            )
            ready = self._outbox.guarded(tx, addressed, at=at)
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

    def _waiting_notices(self, tx: Transaction, lane: str) -> list[tuple[StoredDelivery, OutgoingMessage]]:
        """Nobody's event brought a notice about, so answers need not be opened."""
        waiting = [
            delivery
            for delivery in tx.deliveries.open_in_lane(lane, limit=_WAITING_AT_MOST)
            if delivery.state is DeliveryState.WAITING and delivery.event_id is None
        ]
        opened = [(delivery, self.find_message(tx, delivery)) for delivery in waiting]
        return [(d, message) for d, message in opened if message is not None and message.tried is not None]

    def find_message(self, tx: Transaction, delivery: StoredDelivery) -> OutgoingMessage | None:
        """What a delivery says; None when it is no message, or the person was erased."""
        try:
            payload = self._outbox.open(tx, delivery)
        except VaultError:  # the person was erased, or it will be told when its turn comes
            return None
        return payload if isinstance(payload, OutgoingMessage) else None


def _give_up(tx: Transaction, delivery: StoredDelivery, code: str, *, at: datetime) -> None:
    tx.deliveries.settle(
        delivery.delivery_id,
        state=DeliveryState.DISCARDED,
        due_at=None,
        failures=delivery.failures,
        error_code=code,
        error_detail=None,
        external_id=None,
        at=at,
    )
