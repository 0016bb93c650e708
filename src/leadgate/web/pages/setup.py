"""The one-time set-up address: a person gives a name and a password, and is signed in."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, NotFoundError
from leadgate.model.secret import Secret
from leadgate.web.access import PageRequest
from leadgate.web.forms import read_form
from leadgate.web.pages.login import enter
from leadgate.web.sheet import WebPage, house_of, show
from leadgate.web.visits import visit_of

_PROBLEMS = {
    "staff.name_empty": ("name", "setup.error.name_empty"),
    "staff.name_taken": ("name", "setup.error.name_taken"),
    "staff.password_short": ("password", "setup.error.password_short"),
    "staff.password_long": ("password", "setup.error.password_long"),
    "staff.password_common": ("password", "setup.error.password_common"),
}
"""Code of the refusal -> field it belongs to and its words."""


@get("/setup/{token:str}")
async def ask(request: PageRequest, token: FromPath[str]) -> Response[str]:
    """The form, or a page that says what to do with an address that is over."""
    staff = await house_of(request).people.find_setup(token)
    if staff is None:
        return show(request, "setup_over.html", status=404)
    return show(request, "setup.html", name=staff.name, errors={})


@post("/setup/{token:str}", status_code=303)
async def set_up(request: PageRequest, token: FromPath[str]) -> Response[str] | Redirect:
    """Use the address up, sign the person in and open the first page."""
    form, people = await read_form(request), house_of(request).people
    name, password = form.get("name", "").strip(), form.get("password", "")
    if password != form.get("password_again", ""):
        return _again(request, name, {"password_again": "setup.error.passwords_differ"})
    try:
        staff = await people.set_up(token, name=name, password=Secret(password))
    except NotFoundError:
        return show(request, "setup_over.html", status=404)
    except ConfigurationError as error:
        field, word = _PROBLEMS.get(error.code, ("name", "setup.error.other"))
        return _again(request, name, {field: word})
    return await enter(request, await people.open_session(staff, visit=visit_of(request)), "/")


def _again(request: PageRequest, name: str, errors: dict[str, str]) -> Response[str]:
    return show(request, "setup.html", status=422, name=name, errors=errors)


PAGE = WebPage(handlers=(ask, set_up), is_open=True)
