"""What is shown of a person before somebody says why they look. Pure."""

from __future__ import annotations

from leadgate.model.leads import Person

_DOTS = "•••"
_SHOWN_HEAD, _SHOWN_TAIL, _SHORTEST = 2, 2, 9


def masked(person: Person) -> Person:
    """Enough to tell two people apart, not enough to use it: a first letter, two last figures of the phone."""
    return Person(
        name=_first_letter(person.name),
        phone=_phone(person.phone),
        email=_email(person.email),
        username=_first_letter(person.username),
        channel_user_id=_DOTS if person.channel_user_id else None,
    )


def _first_letter(value: str | None) -> str | None:
    if not value:
        return None
    return f"{value[:1]}{_DOTS}" if value[:1].isalpha() else _DOTS


def _phone(phone: str | None) -> str | None:
    if not phone:
        return None
    if len(phone) < _SHORTEST:
        return _DOTS
    return f"{phone[:_SHOWN_HEAD]} {_DOTS} {_DOTS}-••-{phone[-_SHOWN_TAIL:]}"


def _email(email: str | None) -> str | None:
    """The first letter of the mailbox; who reads a domain of a small firm knows the firm."""
    return None if not email else f"{_first_letter(email)}@{_DOTS}"
