"""A target of deliveries that answers by script and remembers what really happened there.

The script is a list of answers, one per payload that is sent; when it is used up everything is delivered. An answer is an
outcome, `Lost(executed=…)` (the answer was lost after or before the work was done) or an error that breaks the call in the middle.
Look-ups tell the truth about what was executed, unless they have a script of their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from leadgate.delivery.payloads import Payload
from leadgate.delivery.targets import Target
from leadgate.model.leads import AddTimelineEntry, CreateLead, EraseLead, UpdateLead
from leadgate.model.outcomes import Delivered, NotExecuted, Outcome, OutcomeUnknown, RetryLater, Scope
from leadgate.ports.crm import BeforeCall


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer did not arrive; whether the work was done only a look-up can tell."""

    executed: bool


Answer = Outcome | Lost | Exception
_NO_LEAD = RetryLater(code="crm.lead_missing", scope=Scope.ITEM)


@dataclass(slots=True)
class ScriptedTarget:
    """See `delivery.targets.Target`.

    Attributes:
        batches: payloads of every call that began, in order.
        looked_up: payloads that were asked for.
        effects: what stands in the target now: origin ids, entry ids and message ids, each as often as it was executed.
        while_sending: awaited after the call has begun, before anything is executed.
    """

    answers: deque[Answer] = field(default_factory=deque)
    found: deque[Outcome] = field(default_factory=deque)
    size: int = 50
    repeats: bool = False
    quiet: timedelta = timedelta(minutes=3)
    batches: list[list[Payload]] = field(default_factory=list)
    looked_up: list[Payload] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    while_sending: Callable[[], Awaitable[None]] | None = None

    def script(self, *answers: Answer) -> None:
        """Answer the next payloads so."""
        self.answers.extend(answers)

    @property
    def sent(self) -> list[str]:
        """Keys of everything that was sent, repeats included."""
        return [key_of(payload) for batch in self.batches for payload in batch]

    def capacity(self) -> int:
        """As set."""
        return self.size

    def can_repeat(self) -> bool:
        """As set."""
        return self.repeats

    def quiet_time(self) -> timedelta:
        """As set."""
        return self.quiet

    async def send(self, payloads: Sequence[Payload], before_call: BeforeCall) -> list[Outcome]:
        """Answer by script; entries of a lead whose creation failed in this call are not executed."""
        before_call()
        self.batches.append(list(payloads))
        if self.while_sending is not None:
            await self.while_sending()
        made: dict[str, Answer] = {}
        return [self._carry_out(payload, made) for payload in payloads]

    async def look_up(self, payloads: Sequence[Payload]) -> list[Outcome]:
        """By script, else by what was executed."""
        self.looked_up.extend(payloads)
        return [self.found.popleft() if self.found else self._tell(payload) for payload in payloads]

    def _carry_out(self, payload: Payload, made: dict[str, Answer]) -> Outcome:
        answer = made.get(getattr(payload, "lead_id", "")) or (self.answers.popleft() if self.answers else Delivered())
        if isinstance(payload, CreateLead) and not isinstance(answer, Delivered):
            # Its entries share its fate: the answer to all of them is lost, or there is no lead to write them to.
            made[payload.lead_id] = answer if isinstance(answer, Lost) else _NO_LEAD
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Delivered) or (isinstance(answer, Lost) and answer.executed):
            self.effects.append(key_of(payload))
        if isinstance(answer, Lost):
            return OutcomeUnknown("target.timed_out")
        is_plain = isinstance(answer, Delivered) and answer.external_id is None
        return self._tell(payload) if is_plain else answer

    def _tell(self, payload: Payload) -> Outcome:
        key = key_of(payload)
        if key not in self.effects:
            return NotExecuted()
        return Delivered(f"lead:{self.effects.index(key) + 1}" if isinstance(payload, CreateLead) else None)


def key_of(payload: Payload) -> str:
    """What makes a payload unique at the target."""
    if isinstance(payload, CreateLead | UpdateLead):
        return payload.origin_id
    if isinstance(payload, EraseLead):
        return f"erase:{payload.origin_id}"
    return payload.entry_id if isinstance(payload, AddTimelineEntry) else payload.message_id


@dataclass(slots=True)
class ScriptedTargets:
    """See `delivery.targets.Targets`: targets by connection id; one that is absent is paused or removed."""

    by_connection: dict[str, ScriptedTarget] = field(default_factory=dict)

    def add(self, *connection_ids: str) -> None:
        """Make a target for each."""
        self.by_connection.update({connection_id: ScriptedTarget() for connection_id in connection_ids})

    def find(self, connection_id: str) -> Target | None:
        """The target of a connection."""
        return self.by_connection.get(connection_id)

    def all(self) -> Iterable[ScriptedTarget]:
        """Every target."""
        return self.by_connection.values()
