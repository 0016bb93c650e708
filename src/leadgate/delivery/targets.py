"""Targets: one way to send for the two kinds of ports, a CRM that takes many commands and a channel that takes one message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from leadgate.delivery.payloads import Payload
from leadgate.model.leads import CrmCommand
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Outcome
from leadgate.ports.channel import Channel
from leadgate.ports.crm import BeforeCall, Crm


class Target(Protocol):
    """Where the deliveries of a lane go."""

    def capacity(self) -> int:
        """How many payloads `send` takes at once."""
        ...

    def can_repeat(self) -> bool:
        """True when a repeat after an unknown outcome cannot double."""
        ...

    def quiet_time(self) -> timedelta:
        """Wait between an unknown outcome and the look-up."""
        ...

    async def send(self, payloads: Sequence[Payload], before_call: BeforeCall) -> list[Outcome]:
        """One outcome per payload, same order. Raises LeaseLostError from `before_call`."""
        ...

    async def look_up(self, payloads: Sequence[Payload]) -> list[Outcome]:
        """What became of payloads whose outcome is unknown."""
        ...


class Targets(Protocol):
    """Opens the target of a connection."""

    def find(self, connection_id: str) -> Target | None:
        """The target, or None when the connection is gone."""
        ...


class CrmTarget:
    """A CRM as a target."""

    def __init__(self, crm: Crm, quiet_time: timedelta) -> None:
        """Wait this long before a look-up."""
        self._crm = crm
        self._quiet_time = quiet_time

    def capacity(self) -> int:
        """As many as the CRM takes."""
        return self._crm.capacity()

    def can_repeat(self) -> bool:
        """Never: the CRM knows no idempotency key, so an unknown outcome is looked up."""
        return False

    def quiet_time(self) -> timedelta:
        """Longer than the CRM may take to commit a call that we gave up on."""
        return self._quiet_time

    async def send(self, payloads: Sequence[Payload], before_call: BeforeCall) -> list[Outcome]:
        """Hand the commands to the CRM."""
        return await self._crm.deliver(_commands(payloads), before_call)

    async def look_up(self, payloads: Sequence[Payload]) -> list[Outcome]:
        """Ask the CRM for the commands."""
        return await self._crm.look_up(_commands(payloads))


class ChannelTarget:
    """A channel as a target: one message at a time."""

    def __init__(self, channel: Channel) -> None:
        """Send through this channel."""
        self._channel = channel

    def capacity(self) -> int:
        """One: the order of a chat is kept by waiting for each answer."""
        return 1

    def can_repeat(self) -> bool:
        """As the vendor allows."""
        return self._channel.can_repeat()

    def quiet_time(self) -> timedelta:
        """There is nothing to look up."""
        return timedelta()

    async def send(self, payloads: Sequence[Payload], before_call: BeforeCall) -> list[Outcome]:
        """Send each message.

        Raises:
            TypeError: something else was put into a chat's lane.
        """
        outcomes: list[Outcome] = []
        for payload in payloads:
            if not isinstance(payload, OutgoingMessage):
                raise TypeError(f"a channel sends messages, not {type(payload).__name__}")
            before_call()
            outcomes.append(await self._channel.send(payload))
        return outcomes

    async def look_up(self, payloads: Sequence[Payload]) -> list[Outcome]:
        """Messengers cannot be asked; `retry.decide` never makes a message unknown.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("a channel has no look-up")


def _commands(payloads: Sequence[Payload]) -> list[CrmCommand]:
    return [payload for payload in payloads if not isinstance(payload, OutgoingMessage)]
