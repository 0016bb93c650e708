"""Data keys, subjects and what they are known by, conversations and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from leadgate.ports.stores import StoredConversation, StoredMessage, WrappedKey
from leadgate.storage.base import SqlStore
from leadgate.storage.schema import conversations, data_keys, identifiers, messages, subjects


class SqlKeyStore(SqlStore):
    """See `ports.stores.KeyStore`."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key of a scope."""
        row = self._one(select(data_keys).where(self._mine(data_keys), data_keys.c.scope == scope))
        if row is None:
            return None
        return WrappedKey(scope=row.scope, wrapped_key=row.wrapped_key, wrapper_key_id=row.wrapper_key_id)

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
        self._connection.execute(
            insert(data_keys).values(
                workspace_id=self._workspace_id,
                scope=key.scope,
                wrapped_key=key.wrapped_key,
                wrapper_key_id=key.wrapper_key_id,
                created_at=at,
            )
        )


class SqlSubjectStore(SqlStore):
    """See `ports.stores.SubjectStore`."""

    def find_by(self, kind: str, value_index: bytes) -> str | None:
        """Whose identifier this is."""
        row = self._one(
            select(identifiers.c.subject_id).where(
                self._mine(identifiers), identifiers.c.kind == kind, identifiers.c.value_index == value_index
            )
        )
        return None if row is None else str(row.subject_id)

    def add(self, subject_id: str, *, at: datetime) -> None:
        """Keep a new subject."""
        self._connection.execute(
            insert(subjects).values(workspace_id=self._workspace_id, subject_id=subject_id, created_at=at)
        )

    def add_identifier(self, subject_id: str, kind: str, value_index: bytes, *, at: datetime) -> None:
        """Tie an identifier to a subject, unless somebody has it."""
        values = {"kind": kind, "value_index": value_index, "subject_id": subject_id, "created_at": at}
        statement = self._insert(identifiers).values(workspace_id=self._workspace_id, **values)
        self._connection.execute(statement.on_conflict_do_nothing())

    def find_profile(self, subject_id: str) -> bytes | None:
        """The sealed profile."""
        row = self._one(
            select(subjects.c.sealed_profile).where(self._mine(subjects), subjects.c.subject_id == subject_id)
        )
        return None if row is None else row.sealed_profile

    def set_profile(self, subject_id: str, sealed_profile: bytes) -> None:
        """Replace the sealed profile."""
        statement = update(subjects).where(self._mine(subjects), subjects.c.subject_id == subject_id)
        self._connection.execute(statement.values(sealed_profile=sealed_profile))


class SqlConversationStore(SqlStore):
    """See `ports.stores.ConversationStore`."""

    def find(self, connection_id: str, chat_index: bytes) -> StoredConversation | None:
        """The conversation with a chat."""
        row = self._one(
            select(conversations).where(
                self._mine(conversations),
                conversations.c.connection_id == connection_id,
                conversations.c.chat_index == chat_index,
            )
        )
        if row is None:
            return None
        return StoredConversation(
            conversation_id=row.conversation_id,
            connection_id=row.connection_id,
            subject_id=row.subject_id,
            sealed_state=row.sealed_state,
        )

    def add(self, conversation: StoredConversation, chat_index: bytes, *, at: datetime) -> None:
        """Keep a new conversation."""
        self._connection.execute(
            insert(conversations).values(
                workspace_id=self._workspace_id,
                conversation_id=conversation.conversation_id,
                connection_id=conversation.connection_id,
                chat_index=chat_index,
                subject_id=conversation.subject_id,
                sealed_state=conversation.sealed_state,
                created_at=at,
                changed_at=at,
            )
        )

    def set_state(self, conversation_id: str, sealed_state: bytes, *, at: datetime) -> None:
        """Replace the sealed state."""
        statement = update(conversations).where(
            self._mine(conversations), conversations.c.conversation_id == conversation_id
        )
        self._connection.execute(statement.values(sealed_state=sealed_state, changed_at=at))

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
        """Append a message, once."""
        statement = self._insert(messages).values(
            workspace_id=self._workspace_id,
            conversation_id=conversation_id,
            message_id=message_id,
            subject_id=subject_id,
            outgoing=int(outgoing),
            sealed_body=sealed_body,
            created_at=at,
        )
        self._connection.execute(statement.on_conflict_do_nothing())

    def messages(self, conversation_id: str, *, after: int, limit: int) -> Sequence[StoredMessage]:
        """Messages with a greater number, oldest first."""
        query = (
            select(messages)
            .where(self._mine(messages), messages.c.conversation_id == conversation_id, messages.c.seq > after)
            .order_by(messages.c.seq)
            .limit(limit)
        )
        return [
            StoredMessage(
                number=row.seq,
                message_id=row.message_id,
                subject_id=row.subject_id,
                outgoing=bool(row.outgoing),
                sealed_body=row.sealed_body,
                created_at=row.created_at,
            )
            for row in self._connection.execute(query)
        ]
