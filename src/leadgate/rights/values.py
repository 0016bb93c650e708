"""What somebody says is right of a person: checked before anything is changed; what is wrong is named by field, never repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadgate.errors import ConfigurationError
from leadgate.intake.phones import find_e164
from leadgate.model.subjects import NewValues

MAX_NAME_LENGTH = 200
FIELDS = ("name", "phone", "email")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,60}")


def find_wrong(given: Mapping[str, str]) -> frozenset[str]:
    """Names of the fields whose values cannot be; an empty one is fine, it changes nothing."""
    wrong = {"phone"} if given.get("phone", "").strip() and find_e164(given["phone"].strip()) is None else set()
    if (email := given.get("email", "").strip()) and not _EMAIL.fullmatch(email):
        wrong.add("email")
    name = given.get("name", "")
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        wrong.add("name")
    return frozenset(wrong)


def make_values(given: Mapping[str, str]) -> NewValues:
    """The values of checked fields."""
    told = {name: given.get(name, "").strip() for name in FIELDS}
    return NewValues(name=told["name"] or None, phone=find_e164(told["phone"]), email=told["email"] or None)


def read_values(given: object) -> NewValues:
    """The values of an object from outside.

    Raises:
        ConfigurationError: it is no object of these fields and texts (`subject.values_wrong`); names the fields.
    """
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise _wrong(FIELDS, "must hold one JSON object of texts")
    if unknown := sorted(set(given) - set(FIELDS)):
        raise _wrong(FIELDS, f"holds {len(unknown)} unknown fields")
    if wrong := find_wrong(given):
        raise ConfigurationError(
            f"These values cannot be right: {', '.join(sorted(wrong))}.",
            code="subject.values_wrong",
            hint="A phone looks like +7 900 000-00-00, an e-mail like name@example.org.",
        )
    return make_values(given)


def _wrong(fields: tuple[str, ...], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The values {what}.", code="subject.values_wrong", hint=f"Fields: {', '.join(fields)}; all are optional."
    )
