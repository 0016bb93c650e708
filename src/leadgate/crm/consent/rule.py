"""What the owner decided about asking for consent: one document among the rules, the product's default while there is none."""

from __future__ import annotations

from datetime import datetime

import msgspec

from leadgate.errors import ConfigurationError
from leadgate.model.consents import ConsentRule
from leadgate.ports.stores import Transaction

RULE = "consent"
MAX_RECIPIENT_LENGTH = 120


def read_rule(tx: Transaction) -> ConsentRule:
    """The rule as it stands; by default the bot asks before name and phone, and the salon does not advertise."""
    stored = tx.rules.find(RULE)
    return ConsentRule() if stored is None else msgspec.json.decode(stored.body, type=ConsentRule)


def write_rule(tx: Transaction, rule: ConsentRule, *, by: str, at: datetime) -> int:
    """Decide anew; returns how often it was decided."""
    return tx.rules.set(RULE, msgspec.json.encode(rule), by=by, at=at)


def check_recipient(name: str) -> str:
    """A recipient's name as it stands in the text.

    Raises:
        ConfigurationError: too long, or with characters that do not print.
    """
    tidy = " ".join(name.split())
    if len(tidy) > MAX_RECIPIENT_LENGTH or not tidy.isprintable():
        raise ConfigurationError(
            f"The recipient's name must have at most {MAX_RECIPIENT_LENGTH} characters of plain text.",
            code="consent.recipient_wrong",
        )
    return tidy
