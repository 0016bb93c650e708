"""An incident as it is kept: the owner's words sealed under a key of the incident's own, and counts of who may be affected."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import msgspec

from leadgate.errors import VaultError
from leadgate.model.incidents import Affected, Incident, Story
from leadgate.ports.stores import Transaction
from leadgate.ports.stores.incidents import Scope, StoredIncident
from leadgate.privacy.detect.detector import find
from leadgate.privacy.detect.spans import Label
from leadgate.processing.chats import MessageBody, message_place
from leadgate.vault.envelope import Vault, subject_scope

MESSAGES_LOOKED_AT = 2000
"""So many of the newest messages are read for words about health: about two seconds."""


class IncidentRecords:
    """Seals, opens and counts inside a transaction."""

    def __init__(self, vault: Vault) -> None:
        """Seal with this vault."""
        self._vault = vault

    def add(self, tx: Transaction, incident: Incident, story: Story) -> None:
        """Keep a new incident under a new key."""
        self._vault.create_scope(tx, _scope(incident.incident_id))
        tx.incidents.add(self._sealed(tx, incident, story))

    def replace(self, tx: Transaction, incident: Incident, story: Story) -> None:
        """Put another state in its place."""
        tx.incidents.replace(self._sealed(tx, incident, story))

    def story(self, tx: Transaction, stored: StoredIncident) -> Story:
        """What people wrote of it."""
        incident_id = stored.incident.incident_id
        plain = self._vault.open(tx, _scope(incident_id), _place(incident_id), stored.sealed_story)
        return msgspec.json.decode(plain, type=Story)

    def count(self, tx: Transaction, scope: Scope, now: datetime) -> Affected:
        """Who stands in the scope; the newest messages of clients are read for words about health."""
        counted = tx.incidents.count(scope)
        looked_at = health = 0
        for message_id, subject_id, sealed in tx.incidents.messages(scope, limit=MESSAGES_LOOKED_AT):
            try:
                body = self._vault.open(tx, subject_scope(subject_id), message_place(message_id), sealed)
            except VaultError:  # the person was erased, or the key file is another one: there is nothing to read
                continue
            looked_at += 1
            text = msgspec.json.decode(body, type=MessageBody).text
            health += any(span.label is Label.HEALTH for span in find(text))
        return Affected(
            counted_at=now,
            since=scope.since,
            until=scope.until,
            connection_id=scope.connection_id,
            persons=counted.persons,
            identifiers=counted.identifiers,
            messages=counted.messages,
            looked_at=looked_at,
            health=health,
        )

    def _sealed(self, tx: Transaction, incident: Incident, story: Story) -> StoredIncident:
        incident_id = incident.incident_id
        plain = msgspec.json.encode({field.name: getattr(story, field.name) for field in fields(story)})
        sealed = self._vault.seal(tx, _scope(incident_id), _place(incident_id), plain)
        return StoredIncident(incident=incident, sealed_story=sealed)


def _scope(incident_id: str) -> str:
    return f"incident:{incident_id}"


def _place(incident_id: str) -> str:
    return f"incidents.story:{incident_id}"
