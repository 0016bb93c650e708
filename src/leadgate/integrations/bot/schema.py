"""The schema of a lead from a bot builder (contract, section 3): every mistake is named, nothing is guessed.

Absent, null and empty text are the same, because builders send "" for a variable that has no value. Fields
that the schema does not know are left alone: the raw body is kept, and a builder that adds a field of its
own must not lose leads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar, cast

from leadgate.errors import FieldProblem, InvalidLeadError
from leadgate.intake.phones import find_e164
from leadgate.intake.untrusted import clean_text
from leadgate.model.leads import ConsentGiven, LeadRequest, Person, Utm

CHANNEL_LIMIT = 64
SHORT_LIMIT = 256
EMAIL_LIMIT = 254
MESSAGE_LIMIT = 16_384
"""Longest texts in characters; a longer one is a mistake that is named, never cut."""

_UTM_PARTS = ("source", "medium", "campaign", "content", "term")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_USERNAME = re.compile(r"@?[^@\s]{1,64}")
_YEARS = range(2000, 2101)
_MOMENT_WANTED = "must be a time with offset, for instance 2026-11-25T15:00:00+03:00"

T = TypeVar("T")


def read_lead(value: object) -> LeadRequest:
    """The lead of a JSON value, checked and normalised: phone as E.164, username without "@", times in UTC.

    Raises:
        InvalidLeadError: names every bad field and never repeats a value.
    """
    if not isinstance(value, dict):
        raise InvalidLeadError((FieldProblem("body", "must be a JSON object"),))
    form = _Form(value)
    channel = form.checked("channel", find_channel, f"must be one line of at most {CHANNEL_LIMIT} characters")
    if channel is None:
        form.blame("channel", "is required")
    contact = _contact(form.part("contact"))
    message = form.text("message", limit=MESSAGE_LIMIT)
    service = form.text("service")
    preferred_time = form.checked("preferred_time", find_moment, _MOMENT_WANTED)
    consent = _consent(form.part("consent"))
    utm = form.part("utm")
    parts = {name: utm.text(name) for name in _UTM_PARTS}
    if form.problems:
        raise InvalidLeadError(tuple(form.problems.values()))
    return LeadRequest(
        channel=channel or "",
        contact=contact,
        message=message,
        service=service,
        preferred_time=preferred_time,
        consent=consent,
        utm=Utm(**parts),
    )


class _Form:
    """One object of the body: reads fields and collects what is wrong, one problem for each field."""

    def __init__(
        self, values: Mapping[str, object], *, path: str = "", problems: dict[str, FieldProblem] | None = None
    ) -> None:
        self.values = values
        self.problems: dict[str, FieldProblem] = {} if problems is None else problems
        self._path = path

    @property
    def is_absent(self) -> bool:
        """True when the object is absent, null or {}."""
        return not self.values

    def blame(self, name: str, problem: str) -> None:
        """Note what is wrong with a field, unless something is noted already."""
        field = f"{self._path}{name}".rstrip(".")
        self.problems.setdefault(field, FieldProblem(field, problem))

    def part(self, name: str) -> _Form:
        """The object under a name; an absent one is empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            self.blame(name, "must be a JSON object")
        values = cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
        return _Form(values, path=f"{self._path}{name}.", problems=self.problems)

    def text(self, name: str, *, limit: int = SHORT_LIMIT) -> str | None:
        """The text of a field; None when it is absent, empty or wrong (then it is blamed)."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.blame(name, "must be text in quotes")
            return None
        if len(value) > limit:
            self.blame(name, f"must be at most {limit} characters long")
            return None
        return clean_text(value, limit=limit) if value.strip() else None

    def checked(self, name: str, read: Callable[[str], T | None], wanted: str) -> T | None:
        """The text of a field as `read` understands it; else the field is blamed with `wanted`."""
        text = self.text(name)
        if text is None:
            return None
        found = read(text)
        if found is None:
            self.blame(name, wanted)
        return found


def _contact(form: _Form) -> Person:
    problems_before = len(form.problems)
    person = Person(
        name=form.text("name"),
        phone=form.checked("phone", find_e164, "must be a phone number, for instance +79000000101"),
        email=form.checked("email", find_email, "must be an e-mail address"),
        username=form.checked("username", find_username, "must be one word, with or without @"),
        channel_user_id=form.text("channel_user_id"),
    )
    found = (person.phone, person.email, person.username, person.channel_user_id)
    if not any(found) and len(form.problems) == problems_before:
        form.blame("", "must have at least one of phone, email, username, channel_user_id")
    return person


def _consent(form: _Form) -> ConsentGiven | None:
    if form.is_absent:
        return None
    given_at = form.checked("given_at", find_moment, _MOMENT_WANTED)
    policy_version = form.text("policy_version")
    if given_at is None:
        form.blame("given_at", _MOMENT_WANTED)
    if policy_version is None:
        form.blame("policy_version", "is required when there is a consent")
    return ConsentGiven(given_at=given_at, policy_version=policy_version) if given_at and policy_version else None


def find_moment(text: str) -> datetime | None:
    """The moment in UTC, or None without an offset or in a year that cannot be meant."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year not in _YEARS:
        return None
    return moment.astimezone(UTC)


def find_email(text: str) -> str | None:
    """The address without spaces around it, or None."""
    stripped = text.strip()
    return stripped if len(stripped) <= EMAIL_LIMIT and _EMAIL.fullmatch(stripped) else None


def find_username(text: str) -> str | None:
    """The name without "@", or None when it is not one word."""
    stripped = text.strip()
    return stripped.removeprefix("@") if _USERNAME.fullmatch(stripped) else None


def find_channel(text: str) -> str | None:
    """One printable line, empty when there is nothing but spaces; None when it is something else."""
    stripped = text.strip()
    return stripped if len(stripped) <= CHANNEL_LIMIT and stripped.isprintable() else None
