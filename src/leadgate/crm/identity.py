"""Who a client is: a graph of what people are known by, not a phone number.

Identifiers (as blind indexes) lead to a subject, whose profile is sealed under its own data key. Subjects that turn out to be one
person are joined: each keeps its rows and its key, and everything new belongs to the one they were joined into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from leadgate.crm.consent.register import Register
from leadgate.crm.one_person import everyone, root
from leadgate.model.leads import ConsentGiven, Person
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault, subject_scope

_PROFILE = "subjects.profile"
_FIELDS = ("name", "phone", "email", "username", "channel_user_id")


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

    def after(self, earlier: Known) -> Known:
        """The same with what was news a moment before."""
        return replace(
            self, news=Person(**{name: getattr(self.news, name) or getattr(earlier.news, name) for name in _FIELDS})
        )


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
        marks = self.marks(tx, person, channel)
        found = (tx.subjects.find_by(kind, value_index) for kind, value_index in marks)
        subject_id = next((self.root(tx, subject) for subject in found if subject is not None), None)
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
        for kind, value_index in self.marks(tx, person, channel):
            tx.subjects.add_identifier(subject_id, kind, value_index, at=at)
        before = self.profile(tx, subject_id)
        profile, news = _merge(before, person, is_hearsay=is_hearsay)
        if profile != before:
            self.keep_profile(tx, subject_id, profile)
        return Known(subject_id=subject_id, profile=profile, news=news)

    def join(
        self, tx: Transaction, subject_id: str, into_subject_id: str, *, reason: str, at: datetime
    ) -> Known | None:
        """Both are one person from now on: the second stands for them, and its profile learns what only the other knew.

        None when they were one already. Of two nodes that join the same people at once, the second sees what the first did,
        so there are never rings.
        """
        tx.subjects.lock(self.root(tx, into_subject_id), self.root(tx, subject_id))
        one, other = self.root(tx, into_subject_id), self.root(tx, subject_id)
        if one == other:
            return None
        tx.subjects.join(other, one, reason=reason, at=at)
        self._spread_block(tx, one, at=at)
        profile, news = _merge(self.profile(tx, one), self.profile(tx, other), is_hearsay=True)
        self.keep_profile(tx, one, profile)
        return Known(subject_id=one, profile=profile, news=news)

    def find(self, tx: Transaction, person: Person, *, channel: str) -> str | None:
        """The subject that stands for whoever has one of these identifiers; None when nobody has. Learns nothing."""
        found = (tx.subjects.find_by(kind, value_index) for kind, value_index in self.marks(tx, person, channel))
        return next((self.root(tx, subject) for subject in found if subject is not None), None)

    def _spread_block(self, tx: Transaction, subject_id: str, *, at: datetime) -> None:
        """Whoever turns out to be a blocked person is blocked."""
        everyone = self.everyone(tx, subject_id)
        blocked = [subject for subject in tx.persons.all_of(everyone) if subject.blocked_at is not None]
        if blocked:
            tx.persons.set_blocked(everyone, reason=blocked[0].block_reason or "", at=at)

    @staticmethod
    def root(tx: Transaction, subject_id: str) -> str:
        """The subject that stands for the person."""
        return root(tx, subject_id)

    @staticmethod
    def everyone(tx: Transaction, subject_id: str) -> list[str]:
        """All subjects that are this person, the one that stands for them first."""
        return everyone(tx, subject_id)

    def consents(self, tx: Transaction, subject_id: str) -> Sequence[ConsentGiven]:
        """What bot builders told of the person's consent, whichever of their channels it came through, the earliest first."""
        return Register(self._vault).told(tx, subject_id)

    def note_told(
        self, tx: Transaction, subject_id: str, consent: ConsentGiven, *, event_id: str, channel: str, at: datetime
    ) -> None:
        """A bot builder tells of the person's consent; it stands in the register."""
        Register(self._vault).tell(tx, subject_id, consent, event_id=event_id, channel=channel, at=at)

    def profile(self, tx: Transaction, subject_id: str) -> Person:
        """What is known of a subject; an empty person when nothing is.

        Raises:
            UnknownKeyError: the subject was erased.
        """
        sealed = tx.subjects.find_profile(subject_id)
        if sealed is None:
            return Person()
        return msgspec.json.decode(self._vault.open(tx, subject_scope(subject_id), _PROFILE, sealed), type=Person)

    def keep_profile(self, tx: Transaction, subject_id: str, profile: Person) -> None:
        """Replace what is known of a subject."""
        sealed = self._vault.seal(tx, subject_scope(subject_id), _PROFILE, msgspec.json.encode(profile))
        tx.subjects.set_profile(subject_id, sealed)

    def marks(self, tx: Transaction, person: Person, channel: str) -> list[tuple[str, bytes]]:
        """What this person would be known by: kind and blind index, the strongest first."""
        values = (
            (f"sender:{channel}", person.channel_user_id),
            ("phone", person.phone),
            ("email", person.email.casefold() if person.email else None),
            (f"username:{channel}", person.username.casefold() if person.username else None),
        )
        return [(kind, self._vault.index(tx.workspace_id, kind, value)) for kind, value in values if value]


def _merge(before: Person, learned: Person, *, is_hearsay: bool) -> tuple[Person, Person]:
    """The profile after learning, and the news in it. What the person says later replaces what was said earlier."""
    first, second = (before, learned) if is_hearsay else (learned, before)
    merged = {name: getattr(first, name) or getattr(second, name) for name in _FIELDS}
    news = {name: merged[name] if merged[name] != getattr(before, name) else None for name in _FIELDS}
    return Person(**merged), Person(**news)
