"""The one loader of the catalogue's files, and plain texts by key. Plural forms and dates are the pages' business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from leadgate.catalogue.vendors import vendor_words

LOCALES = ("ru", "en")
PARTS = (
    "alerts",
    "bot",
    "consents",
    "erasures",
    "flows",
    "incident",
    "journal",
    "ledger",
    "neutral",
    "pages",
    "person",
    "pseudonyms",
    "requests",
    "secrets",
    "widget",
)
"""Names of the files; each holds the words of one part of the house."""


class Texts:
    """The texts of one file in one language."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take the texts by key."""
        self._texts = texts

    def get(self, key: str, /, **values: str) -> str:
        """The text of a key with its values filled in.

        Raises:
            KeyError: no such key, or a value is missing; a test keeps both from happening.
        """
        return self._texts[key].format(**values)

    def has(self, key: str) -> bool:
        """True when there is such a text."""
        return key in self._texts

    def keys(self) -> frozenset[str]:
        """Every key, for the test that compares languages."""
        return frozenset(self._texts)


@cache
def load_texts(name: str, locale: str) -> Texts:
    """The file `{name}.{locale}.json` of flat texts; an unknown locale reads Russian."""
    return Texts(read_file(name, locale))


@cache
def read_file(name: str, locale: str) -> Mapping[str, Any]:
    """What stands in `{name}.{locale}.json`, one of `PARTS`, and what vendors add to the pages; an unknown locale reads Russian."""
    file = resources.files("leadgate.catalogue") / f"{name}.{known_locale(locale)}.json"
    texts = dict(json.loads(file.read_text(encoding="utf-8")))
    if (name, known_locale(locale)) == ("pages", "ru"):
        for words in vendor_words():
            texts |= {f"finding.{code}": text for code, text in words.findings_ru.items()}
    return texts


def known_locale(locale: str) -> str:
    """The locale itself when we have its texts, otherwise Russian."""
    return locale if locale in LOCALES else LOCALES[0]
