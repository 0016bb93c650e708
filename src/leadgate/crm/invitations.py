"""One-time links by which a client brings a second channel along, without a phone.

Whoever opens one is taken for the person it was made for, hence the short life.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from leadgate.crm.identity import Identities, Known
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault

VALID_FOR = timedelta(hours=24)
"""Long enough to look at the other telephone, short enough that a link found later joins no stranger."""

_TOKEN = re.compile(r"(?<![\w-])j_[A-Za-z0-9_-]{22}(?![\w-])", re.ASCII)
_TOKEN_BYTES = 16
_START = "/start"
_INDEX = "invitation"


class Invitations:
    """Makes and takes links."""

    def __init__(self, vault: Vault, identities: Identities, ids: IdSource) -> None:
        """Keep only blind indexes of tokens: who reads the database cannot pose as a client."""
        self._vault = vault
        self._identities = identities
        self._ids = ids

    def invite(self, tx: Transaction, subject_id: str, *, at: datetime) -> str:
        """A fresh token for a person: `j_` and 22 characters that every messenger takes as the payload of a link."""
        token = "j_" + self._ids.token(_TOKEN_BYTES)[:22]
        index = self._vault.index(tx.workspace_id, _INDEX, token)
        tx.invitations.add(index, subject_id, expires_at=at + VALID_FOR, at=at)
        return token

    def accept(self, tx: Transaction, fact: NormalisedEvent, subject_id: str, *, at: datetime) -> Known | None:
        """Join who wrote this with who was invited; None when there is no good token in it, or they cannot be one person.

        Two people with two phones are two people: the link was passed on. It is used up all the same.
        """
        token = find_token(fact)
        if token is None:
            return None
        inviter = tx.invitations.use(self._vault.index(tx.workspace_id, _INDEX, token), at=at)
        if inviter is None or self._are_two(tx, inviter, subject_id):
            return None
        return self._identities.join(tx, subject_id, inviter, reason="invitation", at=at)

    def _are_two(self, tx: Transaction, one: str, other: str) -> bool:
        phones = {self._identities.profile(tx, self._identities.root(tx, subject)).phone for subject in (one, other)}
        return len(phones - {None}) > 1


def find_token(fact: NormalisedEvent) -> str | None:
    """The token of an invitation in the payload of a link, or in the words where a messenger's links can only fill in words."""
    if fact.kind not in (EventKind.TEXT, EventKind.BUTTON):
        return None
    found = _TOKEN.search(fact.payload or "") or _TOKEN.search(fact.text or "")
    return found[0] if found else None


def without_token(fact: NormalisedEvent) -> NormalisedEvent:
    """The event as the dialogue may see it: a token is nobody's words. Nothing but a link that was opened is a start."""
    if find_token(fact) is None:
        return fact
    said = fact.text or "" if fact.kind is EventKind.TEXT else ""  # on a button stands our own label
    words = " ".join(_TOKEN.sub(" ", said).split()).removeprefix(_START).strip()
    return replace(fact, text=words or _START, payload=None)
