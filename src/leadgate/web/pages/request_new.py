"""The form that writes a request down by hand: it came on paper, by mail or in person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, NotFoundError
from leadgate.model.requests import NewRequest, RequestKind, RequestWay
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, address, house_of, show

E = TypeVar("E", bound=StrEnum)
MAX_WORDS_LENGTH = 4000
MAX_WHO_LENGTH = 320
_FIELDS = ("kind", "way", "day", "who", "words")


@get("/requests/new", guards=[allowed(Act.PRIVACY)])
async def form(request: PageRequest) -> Response[str]:
    """The empty form; today unless told otherwise."""
    today = house_of(request).requests.today().isoformat()
    return _show(request, dict.fromkeys(_FIELDS, "") | {"way": RequestWay.PAPER.value, "day": today})


@post("/requests/new", guards=[allowed(Act.PRIVACY)], status_code=303)
async def write_down(request: PageRequest) -> Response[str] | Redirect:
    """Keep it and go to its page; what was typed stays when something is wrong."""
    given = await read_form(request)
    values = {name: given.get(name, "").strip() for name in _FIELDS}
    kind, way, day = _read(RequestKind, values["kind"]), _read(RequestWay, values["way"]), _day(values["day"])
    if kind is None or way is None or day is None:
        missing = {"kind": kind, "way": way, "day": day}
        return _show(request, values, wrong=frozenset(name for name, value in missing.items() if value is None))
    new = NewRequest(
        kind=kind,
        way=way,
        received_on=day,
        who=values["who"][:MAX_WHO_LENGTH] or None,
        words=values["words"][:MAX_WORDS_LENGTH],
    )
    try:
        request_id = await house_of(request).requests.open(new, by=request.user.staff_id)
    except NotFoundError:
        return _show(request, values, wrong=frozenset({"who"}))
    except ConfigurationError:
        return _show(request, values, wrong=frozenset({"day"}))
    return Redirect(address(f"/requests/{request_id}", notice="request_opened"), status_code=303)


def _read(kind: type[E], text: str) -> E | None:
    try:
        return kind(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _show(request: PageRequest, values: Mapping[str, str], *, wrong: frozenset[str] = frozenset()) -> Response[str]:
    return show(
        request,
        "request_new.html",
        status=422 if wrong else 200,
        values=values,
        wrong=wrong,
        kinds=tuple(RequestKind),
        ways=tuple(RequestWay),
        today=house_of(request).requests.today().isoformat(),
    )


PAGE = WebPage(handlers=(form, write_down))
