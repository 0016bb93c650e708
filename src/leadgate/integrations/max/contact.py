"""A shared contact of MAX: whose phone is it? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadgate.errors import WebhookRejectedError
from leadgate.intake.phones import find_e164
from leadgate.intake.signatures import verify_hex_hmac
from leadgate.intake.untrusted import identifier_at, value_at
from leadgate.model.secret import Secret

_CARD_LIMIT = 65_536
"""Longest card that is looked at, in characters."""


def find_phone(contact: Mapping[str, object]) -> str | None:
    """The first valid phone of the card in E.164, or None."""
    for line in _card(contact).replace("\r\n", "\n").split("\n"):
        name, _, value = line.partition(":")
        if name.partition(";")[0].strip().upper() == "TEL":
            phone = find_e164(value.strip().removeprefix("tel:"))
            if phone is not None:
                return phone
    return None


def is_own(contact: Mapping[str, object], sender_id: str | None, tokens: Sequence[Secret]) -> bool:
    """True when MAX proves that the card is the sender's own.

    Two things must hold: `hash` is the hex HMAC-SHA256 of the card, its real line ends included, under the bot's token, which
    MAX gives only when the client pressed the button that shares the own number; and the card is of the sender's account, so that
    a card with its hash cannot be taken from somebody else's message.

    Args:
        contact: the payload of the attachment.
        sender_id: who sent it.
        tokens: live tokens of the bot; a reissued one and the old one are both good for a while.
    """
    owner = identifier_at(contact, "max_info", "user_id")
    given = value_at(contact, "hash")
    if owner is None or owner != sender_id or not isinstance(given, str):
        return False
    try:
        verify_hex_hmac(given.lower(), _card(contact).encode("utf-8", "surrogatepass"), tokens)
    except WebhookRejectedError:
        return False
    return True


def _card(contact: Mapping[str, object]) -> str:
    card = value_at(contact, "vcf_info")
    return card if isinstance(card, str) and len(card) <= _CARD_LIMIT else ""
