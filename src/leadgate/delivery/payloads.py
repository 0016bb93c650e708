"""What a delivery carries, as bytes: a CRM command or a message, sealed under the key of the person it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import msgspec

from leadgate.errors import PrivacyError
from leadgate.model.deliveries import DeliveryKind, DeliveryState
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, LeadRef, UpdateLead
from leadgate.model.messages import OutgoingMessage
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredDelivery, Transaction
from leadgate.vault.envelope import Vault, subject_scope

Payload = CrmCommand | OutgoingMessage

_TYPES: dict[DeliveryKind, type[CreateLead | UpdateLead | AddTimelineEntry | OutgoingMessage]] = {
    DeliveryKind.CREATE_LEAD: CreateLead,
    DeliveryKind.UPDATE_LEAD: UpdateLead,
    DeliveryKind.TIMELINE_ENTRY: AddTimelineEntry,
    DeliveryKind.MESSAGE: OutgoingMessage,
}
_KINDS = {payload_type: kind for kind, payload_type in _TYPES.items()}

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
        self, vault: Vault, ids: IdSource, *, may_advertise: Callable[[Transaction, str], bool] = _nobody
    ) -> None:
        """Seal payloads with this vault. Advertising passes to whom `may_advertise` says; to nobody where nothing is said."""
        self._vault = vault
        self._ids = ids
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
        """A payload as it lies on disk."""
        return self._vault.seal(tx, subject_scope(subject_id), _place(delivery_id), msgspec.json.encode(payload))

    def rewrite(self, tx: Transaction, delivery: StoredDelivery, payload: Payload) -> None:
        """Say the same duty in other words; a call that is under way has the old ones."""
        sealed = self.seal(tx, delivery.delivery_id, delivery.subject_id, payload)
        tx.deliveries.reseal(delivery.delivery_id, sealed)

    def open(self, tx: Transaction, delivery: StoredDelivery) -> Payload:
        """The payload of a delivery; the lead's reference is the one known now.

        Raises:
            UnknownKeyError: the person was erased.
            TamperedError: the stored bytes do not belong to this delivery.
        """
        scope = subject_scope(delivery.subject_id)
        plain = self._vault.open(tx, scope, _place(delivery.delivery_id), delivery.sealed_payload)
        payload = msgspec.json.decode(plain, type=_TYPES[delivery.kind])
        if isinstance(payload, UpdateLead | AddTimelineEntry):
            return replace(payload, ref=self._find_ref(tx, payload.lead_id))
        return payload

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
