"""The way to the people in charge: one message to one address of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from leadgate.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: a headline and a few lines of plain text, without personal data."""

    title: str
    body: str


class Notifier(Protocol):
    """Sends to every service that its addresses name."""

    def service_of(self, address: Secret) -> str:
        """The service's own name for an address, for instance `Telegram`.

        Raises:
            ConfigurationError: no service has such an address; the address is never repeated.
        """
        ...

    async def send(self, address: Secret, message: Message) -> str | None:
        """Hand a message over; None when it was taken, otherwise an error code. Ends within half a minute."""
        ...
