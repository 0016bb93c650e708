"""Opened channels and CRMs of live connections, made on first use and again when their connection changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from leadgate.connections.book import ConnectionBook, is_active
from leadgate.connections.connect import Openers
from leadgate.delivery.targets import ChannelTarget, CrmTarget, Target
from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Outcome
from leadgate.ports.channel import Channel
from leadgate.ports.crm import Crm
from leadgate.ports.integration import Integration, Surroundings

_DEFAULT_QUIET_TIME_S = 180.0


@dataclass(frozen=True, slots=True)
class Portal:
    """The workspace's CRM and the connection that it is reached by."""

    connection_id: str
    crm: Crm


class BusyChannel:
    """A channel that is not closed while a message of several calls is on its way; see `ports.channel.Channel`.

    A connection whose settings changed is opened anew at any moment. Cutting a message off would leave a client with half an
    answer, or with none that anybody may repeat.
    """

    def __init__(self, inner: Channel) -> None:
        """Nothing is on its way."""
        self._inner = inner
        self._on_their_way = 0
        self._all_arrived = asyncio.Event()

    def can_repeat(self) -> bool:
        """As the vendor allows."""
        return self._inner.can_repeat()

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send, and keep the channel open meanwhile."""
        with self._busy():
            return await self._inner.send(message)

    async def check(self) -> CheckReport:
        """Ask, and keep the channel open meanwhile."""
        with self._busy():
            return await self._inner.check()

    async def register(self, webhook_url: str) -> CheckReport:
        """Register, and keep the channel open meanwhile."""
        with self._busy():
            return await self._inner.register(webhook_url)

    async def unregister(self) -> None:
        """Take the address away, and keep the channel open meanwhile."""
        with self._busy():
            await self._inner.unregister()

    async def close(self) -> None:
        """Close when what is on its way has arrived; each call of a vendor has a time-out, so that is not for ever."""
        while self._on_their_way:
            await self._all_arrived.wait()
        await self._inner.close()

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        self._on_their_way += 1
        self._all_arrived.clear()
        try:
            yield
        finally:
            self._on_their_way -= 1
            if not self._on_their_way:
                self._all_arrived.set()


class OpenTargets:
    """See `delivery.targets.Targets`."""

    def __init__(self, book: ConnectionBook, surroundings: Surroundings) -> None:
        """Open with these surroundings."""
        self._book = book
        self._surroundings = surroundings
        self._channels: dict[str, tuple[OpenConnection, Channel]] = {}
        self._crms: dict[str, tuple[OpenConnection, Crm]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def find(self, connection_id: str) -> Target | None:
        """The target of an active connection."""
        opened = self._book.find(connection_id)
        if opened is None or not is_active(opened.connection):
            return None
        integration = self._book.integration(opened.connection.kind)
        if integration.open_crm is not None:
            quiet_time_s = float(opened.settings.get("quiet_time_s") or _DEFAULT_QUIET_TIME_S)
            return CrmTarget(self.crm(integration, opened), timedelta(seconds=quiet_time_s))
        if integration.open_channel is not None:
            return ChannelTarget(self.channel(integration, opened))
        return None

    def find_portal(self) -> Portal | None:
        """The CRM that leads go to, also while its connection is paused; None when there is none."""
        connection_id = self._book.crm_connection_id()
        opened = None if connection_id is None else self._book.find(connection_id)
        if connection_id is None or opened is None:
            return None
        return Portal(connection_id, self.crm(self._book.integration(opened.connection.kind), opened))

    def openers(self) -> Openers:
        """The same ports for checks and registration."""
        return Openers(channel=self.channel, crm=self.crm)

    def channel(self, integration: Integration, opened: OpenConnection) -> Channel:
        """The channel of a connection; one per connection, so that its limits are kept in one hand."""
        kept = self._channels.get(opened.connection.connection_id)
        if kept is not None and _is_same(kept[0], opened):
            return kept[1]
        if integration.open_channel is None:
            raise TypeError(f"{integration.manifest.kind} is no channel")
        channel = BusyChannel(integration.open_channel(opened, self._surroundings))
        self._channels[opened.connection.connection_id] = (opened, channel)
        self._retire(kept)
        return channel

    def crm(self, integration: Integration, opened: OpenConnection) -> Crm:
        """The CRM of a connection; one per connection, so that its limits are kept in one hand."""
        kept = self._crms.get(opened.connection.connection_id)
        if kept is not None and _is_same(kept[0], opened):
            return kept[1]
        if integration.open_crm is None:
            raise TypeError(f"{integration.manifest.kind} is no CRM")
        crm = integration.open_crm(opened, self._surroundings)
        self._crms[opened.connection.connection_id] = (opened, crm)
        self._retire(kept)
        return crm

    async def close(self) -> None:
        """Close every opened port."""
        for _, channel in self._channels.values():
            await channel.close()
        for _, crm in self._crms.values():
            await crm.close()
        if self._closing:
            await asyncio.wait(self._closing)

    def _retire(self, kept: tuple[OpenConnection, Channel | Crm] | None) -> None:
        """Close what a change made old, without making the caller wait."""
        if kept is not None:
            task = asyncio.create_task(kept[1].close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _is_same(kept: OpenConnection, opened: OpenConnection) -> bool:
    """True when neither settings nor secrets nor what the owner allowed changed; the state does not matter."""
    told = (opened.settings, opened.secrets, opened.own_hosts)
    return (kept.settings, kept.secrets, kept.own_hosts) == told
