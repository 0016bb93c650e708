"""The data map: who receives personal data, grouped by where they are; deciding about recipients abroad; the map as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.app.data_map_words import ToldRecipient
from leadgate.catalogue.texts import read_file
from leadgate.errors import ConfigurationError
from leadgate.model.recipients import Place, Standing
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.catalogue import Catalogue
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show, words_of

_TONES = {
    Standing.FINE: ("is-ok", "ok"),
    Standing.CHANNEL_ABROAD: ("is-info", "flag"),
    Standing.NOTHING_PERSONAL: ("", "ok"),
    Standing.ALLOWED: ("is-warn", "ok"),
    Standing.UNDECIDED: ("is-bad", "alert"),
    Standing.REFUSED: ("is-bad", "x"),
}
_NOTICES = {
    "recipient.reason_missing": "recipient_reason_missing",
    "recipient.country_wrong": "recipient_country_wrong",
    "recipient.country_known": "recipient_country_wrong",
}
_GROUPS = (Place.UNKNOWN, Place.ABROAD, Place.RUSSIA, Place.HOUSE)


@get("/data-map")
async def data_map(request: PageRequest) -> Response[str]:
    """Every recipient, by place."""
    maps, locale = house_of(request).data_map, words_of(request).locale
    drawn = await maps.draw()
    return show(
        request,
        "data_map.html",
        w=flow_words(locale),
        groups=groups_of(maps.tell(drawn, locale=locale)),
        undecided=len(drawn.undecided),
        tones=_TONES,
        decidable={Standing.UNDECIDED, Standing.ALLOWED, Standing.REFUSED, Standing.CHANNEL_ABROAD},
        made_at=drawn.made_at,
    )


@get("/data-map/paper")
async def paper(request: PageRequest) -> Response[bytes]:
    """The map as PDF."""
    return as_file(await house_of(request).data_map.paper(), "data-map.pdf", "application/pdf")


@post("/data-map/decide", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def decide(request: PageRequest) -> Redirect:
    """Allow or refuse the host that the form names."""
    form = await read_form(request)
    try:
        await house_of(request).data_map.decide(
            form.get("host", ""),
            is_allowed=form.get("decision") == "allow",
            country=form.get("country", ""),
            reason=form.get("reason", ""),
            rkn_notice=form.get("rkn_notice", ""),
            by=request.user.staff_id,
        )
    except ConfigurationError as error:
        return Redirect(address("/data-map", notice=_NOTICES.get(error.code)), status_code=303)
    return Redirect(address("/data-map", notice="recipient_decided"), status_code=303)


def groups_of(told: Sequence[ToldRecipient]) -> list[tuple[Place, list[ToldRecipient]]]:
    """The rows by place: what is unknown or far comes first."""
    return [(place, rows) for place in _GROUPS if (rows := [one for one in told if one.row.place is place])]


@cache
def flow_words(locale: str) -> Catalogue:
    """The words of this page and of its rows."""
    return Catalogue(locale, read_file("flows", locale))


def as_file(content: bytes, name: str, media_type: str) -> Response[bytes]:
    """A file to keep, never shown within the page and never cached."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


PAGE = WebPage(
    handlers=(data_map, paper, decide),
    menu=MenuEntry(section="data_map", href="/data-map", icon="map", group="privacy", order=15),
)
