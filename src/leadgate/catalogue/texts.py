"""Reads the catalogue's files. Plural forms and dates are the pages' business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

LOCALES = ("ru", "en")


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
    """The file `{name}.{locale}.json`; an unknown locale reads Russian."""
    file = resources.files("leadgate.catalogue") / f"{name}.{locale if locale in LOCALES else 'ru'}.json"
    return Texts(json.loads(file.read_text(encoding="utf-8")))
