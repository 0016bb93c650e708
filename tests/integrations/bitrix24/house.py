"""What the tests of this folder share: invented people, commands, a clock in the hand, a portal on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import httpx

from leadgate.integrations.bitrix24.crm import Bitrix24Crm
from leadgate.integrations.bitrix24.governor import Limits as OurLimits
from leadgate.integrations.bitrix24.settings import Settings
from leadgate.model.leads import (
    AddTimelineEntry,
    CreateLead,
    CrmCommand,
    CrmEntity,
    LeadRef,
    Person,
    UpdateLead,
    Utm,
)
from leadgate.model.outcomes import Outcome
from leadgate.model.secret import Secret
from leadgate.sandbox.bitrix24.limits import Limits
from leadgate.sandbox.bitrix24.portal import Record
from leadgate.sandbox.bitrix24.sandbox import Sandbox, build_sandbox
from leadgate.sandbox.bitrix24.server import serve

SECRET = "plantedsecret4711"
MOSCOW = timezone(timedelta(hours=3))
MOMENT = datetime(2026, 11, 22, 18, 4, tzinfo=MOSCOW)
ANNA = Person(name="Анна", phone="+79000000001", email="anna@example.org", username="anna_k")


class HandClock:
    """Time that moves only when somebody sleeps in it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic_s(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self.seconds += delay_s
        await asyncio.sleep(0)


class HeldClock(HandClock):
    """Time in which sleepers wake only when `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        await self.release.wait()


@dataclass(slots=True)
class House:
    """A portal on a socket of this machine and our side of it."""

    sandbox: Sandbox
    crm: Bitrix24Crm
    clock: HandClock
    url: str
    leases_asked: list[int] = field(default_factory=list)

    async def deliver(self, *commands: CrmCommand) -> list[Outcome]:
        """Deliver with a lease that is always held."""
        return await self.crm.deliver(commands, self.before_call)

    def before_call(self) -> None:
        """Remember how many requests the portal had seen when we were about to write."""
        self.leases_asked.append(self.requests)

    @property
    def requests(self) -> int:
        """Requests the portal has seen."""
        return self.sandbox.portal.counters.requests

    @property
    def leads(self) -> list[Record]:
        """Leads in the portal."""
        return list(self.sandbox.portal.leads)

    @property
    def deals(self) -> list[Record]:
        """Deals in the portal."""
        return list(self.sandbox.portal.deals)

    @property
    def contacts(self) -> list[Record]:
        """Contacts in the portal."""
        return list(self.sandbox.portal.contacts)

    def timeline(self, ref: LeadRef) -> list[str]:
        """Texts of a lead's timeline, oldest first."""
        return [entry.text for entry in self.sandbox.portal.timeline(ref.entity.value, ref.crm_id)]


@asynccontextmanager
async def open_house(
    *,
    limits: Limits | None = None,
    our_limits: OurLimits | None = None,
    sandbox_clock: HandClock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout_s: float = 5.0,
) -> AsyncIterator[House]:
    """Serve a portal and open our side of it."""
    clock = HandClock()
    sandbox = build_sandbox(webhook_secret=SECRET, limits=limits or Limits.off(), clock=sandbox_clock or clock)
    async with serve(sandbox) as base:
        url = sandbox.webhook_url(base)
        crm = Bitrix24Crm(
            Settings(webhook_url=Secret(url), timeout_s=timeout_s),
            clock,
            limits=our_limits,
            sleep=clock.sleep,
            transport=transport,
        )
        try:
            yield House(sandbox, crm, clock, url)
        finally:
            await crm.close()


def create(
    number: int = 1, *, person: Person = ANNA, comment: str = "Хочу стрижку", channel: str = "telegram"
) -> CreateLead:
    """A lead to be made."""
    return CreateLead(
        lead_id=f"lead_{number}",
        origin_id=f"conn_1-evt_{number}",
        title="Анна, Telegram",
        person=person,
        channel=channel,
        channel_title={"telegram": "Telegram", "site": "Сайт"}.get(channel, channel.title()),
        comment=comment,
        service="Стрижка",
        preferred_time=datetime(2026, 11, 25, 15, 0, tzinfo=MOSCOW),
        utm=Utm(source="vk", medium="cpc", campaign="осень"),
        occurred_at=MOMENT,
    )


def entry(
    number: int = 1, *, lead: int = 1, ref: LeadRef | None = None, text: str = "А можно завтра?"
) -> AddTimelineEntry:
    """A timeline entry to be added."""
    return AddTimelineEntry(
        lead_id=f"lead_{lead}",
        entry_id=f"ent_{number}",
        author="Клиент",
        channel_title="Telegram",
        occurred_at=MOMENT,
        text=text,
        ref=ref,
    )


def update(*, lead: int = 1, person: Person = ANNA, ref: LeadRef | None = None) -> UpdateLead:
    """What was learnt of a person later."""
    return UpdateLead(lead_id=f"lead_{lead}", origin_id=f"conn_1-evt_{lead}", person=person, ref=ref)


def ref_of(record: Record) -> LeadRef:
    """The reference of a record in the portal."""
    return LeadRef(CrmEntity(record.entity.word), record.id)


def values_of(record: Record, type_id: str) -> list[str]:
    """Multi-field values of one type."""
    return [entry.value for entry in record.multifields if entry.type_id == type_id]
