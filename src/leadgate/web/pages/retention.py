"""How long what is kept: one line a kind, with what goes next, and the term to change."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.model.retention import COUNT_LIMIT, TERMS, kinds
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show


@get("/retention")
async def retention(request: PageRequest) -> Response[str]:
    """Every kind."""
    lines = await house_of(request).retention.lines()
    return show(
        request,
        "retention.html",
        lines=lines,
        bounds=TERMS,
        count_limit=COUNT_LIMIT,
        swept_at=min((line.swept_at for line in lines if line.swept_at is not None), default=None),
    )


@post("/retention", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def choose(request: PageRequest) -> Redirect:
    """Another term for the kind in `kind`: `days`, or the default when it is empty."""
    form = await read_form(request)
    kind = next((kind for kind in kinds() if kind.value == form.get("kind")), None)
    days = form.get("days", "").strip()
    if kind is None or not (days == "" or (days.isascii() and days.isdecimal() and len(days) < 6)):  # noqa: PLR2004 - more days than anything is kept
        return Redirect(address("/retention", notice="term_out_of_range"), status_code=303)
    try:
        await house_of(request).retention.choose(kind, int(days) if days else None, by=request.user.staff_id)
    except ConfigurationError:
        return Redirect(address("/retention", notice="term_out_of_range"), status_code=303)
    except JournalUnavailableError:
        return Redirect(address("/retention", notice="journal_unavailable"), status_code=303)
    return Redirect(address("/retention", notice="term_chosen"), status_code=303)


PAGE = WebPage(
    handlers=(retention, choose),
    menu=MenuEntry(section="retention", href="/retention", icon="wait", group="privacy", order=14),
)
