"""Erasing: destroys what is about people, whatever table it lies in, and keeps what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.erasures import DestroyedKey, Erasure, LeadToErase, OrderState
from leadgate.ports.stores.records import StoredEvent


class ErasureStore(Protocol):
    """See the module. Nothing here opens anything: which events nobody has read are whose is found out elsewhere."""

    def destroy_keys(self, scopes: Sequence[str]) -> Sequence[DestroyedKey]:
        """Overwrite and delete these data keys; waits for everybody who seals under one of them now (`KeyStore.hold`)."""
        ...

    def leads(self, subject_ids: Sequence[str]) -> Sequence[LeadToErase]:
        """Leads of these people that stand in a CRM or may stand there, oldest first."""
        ...

    def chat_lanes(self, subject_ids: Sequence[str]) -> Sequence[str]:
        """Lanes of their chats; their names hold blind indexes."""
        ...

    def event_ids(self, subject_ids: Sequence[str]) -> Sequence[str]:
        """Events that hold something of these people."""
        ...

    def wipe(self, subject_ids: Sequence[str], event_ids: Sequence[str], *, at: datetime) -> Mapping[str, int]:
        """Destroy everything of these people but for ids, states, times and counts; how many rows by what they were.

        `profiles`, `identifiers`, `conversations`, `messages`, `event_bodies` (of their events and of these), `unread_events` (of
        these, that nobody had worked on), `payloads`, `cancelled` (deliveries that will not be made), `invitations`, `fates`;
        `consents_kept` are proofs that stay, ids and versions only. What is being sent to a CRM, or is in doubt there, stays open
        without its words. Repeating it changes nothing.
        """
        ...

    def marks(self, subject_ids: Sequence[str]) -> frozenset[tuple[str, bytes]]:
        """What these people are known by: kind and blind index of identifiers, and `chat:<connection>` with that of each chat."""
        ...

    def count(self, subject_ids: Sequence[str]) -> Mapping[str, int]:
        """What `wipe` would find: `subjects`, `conversations`, `messages`, `event_bodies`, `leads` and `waiting` deliveries."""
        ...

    def unread(self, *, after_seq: int, limit: int, is_waiting: bool) -> Sequence[StoredEvent]:
        """Events whose body is still sealed as it came, in order of arrival; with `is_waiting` those alone that wait for work."""
        ...

    def add(self, erasure: Erasure) -> Erasure:
        """Keep what was done, under the next number."""
        ...

    def find(self, erasure_id: str) -> Erasure | None:
        """One erasure, its order as it was last followed."""
        ...

    def of_subject(self, subject_id: str) -> Erasure | None:
        """The erasure that this subject was part of."""
        ...

    def newest(self, *, limit: int, before: int | None = None) -> Sequence[Erasure]:
        """Newest first, with a number less than `before`."""
        ...

    def after(self, number: int) -> Sequence[Erasure]:
        """With a greater number, oldest first."""
        ...

    def unanswered(self) -> Sequence[Erasure]:
        """Those whose order has not been told as ended; a refused one may yet be taken, so it is among them."""
        ...

    def set_order(
        self, erasure_id: str, state: OrderState, *, answer: str | None, error_code: str | None, at: datetime | None
    ) -> None:
        """What became of the order."""
        ...

    def set_orders(
        self, erasure_id: str, state: OrderState, delivery_ids: Sequence[str], *, error_code: str | None
    ) -> None:
        """The orders that were made; these deliveries tell what becomes of them."""
        ...
