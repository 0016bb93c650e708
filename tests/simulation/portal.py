"""The targets of a world: a CRM that cannot be told twice safely, and a messenger that cannot be asked.

A request leaves the node, and from then on lives outside of it: it is carried out though its sender is dead.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from leadgate.delivery.payloads import Payload
from leadgate.delivery.targets import Target
from leadgate.model.leads import AddTimelineEntry, CreateLead, EraseLead, UpdateLead
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import (
    Delivered,
    LeadClosed,
    NotExecuted,
    Outcome,
    OutcomeUnknown,
    Refused,
    RetryLater,
    Scope,
)
from leadgate.ports.crm import BeforeCall
from leadgate.testing.scripted_target import key_of
from leadgate.testing.storage_suite import BOT, CRM
from tests.simulation.loop import OWNER, Owner
from tests.simulation.scenario import CALL_TIMEOUT_S, LATEST_COMMIT_S, QUIET_TIME
from tests.simulation.world import Moment, World

_NO_ANSWER = OutcomeUnknown("portal.timed_out")
_NO_LEAD = RetryLater("portal.lead_missing", Scope.ITEM)
_KEPT_BACK = RetryLater("portal.kept_back", Scope.ITEM)


class Fate(Enum):
    """What becomes of a request."""

    WELL = "well"
    SLOW = "slow"
    DROPPED = "answer dropped"
    LATE = "late commit"
    LOST = "lost"
    PARTLY = "partly carried out"


@dataclass(slots=True)
class KeptLead:
    """A lead in the CRM; entries by number of arrival."""

    crm_id: int
    origin_id: str
    entries: list[str] = field(default_factory=list)
    is_closed: bool = False


@dataclass(slots=True)
class Call:
    """What one `send` has found out so far.

    Attributes:
        made: leads that it made.
        stuck: leads of which something was not carried out for certain, and what is said of all that follows: it would overtake it.
    """

    made: dict[str, int] = field(default_factory=dict)
    stuck: dict[str, RetryLater] = field(default_factory=dict)

    def note(self, payload: Payload, outcome: Outcome) -> None:
        """Remember how a command went."""
        is_over = isinstance(outcome, Delivered | LeadClosed)
        is_aside = isinstance(outcome, Refused) and not isinstance(payload, CreateLead)
        if not isinstance(payload, OutgoingMessage) and not is_over and not is_aside:
            self.stuck.setdefault(payload.lead_id, outcome if isinstance(outcome, RetryLater) else _KEPT_BACK)

    def hold_back(self, payload: Payload) -> RetryLater | None:
        """The answer to a command whose lead is stuck; None when it may go."""
        return None if isinstance(payload, OutgoingMessage) else self.stuck.get(payload.lead_id)


@dataclass(slots=True)
class Portal:
    """The CRM and the messenger as they stand, and their tempers.

    Attributes:
        effects: how often each key was carried out.
        busy: how often a command is still told to come later.
    """

    world: World
    leads: list[KeptLead] = field(default_factory=list)
    chats: dict[str, list[str]] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)
    poison: dict[str, bool] = field(default_factory=dict)

    def outage(self) -> RetryLater | None:
        """The answer of a portal that is down as a whole; None while it is well."""
        now_s = self.world.loop.time()
        for begin_s, end_s, after in self.world.scenario.outages:
            if begin_s <= now_s < end_s:
                return RetryLater("portal.down", Scope.TARGET, after)
        return None

    def draw_fate(self) -> Fate:
        """What becomes of the next request."""
        weather, happens = self.world.weather, self.world.happens
        for fate, rate in (
            (Fate.DROPPED, weather.dropped_answer),
            (Fate.LATE, weather.late_commit),
            (Fate.LOST, weather.lost_request),
            (Fate.PARTLY, weather.partly),
            (Fate.SLOW, weather.slow_call),
        ):
            if happens(rate):
                return fate
        return Fate.WELL

    def carry_out(self, payload: Payload, call: Call) -> Outcome:
        """Do what a command says, unless the portal has something against it, or against what comes before it."""
        outcome = call.hold_back(payload) or self._obey(payload, call)
        call.note(payload, outcome)
        return outcome

    def _obey(self, payload: Payload, call: Call) -> Outcome:
        key = key_of(payload)
        against = self._find_objection(key)
        if against is not None:
            return against
        if isinstance(payload, OutgoingMessage):
            return self._say(payload)
        if isinstance(payload, EraseLead):
            raise TypeError("nobody is erased in the simulated salon")
        return self._create(payload, call) if isinstance(payload, CreateLead) else self._change(payload, call)

    def _change(self, payload: AddTimelineEntry | UpdateLead, call: Call) -> Outcome:
        crm_id = payload.ref.crm_id if payload.ref is not None else call.made.get(payload.lead_id)
        if crm_id is None:
            return _NO_LEAD
        lead = self.leads[crm_id - 1]
        if lead.is_closed:
            return LeadClosed()
        if isinstance(payload, AddTimelineEntry):
            return self._add_entry(lead, payload.entry_id)
        self.effects[payload.origin_id] = 1  # the same news twice is the same
        return Delivered(f"lead:{crm_id}")

    def tell(self, payload: Payload) -> Outcome:
        """The truth about what was carried out."""
        key = key_of(payload)
        if not self.effects.get(key):
            return NotExecuted()
        if isinstance(payload, CreateLead):
            return Delivered(f"lead:{next(lead.crm_id for lead in self.leads if lead.origin_id == key)}")
        return Delivered()

    def close_leads(self) -> None:
        """A manager of the salon closes what is open now."""
        for lead in self.leads:
            lead.is_closed = True

    def _find_objection(self, key: str) -> Outcome | None:
        world = self.world
        if key not in self.poison:
            self.poison[key] = world.happens(world.weather.poison)
            self.busy[key] = world.rng.randint(1, 3) if world.happens(world.weather.busy) else 0
        if self.poison[key]:
            world.refused.add(key)
            return Refused("portal.field_missing")
        if self.busy[key]:
            self.busy[key] -= 1
            return RetryLater("portal.busy", Scope.ITEM)
        return None

    def _create(self, command: CreateLead, call: Call) -> Outcome:
        self._count(command.origin_id)
        lead = KeptLead(len(self.leads) + 1, command.origin_id)
        self.leads.append(lead)
        call.made[command.lead_id] = lead.crm_id
        return Delivered(f"lead:{lead.crm_id}")

    def _add_entry(self, lead: KeptLead, key: str) -> Outcome:
        self._count(key)
        self._watch_order(lead.entries, key, f"lead {lead.crm_id}")
        lead.entries.append(key)
        return Delivered(f"comment:{key}")

    def _say(self, message: OutgoingMessage) -> Outcome:
        key = message.message_id
        if not (self.world.scenario.chat_repeats and self.effects.get(key)):
            self._count(key)
            said = self.chats.setdefault(message.chat_id, [])
            self._watch_order(said, key, f"chat {message.chat_id}")
            said.append(key)
        return Delivered(key)

    def _count(self, key: str) -> None:
        self.effects[key] = self.effects.get(key, 0) + 1
        self.world.note("portal", f"{key} carried out")
        if self.effects[key] > 1:
            self.world.violate(f"{key} was carried out {self.effects[key]} times")

    def _watch_order(self, before: list[str], key: str, where: str) -> None:
        late = [k for k in before if _number(k) > _number(key) and not self.world.is_newcomer(key, k)]
        if late and not self._may_be_late(key):
            self.world.violate(f"{key} came after {late[-1]} in {where}")

    def _may_be_late(self, key: str) -> bool:
        """A person sent it again, or gave it up for uncertain: then its turn is over."""
        delivery = self.world.storage.tables.deliveries[self.world.delivery_of[key]]
        return key in self.world.reopened or delivery.state.value == "uncertain"


class PortalTarget:
    """See `delivery.targets.Target`: the portal as one node reaches it."""

    def __init__(self, portal: Portal, *, is_chat: bool) -> None:
        self._portal = portal
        self._world = portal.world
        self._is_chat = is_chat

    def capacity(self) -> int:
        return 1 if self._is_chat else self._world.scenario.capacity

    def can_repeat(self) -> bool:
        return self._is_chat and self._world.scenario.chat_repeats

    def quiet_time(self) -> timedelta:
        return timedelta() if self._is_chat else QUIET_TIME

    async def send(self, payloads: Sequence[Payload], before_call: BeforeCall) -> list[Outcome]:
        """In requests of a few; what follows a command of its lead that was not carried out for certain is kept back."""
        size = self._world.scenario.per_request
        call = Call()
        outcomes: list[Outcome] = []
        for start in range(0, len(payloads), size):
            request = payloads[start : start + size]
            held = [call.hold_back(payload) for payload in request]
            ready = [payload for payload, against in zip(request, held, strict=True) if against is None]
            answers = iter(await self._request(ready, call, before_call) if ready else ())
            outcomes += [against or next(answers) for against in held]
            for payload, outcome in zip(request, outcomes[start:], strict=True):
                call.note(payload, outcome)
        return outcomes

    async def look_up(self, payloads: Sequence[Payload]) -> list[Outcome]:
        """The truth, if the portal can be asked."""
        world = self._world
        if self._is_chat:
            world.violate("a messenger was asked what became of a message")
        await asyncio.sleep(world.rng.random())
        outage = self._portal.outage()
        if outage is None and world.happens(world.weather.failed_look_up):
            outage = RetryLater("portal.unavailable", Scope.TARGET)
        found = [outage or self._portal.tell(payload) for payload in payloads]
        world.note(_owner().name, f"asked for {[key_of(p) for p in payloads]}: {[type(f).__name__ for f in found]}")
        return found

    async def _request(self, payloads: Sequence[Payload], call: Call, before_call: BeforeCall) -> list[Outcome]:
        world, owner = self._world, _owner()
        await self._pass(owner, Moment.BEFORE_CALL)
        before_call()
        for payload in payloads:
            world.watch_call(owner, payload, key_of(payload))
        if world.happens(world.weather.crash):
            raise ValueError("the code that calls is broken")
        outage = self._portal.outage()
        if outage is None and world.happens(world.weather.unavailable):
            outage = RetryLater("portal.unavailable", Scope.TARGET, world.rng.choice((None, timedelta(seconds=5))))
        if outage is not None:
            await asyncio.sleep(0.1)
            return [outage for _ in payloads]
        answer = self._dispatch(payloads, call)
        await self._pass(owner, Moment.AFTER_CALL)
        return await answer

    def _dispatch(self, payloads: Sequence[Payload], call: Call) -> asyncio.Future[list[Outcome]]:
        world, rng = self._world, self._world.rng
        fate = self._portal.draw_fate()
        world.note("portal", f"request of {len(payloads)}: {fate.value}")
        future: asyncio.Future[list[Outcome]] = world.loop.create_future()
        no_answer: list[Outcome] = [_NO_ANSWER for _ in payloads]

        def execute(count: int) -> list[Outcome]:
            return [self._portal.carry_out(payload, call) for payload in payloads[:count]]

        def answer(count: int) -> None:
            _answer(future, execute(count))

        later, outside = world.loop.call_later, world.outside
        if fate is Fate.WELL:
            later(rng.random(), answer, len(payloads), context=outside)
        elif fate is Fate.SLOW:
            later(rng.uniform(8, CALL_TIMEOUT_S - 1), answer, len(payloads), context=outside)
        else:
            if fate is not Fate.LOST:
                count = rng.randrange(len(payloads) + 1) if fate is Fate.PARTLY else len(payloads)
                commit_s = rng.uniform(CALL_TIMEOUT_S, LATEST_COMMIT_S) if fate is Fate.LATE else 0.0
                later(commit_s, execute, count, context=outside)
            later(CALL_TIMEOUT_S, _answer, future, no_answer, context=outside)
        return future

    async def _pass(self, owner: Owner, moment: Moment) -> None:
        self._world.pass_moment(owner, moment)
        if owner.is_dead or owner.frozen is not None:
            await asyncio.sleep(0)  # from here on it is dead, or asleep


class PortalTargets:
    """See `delivery.targets.Targets`."""

    def __init__(self, portal: Portal) -> None:
        self._world = portal.world
        self._by_connection = {CRM: PortalTarget(portal, is_chat=False), BOT: PortalTarget(portal, is_chat=True)}

    def find(self, connection_id: str) -> Target | None:
        """Sometimes a node has not heard of a connection yet."""
        return None if self._world.happens(self._world.weather.away) else self._by_connection[connection_id]


def _answer(future: asyncio.Future[list[Outcome]], outcomes: list[Outcome]) -> None:
    if not future.done():
        future.set_result(outcomes)


def _owner() -> Owner:
    owner = OWNER.get()
    assert owner is not None, "only nodes call"
    return owner


def _number(key: str) -> int:
    return int(key.rpartition("_")[2])
