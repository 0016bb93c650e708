"""The salon's own chat page: who the salon is, what it offers, the chat beside it. Rendered on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadgate.web.site_widget import texts

NO_BREAK = "\N{NO-BREAK SPACE}"
KOPECKS = 100
MINUTES_IN_HOUR = 60

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page; nothing from outside, nothing inline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalonService:
    """One line of the price list.

    Attributes:
        price_kopecks: None when the price is told on asking.
        is_from: the price is the lowest one.
        minutes: how long it takes; None when it varies.
    """

    name: str
    price_kopecks: int | None
    minutes: int | None = None
    is_from: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SalonCard:
    """What a client may know of the salon.

    Attributes:
        hours: lines such as `пн-пт 10:00-21:00`.
        phone: as people write it; None when there is none to show.
        masters: first names.
        consents: what the bot asks people to agree to, word by word.
        language: of the page, `ru` or `en`.
    """

    title: str
    address: str
    hours: Sequence[str]
    services: Sequence[SalonService]
    masters: Sequence[str] = ()
    consents: Sequence[str] = ()
    phone: str | None = None
    language: str = "ru"


def render_chat_page(card: SalonCard, *, connection_id: str, static_url: str) -> str:
    """The page as HTML.

    Args:
        card: shown as it is, escaped.
        connection_id: of the `site` connection whose widget the page opens.
        static_url: where the house's stylesheet and icons are served, without a slash at the end.
    """
    words = texts(card.language)["page"]
    services = [(service, money(service, words["from"]), duration(service, words)) for service in card.services]
    return (
        _environment()
        .get_template("site_chat.html")
        .render(
            card=card,
            services=services,
            words=words,
            mark=salon_mark(card.title),
            connection_id=connection_id,
            static_url=static_url,
            title=words["title"].format(title=card.title),
        )
    )


def salon_mark(title: str) -> str:
    """The letter that stands for the salon: the first one of its proper name («Лимон» in «Салон «Лимон»»)."""
    name = title.partition("«")[2] or title
    return next((character.upper() for character in name if character.isalnum()), "•")


def money(service: SalonService, word_from: str) -> str:
    """The price as people write it here, `1 900 ₽` with no-break spaces, kopecks only when there are any."""
    if service.price_kopecks is None:
        return ""
    roubles, kopecks = divmod(service.price_kopecks, KOPECKS)
    amount = f"{roubles:,}".replace(",", NO_BREAK) + (f",{kopecks:02}" if kopecks else "")
    return f"{word_from}{NO_BREAK}" * service.is_from + f"{amount}{NO_BREAK}₽"


def duration(service: SalonService, words: Mapping[str, str]) -> str:
    """How long it takes: `1 ч 30 мин`; an empty string when unknown."""
    hours, minutes = divmod(service.minutes or 0, MINUTES_IN_HOUR)
    parts = [(hours, words["hour"]), (minutes, words["minute"])]
    return NO_BREAK.join(f"{number}{NO_BREAK}{word}" for number, word in parts if number)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("leadgate.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
