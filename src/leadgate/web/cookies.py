"""Our cookies: the session, the browser that is known, the theme and the language. None holds personal data; scripts read none."""

from __future__ import annotations

from datetime import timedelta

from litestar.datastructures import Cookie

THEMES = ("system", "light", "dark")
THEME_COOKIE, LOCALE_COOKIE = "leadgate_theme", "leadgate_locale"
_YEAR_S = int(timedelta(days=365).total_seconds())


def session_cookie_name(*, is_https: bool) -> str:
    """With https the browser itself vouches (`__Host-`) that no other host and no plain connection has set it."""
    return "__Host-leadgate_session" if is_https else "leadgate_session"


def session_cookie(token: str, *, is_https: bool) -> Cookie:
    """The cookie of a session; ends with the browser, and earlier on the server."""
    name = session_cookie_name(is_https=is_https)
    return Cookie(key=name, value=token, path="/", httponly=True, secure=is_https, samesite="lax")


def ended_session_cookie(*, is_https: bool) -> Cookie:
    """Takes the session's cookie away."""
    name = session_cookie_name(is_https=is_https)
    return Cookie(key=name, value="", path="/", max_age=0, httponly=True, secure=is_https, samesite="lax")


def device_cookie_name(*, is_https: bool) -> str:
    """As the name of the session's cookie."""
    return "__Host-leadgate_device" if is_https else "leadgate_device"


def device_cookie(token: str, *, is_https: bool) -> Cookie:
    """By which a browser is known at the next sign-in; it opens nothing by itself."""
    name = device_cookie_name(is_https=is_https)
    return Cookie(key=name, value=token, path="/", max_age=_YEAR_S, httponly=True, secure=is_https, samesite="strict")


def preference_cookie(name: str, value: str, *, is_https: bool) -> Cookie:
    """A choice of the person, kept for a year."""
    return Cookie(key=name, value=value, path="/", max_age=_YEAR_S, httponly=True, secure=is_https, samesite="lax")
