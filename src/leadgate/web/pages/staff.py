"""People of the salon: who works here in which role, where they are signed in; the owner invites, changes and dismisses."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.model.staff import Role, Staff, StaffView
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show

_PEOPLE = allowed(Act.PEOPLE)


@get("/staff")
async def staff(request: PageRequest) -> Response[str]:
    """Everybody; how they sign in is told, where they are signed in only to the owner."""
    return show(request, "staff.html", people=await house_of(request).roster.all())


@get("/staff/new", guards=[_PEOPLE, fresh])
async def form(request: PageRequest) -> Response[str]:
    """Whom to invite."""
    return _ask(request)


@post("/staff/new", guards=[_PEOPLE, fresh], status_code=200)
async def add(request: PageRequest) -> Response[str]:
    """Invite somebody: the page with their one-time address."""
    given = await read_form(request)
    name, role = given.get("name", ""), _role(given.get("role", ""))
    if role is None:
        return _ask(request, name=name, error="staff.error.role")
    try:
        person, token = await house_of(request).roster.add(name, role, by=request.user.staff_id)
    except ConfigurationError:
        return _ask(request, name=name, error="setup.error.name_empty")
    except ConflictError:
        return _ask(request, name=name, error="setup.error.name_taken")
    return _invited(request, person, token)


@get("/staff/{staff_id:str}", guards=[_PEOPLE])
async def person(request: PageRequest, staff_id: FromPath[str]) -> Response[str]:
    """One person: sessions, role, and the ways to end access."""
    return show(request, "staff_person.html", view=await _view(request, staff_id), roles=list(Role))


@post("/staff/{staff_id:str}/role", guards=[_PEOPLE, fresh], status_code=303)
async def change_role(request: PageRequest, staff_id: FromPath[str]) -> Redirect:
    """Another role, and every session of theirs ends at once."""
    role = _role((await read_form(request)).get("role", ""))
    if role is None:
        return _back(staff_id, "role_same")
    try:
        await house_of(request).roster.change_role(staff_id, role, by=request.user.staff_id)
    except ConflictError as error:
        return _back(staff_id, "last_owner" if error.code == "staff.last_owner" else "role_same")
    return _back(staff_id, "role_changed")


@post("/staff/{staff_id:str}/reset", guards=[_PEOPLE, fresh], status_code=200)
async def reset(request: PageRequest, staff_id: FromPath[str]) -> Response[str]:
    """A fresh one-time address in place of every other way in."""
    found, token = await house_of(request).roster.reset(staff_id, by=request.user.staff_id)
    return _invited(request, found, token)


@post("/staff/{staff_id:str}/dismiss", guards=[_PEOPLE, fresh], status_code=303)
async def dismiss(request: PageRequest, staff_id: FromPath[str]) -> Redirect:
    """They work here no more."""
    try:
        await house_of(request).roster.dismiss(staff_id, by=request.user.staff_id)
    except ConflictError:
        return _back(staff_id, "last_owner")
    return Redirect(address("/staff", notice="dismissed"), status_code=303)


@post("/staff/{staff_id:str}/sessions/{session_id:str}/end", guards=[_PEOPLE], status_code=303)
async def end_session(request: PageRequest, staff_id: FromPath[str], session_id: FromPath[str]) -> Redirect:
    """Sign out one browser of theirs. No fresh proof is asked for: it only takes access away."""
    try:
        await house_of(request).roster.end_session(session_id, by=request.user.staff_id, of=staff_id)
    except NotFoundError:
        return _back(staff_id, "session_gone")
    return _back(staff_id, "session_ended")


async def _view(request: PageRequest, staff_id: str) -> StaffView:
    found = [view for view in await house_of(request).roster.all() if view.staff.staff_id == staff_id]
    if not found:
        raise NotFoundError("Nobody of this id works here.", code="staff.not_found")
    return found[0]


def _role(word: str) -> Role | None:
    return Role(word) if word in set(Role) else None


def _ask(request: PageRequest, *, name: str = "", error: str | None = None) -> Response[str]:
    return show(request, "staff_new.html", status=422 if error else 200, name=name, error=error, roles=list(Role))


def _invited(request: PageRequest, person: Staff, token: Secret) -> Response[str]:
    own = house_of(request).public_url or str(request.base_url).rstrip("/")
    return show(request, "staff_invited.html", person=person, setup_url=f"{own}/setup/{token.reveal()}")


def _back(staff_id: str, notice: str) -> Redirect:
    return Redirect(address(f"/staff/{staff_id}", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(staff, form, add, person, change_role, reset, dismiss, end_session),
    menu=MenuEntry(section="staff", href="/staff", icon="key", group="shield", order=30),
)
