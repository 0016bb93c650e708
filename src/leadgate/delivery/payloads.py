"""What a delivery carries, as bytes: a CRM command or a message, sealed under the key of the person it is about.

Whatever leaves is brought to what may leave here: fields by the allow-list, messages of a clinic without names of services. Once
when it is kept, and once more when it is taken to be sent, so that a stricter rule holds for what waited, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import msgspec

from leadgate.errors import PrivacyError, UnknownKeyError
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, EraseLead, LeadRef, Person, UpdateLead
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.privacy.held_back import SERVICE, Place, note_held_back
from leadgate.privacy.rules import LiveRules
from leadgate.vault.envelope import ERASURES, Vault, subject_scope

Payload = CrmCommand | OutgoingMessage

_TYPES: dict[DeliveryKind, type[CreateLead | UpdateLead | AddTimelineEntry | EraseLead | OutgoingMessage]] = {
    DeliveryKind.CREATE_LEAD: CreateLead,
    DeliveryKind.UPDATE_LEAD: UpdateLead,
    DeliveryKind.TIMELINE_ENTRY: AddTimelineEntry,
    DeliveryKind.MESSAGE: OutgoingMessage,
    DeliveryKind.ERASE_LEAD: EraseLead,
}
_KINDS = {payload_type: kind for kind, payload_type in _TYPES.items()}

_IN_DOUBT = (DeliveryState.SENDING, DeliveryState.UNKNOWN)

HOMELESS_LANE = "crm:none"
"""Where commands for the CRM wait until one is connected."""


def crm_lane(connection_id: str) -> str:
    """The lane of a portal."""
    return f"crm:{connection_id}"


def chat_lane(connection_id: str, chat_index: bytes) -> str:
    """The lane of one chat of one bot."""
    return f"chat:{connection_id}:{chat_index.hex()}"


def _nobody(_tx: Transaction, _subject_id: str) -> bool:
    return False


class Outbox:
    """Writes new deliveries inside the transaction that decides on them."""

    def __init__(
        self,
        vault: Vault,
        ids: IdSource,
        rules: LiveRules | None = None,
        *,
        may_advertise: Callable[[Transaction, str], bool] = _nobody,
    ) -> None:
        """Seal payloads with this vault; without rules the product's defaults hold.

        Advertising passes to whom `may_advertise` says; to nobody where nothing is said.
        """
        self._vault = vault
        self._ids = ids
        self.rules = LiveRules() if rules is None else rules
        self._may_advertise = may_advertise

    def enqueue(
        self,
        tx: Transaction,
        payload: Payload,
        *,
        lane: str,
        connection_id: str,
        subject_id: str,
        event_id: str | None,
        at: datetime,
        lead_id: str | None = None,
    ) -> str:
        """Append a delivery to its lane, due at once, and wake the lane; returns the delivery's id.

        Raises:
            PrivacyError: it is advertising, and the person has not agreed to it (`consent.no_permit`).
        """
        self._check_consent(tx, payload, subject_id)
        if isinstance(payload, OutgoingMessage):
            payload = self.guarded(tx, payload, at=at)
        delivery_id = self._ids.new("dlv")
        tx.deliveries.add(
            StoredDelivery(
                delivery_id=delivery_id,
                lane=lane,
                kind=_KINDS[type(payload)],
                connection_id=connection_id,
                event_id=event_id,
                lead_id=lead_id,
                subject_id=subject_id,
                state=DeliveryState.WAITING,
                due_at=at,
                attempts=0,
                failures=0,
                sealed_payload=self.seal(tx, delivery_id, subject_id, payload),
                created_at=at,
                external_id=None,
            )
        )
        tx.lanes.wake(lane, connection_id=connection_id, due_at=at)
        return delivery_id

    def seal(self, tx: Transaction, delivery_id: str, subject_id: str, payload: Payload) -> bytes:
        """A payload as it lies on disk, with nothing in it that may not leave."""
        scope = subject_scope(subject_id)
        if isinstance(payload, EraseLead):  # holds nothing of the person, whose key is gone by then
            scope = ERASURES
            self._vault.ensure_scope(tx, scope)
        return self._vault.seal(tx, scope, _place(delivery_id), msgspec.json.encode(self.released(payload)))

    def rewrite(self, tx: Transaction, delivery: StoredDelivery, payload: Payload) -> None:
        """Say the same duty in other words; a call that is under way has the old ones."""
        sealed = self.seal(tx, delivery.delivery_id, delivery.subject_id, payload)
        tx.deliveries.reseal(delivery.delivery_id, sealed)

    def open(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        """The payload of a delivery; the lead's reference is the one known now.

        What is still in doubt when its person is erased stays without its words: enough to look it up, nothing to send.

        Raises:
            UnknownKeyError: the person was erased.
            TamperedError: the stored bytes do not belong to this delivery.
        """
        if not delivery.sealed_payload:
            return self._without_words(tx, delivery)
        scope = ERASURES if delivery.kind is DeliveryKind.ERASE_LEAD else subject_scope(delivery.subject_id)
        plain = self._vault.open(tx, scope, _place(delivery.delivery_id), delivery.sealed_payload)
        payload = msgspec.json.decode(plain, type=_TYPES[delivery.kind])
        if isinstance(payload, UpdateLead | AddTimelineEntry | EraseLead):
            payload = replace(payload, ref=self._find_ref(tx, payload.lead_id))
        return self.released(payload)

    def released(self, payload: Payload) -> Payload:
        """The payload with what may leave now, and nothing else; a second call changes nothing."""
        if isinstance(payload, OutgoingMessage):
            return self.rules.services.neutral_message(payload)
        return self.rules.now.fields.release(payload)

    def guarded(self, tx: Transaction, message: OutgoingMessage, *, at: datetime) -> OutgoingMessage:
        """A message as its reader may have it, for a conversation that keeps what is said; a service that was named is counted."""
        neutral = self.rules.services.neutral_message(message)
        if neutral != message:
            note_held_back(tx, Place.MESSENGER, {SERVICE: 1}, at=at)
        return neutral

    def _without_words(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        lead = tx.leads.find(delivery.lead_id or "")
        if lead is None or delivery.state not in _IN_DOUBT:
            raise UnknownKeyError("The words of this delivery were erased.")
        if delivery.kind is DeliveryKind.CREATE_LEAD:
            return CreateLead(
                lead_id=lead.lead_id,
                origin_id=lead.origin_id,
                title="",
                person=Person(),
                channel="",
                channel_title="",
                comment="",
                occurred_at=delivery.created_at,
            )
        if delivery.kind is DeliveryKind.UPDATE_LEAD:
            return UpdateLead(lead_id=lead.lead_id, origin_id=lead.origin_id, person=Person(), ref=lead.ref)
        return AddTimelineEntry(
            lead_id=lead.lead_id,
            entry_id=delivery.event_id or "",
            author="",
            channel_title="",
            occurred_at=delivery.created_at,
            text="",
            ref=lead.ref,
        )

    def open_to_send(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        """The payload of a delivery that is about to go; see `open`.

        Raises:
            PrivacyError: it is advertising, and the consent was withdrawn since (`consent.no_permit`).
        """
        payload = self.open(tx, delivery)
        self._check_consent(tx, payload, delivery.subject_id)
        return payload

    def _check_consent(self, tx: Transaction, payload: Payload, subject_id: str) -> None:
        if isinstance(payload, OutgoingMessage) and payload.is_advertising and not self._may_advertise(tx, subject_id):
            raise PrivacyError("There is no consent to advertising for this.", code="consent.no_permit")

    @staticmethod
    def _find_ref(tx: Transaction, lead_id: str) -> LeadRef | None:
        lead = tx.leads.find(lead_id)
        return None if lead is None else lead.ref


def _place(delivery_id: str) -> str:
    return f"deliveries.payload:{delivery_id}"
