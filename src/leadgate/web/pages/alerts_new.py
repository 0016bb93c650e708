"""One more address for alarms: a form for each service that owners use, and one for the rest. The address is a secret."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.alert_services import SERVICES, Service
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, address, house_of, show

MAX_VALUE_LENGTH = 2000
_PREFIX = "key-"
"""Before the names of a service's fields, so that none meets `name` or `csrf`."""

_BY_CODE = {"alert.name_taken": "name", "alert.name_wrong": "name", "alert.chat_missing": "chat"}
"""Code of a refusal -> the field that it blames; all others blame the whole form."""


@get("/alerts/new", guards=[allowed(Act.CONNECT)])
async def choose(request: PageRequest) -> Response[str]:
    """Where to."""
    return show(request, "alerts_choose.html", services=SERVICES)


@get("/alerts/new/{service:str}", guards=[allowed(Act.CONNECT)])
async def ask(request: PageRequest, service: FromPath[str]) -> Response[str]:
    """The form of a service."""
    _get_service(service)
    return _form(request, service, {}, {})


@post("/alerts/new/{service:str}", guards=[allowed(Act.CONNECT)], status_code=303)
async def add(request: PageRequest, service: FromPath[str]) -> Response[str] | Redirect:
    """Keep the address and send a trial at once, or show the form again; secrets are never shown back."""
    asked, form = _get_service(service), await read_form(request)
    given = {one.name: form.get(_PREFIX + one.name, "").strip()[:MAX_VALUE_LENGTH] for one in asked.questions}
    errors = {one.name: "alerts.new.missing" for one in asked.questions if one.is_required and not given[one.name]}
    if errors:
        return _form(request, service, form, errors)
    desk = house_of(request).alerts
    try:
        name = form.get("name", "").strip() or None
        target = await desk.add(Secret(asked.compose(given)), name=name, by=request.user.staff_id)
    except (ConfigurationError, ConflictError) as error:
        return _form(request, service, form, {_BY_CODE.get(error.code, ""): _words_of(error.code)})
    (trial,) = await desk.test(target.target_id)
    notice = "alert_added" if trial.error_code is None else "alert_added_not_taken"
    return Redirect(address("/alerts", notice=notice), status_code=303)


def _words_of(code: str) -> str:
    known = {"alert.name_taken": "alerts.new.name_taken", "alert.name_wrong": "alerts.new.name_wrong"}
    return known.get(code, "alerts.new.wrong")


def _form(request: PageRequest, service: str, form: Mapping[str, str], errors: Mapping[str, str]) -> Response[str]:
    questions = SERVICES[service].questions
    return show(
        request,
        "alerts_new.html",
        status=422 if errors else 200,
        service=service,
        questions=questions,
        prefix=_PREFIX,
        name=form.get("name", ""),
        values={one.name: "" if one.is_secret else form.get(_PREFIX + one.name, "") for one in questions},
        errors=dict(errors),
    )


def _get_service(service: str) -> Service:
    if service not in SERVICES:
        raise NotFoundError("There is no such service.")
    return SERVICES[service]


PAGE = WebPage(handlers=(choose, ask, add))
