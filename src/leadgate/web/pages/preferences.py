"""Language and theme: a choice of the person, kept in cookies."""

from __future__ import annotations

from litestar import post
from litestar.response import Redirect

from leadgate.catalogue.texts import LOCALES
from leadgate.web.access import PageRequest, is_https, local_path
from leadgate.web.cookies import LOCALE_COOKIE, THEME_COOKIE, THEMES, preference_cookie
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage

_CHOICES = {"locale": (LOCALE_COOKIE, LOCALES), "theme": (THEME_COOKIE, THEMES)}


@post("/preferences", status_code=303)
async def choose(request: PageRequest) -> Redirect:
    """Keep what was chosen and go back; unknown values change nothing."""
    form = await read_form(request)
    cookies = [
        preference_cookie(cookie, form[field], is_https=is_https(request))
        for field, (cookie, values) in _CHOICES.items()
        if form.get(field) in values
    ]
    return Redirect(local_path(form.get("back")), status_code=303, cookies=cookies)


PAGE = WebPage(handlers=(choose,), is_open=True)
