"""Who a client is: identifiers (as blind indexes) lead to one subject, whose profile is sealed under its own data key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from leadgate.model.leads import Person
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault, subject_scope

_PROFILE = "subjects.profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A subject after what was just learned is merged in.

    Attributes:
        profile: everything known now.
        news: only what was not known before.
    """

    subject_id: str
    profile: Person
    news: Person


class Identities:
    """Finds and keeps people."""

    def __init__(self, vault: Vault, ids: IdSource) -> None:
        """Seal profiles with this vault."""
        self._vault = vault
        self._ids = ids

    def recognise(
        self, tx: Transaction, person: Person, *, channel: str, at: datetime, is_hearsay: bool = False
    ) -> Known:
        """The subject with one of these identifiers, or a new one; what is new is kept.

        The strongest identifier decides: the channel's own id of the person, then phone, e-mail, user name. An identifier
        that belongs to another subject stays with it. Hearsay (a messenger's profile) never replaces what the person said.
        """
        marks = self._marks(tx, person, channel)
        found = (tx.subjects.find_by(kind, value_index) for kind, value_index in marks)
        subject_id = next((subject for subject in found if subject is not None), None)
        if subject_id is None:
            subject_id = self._ids.new("subj")
            tx.subjects.add(subject_id, at=at)
            self._vault.create_scope(tx, subject_scope(subject_id))
        return self.learn(tx, subject_id, person, channel=channel, at=at, is_hearsay=is_hearsay)

    def learn(
        self,
        tx: Transaction,
        subject_id: str,
        person: Person,
        *,
        channel: str,
        at: datetime,
        is_hearsay: bool = False,
    ) -> Known:
        """Merge what was learned into a subject's profile and identifiers."""
        for kind, value_index in self._marks(tx, person, channel):
            tx.subjects.add_identifier(subject_id, kind, value_index, at=at)
        before = self.profile(tx, subject_id)
        profile, news = _merge(before, person, is_hearsay=is_hearsay)
        if profile != before:
            sealed = self._vault.seal(tx, subject_scope(subject_id), _PROFILE, msgspec.json.encode(profile))
            tx.subjects.set_profile(subject_id, sealed)
        return Known(subject_id=subject_id, profile=profile, news=news)

    def profile(self, tx: Transaction, subject_id: str) -> Person:
        """What is known of a subject; an empty person when nothing is.

        Raises:
            UnknownKeyError: the subject was erased.
        """
        sealed = tx.subjects.find_profile(subject_id)
        if sealed is None:
            return Person()
        return msgspec.json.decode(self._vault.open(tx, subject_scope(subject_id), _PROFILE, sealed), type=Person)

    def _marks(self, tx: Transaction, person: Person, channel: str) -> list[tuple[str, bytes]]:
        values = (
            (f"sender:{channel}", person.channel_user_id),
            ("phone", person.phone),
            ("email", person.email.casefold() if person.email else None),
            (f"username:{channel}", person.username.casefold() if person.username else None),
        )
        return [(kind, self._vault.index(tx.workspace_id, kind, value)) for kind, value in values if value]


def _merge(before: Person, learned: Person, *, is_hearsay: bool) -> tuple[Person, Person]:
    """The profile after learning, and the news in it. What the person says later replaces what was said earlier."""
    fields = ("name", "phone", "email", "username", "channel_user_id")
    first, second = (before, learned) if is_hearsay else (learned, before)
    merged = {name: getattr(first, name) or getattr(second, name) for name in fields}
    news = {name: merged[name] if merged[name] != getattr(before, name) else None for name in fields}
    return Person(**merged), Person(**news)
