"""Carrying commands out: write in halting batches, as many as it takes, and once more for what a halt left over.

What was executed is told by the answer alone. A command is repeated in a further batch only if the answer
proves that it did not run: it stands after the error at which the batch halted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from leadgate.integrations.bitrix24.batch import NOT_RUN, BatchAnswer
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.errors import GONE_CODES, Failure, Meaning
from leadgate.integrations.bitrix24.fields import CONTACT_TYPE
from leadgate.integrations.bitrix24.plan import LEAD_NOT_MADE, Plan, Step, plan_writes
from leadgate.integrations.bitrix24.reads import Picture
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, UpdateLead
from leadgate.model.outcomes import Delivered, LeadClosed, Outcome, OutcomeUnknown, RetryLater, Scope
from leadgate.ports.crm import BeforeCall

UNREADABLE = OutcomeUnknown("bitrix24.answer_incomplete")
EARLIER_WAITS = RetryLater("bitrix24.earlier_waits", Scope.ITEM)
CONTACT_GONE = RetryLater("bitrix24.contact_gone", Scope.ITEM)

METHODS = {
    CreateLead: ("crm.item.add",),
    UpdateLead: ("crm.item.add", "crm.item.update"),
    AddTimelineEntry: ("crm.timeline.comment.add",),
}

ClosedFor = Callable[[str], float]
"""Seconds until a method has time budget again."""

Pending = list[tuple[int, CrmCommand]]


async def write(
    client: PortalClient,
    commands: Sequence[CrmCommand],
    *,
    picture: Picture,
    closed_for_s: ClosedFor,
    before_call: BeforeCall,
) -> list[Outcome]:
    """Carry the commands out, in order; one outcome per command.

    Raises:
        LeaseLostError: from `before_call`; nothing further was sent.
    """
    outcomes: dict[int, Outcome] = {}
    pending: Pending = list(enumerate(commands))
    while pending:
        outcomes.update(_resting(pending, closed_for_s))
        plan = plan_writes(_left(pending, outcomes), picture)
        outcomes.update(plan.settled)
        if plan.steps:
            written, stopped = await _write_once(client, plan, before_call)
            outcomes.update(written)
            outcomes.update(_behind(_left(pending, outcomes), written, commands))
            if stopped is not None:  # the portal does not answer, or refuses as a whole: nothing of the rest was sent
                outcomes.update({number: stopped for number, _ in _left(pending, outcomes)})
        pending = _left(pending, outcomes)
    return [outcomes[number] for number in range(len(commands))]


def _behind(rest: Pending, written: Mapping[int, Outcome], commands: Sequence[CrmCommand]) -> Mapping[int, Outcome]:
    """What comes after a command of the same lead that has to be sent again waits for it, or it would overtake it."""
    waiting = {
        commands[number].lead_id
        for number, outcome in written.items()
        if isinstance(outcome, RetryLater | OutcomeUnknown) and not isinstance(commands[number], CreateLead)
    }
    return {number: EARLIER_WAITS for number, command in rest if command.lead_id in waiting}


def _left(pending: Pending, outcomes: Mapping[int, Outcome]) -> Pending:
    return [(number, command) for number, command in pending if number not in outcomes]


def _resting(pending: Pending, closed_for_s: ClosedFor) -> Mapping[int, Outcome]:
    """Commands whose method has used up its time; the others go on."""
    rests = {number: max(map(closed_for_s, METHODS[type(command)])) for number, command in pending}
    code = "bitrix24.OPERATION_TIME_LIMIT"
    return {number: RetryLater(code, Scope.ITEM, timedelta(seconds=rest)) for number, rest in rests.items() if rest}


async def _write_once(
    client: PortalClient, plan: Plan, before_call: BeforeCall
) -> tuple[Mapping[int, Outcome], RetryLater | None]:
    """Send one batch; outcomes of all commands that its answer settles, at least one, and why no further batch may follow."""
    numbers = list(dict.fromkeys(step.number for step in plan.steps))
    answer = await client.batch([step.command for step in plan.steps], halt=True, before_call=before_call)
    if isinstance(answer, Failure):
        return dict.fromkeys(numbers, answer.outcome(wrote=True)), answer.not_tried()
    _learn(plan, answer)
    outcomes = {number: outcome for number in numbers if (outcome := _outcome(number, plan, answer))}
    left = [number for number in numbers if number not in outcomes]
    halted = answer.first_failure
    if halted is None:  # nothing stopped the batch, yet answers are missing
        outcomes.update(dict.fromkeys(left, UNREADABLE))
    elif halted.meaning is Meaning.RETRY and halted.scope is Scope.TARGET:
        stopped = halted.not_tried()
        return {**outcomes, **dict.fromkeys(left, stopped)}, stopped
    return outcomes, None


def _learn(plan: Plan, answer: BatchAnswer) -> None:
    for step in plan.steps:
        if _ran(answer.values[step.command.key]):
            step.learn(answer.values)


def _outcome(number: int, plan: Plan, answer: BatchAnswer) -> Outcome | None:
    """Outcome of one command, or None when the batch ended before it was complete."""
    steps = [step for step in plan.steps if step.number == number]
    for step in steps:
        value = answer.values[step.command.key]
        if isinstance(value, Failure):
            return _failed(step, value)
    if not all(_ran(answer.values[step.command.key]) for step in steps):
        return None
    external_id = plan.external[number](answer.values)
    return UNREADABLE if external_id is None else Delivered(external_id)


def _failed(step: Step, failure: Failure) -> Outcome:
    """A record that was deleted after we looked is named by the write that needs it."""
    if failure.code not in GONE_CODES or step.command.method == "crm.item.add":
        return failure.outcome(wrote=True)
    if step.command.params.get("entityTypeId") == CONTACT_TYPE:
        return CONTACT_GONE
    return LeadClosed() if step.is_known else LEAD_NOT_MADE


def _ran(value: object) -> bool:
    return value is not NOT_RUN and not isinstance(value, Failure)
