"""The words that people agree to: the salon's own, or the product's until the salon writes some. A version never changes.

A version is the whole message, byte by byte: nothing is filled in when it is shown, so that its hash is the hash of what was read.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from leadgate.catalogue.texts import LOCALES, known_locale, load_texts
from leadgate.crm.consent.rule import read_rule
from leadgate.errors import ConfigurationError
from leadgate.model.consents import ConsentPurpose, ConsentText
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction, Workspace

PRODUCT = "product"
MIN_LENGTH, MAX_LENGTH = 40, 900
"""Characters. More than 900 would be cut into two messages by some messengers."""

_WAYS_OUT = {"ru": ("отзываю согласие", "стоп"), "en": ("withdraw consent", "stop")}
"""Words that the bot takes as a withdrawal (`dialogue.withdrawal`)."""


class TextBook:
    """Finds, shows and keeps texts."""

    def __init__(self, workspace: Workspace, ids: IdSource) -> None:
        """The workspace's name is the operator in the product's own texts."""
        self._workspace = workspace
        self._ids = ids

    def current(self, tx: Transaction, purpose: ConsentPurpose, locale: str) -> ConsentText:
        """What would be shown now; the product's own text has no id before it was shown."""
        locale = known_locale(locale)
        newest = tx.consents.newest_text(purpose, locale)
        if newest is not None and newest.made_by != PRODUCT:
            return newest
        text = self.product_text(tx, purpose, locale)
        # A new name of the salon, a new recipient or a newer Leadgate make another text, and that is a new version.
        if newest is not None and newest.text == text:
            return newest
        version = 1 if newest is None else newest.version + 1
        return _draft(purpose, locale, version=version, text=text, made_by=PRODUCT)

    def show(self, tx: Transaction, purpose: ConsentPurpose, locale: str, *, at: datetime) -> ConsentText:
        """The text to put before somebody now, kept as a version."""
        text = self.current(tx, purpose, locale)
        return text if text.text_id else self._keep(tx, text, at=at)

    def write(
        self, tx: Transaction, purpose: ConsentPurpose, locale: str, text: str, *, by: str, at: datetime
    ) -> ConsentText | None:
        """Keep the salon's own words as the next version; None when these words stand already.

        Raises:
            ConfigurationError: the words will not do, see `check_text`.
        """
        text = check_text(text, locale)
        newest = tx.consents.newest_text(purpose, locale)
        if newest is not None and newest.text == text and newest.made_by != PRODUCT:
            return None
        version = 1 if newest is None else newest.version + 1
        return self._keep(tx, _draft(purpose, locale, version=version, text=text, made_by=by), at=at)

    def asked(self, tx: Transaction) -> Sequence[str]:
        """What the bot asks for now, in the salon's language, for people who want to read it beforehand."""
        rule = read_rule(tx)
        return [self.current(tx, one, self._workspace.locale).text for one in ConsentPurpose if rule.wants(one)]

    def standing(self, tx: Transaction) -> Sequence[ConsentText]:
        """What would be shown now, for every purpose and language."""
        return [self.current(tx, purpose, locale) for purpose in ConsentPurpose for locale in LOCALES]

    def product_text(self, tx: Transaction, purpose: ConsentPurpose, locale: str) -> str:
        """The product's own words with this salon as the operator."""
        recipient = read_rule(tx).passes_on_to or "…"
        words = load_texts("consents", locale)
        return words.get(f"text.{purpose.value}", salon=self._workspace.name, recipient=recipient)

    def _keep(self, tx: Transaction, text: ConsentText, *, at: datetime) -> ConsentText:
        kept = replace(text, text_id=self._ids.new("ctext"), since=at)
        tx.consents.add_text(kept)
        return kept


def hash_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_text(text: str, locale: str) -> str:
    """The words in the one form in which they are kept and sent.

    Raises:
        ConfigurationError: too short, too long, not plain text (`consent.text_wrong`), in no language that the bot speaks
            (`consent.locale_unknown`), or they do not say how to withdraw (`consent.text_without_way_out`).
    """
    if locale not in LOCALES:
        raise ConfigurationError(f"The bot speaks {' and '.join(LOCALES)} only.", code="consent.locale_unknown")
    tidy = unicodedata.normalize("NFC", "\n".join(line.strip() for line in text.strip().splitlines()))
    if not MIN_LENGTH <= len(tidy) <= MAX_LENGTH or not tidy.replace("\n", "").isprintable():
        raise ConfigurationError(
            f"A text of consent has {MIN_LENGTH} to {MAX_LENGTH} characters of plain text.", code="consent.text_wrong"
        )
    if not any(way in tidy.casefold() for way in _WAYS_OUT[locale]):
        ways = " or ".join(f"«{way}»" for way in _WAYS_OUT[locale])
        raise ConfigurationError(
            f"The text does not say how to withdraw: name the words {ways}.", code="consent.text_without_way_out"
        )
    return tidy


def _draft(purpose: ConsentPurpose, locale: str, *, version: int, text: str, made_by: str) -> ConsentText:
    return ConsentText(
        text_id="",
        purpose=purpose,
        locale=locale,
        version=version,
        text=text,
        text_hash=hash_text(text),
        since=None,
        made_by=made_by,
    )
