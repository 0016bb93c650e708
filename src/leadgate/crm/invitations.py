"""One-time links by which a client brings a second channel along, without a phone.

Whoever opens one is taken for the person it was made for, hence the short life.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from leadgate.crm.identity import Identities
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault

VALID_FOR = timedelta(hours=24)
"""Long enough to look at the other telephone, short enough that a link found later joins no stranger."""

_TOKEN = re.compile(r"(?<![\w-])j_[A-Za-z0-9_-]{22}(?![\w-])", re.ASCII)
_TOKEN_BYTES = 16
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

    def accept(self, tx: Transaction, fact: NormalisedEvent, subject_id: str, *, at: datetime) -> str | None:
        """Join who wrote this with who was invited; the subject that stands for them, or None when there is no good token in it."""
        token = find_token(fact)
        if token is None:
            return None
        inviter = tx.invitations.use(self._vault.index(tx.workspace_id, _INDEX, token), at=at)
        if inviter is None:
            return None
        return self._identities.join(tx, subject_id, inviter, reason="invitation", at=at)


def find_token(fact: NormalisedEvent) -> str | None:
    """The token of an invitation in the payload of a link, or in the words where a messenger's links can only fill in words."""
    if fact.kind not in (EventKind.TEXT, EventKind.BUTTON):
        return None
    found = _TOKEN.search(fact.payload or "") or _TOKEN.search(fact.text or "")
    return found[0] if found else None
