"""One request about a person's own data: its term and history, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.requests import RequestDetail, RequestOutcome, RequestWords
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.forms import read_form
from leadgate.web.pages.requests import tools
from leadgate.web.sheet import WebPage, address, house_of, show
from leadgate.web.states import REQUEST_STEPS

MAX_NOTE_LENGTH = 1000
MAX_WHO_LENGTH = 320


@get("/requests/{request_id:str}")
async def request_page(request: PageRequest, request_id: FromPath[str]) -> Response[str]:
    """The request with what the person wrote hidden."""
    return _show(request, await house_of(request).requests.detail(request_id), None)


@post("/requests/{request_id:str}/reveal", guards=[allowed(Act.PRIVACY)], status_code=200)
async def reveal(request: PageRequest, request_id: FromPath[str]) -> Response[str]:
    """The same page once with the words; who looked stands in the journal."""
    desk = house_of(request).requests
    words = await desk.read(request_id, by=request.user.staff_id)
    return _show(request, await desk.detail(request_id), words)


@post("/requests/{request_id:str}/assign", guards=[allowed(Act.PRIVACY)], status_code=303)
async def assign(request: PageRequest, request_id: FromPath[str]) -> Redirect:
    """Say whose it is."""
    who = (await read_form(request)).get("who", "")[:MAX_WHO_LENGTH]
    desk = house_of(request).requests
    await desk.detail(request_id)
    try:
        await desk.assign(request_id, who, by=request.user.staff_id)
    except (NotFoundError, ConfigurationError):
        return _back(request_id, "request_unknown")
    except ConflictError:
        return _back(request_id, "request_conflict")
    return _back(request_id, "request_assigned")


@post("/requests/{request_id:str}/extend", guards=[allowed(Act.PRIVACY)], status_code=303)
async def extend(request: PageRequest, request_id: FromPath[str]) -> Redirect:
    """Move its last day on."""
    desk, form = house_of(request).requests, await read_form(request)
    reason = form.get("reason", "")[:MAX_NOTE_LENGTH]
    return await _act(
        lambda: desk.extend(request_id, reason=reason, by=request.user.staff_id), request_id, "request_extended"
    )


@post("/requests/{request_id:str}/close", guards=[allowed(Act.PRIVACY)], status_code=303)
async def close(request: PageRequest, request_id: FromPath[str]) -> Redirect:
    """End it."""
    desk, form = house_of(request).requests, await read_form(request)
    note = form.get("note", "")[:MAX_NOTE_LENGTH]
    try:
        outcome = RequestOutcome(form.get("outcome", ""))
    except ValueError:
        return _back(request_id, "request_conflict")
    return await _act(
        lambda: desk.close(request_id, outcome, note=note, by=request.user.staff_id), request_id, "request_closed"
    )


@post("/requests/{request_id:str}/answer", guards=[allowed(Act.PRIVACY)], status_code=200)
async def answer(request: PageRequest, request_id: FromPath[str]) -> Response[bytes]:
    """The letter to the person, to be printed or sent; who took it stands in the journal."""
    paper = await house_of(request).requests.answer(request_id, by=request.user.staff_id)
    headers = {"content-disposition": f'attachment; filename="{request_id}.pdf"', "cache-control": "no-store"}
    return Response(paper, media_type="application/pdf", headers=headers)


async def _act(act: Callable[[], Awaitable[object]], request_id: str, notice: str) -> Redirect:
    try:
        await act()
    except ConfigurationError:
        return _back(request_id, "request_reason")
    except ConflictError:
        return _back(request_id, "request_conflict")
    return _back(request_id, notice)


def _show(request: PageRequest, detail: RequestDetail, words: RequestWords | None) -> Response[str]:
    return show(
        request,
        "request.html",
        detail=detail,
        words=words,
        notes={} if words is None else dict(words.notes),
        steps=REQUEST_STEPS,
        outcomes=tuple(RequestOutcome),
        **tools(request),
    )


def _back(request_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/requests/{request_id}", notice=notice), status_code=303)


PAGE = WebPage(handlers=(request_page, reveal, assign, extend, close, answer))
