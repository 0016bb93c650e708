"""The words of the pages: look-up by key, plural forms, no-break spaces. Dates are `moments.py`'s business.

The files `pages.{ru,en}.json` of `leadgate.catalogue` hold flat keys. A text with plural forms is an object of `one`, `few` and
`many`, chosen by `count`; `{name}` stands for a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from leadgate.catalogue.texts import known_locale, read_file

FAMILIES = (
    "agent.",
    "alerts.code.",
    "alerts.new.",
    "alerts.place.",
    "alerts.service.",
    "consents.fault.",
    "consents.how.",
    "consents.locale.",
    "consents.proof.",
    "consents.purpose.",
    "cure.",
    "date.month.",
    "date.weekday.",
    "date.weekday_short.",
    "delivery.kind.",
    "error.",
    "fact.kind.",
    "finding.",
    "health.means.",
    "health.mode.",
    "health.now.",
    "home.greeting.",
    "keys.custodian.",
    "ledger.cause.",
    "ledger.explain.",
    "ledger.finding.",
    "ledger.share.",
    "menu.",
    "notice.",
    "period.",
    "policies.field.",
    "policies.form.crm_",
    "policies.label.",
    "policies.object.",
    "policies.place.",
    "policies.purpose.",
    "problem.",
    "reason.",
    "refusal.",
    "retention.kind.",
    "retention.why.",
    "request.kind.",
    "request.left.",
    "request.next.",
    "request.outcome.",
    "request.way.",
    "reveal.reason.",
    "role.",
    "setup.error.",
    "staff.role.",
    "state.",
    "subject.choose.",
    "subject.correction.",
    "subject.count.",
    "subject.reason.",
    "subjects.problem.",
    "tab.",
    "theme.",
    "tokens.reach.",
)
"""Beginnings of keys that are put together from a value; tests check that each value has its key."""

ONLY_RUSSIAN = ("finding.",)
"""In English a finding speaks for itself (`Finding.text`); here stand only the Russian words for it."""

_NBSP = "\N{NO-BREAK SPACE}"
_THIN_GROUP = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
_SHORT_WORD = re.compile(r"(?<![^\s(«„])([А-Яа-яЁё]{1,2}) (?=\S)")
_AFTER_COUNT = re.compile(r"(\{count\}|\d) (?=\w)")

Entry = str | Mapping[str, str]


class Catalogue:
    """The texts of one language; called with a key it gives the text."""

    def __init__(self, locale: str, entries: Mapping[str, Entry]) -> None:
        """Glue short words and numbers to what follows them, once."""
        self.locale = locale
        self._entries = {key: _glued(entry) for key, entry in entries.items()}

    def __call__(self, key: str, /, *, count: int | None = None, **values: object) -> str:
        """The text of a key with its values filled in.

        Args:
            count: chooses the plural form and stands as `{count}`, thousands set apart.

        Raises:
            KeyError: no such key, or a value is missing; tests keep both from happening.
        """
        entry = self._entries[key]
        if not isinstance(entry, str):
            entry = entry[plural_form(self.locale, count or 0)]
        shown = {name: str(value) for name, value in values.items()}
        if count is not None:
            shown["count"] = number(count)
        return entry.format_map(shown)

    def has(self, key: str) -> bool:
        """True when there is a text of this key."""
        return key in self._entries

    def keys(self) -> frozenset[str]:
        """Every key."""
        return frozenset(self._entries)


def plural_form(locale: str, count: int) -> str:
    """`one`, `few` or `many` of the language (CLDR rules for whole numbers); English knows no `few`."""
    if locale == "en":
        return "one" if count == 1 else "many"
    tens, ones = count % 100, count % 10
    if ones == 1 and tens != 11:  # noqa: PLR2004 - the rule of the language: 1, 21, 31, but 11
        return "one"
    return "few" if 2 <= ones <= 4 and not 12 <= tens <= 14 else "many"  # noqa: PLR2004 - likewise: 2-4, but 12-14


def number(value: int) -> str:
    """`1 284` with no-break spaces."""
    sign, digits = ("-", str(-value)) if value < 0 else ("", str(value))
    return sign + _THIN_GROUP.sub(_NBSP, digits)


@cache
def load_catalogue(locale: str) -> Catalogue:
    """The catalogue of a language; an unknown one reads Russian."""
    return Catalogue(known_locale(locale), read_file("pages", locale))


def _glued(entry: Entry) -> Entry:
    if isinstance(entry, str):
        return _AFTER_COUNT.sub(rf"\1{_NBSP}", _SHORT_WORD.sub(rf"\1{_NBSP}", entry))
    return {form: str(_glued(text)) for form, text in entry.items()}
