"""`/sandbox/…`: switching faults, moving a lead, setting the portal up, over HTTP and from this machine only.

A page of another origin is refused, so that a site open in the same browser cannot press these buttons.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from leadgate.sandbox.bitrix24.arguments import entries, find_integer, mapping, text
from leadgate.sandbox.bitrix24.clock import SandboxClock
from leadgate.sandbox.bitrix24.exchange import BodyTooLargeError, Exchange
from leadgate.sandbox.bitrix24.faults import Faults, UnknownFaultError, fault_name, read_plan
from leadgate.sandbox.bitrix24.fields import DEAL, LEAD
from leadgate.sandbox.bitrix24.php_query import MalformedQueryError, parse_php_query
from leadgate.sandbox.bitrix24.portal import CLASSIC_MODE, SIMPLE_MODE, Caller, Portal
from leadgate.sandbox.bitrix24.records import Context, change

_SWITCHES = ("down", "drop-answer", "limit-503")
_WRITES = ("crm.item.add", "crm.lead.add", "crm.deal.add", "crm.contact.add", "crm.timeline.comment.add")
_Route = Callable[["Control", Exchange], Awaitable[None]]


class _RefusedError(Exception):
    """The control request is wrong; the text says why."""


class Control:
    """The sandbox's own addresses; none of them exists on a real portal."""

    def __init__(self, portal: Portal, faults: Faults, clock: SandboxClock) -> None:
        self._portal = portal
        self._faults = faults
        self._clock = clock

    async def serve(self, exchange: Exchange) -> None:
        """Answers one request below `/sandbox/`."""
        if not _is_loopback(exchange.source) or not _is_same_origin(exchange):
            await exchange.answer_json(HTTPStatus.FORBIDDEN, {"error": "only from this machine and this page"})
            return
        try:
            await self._route(exchange)
        except (_RefusedError, UnknownFaultError, MalformedQueryError) as refusal:
            await exchange.answer_json(HTTPStatus.BAD_REQUEST, {"error": str(refusal)})
        except BodyTooLargeError:
            await exchange.answer_json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "body is over 4 MiB"})

    async def _route(self, exchange: Exchange) -> None:
        route = _ROUTES.get((exchange.method, exchange.path))
        if route is None and exchange.method == "DELETE" and exchange.path.startswith("/sandbox/faults/"):
            route = Control.remove_fault
        if route is None:
            await exchange.answer_json(HTTPStatus.NOT_FOUND, {"error": "no such address"})
            return
        await route(self, exchange)

    async def list_faults(self, exchange: Exchange) -> None:
        """GET /sandbox/faults: what is on."""
        await exchange.answer_json(HTTPStatus.OK, {"items": [fault.describe() for fault in self._faults]})

    async def add_fault(self, exchange: Exchange) -> None:
        """POST /sandbox/faults: switches one on; JSON with `name` and the options of a fault."""
        given = await _read_json(exchange)
        options = {key: text(value) for key, value in given.items() if key != "name" and value is not None}
        fault = self._faults.plan(fault_name(text(given.get("name"))), read_plan(options))
        await exchange.answer_json(HTTPStatus.CREATED, fault.describe())

    async def clear_faults(self, exchange: Exchange) -> None:
        """DELETE /sandbox/faults: switches all off."""
        self._faults.clear()
        await exchange.answer_json(HTTPStatus.OK, {"items": []})

    async def remove_fault(self, exchange: Exchange) -> None:
        """DELETE /sandbox/faults/ID: switches one off."""
        number = find_integer(exchange.path.rpartition("/")[2])
        if number is None or not self._faults.remove(number):
            await exchange.answer_json(HTTPStatus.NOT_FOUND, {"error": "no such fault"})
            return
        await self.list_faults(exchange)

    async def set_up(self, exchange: Exchange) -> None:
        """POST /sandbox/portal: JSON with any of `mode`, `has_rest`, `is_admin`, `scopes`, `denied`."""
        given = await _read_json(exchange)
        if "mode" in given:
            self._set_mode(given["mode"])
        if "has_rest" in given:
            self._portal.has_rest = given["has_rest"] is True
        if "is_admin" in given:
            for user in self._portal.users.values():
                user.is_admin = given["is_admin"] is True
        if "scopes" in given:
            self._portal.scopes = frozenset(text(scope) for _, scope in entries(given["scopes"]))
        if "denied" in given:
            self._portal.denied = frozenset(text(method).lower() for _, method in entries(given["denied"]))
        self._portal.note_change()
        await exchange.answer_json(HTTPStatus.OK, describe_portal(self._portal))

    async def switch(self, exchange: Exchange) -> None:
        """POST /sandbox/switch: the page's buttons; `to` is one of three faults or `calm`."""
        form = await _read_form(exchange)
        wish = form.get("to", "")
        if wish not in {*_SWITCHES, "calm"}:
            raise _RefusedError("`to` must be calm, down, drop-answer or limit-503")
        self._faults.clear()
        if wish == "drop-answer":
            # Only what writes: a client that looks before it writes would never come as far as the doubt.
            for method in _WRITES:
                self._faults.add(wish, method=method)
        elif wish != "calm":
            self._faults.add(wish)
        await _return_to_page(exchange, form)

    async def set_mode(self, exchange: Exchange) -> None:
        """POST /sandbox/mode: the page's button; `mode` 1 classic, 2 without leads."""
        form = await _read_form(exchange)
        self._set_mode(form.get("mode"))
        await _return_to_page(exchange, form)

    async def move(self, exchange: Exchange) -> None:
        """POST /sandbox/stage: the page's buttons; moves a lead or a deal as an employee would."""
        form = await _read_form(exchange)
        entity = {LEAD.word: LEAD, DEAL.word: DEAL}.get(form.get("entity", ""))
        number = find_integer(form.get("id"))
        record = self._portal.store(entity).find(number) if entity and number is not None else None
        if entity is None or record is None or self._portal.status(entity.stage_directory, form.get("stage")) is None:
            raise _RefusedError("no such record or stage")
        caller = Caller(user_id=1, key="page")
        change(Context(self._portal, caller, self._clock.now()), record, {"stageId": form["stage"]})
        await _return_to_page(exchange, form)

    def _set_mode(self, wish: object) -> None:
        mode = find_integer(wish)
        if mode not in {CLASSIC_MODE, SIMPLE_MODE}:
            raise _RefusedError("`mode` must be 1 or 2")
        self._portal.mode = mode
        self._portal.note_change()


_ROUTES: dict[tuple[str, str], _Route] = {
    ("GET", "/sandbox/faults"): Control.list_faults,
    ("POST", "/sandbox/faults"): Control.add_fault,
    ("DELETE", "/sandbox/faults"): Control.clear_faults,
    ("POST", "/sandbox/portal"): Control.set_up,
    ("POST", "/sandbox/switch"): Control.switch,
    ("POST", "/sandbox/mode"): Control.set_mode,
    ("POST", "/sandbox/stage"): Control.move,
}


def describe_portal(portal: Portal) -> dict[str, object]:
    """The portal's settings and counts as JSON."""
    return {
        "mode": portal.mode,
        "has_rest": portal.has_rest,
        "is_admin": any(user.is_admin for user in portal.users.values()),
        "scopes": sorted(portal.scopes),
        "denied": sorted(portal.denied),
        "requests": portal.counters.requests,
        "refused": dict(portal.counters.refused),
        "faults": dict(portal.counters.faults),
    }


async def _read_json(exchange: Exchange) -> dict[str, object]:
    try:
        value = json.loads(await exchange.read_body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise _RefusedError("the body is not valid JSON") from error
    return mapping(value)


async def _read_form(exchange: Exchange) -> dict[str, str]:
    body = await exchange.read_body()
    return {key: text(value) for key, value in parse_php_query(body.decode("utf-8", errors="replace")).items()}


async def _return_to_page(exchange: Exchange, form: dict[str, str]) -> None:
    language, _, still = form.get("back", "").partition("-")
    query = f"lang={'en' if language == 'en' else 'ru'}{'&live=0' if still else ''}"
    await exchange.redirect(HTTPStatus.SEE_OTHER, f"/?{query}")


def _is_loopback(source: str) -> bool:
    try:
        return ip_address(source).is_loopback
    except ValueError:
        return False


def _is_same_origin(exchange: Exchange) -> bool:
    """Whether a browser says that the page is ours; a script's HTTP client says nothing and is let in."""
    site = exchange.header("sec-fetch-site")
    if site:
        return site in {"same-origin", "none"}
    origin = exchange.header("origin")
    return not origin or urlsplit(origin).netloc == exchange.header("host")
