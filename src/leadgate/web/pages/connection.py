"""One connection: its light, what the last check found, its address, and what a person may do with it."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import NotFoundError, ServiceUnavailableError
from leadgate.model.views import ConnectionView
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.explain import explain
from leadgate.web.findings import teller
from leadgate.web.sheet import WebPage, address, house_of, show, words_of
from leadgate.web.states import FINDINGS
from leadgate.web.vendors import vendor_or_kind, vendors_of


@get("/connections/{connection_id:str}")
async def connection(request: PageRequest, connection_id: FromPath[str]) -> Response[str]:
    """Everything about it but its secrets."""
    view = await _get_view(request, connection_id)
    return show(
        request,
        "connection.html",
        view=view,
        vendor=vendor_or_kind(vendors_of(request), view.connection.kind),
        webhook_url=own_address(request, f"/webhooks/{view.connection.kind}/{connection_id}"),
        own_address=own_address(request),
        explain=explain,
        finding_marks=FINDINGS,
        tell_finding=teller(words_of(request)),
    )


@post("/connections/{connection_id:str}/check", guards=[allowed(Act.CONNECT)], status_code=303)
async def check(request: PageRequest, connection_id: FromPath[str]) -> Redirect:
    """Ask the vendor now."""
    try:
        await house_of(request).connections.check(connection_id)
    except ServiceUnavailableError:
        return _back(connection_id, "unreachable")
    return _back(connection_id, "checked")


@post("/connections/{connection_id:str}/pause", guards=[allowed(Act.CONNECT)], status_code=303)
async def pause(request: PageRequest, connection_id: FromPath[str]) -> Redirect:
    """Keep all that arrives, work on nothing."""
    await house_of(request).connections.pause(connection_id, by=request.user.staff_id)
    return _back(connection_id, "paused")


@post("/connections/{connection_id:str}/resume", guards=[allowed(Act.CONNECT)], status_code=303)
async def resume(request: PageRequest, connection_id: FromPath[str]) -> Redirect:
    """Go on at once."""
    await house_of(request).connections.resume(connection_id, by=request.user.staff_id)
    return _back(connection_id, "resumed")


@get("/connections/{connection_id:str}/remove", guards=[allowed(Act.CONNECT), fresh])
async def ask_remove(request: PageRequest, connection_id: FromPath[str]) -> Response[str]:
    """Say what removing means and ask."""
    view = await _get_view(request, connection_id)
    vendor = vendor_or_kind(vendors_of(request), view.connection.kind)
    return show(request, "connection_remove.html", view=view, vendor=vendor)


@post("/connections/{connection_id:str}/remove", guards=[allowed(Act.CONNECT), fresh], status_code=303)
async def remove(request: PageRequest, connection_id: FromPath[str]) -> Redirect:
    """Take it away; its history stays."""
    await house_of(request).connections.remove(connection_id, by=request.user.staff_id)
    return Redirect(address("/connections", notice="removed"), status_code=303)


def own_address(request: PageRequest, path: str = "") -> str:
    """Our address as the world sees it, with a path; as this browser sees it while no public address is set."""
    base = house_of(request).public_url or str(request.base_url).rstrip("/")
    return base + path


async def _get_view(request: PageRequest, connection_id: str) -> ConnectionView:
    for view in await house_of(request).desk.connections():
        if view.connection.connection_id == connection_id:
            return view
    raise NotFoundError("There is no such connection.")


def _back(connection_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/connections/{connection_id}", notice=notice), status_code=303)


PAGE = WebPage(handlers=(connection, check, pause, resume, ask_remove, remove))
