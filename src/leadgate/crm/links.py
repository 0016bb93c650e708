"""The links that an invitation goes out in: one for each other channel in which the salon can be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadgate.crm.invitations import VALID_FOR, Invitations
from leadgate.model.connections import OpenConnection
from leadgate.ports.integration import Integration
from leadgate.ports.stores import Transaction

Door = tuple[OpenConnection, Integration]
"""A connection that clients can begin to write to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLink:
    """A link for one person into one channel.

    Attributes:
        url: holds a one-time token: whoever opens it is taken for the person.
        expires_at: its end of life, unless it is used before.
    """

    connection_id: str
    kind: str
    url: str
    expires_at: datetime


class StartLinks:
    """Makes links."""

    def __init__(self, invitations: Invitations, doors: Callable[[], Iterable[Door]]) -> None:
        """Lead to the active connections that `doors` gives, in their order."""
        self._invitations = invitations
        self._doors = doors

    def make(
        self,
        tx: Transaction,
        subject_id: str,
        *,
        at: datetime,
        but_kind: str | None = None,
        connection_id: str | None = None,
        kinds: frozenset[str] = frozenset(),
    ) -> Sequence[StartLink]:
        """A link for each channel that can be begun by one; each holds a token of its own.

        Args:
            but_kind: the channel that the person writes in now.
            connection_id: only into this one.
            kinds: only into these, unless none of them can be begun by a link.
        """
        fitting = [
            door
            for door in self._doors()
            if door[0].connection.kind != but_kind
            and connection_id in (None, door[0].connection.connection_id)
            and _address(door, "") is not None
        ]
        wanted = [door for door in fitting if door[0].connection.kind in kinds] or fitting
        links = (self._link(tx, subject_id, door, at=at) for door in wanted)
        return [link for link in links if link is not None]

    def _link(self, tx: Transaction, subject_id: str, door: Door, *, at: datetime) -> StartLink | None:
        connection = door[0].connection
        url = _address(door, self._invitations.invite(tx, subject_id, at=at))
        if url is None:
            return None
        return StartLink(
            connection_id=connection.connection_id, kind=connection.kind, url=url, expires_at=at + VALID_FOR
        )


def _address(door: Door, token: str) -> str | None:
    opened, integration = door
    return None if integration.start_link is None else integration.start_link(opened, token)
