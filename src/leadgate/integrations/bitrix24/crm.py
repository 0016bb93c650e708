"""One Bitrix24 portal behind the port `Crm`: joins looking, writing, looking up and checking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import httpx

from leadgate.integrations.bitrix24 import erase
from leadgate.integrations.bitrix24.access import Access, WebhookAccess
from leadgate.integrations.bitrix24.check import check
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.deliver import write
from leadgate.integrations.bitrix24.errors import Failure
from leadgate.integrations.bitrix24.governor import Governor, Limits, Sleep
from leadgate.integrations.bitrix24.look_up import find_origins, look_up
from leadgate.integrations.bitrix24.reads import PortalFacts, count_readable, look
from leadgate.integrations.bitrix24.records import read_records
from leadgate.integrations.bitrix24.settings import Settings
from leadgate.integrations.bitrix24.standing import Standing
from leadgate.integrations.bitrix24.sweep import sweep
from leadgate.model.connections import CheckReport
from leadgate.model.leads import CrmCommand, CrmRecord, EraseLead, LeadRef, SweptLead
from leadgate.model.outcomes import Outcome, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.ports.crm import BeforeCall

# The portal counts requests, a batch of up to 50 commands is one. A new lead with a phone costs four commands: the
# search for its contact (read), contact, lead and first entry (written). 48 leads with their first entries are one
# batch of reads (48 searches and a list) and three of writes (16 leads, 48 commands each): twelve leads a request,
# where four commands a lead allow at most 50 / 4 = 12.5.
CAPACITY: Final = 96

LEAST_CAPACITY: Final = 2
"""A lead and its first entry."""

LONGEST_CALL_S: Final = 3.0
"""A slow portal gets less at once, so that who writes meanwhile waits no longer than this for the turn."""

FIRST_CAPACITY: Final = 24
"""Before anything is known of the portal's pace."""

_NO_TIME_S = 1e-6
_TELLING = 8  # commands: fewer say little of what a full batch takes, because every request has a cost of its own

FACTS_LIVE_S: Final = 600.0  # an administrator may switch the mode or add a source at any time


class Bitrix24Crm:
    """One portal. Keeps its rate limits; never raises for what the portal answers."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        access: Access | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        limits: Limits | None = None,
        sleep: Sleep = asyncio.sleep,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet; what is keyword-only is given by tests and, later, by the application mode.

        `own_hosts` are hosts of the own network that the owner allowed; see `wire.guard`.
        """
        self._clock = clock
        self.governor = Governor(clock, limits=limits, sleep=sleep)
        self._client = PortalClient(
            access or WebhookAccess(settings.webhook_url),
            self.governor,
            clock=clock,
            timeout_s=settings.timeout_s,
            transport=transport,
            own_hosts=own_hosts,
        )
        self._seconds_a_command = LONGEST_CALL_S / FIRST_CAPACITY
        self._facts: PortalFacts | None = None
        self._facts_until = 0.0

    def capacity(self) -> int:
        """How many commands `deliver` takes at once: 48 new leads with their first entries.

        Fewer of a slow portal, and few while its execution time is scarce.
        """
        takes = [CAPACITY, int(LONGEST_CALL_S / max(self._seconds_a_command, _NO_TIME_S))]
        if (calls := self.governor.calls_at_once()) is not None:
            takes.append(calls)  # a new lead is two calls of one method, contact and lead, and two commands
        return max(LEAST_CAPACITY, min(takes))

    async def deliver(self, commands: Sequence[CrmCommand], before_call: BeforeCall) -> list[Outcome]:
        """Carry the commands out, in order; one outcome per command, same order.

        What one batch of reads does not serve is carried out in several rounds; a portal that fails as a whole
        ends them.

        Raises:
            LeaseLostError: from `before_call`; nothing further was sent.
        """
        busy_s = self._client.busy_s
        writing = [command for command in commands if not isinstance(command, EraseLead)]
        outcomes = await self._deliver_all(writing, before_call)
        self._learn_pace(outcomes, self._client.busy_s - busy_s)
        # Orders to destroy come behind everything else of their leads.
        erased = await self._erase_all([c for c in commands if isinstance(c, EraseLead)], outcomes, before_call)
        return _in_order(commands, written=outcomes, erased=erased)

    async def _erase_all(
        self, orders: Sequence[EraseLead], before: Sequence[Outcome], before_call: BeforeCall
    ) -> list[Outcome]:
        """One after another; a portal that fails as a whole is asked no further."""
        outcomes: list[Outcome] = []
        for order in orders:
            stopped = next((outcome for outcome in (*before, *outcomes) if _stops(outcome)), None)
            outcomes.append(stopped or await erase.erase(self._client, order, before_call))
        return outcomes

    async def _deliver_all(self, commands: Sequence[CrmCommand], before_call: BeforeCall) -> list[Outcome]:
        outcomes: list[Outcome] = []
        made: dict[str, Standing] = {}
        while len(outcomes) < len(commands):
            rest = commands[len(outcomes) :]
            stopped = next((outcome for outcome in outcomes if _stops(outcome)), None)
            if stopped is not None:
                return outcomes + [stopped] * len(rest)
            part = rest[: count_readable(rest, with_facts=self._fresh_facts() is None)]
            outcomes += await self._deliver_part(part, before_call, made)
        return outcomes

    async def look_up(self, commands: Sequence[CrmCommand]) -> list[Outcome]:
        """After an unknown outcome: Delivered, NotExecuted or RetryLater for each command; reads only."""
        writing = [command for command in commands if not isinstance(command, EraseLead)]
        outcomes = await look_up(self._client, writing, self._fresh_facts()) if writing else []
        orders = [command for command in commands if isinstance(command, EraseLead)]
        erased = [await erase.look_up(self._client, order) for order in orders]
        return _in_order(commands, written=outcomes, erased=erased)

    async def find_origins(self, origin_ids: Sequence[str]) -> Mapping[str, tuple[LeadRef, ...]]:
        """All leads and deals with these origin ids; an id that is absent maps to an empty tuple.

        Raises:
            ServiceUnavailableError: the portal could not be asked.
        """
        return await find_origins(self._client, origin_ids)

    def sweep(self, since: datetime | None) -> AsyncIterator[Sequence[SweptLead]]:
        """Page by page, every lead and deal with our mark that was made or changed since then.

        Raises:
            ServiceUnavailableError: the portal could not be asked.
        """
        return sweep(self._client, since)

    async def read_records(self, refs: Sequence[LeadRef]) -> Sequence[CrmRecord]:
        """What stands there in these leads and deals, their histories and contacts.

        Raises:
            ServiceUnavailableError: the portal could not be asked.
        """
        return await read_records(self._client, refs)

    async def check(self) -> CheckReport:
        """Ask the portal whether the access works and what it may do; changes nothing there."""
        return await check(self._client)

    async def close(self) -> None:
        """Close the connections. A second call is harmless."""
        await self._client.close()

    async def _deliver_part(
        self, commands: Sequence[CrmCommand], before_call: BeforeCall, made: dict[str, Standing]
    ) -> list[Outcome]:
        """One round; `made` are the leads that earlier rounds made, by our `lead_id`, and takes up those of this one."""
        facts = self._fresh_facts()
        picture = await look(self._client, commands, facts)
        if isinstance(picture, Failure):
            return [picture.outcome(wrote=False)] * len(commands)
        if facts is None:
            self._facts, self._facts_until = picture.facts, self._clock.monotonic_s() + FACTS_LIVE_S
        picture.made = made
        return await write(
            self._client,
            commands,
            picture=picture,
            closed_for_s=self.governor.closed_for_s,
            before_call=before_call,
        )

    def _learn_pace(self, outcomes: Sequence[Outcome], busy_s: float) -> None:
        """What a command takes of late; a portal that did not answer at all tells nothing of it."""
        if len(outcomes) < _TELLING or any(_stops(outcome) for outcome in outcomes):
            return
        self._seconds_a_command = busy_s / len(outcomes)

    def _fresh_facts(self) -> PortalFacts | None:
        return self._facts if self._clock.monotonic_s() < self._facts_until else None


def _in_order(
    commands: Sequence[CrmCommand], *, written: Sequence[Outcome], erased: Sequence[Outcome]
) -> list[Outcome]:
    """One outcome for each command, in the order of the commands."""
    rest, orders = iter(written), iter(erased)
    return [next(orders) if isinstance(command, EraseLead) else next(rest) for command in commands]


def _stops(outcome: Outcome) -> bool:
    return isinstance(outcome, RetryLater) and outcome.scope is Scope.TARGET
