"""What a CRM may read of a client's words: free text through the choke point, whatever field it comes in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from leadgate.catalogue.texts import Texts
from leadgate.errors import PrivacyError
from leadgate.model.leads import Utm
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import Purpose
from leadgate.privacy.redact import RedactedText, own_words, redact
from leadgate.privacy.rules import LiveRules

_WORDY = re.compile(r"[а-яё]", re.IGNORECASE)
"""Marks of an advertisement in Cyrillic are words that somebody searched for; others are codes, whose digits are nobody's."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Makes what leaves for the CRM, under the rules that hold now."""

    rules: LiveRules
    texts: Texts

    def say(self, words: str, purpose: Purpose, *, tally: Counter[Label] | None = None) -> RedactedText:
        """The words as this reader may have them; when the filter fails it learns of the request, and nothing of its words."""
        try:
            return self._redacted(words, purpose, tally)
        except PrivacyError:
            return own_words(self.texts.get("entry_withheld"))

    def service(self, wish: str | None) -> RedactedText | None:
        """The service as the lead may name it: of a clinic's book in full, else as any other words; None when the filter fails."""
        if wish is None:
            return None
        if self.rules.services.has(wish):
            return own_words(wish)
        return self._field(wish)

    def utm(self, utm: Utm) -> Utm:
        """Marks of the advertisement, what somebody searched for among them."""
        return Utm(
            source=self._mark(utm.source),
            medium=self._mark(utm.medium),
            campaign=self._mark(utm.campaign),
            content=self._mark(utm.content),
            term=self._mark(utm.term),
        )

    def _mark(self, value: str | None) -> str | None:
        return self._field(value) if value is not None and _WORDY.search(value) else value

    def _field(self, value: str) -> RedactedText | None:
        try:
            return self._redacted(value, Purpose.CRM_LEAD, None)
        except PrivacyError:
            return None

    def _redacted(self, words: str, purpose: Purpose, tally: Counter[Label] | None) -> RedactedText:
        instead = {Label.HEALTH: self.texts.get("entry_health")}
        return redact(words, purpose, self.rules.now.policies, words=instead, tally=tally)
