"""People: their data keys, what they are known by, their conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.ports.stores.records import StoredConversation, StoredMessage, WrappedKey


class KeyStore(Protocol):
    """Wrapped data keys by scope (`intake`, `secrets`, `index`, or a subject id)."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key, or None when there is none (never made, or destroyed)."""
        ...

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
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

    def add(self, conversation: StoredConversation, chat_index: bytes, *, at: datetime) -> None:
        """Keep a new conversation."""
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

    def messages(self, conversation_id: str, *, after: int, limit: int) -> Sequence[StoredMessage]:
        """Messages with a greater number, oldest first."""
        ...
