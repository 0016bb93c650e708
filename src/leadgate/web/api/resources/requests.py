"""Requests of people about their own data: what is open until when, and every step until it is closed. Each act is journaled."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from leadgate.model.requests import NewRequest, RequestKind, RequestOutcome, RequestState, RequestWay
from leadgate.web.access import Act
from leadgate.web.api.documents.plain import Items, page_of
from leadgate.web.api.documents.requests import (
    RequestDetailDocument,
    RequestDocument,
    RequestIdDocument,
    RequestPersonDocument,
    RequestStateDocument,
    RequestTermDocument,
    RequestWordsDocument,
    request_detail_document,
    request_document,
    request_words_document,
)
from leadgate.web.api.endpoint import Call, Listing, Nothing, reads, writes

Note = Annotated[str, Meta(max_length=1000)]
Who = Annotated[str, Meta(min_length=1, max_length=320)]


class RequestFilter(Listing, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them: open ones by urgency, then closed ones, the last first; `state` asks for one half alone."""

    state: Literal["open", "closed"] | None = None


class RequestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that came otherwise than by a chat.

    `received_on` is the day it came, today without it; `who` a phone, an e-mail address, `@name` or an id, none while it is not
    known whose it is; `words` what the person wrote.
    """

    kind: RequestKind
    way: RequestWay
    received_on: date | None = None
    who: Who | None = None
    words: Annotated[str, Meta(max_length=4000)] = ""


class WhoBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone, an e-mail address, `@name` or an id of the person."""

    who: Who


class ReasonBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why more time is needed; the person is told."""

    reason: Note


class CloseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it ended; a refusal has its reason in `note`, which the person is told."""

    outcome: RequestOutcome
    note: Note = ""


async def list_requests(call: Call[RequestFilter, Nothing]) -> Items[RequestDocument]:
    """Requests of people about their own data."""
    asked = call.query
    is_open = None if asked.state is None else asked.state == "open"
    page = await call.house.requests.page(is_open=is_open, limit=asked.limit, cursor=asked.cursor)
    return page_of(page, request_document)


async def show_request(call: Call[Nothing, Nothing]) -> RequestDetailDocument:
    """One request with its history, without anybody's words."""
    return request_detail_document(await call.house.requests.detail(call.names["request_id"]))


async def show_request_words(call: Call[Nothing, Nothing]) -> RequestWordsDocument:
    """What the person wrote and what was noted (personal data; who reads it is journaled)."""
    request_id = call.names["request_id"]
    return request_words_document(request_id, await call.house.requests.read(request_id, by=call.by))


async def open_request(call: Call[Nothing, RequestBody]) -> str:
    """Write down a request that came on paper, by e-mail or in person."""
    body = call.body
    new = NewRequest(kind=body.kind, way=body.way, received_on=body.received_on, who=body.who, words=body.words)
    return await call.house.requests.open(new, by=call.by)


def _opened(_call: Call[Nothing, RequestBody], request_id: str) -> RequestIdDocument:
    return RequestIdDocument(request=request_id)


async def assign_request(call: Call[Nothing, WhoBody]) -> None:
    """Say whose request it is."""
    await call.house.requests.assign(call.names["request_id"], call.body.who, by=call.by)


def _assigned(call: Call[Nothing, WhoBody], _result: object) -> RequestPersonDocument:
    return RequestPersonDocument(request=call.names["request_id"])


async def extend_request(call: Call[Nothing, ReasonBody]) -> date:
    """Move the last day of a request on, once, with a reason."""
    return await call.house.requests.extend(call.names["request_id"], reason=call.body.reason, by=call.by)


def _extended(call: Call[Nothing, ReasonBody], due_on: date) -> RequestTermDocument:
    return RequestTermDocument(request=call.names["request_id"], due_on=due_on.isoformat())


async def close_request(call: Call[Nothing, CloseBody]) -> None:
    """End a request."""
    await call.house.requests.close(call.names["request_id"], call.body.outcome, note=call.body.note, by=call.by)


def _closed(call: Call[Nothing, CloseBody], _result: object) -> RequestStateDocument:
    return RequestStateDocument(request=call.names["request_id"], state=RequestState.CLOSED)


ENDPOINTS = (
    reads("/requests", list_requests),
    reads("/requests/{request_id}", show_request),
    reads("/requests/{request_id}/words", show_request_words, act=Act.PRIVACY),
    writes("/requests", open_request, _opened, act=Act.PRIVACY, status=201),
    writes("/requests/{request_id}/assign", assign_request, _assigned, act=Act.PRIVACY),
    writes("/requests/{request_id}/extend", extend_request, _extended, act=Act.PRIVACY),
    writes("/requests/{request_id}/close", close_request, _closed, act=Act.PRIVACY),
)
