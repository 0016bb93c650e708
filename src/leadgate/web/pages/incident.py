"""Incident mode: one button that stops what goes out, the two clocks, counts, what is known, the drafts of the notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.catalogue.texts import read_file
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.incidents import EVERYTHING, STORY_FIELDS, ClockState, IncidentView, Notice, NoticeClock
from leadgate.web.access import Act, PageRequest, allowed, fresh, may
from leadgate.web.catalogue import Catalogue
from leadgate.web.forms import read_form
from leadgate.web.pages.data_map import as_file
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show, words_of

PAST_SHOWN = 20
_TONES = {
    ClockState.RUNS: ("is-ok", "wait"),
    ClockState.SOON: ("is-warn", "wait"),
    ClockState.LATE: ("is-bad", "alert"),
    ClockState.SENT: ("is-ok", "ok"),
}
_DAY = "%Y-%m-%d"
_MINUTE = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class ToldClock:
    """A clock in words."""

    clock: NoticeClock
    tone: str
    icon: str
    left: str


@get("/incident")
async def incident(request: PageRequest) -> Response[str]:
    """The open incident, or the one button."""
    house, words = house_of(request), incident_words(words_of(request).locale)
    connections = [view.connection for view in await house.desk.connections()]
    past = await house.incidents.all(limit=PAST_SHOWN)
    view = await _find_open(request)
    reads_words = may(request.user.role, Act.PRIVACY)
    drafts = {}
    if view is not None and reads_words:
        drafts = {notice: await house.incidents.notice_text(notice) for notice in Notice}
    return show(
        request,
        "incident.html",
        w=words,
        view=view,
        clocks=[] if view is None else [told_clock(clock, words) for clock in view.clocks],
        drafts=drafts,
        story_fields=STORY_FIELDS,
        found_at="" if view is None else view.incident.found_at.astimezone(house.time_zone).strftime(_MINUTE),
        connections=connections,
        names={one.connection_id: one.name for one in connections} | {EVERYTHING: words("page.frozen.everything")},
        past=[one for one in past if not one.is_open],
    )


@post("/incident/open", guards=[allowed(Act.PRIVACY)], status_code=303)
async def open_(request: PageRequest) -> Redirect:
    """Stop everything, or one connection, and start the clocks."""
    form = await read_form(request)
    try:
        await house_of(request).incidents.open(
            found_at=_time(request, form.get("found_at", "")),
            what=form.get("what", ""),
            is_drill="drill" in form,
            freeze=True,
            connection_id=form.get("connection") or None,
            by=request.user.staff_id,
        )
    except (ConfigurationError, ConflictError) as error:
        return _back(_word(error.code))
    return _back("incident_opened")


@post("/incident/freeze", guards=[allowed(Act.PRIVACY)], status_code=303)
async def freeze(request: PageRequest) -> Redirect:
    """Stop what goes out."""
    form = await read_form(request)
    try:
        await house_of(request).incidents.freeze(connection_id=form.get("connection") or None, by=request.user.staff_id)
    except NotFoundError:
        return _back("incident_none_open")
    return _back("incident_frozen")


@post("/incident/unfreeze", guards=[allowed(Act.PRIVACY)], status_code=303)
async def unfreeze(request: PageRequest) -> Redirect:
    """Send again."""
    try:
        await house_of(request).incidents.unfreeze(by=request.user.staff_id)
    except ConflictError:
        return _back("incident_not_frozen")
    except NotFoundError:
        return _back("incident_none_open")
    return _back("incident_unfrozen")


@post("/incident/note", guards=[allowed(Act.PRIVACY)], status_code=303)
async def note(request: PageRequest) -> Redirect:
    """Keep what is known."""
    form = await read_form(request)
    words = {name: form[name] for name in STORY_FIELDS if name in form}
    try:
        found_at = _time(request, form.get("found_at", ""))
        await house_of(request).incidents.note(words, found_at=found_at, by=request.user.staff_id)
    except ConfigurationError as error:
        return _back(_word(error.code))
    except NotFoundError:
        return _back("incident_none_open")
    return _back("incident_noted")


@post("/incident/count", guards=[allowed(Act.PRIVACY)], status_code=303)
async def count(request: PageRequest) -> Redirect:
    """Count people and identifiers; whole days of the salon's zone."""
    form = await read_form(request)
    try:
        until = _day(request, form.get("until", ""))
        await house_of(request).incidents.count(
            since=_day(request, form.get("since", "")),
            until=None if until is None else until + timedelta(days=1),
            connection_id=form.get("connection") or None,
            by=request.user.staff_id,
        )
    except ConfigurationError as error:
        return _back(_word(error.code))
    except NotFoundError:
        return _back("incident_none_open")
    return _back("incident_counted")


@post("/incident/notices/{notice:str}/sent", guards=[allowed(Act.PRIVACY)], status_code=303)
async def sent(request: PageRequest, notice: FromPath[str]) -> Redirect:
    """A notice was sent; its number."""
    form = await read_form(request)
    try:
        await house_of(request).incidents.mark_sent(
            _notice(notice), number=form.get("number", ""), sent_at=None, by=request.user.staff_id
        )
    except ConfigurationError as error:
        return _back(_word(error.code))
    return _back("incident_sent")


@get("/incident/notices/{notice:str}", guards=[allowed(Act.PRIVACY)])
async def draft(request: PageRequest, notice: FromPath[str]) -> Response[bytes]:
    """The draft of a notice as PDF."""
    kind = _notice(notice)
    content = await house_of(request).incidents.notice_paper(kind)
    return as_file(content, f"incident-{kind.value}.pdf", "application/pdf")


@post("/incident/export", guards=[allowed(Act.PRIVACY), fresh], status_code=200)
async def export(request: PageRequest) -> Response[bytes]:
    """Journal and facts as one file; journaled before it is handed out."""
    content = await house_of(request).incidents.export(by=request.user.staff_id)
    return as_file(content, "incident.zip", "application/zip")


@post("/incident/close", guards=[allowed(Act.PRIVACY)], status_code=303)
async def close(request: PageRequest) -> Redirect:
    """It is over."""
    form = await read_form(request)
    try:
        await house_of(request).incidents.close(reason=form.get("reason", ""), by=request.user.staff_id)
    except (ConfigurationError, ConflictError) as error:
        return _back(_word(error.code))
    except NotFoundError:
        return _back("incident_none_open")
    return _back("incident_closed")


def told_clock(clock: NoticeClock, words: Catalogue) -> ToldClock:
    """How much is left, in hours and minutes."""
    tone, icon = _TONES[clock.state]
    if clock.sent is not None:
        return ToldClock(clock, tone, icon, words("page.clock.sent", number=clock.sent.number))
    hours, minutes = divmod(int(abs(clock.left).total_seconds()) // 60, 60)
    key = "page.clock.late" if clock.state is ClockState.LATE else "page.clock.left"
    return ToldClock(clock, tone, icon, words(key, hours=hours, minutes=minutes))


@cache
def incident_words(locale: str) -> Catalogue:
    """The words of this page."""
    return Catalogue(locale, read_file("incident", locale))


async def _find_open(request: PageRequest) -> IncidentView | None:
    try:
        return await house_of(request).incidents.show()
    except NotFoundError:
        return None


def _time(request: PageRequest, text: str) -> datetime | None:
    """A time of a form, in the salon's zone. Raises ConfigurationError."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=house_of(request).time_zone)
    except ValueError:
        raise ConfigurationError("This is no time.", code="incident.time_wrong") from None


def _day(request: PageRequest, text: str) -> datetime | None:
    return _time(request, text[: len("2026-11-23")])


def _notice(name: str) -> Notice:
    try:
        return Notice(name)
    except ValueError:
        raise NotFoundError("There is no such notice.") from None


def _word(code: str) -> str:
    return _WORDS.get(code, "incident_note_wrong")


_WORDS: Mapping[str, str] = {
    f"incident.{word}": f"incident_{word}"
    for word in ("open_already", "time_wrong", "note_wrong", "number_missing", "still_frozen", "notice_missing")
}


def _back(notice: str) -> Redirect:
    return Redirect(address("/incident", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(incident, open_, freeze, unfreeze, note, count, sent, draft, export, close),
    menu=MenuEntry(section="incident", href="/incident", icon="flag", group="privacy", order=16),
)
