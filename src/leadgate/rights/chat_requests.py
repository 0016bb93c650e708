"""Requests that people make in a chat: heard, written down and answered with a date, all in the chat's own transaction."""

from __future__ import annotations

from datetime import datetime

from leadgate.dialogue.data_requests import find_request
from leadgate.model.requests import RequestKind, RequestWay
from leadgate.ports.stores import Transaction
from leadgate.rights.request_words import tell_heard
from leadgate.rights.requests import Asked, RequestBook
from leadgate.rights.terms import local_day


class ChatRequests:
    """See `processing.talk.HearRequest`."""

    def __init__(self, book: RequestBook) -> None:
        """Write into this book."""
        self._book = book

    def __call__(
        self,
        tx: Transaction,
        words: str,
        *,
        subject_id: str,
        event_id: str,
        heard_at: datetime,
        locale: str,
        at: datetime,
        kind: RequestKind | None = None,
    ) -> str | None:
        """What the bot answers; None when the words ask nothing about the person's own data."""
        kind = find_request(words) if kind is None else kind
        if kind is None:
            return None
        asked = Asked(
            kind=kind,
            way=RequestWay.CHAT,
            received_at=heard_at,
            by=f"client:{subject_id}",
            subject_id=subject_id,
            event_id=event_id,
            words=words,
            is_journaled=False,
        )
        request = self._book.hear(tx, asked, at=at)
        today = local_day(at, self._book.zone)
        return tell_heard(kind, request.due_on, locale, today=today, is_again=request.event_id != event_id)
