"""People: their data keys, what they are known by, their conversations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from leadgate.ports.stores.records import StoredConversation, StoredFate, StoredMessage, WrappedKey


class KeyStore(Protocol):
    """Wrapped data keys by scope (`intake`, `secrets`, `index`, or a subject id)."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key, or None when there is none (never made, or destroyed)."""
        ...

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
        ...

    def hold(self, scope: str) -> bool:
        """The key is there, and nobody destroys it before this transaction is over; False when it is gone."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many keys are wrapped, by the key encryption key that wrapped them."""
        ...

    def wrapped_by_others(self, key_id: str, *, after: str, limit: int) -> Sequence[WrappedKey]:
        """Keys that another key encryption key than this one wrapped, by scope, those behind the scope `after`."""
        ...

    def rewrap(self, old: WrappedKey, new: WrappedKey) -> bool:
        """Put the same key, wrapped anew, in the place of `old`; False when that is not what is there any more (destroyed)."""
        ...

    def find_recovery(self) -> bytes | None:
        """The copy of the key encryption key that the paper opens; None when its custodian gives it to nobody."""
        ...

    def keep_recovery(self, copy: bytes | None) -> None:
        """Put another copy in its place."""
        ...


class SubjectStore(Protocol):
    """People and what they are known by (blind indexes only)."""

    def find_by(self, kind: str, value_index: bytes) -> str | None:
        """Whose identifier this is."""
        ...

    def add(self, subject_id: str, *, at: datetime) -> None:
        """Keep a new subject."""
        ...

    def add_identifier(self, subject_id: str, kind: str, value_index: bytes, *, at: datetime) -> None:
        """Tie an identifier to a subject; no effect when somebody has it already."""
        ...

    def lock(self, *subject_ids: str) -> None:
        """Nobody else joins these until the transaction is over; what is read after it is up to date."""
        ...

    def join(self, subject_id: str, into_subject_id: str, *, reason: str, at: datetime) -> None:
        """From now on the first is known as the second; no effect when it is joined already."""
        ...

    def erased_among(self, subject_ids: Collection[str]) -> frozenset[str]:
        """Those of these subjects that were erased."""
        ...

    def find_joined(self, subject_id: str) -> str | None:
        """The subject that this one was joined into, or None; one step."""
        ...

    def joined_into(self, subject_id: str) -> Sequence[str]:
        """The subjects that were joined into this one; one step."""
        ...

    def find_profile(self, subject_id: str) -> bytes | None:
        """The sealed profile, or None."""
        ...

    def set_profile(self, subject_id: str, sealed_profile: bytes) -> None:
        """Replace the sealed profile."""
        ...


class ConversationStore(Protocol):
    """Conversations and their messages."""

    def find(self, connection_id: str, chat_index: bytes) -> StoredConversation | None:
        """The conversation with this chat."""
        ...

    def add(self, conversation: StoredConversation, *, at: datetime) -> None:
        """Keep a new conversation."""
        ...

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredConversation]:
        """The conversations of these people, the one last heard of first."""
        ...

    def note_heard(self, conversation_id: str, sealed_address: bytes | None, *, at: datetime) -> None:
        """The client wrote then: they can be reached there. An address that is kept stays, and so does a later time."""
        ...

    def set_unreachable(self, conversation_id: str, code: str | None, *, at: datetime) -> None:
        """The client cannot be written to, for this reason (the time of the first stands); None: they can again."""
        ...

    def set_opted_out(self, conversation_id: str, *, at: datetime | None) -> None:
        """The client asked for no more advertising; None: for it again."""
        ...

    def set_state(self, conversation_id: str, sealed_state: bytes, *, at: datetime) -> None:
        """Replace the sealed state."""
        ...

    def add_message(
        self,
        conversation_id: str,
        *,
        message_id: str,
        subject_id: str,
        outgoing: bool,
        sealed_body: bytes,
        at: datetime,
    ) -> None:
        """Append a message; one with the same id is not added twice."""
        ...

    def find_message(self, message_id: str) -> StoredMessage | None:
        """One message."""
        ...

    def replace_body(self, message_id: str, sealed_body: bytes) -> None:
        """Put another body in a message's place."""
        ...

    def messages(self, conversation_id: str, *, after: int, limit: int) -> Sequence[StoredMessage]:
        """Messages with a greater number, oldest first."""
        ...


class FateStore(Protocol):
    """What became of messages, by the vendor's id of them (a blind index)."""

    def find(self, connection_id: str, vendor_index: bytes) -> StoredFate | None:
        """What is known of a message."""
        ...

    def set(self, connection_id: str, vendor_index: bytes, fate: StoredFate) -> None:
        """Keep what is known now."""
        ...

    def of_delivery(self, delivery_id: str) -> StoredFate | None:
        """What became of the message that this delivery brought; None for another kind of delivery, or before it was sent."""
        ...

    def of_messages(self, message_ids: Collection[str]) -> Mapping[str, StoredFate]:
        """What became of these messages of ours or the client's, as far as anything did."""
        ...

    def claim(self, message_id: str, delivery_id: str) -> bool:
        """This delivery brought that message of ours; False when the vendor never said a word of the message."""
        ...

    def forget_strangers(self, *, before: datetime) -> int:
        """Drop what vendors said of messages that never turned out to be known; returns how many."""
        ...


class InvitationStore(Protocol):
    """One-time links by which a client brings a second channel along."""

    def add(self, token_index: bytes, subject_id: str, *, expires_at: datetime, at: datetime) -> None:
        """Keep a new invitation."""
        ...

    def use(self, token_index: bytes, *, at: datetime) -> str | None:
        """Use it up and say whose it is; None when it is unknown, used or too old."""
        ...

    def forget_old(self, *, before: datetime) -> int:
        """Drop those whose life ended before this time; returns how many."""
        ...
