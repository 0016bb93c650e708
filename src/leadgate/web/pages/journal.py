"""The audit journal in plain words: who did what with data and rules. Every role reads it; nobody changes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get

from leadgate.catalogue.texts import Texts, load_texts
from leadgate.errors import JournalUnavailableError
from leadgate.model.journal import JournalState, JournalView, Result, areas
from leadgate.model.views import Page
from leadgate.web.access import PageRequest
from leadgate.web.catalogue import number
from leadgate.web.moments import Moments
from leadgate.web.sheet import MenuEntry, WebPage, house_of, moments_of, show, words_of

ROWS_PER_PAGE = 30
TONES = {Result.DONE: ("", ""), Result.REFUSED: ("is-warn", "lock"), Result.FAILED: ("is-bad", "bad")}
_SHOWN_DETAILS = 6


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry in words; `details` are codes and numbers, `tone` and `icon` are empty when it was simply done."""

    number: int
    at: datetime
    what: str
    who: str
    on: str | None
    details: str
    result: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class StateLine:
    """How the journal does: tone and icon of the line, and what it says."""

    tone: str
    icon: str
    text: str
    checkpoint: str | None


@get("/journal")
async def journal(request: PageRequest) -> Response[str]:
    """The newest entries; the filter stands in the address as the area of the tags."""
    desk, asked = house_of(request).journal_desk, request.query_params
    words, moments = load_texts("journal", words_of(request).locale), moments_of(request)
    area = asked.get("kind") if asked.get("kind") in areas() else None
    state = state_line(await desk.state(), words, moments)
    page: Page[JournalView] = Page([], None)
    try:
        page = await desk.page(limit=ROWS_PER_PAGE, cursor=asked.get("cursor"), area=area)
    except JournalUnavailableError:
        state = StateLine("is-bad", "bad", words.get("unread"), state.checkpoint)
    return show(
        request,
        "journal.html",
        words=words,
        rows=[entry_row(view, words) for view in page.items],
        next_cursor=page.next_cursor,
        is_later_page="cursor" in asked,
        areas=areas(),
        area=area,
        state=state,
    )


def entry_row(view: JournalView, words: Texts) -> EntryRow:
    """An entry in words."""
    entry = view.row.entry
    tone, icon = TONES[entry.result]
    details = [f"{name} {value}" for name, value in list(entry.details.items())[:_SHOWN_DETAILS]]
    return EntryRow(
        number=view.row.number,
        at=view.row.at,
        what=words.get(f"tag.{entry.tag.value}"),
        who=view.by_name or tell_who(entry.by, words),
        on=entry.on,
        details=", ".join(details),
        result=words.get(f"result.{entry.result.value}"),
        tone=tone,
        icon=icon,
    )


def tell_who(by: str, words: Texts) -> str:
    """Who acted when it was nobody of the staff; an id stands as it is."""
    if by in {"system", "command", "stranger"}:
        return words.get(f"by_{by}")
    if by.startswith("client:"):
        return words.get("by_client")
    return f"{words.get('by_token')} {by.removeprefix('token:')}" if "tok_" in by else by


def state_line(state: JournalState, words: Texts, moments: Moments) -> StateLine:
    """Whether it was verified, and when the last checkpoint was made."""
    kept = None if state.checkpoint_at is None else words.get("checkpoint", at=moments.when(state.checkpoint_at))
    if state.verdict is None or state.verified_at is None:
        return StateLine("is-unknown", "unknown", words.get("unverified"), kept)
    if state.verdict.fault is None:
        count = number(state.verdict.entries)
        return StateLine("is-ok", "ok", words.get("ok", at=moments.when(state.verified_at), count=count), kept)
    place = state.verdict.fault.number
    text = words.get("bad_aside") if place is None else words.get("bad", number=number(place))
    return StateLine("is-bad", "bad", text, kept)


PAGE = WebPage(
    handlers=(journal,),
    menu=MenuEntry(section="journal", href="/journal", icon="book", group="shield", order=20),
)
