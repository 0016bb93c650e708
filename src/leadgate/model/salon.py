"""The salon's own book: what it offers, who works there, when it is open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One line of the price list.

    Attributes:
        price_kopecks: whole kopecks; with `is_from` the lowest price.
        minutes: how long it takes.
    """

    service_id: str
    name: str
    price_kopecks: int
    minutes: int
    is_from: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """One who serves; `services` are ids of what she or he does."""

    master_id: str
    name: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """When the salon is open on a day of the week, local time.

    Attributes:
        weekday: 1 Monday to 7 Sunday (ISO 8601).
        opens: `HH:MM`; closes: `HH:MM`.
    """

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Salon:
    """The whole book."""

    address: str = ""
    phone: str | None = None
    services: tuple[Service, ...] = ()
    masters: tuple[Master, ...] = ()
    hours: tuple[OpeningHours, ...] = ()
