"""Data keys, subjects and what they are known by, conversations and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from leadgate.ports.stores import StoredConversation, StoredMessage, WrappedKey
from leadgate.storage.base import LIMIT, SqlStore, given, insert_unless_there, of_workspace
from leadgate.storage.schema import conversations, data_keys, identifiers, messages, subjects

_FIND_KEY = select(data_keys).where(of_workspace(data_keys), given(data_keys.c.scope))
_ADD_KEY = insert(data_keys)


class SqlKeyStore(SqlStore):
    """See `ports.stores.KeyStore`."""

    def find(self, scope: str) -> WrappedKey | None:
        """The wrapped key of a scope."""
        row = self._one(_FIND_KEY, for_scope=scope)
        if row is None:
            return None
        return WrappedKey(scope=row.scope, wrapped_key=row.wrapped_key, wrapper_key_id=row.wrapper_key_id)

    def add(self, key: WrappedKey, *, at: datetime) -> None:
        """Keep a new wrapped key."""
        self._keep(
            _ADD_KEY,
            scope=key.scope,
            wrapped_key=key.wrapped_key,
            wrapper_key_id=key.wrapper_key_id,
            created_at=at,
        )


_FIND_SUBJECT = select(identifiers.c.subject_id).where(
    of_workspace(identifiers), given(identifiers.c.kind), given(identifiers.c.value_index)
)
_ADD_SUBJECT = insert(subjects)
_ADD_IDENTIFIER = insert_unless_there(identifiers)
_FIND_PROFILE = select(subjects.c.sealed_profile).where(of_workspace(subjects), given(subjects.c.subject_id))
_CHANGE_SUBJECT = update(subjects).where(of_workspace(subjects), given(subjects.c.subject_id))


class SqlSubjectStore(SqlStore):
    """See `ports.stores.SubjectStore`."""

    def find_by(self, kind: str, value_index: bytes) -> str | None:
        """Whose identifier this is."""
        row = self._one(_FIND_SUBJECT, for_kind=kind, for_value_index=value_index)
        return None if row is None else str(row.subject_id)

    def add(self, subject_id: str, *, at: datetime) -> None:
        """Keep a new subject."""
        self._keep(_ADD_SUBJECT, subject_id=subject_id, created_at=at)

    def add_identifier(self, subject_id: str, kind: str, value_index: bytes, *, at: datetime) -> None:
        """Tie an identifier to a subject, unless somebody has it."""
        self._keep(_ADD_IDENTIFIER, kind=kind, value_index=value_index, subject_id=subject_id, created_at=at)

    def find_profile(self, subject_id: str) -> bytes | None:
        """The sealed profile."""
        row = self._one(_FIND_PROFILE, for_subject_id=subject_id)
        return None if row is None else row.sealed_profile

    def set_profile(self, subject_id: str, sealed_profile: bytes) -> None:
        """Replace the sealed profile."""
        self._run(_CHANGE_SUBJECT, for_subject_id=subject_id, sealed_profile=sealed_profile)


_FIND_CONVERSATION = select(conversations).where(
    of_workspace(conversations), given(conversations.c.connection_id), given(conversations.c.chat_index)
)
_ADD_CONVERSATION = insert(conversations)
_CHANGE_CONVERSATION = update(conversations).where(of_workspace(conversations), given(conversations.c.conversation_id))
_ADD_MESSAGE = insert_unless_there(messages)
_MESSAGES = (
    select(messages)
    .where(of_workspace(messages), given(messages.c.conversation_id), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq)
    .limit(LIMIT)
)


class SqlConversationStore(SqlStore):
    """See `ports.stores.ConversationStore`."""

    def find(self, connection_id: str, chat_index: bytes) -> StoredConversation | None:
        """The conversation with a chat."""
        row = self._one(_FIND_CONVERSATION, for_connection_id=connection_id, for_chat_index=chat_index)
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
        self._keep(
            _ADD_CONVERSATION,
            conversation_id=conversation.conversation_id,
            connection_id=conversation.connection_id,
            chat_index=chat_index,
            subject_id=conversation.subject_id,
            sealed_state=conversation.sealed_state,
            created_at=at,
            changed_at=at,
        )

    def set_state(self, conversation_id: str, sealed_state: bytes, *, at: datetime) -> None:
        """Replace the sealed state."""
        values = {"sealed_state": sealed_state, "changed_at": at}
        self._run(_CHANGE_CONVERSATION, for_conversation_id=conversation_id, **values)

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
        self._keep(
            _ADD_MESSAGE,
            conversation_id=conversation_id,
            message_id=message_id,
            subject_id=subject_id,
            outgoing=int(outgoing),
            sealed_body=sealed_body,
            created_at=at,
        )

    def messages(self, conversation_id: str, *, after: int, limit: int) -> Sequence[StoredMessage]:
        """Messages with a greater number, oldest first."""
        return [
            StoredMessage(
                number=row.seq,
                message_id=row.message_id,
                subject_id=row.subject_id,
                outgoing=bool(row.outgoing),
                sealed_body=row.sealed_body,
                created_at=row.created_at,
            )
            for row in self._run(_MESSAGES, for_conversation_id=conversation_id, after=after, limit=limit)
        ]
