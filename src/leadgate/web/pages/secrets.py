"""Secrets and keys: how old each is, when it is due, and replacing it by one button or by steps. Values are never shown again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.catalogue.renewals import steps_of
from leadgate.catalogue.texts import read_file
from leadgate.errors import ConfigurationError, ConflictError, LeadgateError, ServiceUnavailableError
from leadgate.model.renewals import LONGEST_DAYS, SHORTEST_DAYS, Renewal, SecretLight, SecretView
from leadgate.model.secret import Secret
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.catalogue import Catalogue
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show, words_of

_MARKS = {
    SecretLight.FRESH: ("is-ok", "ok"),
    SecretLight.SOON: ("is-warn", "wait"),
    SecretLight.OVERDUE: ("is-bad", "alert"),
}
_STAYS = ("", "lock")
_CONFLICT, _UNANSWERED, _WRONG = 409, 503, 422
Refusals = ConfigurationError, ConflictError, ServiceUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSecret:
    """A secret in words, for one row."""

    view: SecretView
    anchor: str
    label: str
    owner: str
    tone: str
    icon: str
    light: str
    steps: Sequence[str]


@get("/secrets")
async def secrets(request: PageRequest) -> Response[str]:
    """Every secret, what is due first at the top."""
    return await _list(request)


@post("/secrets/due", guards=[allowed(Act.CONNECT), fresh], status_code=303)
async def set_due(request: PageRequest) -> Response[str] | Redirect:
    """Decide after how many days secrets are due."""
    text = (await read_form(request)).get("days", "")
    days = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004 - more than any term
    try:
        await house_of(request).secrets.set_due(days, by=request.user.staff_id)
    except Refusals as error:
        return await _list(request, failed=error)
    return Redirect(address("/secrets", notice="secret_due"), status_code=303)


@post("/secrets/{name:str}/rotate", guards=[allowed(Act.CONNECT), fresh], status_code=200)
async def rotate(request: PageRequest, name: FromPath[str]) -> Response[str]:
    """Make a new value; show it this once when somebody has to carry it elsewhere."""
    try:
        renewed = await house_of(request).secrets.rotate(name, by=request.user.staff_id)
    except Refusals as error:
        return await _list(request, failed=error)
    if not renewed.needs_steps or renewed.made is None:
        return await _list(request, said="secret_rotated")
    words = secret_words(words_of(request).locale)
    shown = show(
        request,
        "secret_made.html",
        w=words,
        made=renewed.made.reveal(),
        overlap_until=renewed.overlap_until,
        steps=steps_of(renewed.kind, renewed.name.key, words.locale),
    )
    shown.headers["cache-control"] = "no-store"
    return shown


@post("/secrets/{name:str}/set", guards=[allowed(Act.CONNECT), fresh], status_code=303)
async def set_value(request: PageRequest, name: FromPath[str]) -> Response[str] | Redirect:
    """Put a value that the vendor issued in the place of the old one."""
    value = (await read_form(request)).get("value", "").strip()
    try:
        await house_of(request).secrets.set(name, {"value": Secret(value)}, by=request.user.staff_id)
    except Refusals as error:
        return await _list(request, failed=error)
    return Redirect(address("/secrets", notice="secret_set"), status_code=303)


@post("/secrets/{name:str}/undo", guards=[allowed(Act.CONNECT), fresh], status_code=303)
async def undo(request: PageRequest, name: FromPath[str]) -> Response[str] | Redirect:
    """Put the version before back."""
    try:
        await house_of(request).secrets.undo(name, by=request.user.staff_id)
    except Refusals as error:
        return await _list(request, failed=error)
    return Redirect(address("/secrets", notice="secret_undone"), status_code=303)


@post("/secrets/{name:str}/confirm", guards=[allowed(Act.CONNECT), fresh], status_code=303)
async def confirm(request: PageRequest, name: FromPath[str]) -> Redirect:
    """Destroy the version before."""
    await house_of(request).secrets.confirm(name, by=request.user.staff_id)
    return Redirect(address("/secrets", notice="secret_confirmed"), status_code=303)


async def _list(request: PageRequest, *, failed: LeadgateError | None = None, said: str = "") -> Response[str]:
    desk, words = house_of(request).secrets, secret_words(words_of(request).locale)
    views = await desk.all()
    word = "" if failed is None else f"page.failed.{failed.code}"
    return show(
        request,
        "secrets.html",
        status=_status_of(failed),
        w=words,
        told=[tell(view, words) for view in views],
        overdue=sum(view.light is SecretLight.OVERDUE for view in views),
        by_hand=Renewal.BY_HAND,
        failed=word if not word or words.has(word) else "page.failed.other",
        said=said,
        days=(await desk.due_rule()).days,
        shortest=SHORTEST_DAYS,
        longest=LONGEST_DAYS,
    )


def tell(view: SecretView, words: Catalogue) -> ToldSecret:
    """A row in words."""
    stays = view.renewal is Renewal.STAYS
    tone, icon = _STAYS if stays else _MARKS[view.light]
    return ToldSecret(
        view=view,
        anchor=f"{view.name.connection_id}-{view.name.key}",
        label=view.label_en if words.locale == "en" else view.label_ru,
        owner=_owner(view, words),
        tone=tone,
        icon=icon,
        light=words("page.light.stays" if stays else f"page.light.{view.light}"),
        steps=steps_of(view.kind, view.name.key, words.locale) if view.renewal is Renewal.BY_HAND else (),
    )


@cache
def secret_words(locale: str) -> Catalogue:
    """The words of this page."""
    return Catalogue(locale, read_file("secrets", locale))


def _owner(view: SecretView, words: Catalogue) -> str:
    if view.owner_name is not None:
        return view.owner_name
    if view.owner is not None and view.owner.startswith("tok"):
        return words("page.owner.token")
    return words(f"page.owner.{view.owner if view.owner in {'system', 'command'} else 'unknown'}")


def _status_of(failed: LeadgateError | None) -> int:
    if failed is None:
        return 200
    if isinstance(failed, ServiceUnavailableError):
        return _UNANSWERED
    return _CONFLICT if isinstance(failed, ConflictError) else _WRONG


PAGE = WebPage(
    handlers=(secrets, set_due, rotate, set_value, undo, confirm),
    menu=MenuEntry(section="secrets", href="/secrets", icon="key", group="shield", order=7),
)
