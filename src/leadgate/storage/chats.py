"""Conversations, their messages and what became of them, and the links by which a client brings a second channel along."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, bindparam, case, delete, func, insert, select, update

from leadgate.ports.stores import StoredConversation, StoredFate, StoredMessage
from leadgate.storage.base import LIMIT, SqlStore, TolerantInsert, given, insert_or, insert_unless_there, of_workspace
from leadgate.storage.schema import conversations, invitations, message_fates, messages

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

_FIND_MESSAGE = select(messages).where(of_workspace(messages), given(messages.c.message_id))
_CHANGE_MESSAGE = update(messages).where(of_workspace(messages), given(messages.c.message_id))
_OF_SUBJECTS = (
    select(conversations)
    .where(of_workspace(conversations), conversations.c.subject_id.in_(bindparam("subject_ids", expanding=True)))
    .order_by(conversations.c.heard_at.is_(None), conversations.c.heard_at.desc(), conversations.c.conversation_id)
)
_NEW_TIME = bindparam("new_time", type_=conversations.c.heard_at.type)
_NOTE_HEARD = _CHANGE_CONVERSATION.values(
    sealed_address=func.coalesce(conversations.c.sealed_address, bindparam("new_address", type_=LargeBinary)),
    # Words that come late do not make the last ones older.
    heard_at=case((conversations.c.heard_at > _NEW_TIME, conversations.c.heard_at), else_=_NEW_TIME),
    unreachable_since=None,
    unreachable_code=None,
)
_OPEN_CONVERSATION = _CHANGE_CONVERSATION.values(unreachable_since=None, unreachable_code=None)
_CLOSE_CONVERSATION = _CHANGE_CONVERSATION.values(
    unreachable_since=func.coalesce(conversations.c.unreachable_since, _NEW_TIME),
    unreachable_code=bindparam("new_code"),
)


class SqlConversationStore(SqlStore):
    """See `ports.stores.ConversationStore`."""

    def find(self, connection_id: str, chat_index: bytes) -> StoredConversation | None:
        """The conversation with a chat."""
        row = self._one(_FIND_CONVERSATION, for_connection_id=connection_id, for_chat_index=chat_index)
        if row is None:
            return None
        return _read_conversation(row)

    def add(self, conversation: StoredConversation, *, at: datetime) -> None:
        """Keep a new conversation."""
        self._keep(
            _ADD_CONVERSATION,
            conversation_id=conversation.conversation_id,
            connection_id=conversation.connection_id,
            chat_index=conversation.chat_index,
            subject_id=conversation.subject_id,
            sealed_state=conversation.sealed_state,
            sealed_address=conversation.sealed_address,
            heard_at=conversation.heard_at,
            created_at=at,
            changed_at=at,
        )

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredConversation]:
        """The conversations of these people."""
        return [_read_conversation(row) for row in self._run(_OF_SUBJECTS, subject_ids=list(subject_ids))]

    def note_heard(self, conversation_id: str, sealed_address: bytes | None, *, at: datetime) -> None:
        """The client wrote."""
        self._run(_NOTE_HEARD, for_conversation_id=conversation_id, new_address=sealed_address, new_time=at)

    def set_unreachable(self, conversation_id: str, code: str | None, *, at: datetime) -> None:
        """They cannot be written to, or can again."""
        if code is None:
            self._run(_OPEN_CONVERSATION, for_conversation_id=conversation_id)
        else:
            self._run(_CLOSE_CONVERSATION, for_conversation_id=conversation_id, new_time=at, new_code=code)

    def set_opted_out(self, conversation_id: str, *, at: datetime | None) -> None:
        """They want no more advertising, or want it again."""
        self._run(_CHANGE_CONVERSATION, for_conversation_id=conversation_id, opted_out_at=at)

    def find_message(self, message_id: str) -> StoredMessage | None:
        """One message."""
        row = self._one(_FIND_MESSAGE, for_message_id=message_id)
        return None if row is None else _read_message(row)

    def replace_body(self, message_id: str, sealed_body: bytes) -> None:
        """Put another body in its place."""
        self._run(_CHANGE_MESSAGE, for_message_id=message_id, sealed_body=sealed_body)

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
            _read_message(row)
            for row in self._run(_MESSAGES, for_conversation_id=conversation_id, after=after, limit=limit)
        ]


def _set_fate(new: TolerantInsert) -> TolerantInsert:
    names = ("message_id", "delivery_id", "status", "error_code", "changed_at")
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "connection_id", "vendor_index"],
        set_={name: getattr(new.excluded, name) for name in names},
    )


_FIND_FATE = select(message_fates).where(
    of_workspace(message_fates), given(message_fates.c.connection_id), given(message_fates.c.vendor_index)
)
_SET_FATE = insert_or(message_fates, _set_fate)
_OF_DELIVERY = (
    select(message_fates)
    .where(of_workspace(message_fates), given(message_fates.c.delivery_id))
    .order_by(message_fates.c.changed_at.desc())
    .limit(1)
)
_FATES = (
    select(message_fates)
    .where(of_workspace(message_fates), message_fates.c.message_id.in_(bindparam("message_ids", expanding=True)))
    .order_by(message_fates.c.changed_at)
)
_CLAIM = (
    update(message_fates)
    .where(of_workspace(message_fates), given(message_fates.c.message_id))
    .values(delivery_id=bindparam("by_delivery_id"))
)
_FORGET_STRANGERS = delete(message_fates).where(
    of_workspace(message_fates),
    message_fates.c.message_id.is_(None),
    message_fates.c.changed_at < bindparam("before", type_=message_fates.c.changed_at.type),
)


class SqlFateStore(SqlStore):
    """See `ports.stores.FateStore`."""

    def find(self, connection_id: str, vendor_index: bytes) -> StoredFate | None:
        """What is known of a message."""
        row = self._one(_FIND_FATE, for_connection_id=connection_id, for_vendor_index=vendor_index)
        return None if row is None else _read_fate(row)

    def set(self, connection_id: str, vendor_index: bytes, fate: StoredFate) -> None:
        """Keep what is known now."""
        self._keep(
            _SET_FATE,
            connection_id=connection_id,
            vendor_index=vendor_index,
            message_id=fate.message_id,
            delivery_id=fate.delivery_id,
            status=fate.status,
            error_code=fate.error_code,
            changed_at=fate.changed_at,
        )

    def of_delivery(self, delivery_id: str) -> StoredFate | None:
        """The last of it."""
        row = self._one(_OF_DELIVERY, for_delivery_id=delivery_id)
        return None if row is None else _read_fate(row)

    def of_messages(self, message_ids: Collection[str]) -> Mapping[str, StoredFate]:
        """What became of these; of a message in several pieces, what happened last."""
        if not message_ids:
            return {}
        rows = self._run(_FATES, message_ids=list(message_ids))
        return {row.message_id: _read_fate(row) for row in rows}

    def claim(self, message_id: str, delivery_id: str) -> bool:
        """Note the delivery beside every word of the message."""
        return self._run(_CLAIM, for_message_id=message_id, by_delivery_id=delivery_id).rowcount > 0

    def forget_strangers(self, *, before: datetime) -> int:
        """Drop what never turned out to be known."""
        return self._run(_FORGET_STRANGERS, before=before).rowcount


_ADD_INVITATION = insert(invitations)
_USE_INVITATION = (
    update(invitations)
    .where(
        of_workspace(invitations),
        given(invitations.c.token_index),
        invitations.c.used_at.is_(None),
        invitations.c.expires_at > bindparam("now", type_=invitations.c.expires_at.type),
    )
    .values(used_at=bindparam("now", type_=invitations.c.used_at.type))
    .returning(invitations.c.subject_id)
)
_FORGET_INVITATIONS = delete(invitations).where(
    of_workspace(invitations), invitations.c.expires_at < bindparam("before", type_=invitations.c.expires_at.type)
)


class SqlInvitationStore(SqlStore):
    """See `ports.stores.InvitationStore`."""

    def add(self, token_index: bytes, subject_id: str, *, expires_at: datetime, at: datetime) -> None:
        """Keep a new invitation."""
        self._keep(
            _ADD_INVITATION, token_index=token_index, subject_id=subject_id, created_at=at, expires_at=expires_at
        )

    def use(self, token_index: bytes, *, at: datetime) -> str | None:
        """Use it up."""
        row = self._one(_USE_INVITATION, for_token_index=token_index, now=at)
        return None if row is None else str(row.subject_id)

    def forget_old(self, *, before: datetime) -> int:
        """Nobody can use them any more."""
        return self._run(_FORGET_INVITATIONS, before=before).rowcount


def _read_conversation(row: Any) -> StoredConversation:
    return StoredConversation(
        conversation_id=row.conversation_id,
        connection_id=row.connection_id,
        subject_id=row.subject_id,
        chat_index=row.chat_index,
        sealed_state=row.sealed_state,
        sealed_address=row.sealed_address,
        heard_at=row.heard_at,
        unreachable_since=row.unreachable_since,
        unreachable_code=row.unreachable_code,
        opted_out_at=row.opted_out_at,
    )


def _read_message(row: Any) -> StoredMessage:
    return StoredMessage(
        number=row.seq,
        message_id=row.message_id,
        subject_id=row.subject_id,
        outgoing=bool(row.outgoing),
        sealed_body=row.sealed_body,
        created_at=row.created_at,
    )


def _read_fate(row: Any) -> StoredFate:
    return StoredFate(
        message_id=row.message_id,
        delivery_id=row.delivery_id,
        status=row.status,
        error_code=row.error_code,
        changed_at=row.changed_at,
    )
