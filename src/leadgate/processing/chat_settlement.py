"""What the outcome of a message means for its chat: known by the vendor's id, closed to us, or sent another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from leadgate.crm.fates import FAILED, Fates
from leadgate.crm.settlement import LeadSettlement
from leadgate.delivery.payloads import Payload
from leadgate.delivery.retry import Decision
from leadgate.model.deliveries import DeliveryState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.processing.chats import Chat, Chats
from leadgate.processing.reach import FALL_OVER_AFTER, WENT_ELSEWHERE, Reach
from leadgate.processing.source import Source


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
        if payload is None and isinstance(outcome, OutcomeUnknown):
            # Whoever sent it died, and nobody has opened it since.
            payload = self._reach.find_message(tx, delivery)
        if isinstance(payload, OutgoingMessage):
            return self._said(tx, delivery, payload, outcome, decision, at=at)
        return self._leads.settled(tx, delivery, payload, outcome, decision, at=at)

    def settled_without_words(
        self, tx: Transaction, delivery: StoredDelivery, decision: Decision, *, at: datetime
    ) -> Decision:
        """The chat of an erased person is gone; of their lead it matters where it stands."""
        return self._leads.settled_without_words(tx, delivery, decision, at=at)

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
                # The vendor's id may contain the client's phone; its blind index is enough for us.
                return replace(decision, external_id=None)
            case Refused(code, unreachable=True):
                return self._left(tx, delivery, message, replace(decision, error_code=code), at=at)
            case Refused():
                return self._elsewhere(tx, delivery, message, decision, at=at)
            case RetryLater(scope=scope):
                # Nothing was sent, so it cannot arrive twice.
                if scope is Scope.TARGET:
                    self._reach.pass_on_overdue(tx, delivery.lane, at=at)
                is_overdue = scope is Scope.TARGET and at - delivery.created_at >= FALL_OVER_AFTER
                if is_overdue or decision.state is DeliveryState.DEAD:
                    return self._elsewhere(tx, delivery, message, decision, at=at)
            case OutcomeUnknown():
                return self._in_doubt(tx, delivery, message, decision, at=at)
            case _:
                pass
        return decision

    def _in_doubt(
        self, tx: Transaction, delivery: StoredDelivery, message: OutgoingMessage, decision: Decision, *, at: datetime
    ) -> Decision:
        """The answer was lost; the vendor's word of the message may have come meanwhile, then it was taken."""
        fate = self._fates.claim(tx, message.message_id, delivery.delivery_id)
        if fate is None:
            return decision
        if fate.status == FAILED:
            self._reach.carry_on(tx, delivery.delivery_id, at=at)
        return Decision(state=DeliveryState.DONE, due_at=None, failures=decision.failures)

    def _left(
        self, tx: Transaction, delivery: StoredDelivery, message: OutgoingMessage, decision: Decision, *, at: datetime
    ) -> Decision:
        """The client cannot be written to here. No dead letter: nobody can cure it, and the chat says why."""
        chat = self._chat_of(tx, delivery)
        if chat is not None:
            self._reach.close(tx, chat, decision.error_code or "", at=at)
        self._reach.fall_over(tx, delivery.subject_id, message, at=at)
        return replace(decision, state=DeliveryState.DISCARDED, due_at=None)

    def _elsewhere(
        self, tx: Transaction, delivery: StoredDelivery, message: OutgoingMessage, decision: Decision, *, at: datetime
    ) -> Decision:
        """A notice goes the next way when there is one."""
        if self._reach.fall_over(tx, delivery.subject_id, message, at=at) is None:
            return decision
        return replace(decision, state=DeliveryState.DISCARDED, due_at=None, error_code=WENT_ELSEWHERE)

    def _note_sent(
        self, tx: Transaction, delivery: StoredDelivery, message: OutgoingMessage, external_id: str, *, at: datetime
    ) -> None:
        source = self._find_source(delivery.connection_id)
        if source is None:  # paused a moment ago: its statuses are of no use to anybody
            return
        name = source.name_of_message(message.chat_id, external_id)
        fate = self._fates.note_sent(
            tx, delivery.connection_id, name, message.message_id, delivery_id=delivery.delivery_id, at=at
        )
        if fate.status == FAILED:  # the vendor's word of it was here before its own answer
            self._reach.carry_on(tx, delivery.delivery_id, at=at)

    def _chat_of(self, tx: Transaction, delivery: StoredDelivery) -> Chat | None:
        _, _, index = delivery.lane.rpartition(":")
        return self._chats.find_by_index(tx, delivery.connection_id, bytes.fromhex(index))
