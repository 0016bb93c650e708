"""Reads and writes the salon's book: one entry per service, master and day."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from leadgate.model.salon import Master, OpeningHours, Salon, Service
from leadgate.ports.stores import Transaction

T = TypeVar("T")


class _About(msgspec.Struct, frozen=True):
    address: str = ""
    phone: str | None = None


def read_salon(tx: Transaction) -> Salon:
    """The whole book; an empty one when nothing was entered."""
    about = _read(tx, "about", _About)
    return Salon(
        address=about[0].address if about else "",
        phone=about[0].phone if about else None,
        services=_read(tx, "service", Service),
        masters=_read(tx, "master", Master),
        hours=_read(tx, "hours", OpeningHours),
    )


def write_salon(tx: Transaction, salon: Salon) -> None:
    """Keep every entry of the book; entries with the same id are replaced, others stay."""
    _write(tx, "about", {"about": _About(salon.address, salon.phone)})
    _write(tx, "service", {service.service_id: service for service in salon.services})
    _write(tx, "master", {master.master_id: master for master in salon.masters})
    _write(tx, "hours", {str(hours.weekday): hours for hours in salon.hours})


def _read(tx: Transaction, kind: str, entry_type: type[T]) -> tuple[T, ...]:
    return tuple(msgspec.json.decode(body, type=entry_type) for _, body in tx.salon.all(kind))


def _write(tx: Transaction, kind: str, entries: dict[str, object]) -> None:
    for position, (entry_id, entry) in enumerate(entries.items()):
        tx.salon.put(kind, entry_id, position=position, body=msgspec.json.encode(entry).decode())
