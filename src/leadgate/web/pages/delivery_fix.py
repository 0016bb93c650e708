"""The form that corrects what a dead command says of a lead, and sends it again. Who opens it and why is journaled."""

from __future__ import annotations

import re
from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.app.reveals import MAX_WORDS
from leadgate.errors import ConflictError, UnknownKeyError
from leadgate.intake.phones import find_e164
from leadgate.model.reveals import RevealReason
from leadgate.model.views import LeadData
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.explain import explain
from leadgate.web.forms import read_form
from leadgate.web.pages.event import find_reason
from leadgate.web.sheet import WebPage, address, house_of, show
from leadgate.web.vendors import vendors_of

REASONS = (RevealReason.FIX, RevealReason.CALL, RevealReason.CHECK)
MAX_NAME_LENGTH = 200
MAX_COMMENT_LENGTH = 4000
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,60}")


@get("/deliveries/{delivery_id:str}/fix", guards=[allowed(Act.FIX)])
async def ask(request: PageRequest, delivery_id: FromPath[str]) -> Response[str]:
    """Why somebody wants to see it; nothing of the client is shown yet."""
    return await _ask(request, delivery_id)


@post("/deliveries/{delivery_id:str}/fix/open", guards=[allowed(Act.FIX)], status_code=200)
async def form(request: PageRequest, delivery_id: FromPath[str]) -> Response[str] | Redirect:
    """The form with what the command says now; who opened it and why is in the journal before."""
    given = await read_form(request)
    reason, words = find_reason(given.get("reason", ""), REASONS), given.get("words", "")[:MAX_WORDS]
    if reason is None:
        return await _ask(request, delivery_id, reason_missing=True)
    try:
        data = await house_of(request).desk.lead_data(delivery_id, by=request.user.staff_id, reason=reason, words=words)
    except (ConflictError, UnknownKeyError):
        return _back(delivery_id, "conflict")
    values = {"name": data.name, "phone": data.phone, "email": data.email, "comment": data.comment}
    return await _show(request, delivery_id, {name: value or "" for name, value in values.items()}, data.comment)


@post("/deliveries/{delivery_id:str}/fix", guards=[allowed(Act.FIX)], status_code=303)
async def fix(request: PageRequest, delivery_id: FromPath[str]) -> Response[str] | Redirect:
    """Correct and send again."""
    given = await read_form(request)
    values = {name: given.get(name, "").strip() for name in ("name", "phone", "email", "comment")}
    phone, wrong = find_e164(values["phone"]), find_wrong(values)
    if wrong:
        return await _show(request, delivery_id, values, given.get("comment"), wrong=wrong)
    data = LeadData(
        name=values["name"][:MAX_NAME_LENGTH] or None,
        phone=phone,
        email=values["email"] or None,
        comment=values["comment"][:MAX_COMMENT_LENGTH] or None,
    )
    try:
        await house_of(request).desk.fix(delivery_id, data, by=request.user.staff_id)
    except (ConflictError, UnknownKeyError):
        return _back(delivery_id, "conflict")
    return _back(delivery_id, "fixed")


async def _ask(request: PageRequest, delivery_id: str, *, reason_missing: bool = False) -> Response[str]:
    return show(
        request,
        "delivery_fix_why.html",
        status=422 if reason_missing else 200,
        detail=await house_of(request).desk.delivery(delivery_id),
        reasons=[reason.value for reason in REASONS],
        reason_missing=reason_missing,
    )


async def _show(
    request: PageRequest,
    delivery_id: str,
    values: Mapping[str, str],
    comment: str | None,
    *,
    wrong: frozenset[str] = frozenset(),
) -> Response[str]:
    detail = await house_of(request).desk.delivery(delivery_id)
    return show(
        request,
        "delivery_fix.html",
        status=422 if wrong else 200,
        detail=detail,
        values=values,
        has_comment=comment is not None,
        wrong=wrong,
        why=explain(detail.row.error_code or ""),
        vendors=vendors_of(request),
    )


def find_wrong(values: Mapping[str, str]) -> frozenset[str]:
    """Names of the fields that cannot be sent so; an empty field is fine."""
    wrong = {"phone"} if values["phone"] and find_e164(values["phone"]) is None else set()
    if values["email"] and not _EMAIL.fullmatch(values["email"]):
        wrong.add("email")
    return frozenset(wrong)


def _back(delivery_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/deliveries/{delivery_id}", notice=notice), status_code=303)


PAGE = WebPage(handlers=(ask, form, fix))
