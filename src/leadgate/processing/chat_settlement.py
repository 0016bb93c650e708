"""What the outcome of a message means for its chat: known by the vendor's id, closed to us, or sent another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from leadgate.crm.fates import Fates
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.payloads import Payload
from leadgate.delivery.retry import Decision
from leadgate.model.deliveries import DeliveryState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, Refused, RetryLater, Scope
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.reach import FALL_OVER_AFTER, Reach
from leadgate.processing.source import Source

WENT_ELSEWHERE = "message.went_elsewhere"


class Settlements:
    """See `delivery.worker.Settlement`: leads and chats alike."""

    def __init__(
        self,
        leads: LeadSettlement,
        chats: Chats,
        fates: Fates,
        reach: Reach,
        find_source: Callable[[str], Source | None],
    ) -> None:
        """Join these."""
        self._leads = leads
        self._chats = chats
        self._fates = fates
        self._reach = reach
        self._find_source = find_source

    def settled(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        payload: Payload | None,
        outcome: Outcome,
        decision: Decision,
        *,
        at: datetime,
    ) -> Decision:
        """Keep lead or chat in step with the delivery."""
        if isinstance(payload, OutgoingMessage):
            return self._said(tx, delivery, payload, outcome, decision, at=at)
        return self._leads.settled(tx, delivery, payload, outcome, decision, at=at)

    def _said(
        self,
        tx: Transaction,
        delivery: StoredDelivery,
        message: OutgoingMessage,
        outcome: Outcome,
        decision: Decision,
        *,
        at: datetime,
    ) -> Decision:
        match outcome:
            case Delivered(external_id) if external_id:
                self._note_sent(tx, delivery, message, external_id, at=at)
            case Refused(code, unreachable=True):
                chat = self._chat_of(tx, delivery)
                if chat is not None:
                    tx.conversations.set_unreachable(chat.stored.conversation_id, code, at=at)
                self._reach.fall_over(tx, delivery.subject_id, message, at=at)
                # No dead letter: nobody can cure it, and the chat says why.
                return replace(decision, state=DeliveryState.DISCARDED, due_at=None)
            case Refused():
                if self._reach.fall_over(tx, delivery.subject_id, message, at=at) is not None:
                    return _went_elsewhere(decision)
            case RetryLater(scope=Scope.TARGET) if at - delivery.created_at >= FALL_OVER_AFTER:
                # Nothing was sent, so it cannot arrive twice.
                if self._reach.fall_over(tx, delivery.subject_id, message, at=at) is not None:
                    return _went_elsewhere(decision)
            case _:
                pass
        return decision

    def _note_sent(
        self, tx: Transaction, delivery: StoredDelivery, message: OutgoingMessage, external_id: str, *, at: datetime
    ) -> None:
        source = self._find_source(delivery.connection_id)
        if source is not None:
            name = source.name_of_message(message.chat_id, external_id)
            self._fates.note_said(tx, delivery.connection_id, name, message.message_id, is_ours=True, at=at)

    def _chat_of(self, tx: Transaction, delivery: StoredDelivery) -> Chat | None:
        _, _, index = delivery.lane.rpartition(":")
        return self._chats.find_by_index(tx, delivery.connection_id, bytes.fromhex(index))


def _went_elsewhere(decision: Decision) -> Decision:
    return replace(decision, state=DeliveryState.DISCARDED, due_at=None, error_code=WENT_ELSEWHERE)
