"""People: search by what somebody knows of a person, their masked card, their rights. What is searched for stays in the form."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.subjects import BlockReason
from leadgate.rights.values import FIELDS, find_wrong, make_values
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.person_page import person_json, render_person
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show
from leadgate.web.vendors import vendors_of


@get("/subjects")
async def subjects(request: PageRequest) -> Response[str]:
    """The search form; nobody is listed."""
    return show(request, "subjects.html", given="", problem="")


@post("/subjects/search", guards=[allowed(Act.PRIVACY)], status_code=303)
async def search(request: PageRequest) -> Response[str] | Redirect:
    """To the person's card; whom nobody knows is said at the field."""
    given = (await read_form(request)).get("identifier", "").strip()
    if not given:
        return show(request, "subjects.html", status=422, given="", problem="empty")
    try:
        subject_id = await house_of(request).subjects.find(given, by=request.user.staff_id)
    except NotFoundError:
        return show(request, "subjects.html", status=404, given=given, problem="unknown")
    except ConflictError:
        return show(request, "subjects.html", status=409, given=given, problem="several")
    return Redirect(f"/subjects/{subject_id}", status_code=303)


@get("/subjects/{subject_id:str}")
async def subject(request: PageRequest, subject_id: FromPath[str]) -> Response[str]:
    """The card, masked."""
    card = await house_of(request).subjects.card(subject_id, by=request.user.staff_id)
    return show(request, "subject.html", card=card, reasons=list(BlockReason), vendors=vendors_of(request))


@post("/subjects/{subject_id:str}/export", guards=[allowed(Act.PRIVACY), fresh], status_code=200)
async def export(request: PageRequest, subject_id: FromPath[str]) -> Response[str]:
    """Everything, as a file: a page to read and print, or JSON."""
    house = house_of(request)
    is_page = (await read_form(request)).get("form") != "json"
    file = await house.subjects.export(subject_id, by=request.user.staff_id)
    content = render_person(file, house.time_zone) if is_page else person_json(file)
    name = f"{file.subject}.{'html' if is_page else 'json'}"
    return Response(
        content,
        media_type="text/html; charset=utf-8" if is_page else "application/json",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


@get("/subjects/{subject_id:str}/correct", guards=[allowed(Act.PRIVACY)])
async def form(request: PageRequest, subject_id: FromPath[str]) -> Response[str]:
    """The form with what is known now, in full; that somebody looked is in the journal."""
    card = await house_of(request).subjects.card(subject_id, by=request.user.staff_id, is_open=True)
    values = {name: getattr(card, name) or "" for name in FIELDS}
    return show(request, "subject_correct.html", subject_id=card.subject_id, values=values, wrong=frozenset())


@post("/subjects/{subject_id:str}/correct", guards=[allowed(Act.PRIVACY)], status_code=303)
async def correct(request: PageRequest, subject_id: FromPath[str]) -> Response[str] | Redirect:
    """Put right what is wrong, here and in the CRM."""
    given = await read_form(request)
    values = {name: given.get(name, "").strip() for name in FIELDS}
    wrong = find_wrong(values)
    if wrong:
        return show(request, "subject_correct.html", status=422, subject_id=subject_id, values=values, wrong=wrong)
    try:
        await house_of(request).subjects.correct(subject_id, make_values(values), by=request.user.staff_id)
    except ConfigurationError:
        return _back(subject_id, "subject_unchanged")
    except ConflictError:
        return _back(subject_id, "conflict")
    return _back(subject_id, "subject_corrected")


@post("/subjects/{subject_id:str}/block", guards=[allowed(Act.PRIVACY)], status_code=303)
async def block(request: PageRequest, subject_id: FromPath[str]) -> Redirect:
    """Hold back everything about the person."""
    word = (await read_form(request)).get("reason", "")
    reason = BlockReason(word) if word in set(BlockReason) else BlockReason.OTHER
    try:
        done = await house_of(request).subjects.block(subject_id, reason, by=request.user.staff_id)
    except ConflictError:
        return _back(subject_id, "conflict")
    return _back(subject_id, "subject_blocked_soon" if done.in_hand else "subject_blocked")


@post("/subjects/{subject_id:str}/unblock", guards=[allowed(Act.PRIVACY)], status_code=303)
async def unblock(request: PageRequest, subject_id: FromPath[str]) -> Redirect:
    """Let everything go on."""
    try:
        await house_of(request).subjects.unblock(subject_id, by=request.user.staff_id)
    except ConflictError:
        return _back(subject_id, "conflict")
    return _back(subject_id, "subject_unblocked")


def _back(subject_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/subjects/{subject_id}", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(subjects, search, subject, export, form, correct, block, unblock),
    menu=MenuEntry(section="subjects", href="/subjects", icon="user", group="privacy", order=10),
)
