"""One event: what it said, hidden until somebody says why they look, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from leadgate.app.reveals import MAX_WORDS
from leadgate.model.events import NormalisedEvent
from leadgate.model.reveals import RevealReason
from leadgate.model.staff import Role
from leadgate.web.access import Act, PageRequest, allowed, may
from leadgate.web.endings import tell_ending
from leadgate.web.forms import read_form
from leadgate.web.masking import mask_all, mask_name, mask_phone
from leadgate.web.sheet import WebPage, house_of, show, words_of
from leadgate.web.states import ENDINGS, mark_of_delivery
from leadgate.web.vendors import vendors_of

REASONS = (RevealReason.CALL, RevealReason.COMPLAINT, RevealReason.REQUEST, RevealReason.CHECK)
"""Why somebody looks, as the page offers it."""

_LOOKS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing an event said.

    Attributes:
        word: key of its name. value: as shown, hidden or open.
        is_text: the client's own words, shown as a paragraph.
    """

    word: str
    value: str
    is_text: bool = False


@get("/events/{event_id:str}")
async def event(request: PageRequest, event_id: FromPath[str]) -> Response[str]:
    """The event with everything personal hidden."""
    return await _show(request, event_id, is_open=False)


@post("/events/{event_id:str}/reveal", guards=[allowed(Act.REVEAL)], status_code=200)
async def reveal(request: PageRequest, event_id: FromPath[str]) -> Response[str]:
    """The same page once with the values, after a reason was chosen; who looked and why goes into the journal before."""
    form = await read_form(request)
    reason, words = find_reason(form.get("reason", ""), REASONS), form.get("words", "")[:MAX_WORDS]
    if reason is None:
        return await _show(request, event_id, is_open=False, reason_missing=True)
    await house_of(request).desk.reveal_event(event_id, by=request.user.staff_id, reason=reason, words=words)
    return await _show(request, event_id, is_open=True)


def find_reason(word: str, offered: Sequence[RevealReason]) -> RevealReason | None:
    """The reason of a word, when the page offers it."""
    return next((reason for reason in offered if reason.value == word), None)


async def _show(request: PageRequest, event_id: str, *, is_open: bool, reason_missing: bool = False) -> Response[str]:
    house = house_of(request)
    detail = await house.desk.event(event_id)
    may_see_looks = may(request.user.role, Act.PEOPLE) or request.user.role is Role.AUDITOR
    return show(
        request,
        "event.html",
        status=422 if reason_missing else 200,
        detail=detail,
        facts=[(fact, said(fact, is_open=is_open)) for fact in detail.facts],
        is_open=is_open,
        reason_missing=reason_missing,
        reasons=[reason.value for reason in REASONS],
        marks=ENDINGS,
        told=tell_ending(detail.row.ending, words_of(request)),
        mark_of=mark_of_delivery,
        vendors=vendors_of(request),
        looks=(await house.reveals.page(limit=_LOOKS_SHOWN, on=event_id)).items if may_see_looks else (),
    )


def said(fact: NormalisedEvent, *, is_open: bool) -> list[Said]:
    """What a fact said, in reading order; hidden unless `is_open`."""
    person = fact.lead.contact if fact.lead else None
    message = fact.lead.message if fact.lead else fact.text
    rows = (
        ("fact.name", fact.sender_name or (person.name if person else None), mask_name),
        ("fact.phone", fact.phone or (person.phone if person else None), mask_phone),
        ("fact.email", person.email if person else None, mask_all),
        ("fact.username", fact.username or (person.username if person else None), mask_all),
        ("fact.sender_id", fact.sender_id or (person.channel_user_id if person else None), mask_all),
        ("fact.service", fact.lead.service if fact.lead else None, str),
        ("fact.text", message, mask_all),
    )
    return [
        Said(word=word, value=value if is_open else hide(value), is_text=word == "fact.text")
        for word, value, hide in rows
        if value
    ]


PAGE = WebPage(handlers=(event, reveal))
