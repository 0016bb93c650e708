"""Who can still be reached if a messenger closes tomorrow. Pure: from the rows of the storage to people and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leadgate.model.reach import ChannelReach, ReachFacts, ReachReport


@dataclass(frozen=True, slots=True)
class Reachable:
    """People by where they can be written to.

    Attributes:
        kinds: the channels of each person who has any; a person is named by the subject that stands for them.
        members: all subjects of people who are more than one.
    """

    facts: ReachFacts
    kinds: Mapping[str, frozenset[str]]
    members: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, facts: ReachFacts, kind_of: Callable[[str], str | None]) -> Reachable:
        """Put people together.

        Args:
            kind_of: the channel of a connection; None when it sends nothing now (paused, removed, no channel).
        """
        root_of = _Roots(facts.joins)
        members: dict[str, list[str]] = {}
        for subject in facts.joins:
            members.setdefault(root_of(subject), []).append(subject)
        kinds: dict[str, set[str]] = {}
        for subject, connection_id in facts.chats:
            kind, person = kind_of(connection_id), root_of(subject)
            if kind is not None and person not in facts.erased:
                kinds.setdefault(person, set()).add(kind)
        return cls(
            facts,
            {person: frozenset(found) for person, found in kinds.items()},
            {person: (person, *joined) for person, joined in members.items()},
        )

    def subjects_of(self, person: str) -> tuple[str, ...]:
        """Every subject that is this person."""
        return self.members.get(person, (person,))

    def has_phone(self, person: str) -> bool:
        """A phone of the person is known."""
        return any(subject in self.facts.with_phone for subject in self.subjects_of(person))

    def only_in(self, kind: str) -> list[str]:
        """People who can be written to in this channel and nowhere else, in a fixed order."""
        return sorted(person for person, kinds in self.kinds.items() if kinds == {kind})

    def report(self) -> ReachReport:
        """The numbers."""
        kinds = {kind for found in self.kinds.values() for kind in found}
        channels = [self._channel(kind) for kind in kinds]
        return ReachReport(
            people=self.facts.people,
            reachable=len(self.kinds),
            several=sum(len(found) > 1 for found in self.kinds.values()),
            channels=sorted(channels, key=lambda channel: (-channel.only_there, -channel.reachable, channel.kind)),
        )

    def _channel(self, kind: str) -> ChannelReach:
        alone = self.only_in(kind)
        return ChannelReach(
            kind=kind,
            reachable=sum(kind in found for found in self.kinds.values()),
            only_there=len(alone),
            only_there_with_phone=sum(map(self.has_phone, alone)),
        )


class _Roots:
    """The subject that stands for each."""

    def __init__(self, joins: Mapping[str, str]) -> None:
        self._joins = joins

    def __call__(self, subject: str) -> str:
        seen = {subject}
        while (into := self._joins.get(subject)) is not None and into not in seen:
            seen.add(into)
            subject = into
        return subject
