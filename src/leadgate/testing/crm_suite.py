"""What every CRM must do with its commands: inherit `CrmSuite`, say how the portal is looked into and disturbed, and run."""
# ruff: noqa: S101 - a conformance suite speaks in asserts

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from leadgate.errors import LeaseLostError, ServiceUnavailableError
from leadgate.model.connections import FindingState
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, CrmEntity, LeadRef, Person, UpdateLead
from leadgate.model.outcomes import (
    Delivered,
    LeadClosed,
    NotExecuted,
    Outcome,
    OutcomeUnknown,
    RetryLater,
    Scope,
)
from leadgate.ports.crm import Crm

WHEN = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SeenLead:
    """A lead as it stands in the portal."""

    ref: LeadRef
    origin_id: str
    phones: Sequence[str]
    entries: Sequence[str]


class CrmRig(Protocol):
    """A portal that can be looked into and disturbed."""

    @property
    def crm(self) -> Crm:
        """Our side of it."""
        ...

    def leads(self) -> Sequence[SeenLead]:
        """Every lead, oldest first."""
        ...

    def close_lead(self, ref: LeadRef) -> None:
        """As a manager does."""
        ...

    def delete_lead(self, ref: LeadRef) -> None:
        """As a manager does."""
        ...

    def copy_lead(self, ref: LeadRef, *, originator: str = "leadgate") -> LeadRef:
        """Make the same lead once more, with this mark of who made it."""
        ...

    def touch_lead(self, ref: LeadRef, at: datetime) -> None:
        """The lead was made and last changed at this time."""
        ...

    def lose_answers(self) -> None:
        """Carry out what comes, but let nobody hear of it."""
        ...

    def go_down(self) -> None:
        """Answer nothing and do nothing."""
        ...

    def recover(self) -> None:
        """Be well again."""
        ...


def create(number: int = 1, *, phone: str | None = "+79000000101") -> CreateLead:
    """A lead to be made."""
    return CreateLead(
        lead_id=f"lead_{number}",
        origin_id=f"conn_1:evt_{number}",
        title="Telegram: Алсу",
        person=Person(name="Алсу", phone=phone),
        channel="telegram",
        channel_title="Telegram",
        comment="Хочу на маникюр",
        occurred_at=WHEN,
    )


def entry(number: int = 1, *, lead: int = 1, ref: LeadRef | None = None) -> AddTimelineEntry:
    """An entry to be added."""
    return AddTimelineEntry(
        lead_id=f"lead_{lead}",
        entry_id=f"evt_{number}",
        author="Алсу",
        channel_title="Telegram",
        occurred_at=WHEN,
        text=f"Слова номер {number}",
        ref=ref,
    )


def held() -> None:
    """A lease that stands."""


def lost() -> None:
    """A lease that ran out."""
    raise LeaseLostError("the lease ran out")


def ref_of(outcome: Outcome) -> LeadRef:
    """The reference in a delivered outcome."""
    assert isinstance(outcome, Delivered)
    entity, _, number = (outcome.external_id or "").partition(":")
    return LeadRef(CrmEntity(entity), int(number))


class CrmSuite:
    """The rules. A subclass has a fixture `rig` that gives a `CrmRig` with an empty portal."""

    async def test_a_lead_and_its_entries_arrive_together(self, rig: CrmRig) -> None:
        """One call, one outcome per command, in order; the entries stand in the lead that was just made."""
        outcomes = await rig.crm.deliver([create(), entry(1), entry(2)], held)
        assert all(isinstance(outcome, Delivered) for outcome in outcomes)
        (lead,) = rig.leads()
        assert lead.origin_id == "conn_1:evt_1"
        assert lead.ref == ref_of(outcomes[0])
        assert list(lead.phones) == ["+79000000101"]
        assert [f"Слова номер {number}" in text for number, text in enumerate(lead.entries, start=1)] == [True, True]

    async def test_a_lost_lease_sends_nothing(self, rig: CrmRig) -> None:
        """Whoever slept through the lease must not write any more."""
        with pytest.raises(LeaseLostError):
            await rig.crm.deliver([create()], lost)
        assert not rig.leads()

    async def test_a_portal_that_is_down_blames_no_command(self, rig: CrmRig) -> None:
        """Nothing was executed, so everything may be sent again, and the lane waits as a whole."""
        rig.go_down()
        outcomes = await rig.crm.deliver([create(), entry()], held)
        assert all(isinstance(outcome, RetryLater) for outcome in outcomes)
        assert any(isinstance(outcome, RetryLater) and outcome.scope is Scope.TARGET for outcome in outcomes)
        rig.recover()
        assert not rig.leads()

    async def test_a_lost_answer_is_unknown_and_found_by_look_up(self, rig: CrmRig) -> None:
        """The heart of exactly once: no claim without an answer, and the look-up finds what was done."""
        rig.lose_answers()
        commands: list[CrmCommand] = [create(), entry()]
        outcomes = await rig.crm.deliver(commands, held)
        assert isinstance(outcomes[0], OutcomeUnknown)
        assert not any(isinstance(outcome, Delivered) for outcome in outcomes)
        rig.recover()
        found = (await rig.crm.look_up(commands[:1]))[0]
        assert ref_of(found) == rig.leads()[0].ref
        assert len(rig.leads()) == 1

    async def test_a_look_up_finds_nothing_where_nothing_is(self, rig: CrmRig) -> None:
        """Only then may it be sent again."""
        ref = ref_of((await rig.crm.deliver([create()], held))[0])
        found = await rig.crm.look_up([create(2, phone="+79000000202"), entry(7, ref=ref)])
        assert found == [NotExecuted(), NotExecuted()]

    async def test_a_look_up_of_a_silent_portal_claims_nothing(self, rig: CrmRig) -> None:
        """Neither "there" nor "not there": to send on a guess would double."""
        rig.go_down()
        (found,) = await rig.crm.look_up([create()])
        assert isinstance(found, RetryLater)

    async def test_a_closed_lead_takes_no_entry(self, rig: CrmRig) -> None:
        """The client begins anew: the rooms above open a new lead."""
        ref = ref_of((await rig.crm.deliver([create()], held))[0])
        rig.close_lead(ref)
        (outcome,) = await rig.crm.deliver([entry(ref=ref)], held)
        assert isinstance(outcome, LeadClosed)
        assert not rig.leads()[0].entries

    async def test_an_entry_without_its_lead_is_not_executed(self, rig: CrmRig) -> None:
        """It must not end up attached to nothing."""
        (outcome,) = await rig.crm.deliver([entry()], held)
        assert isinstance(outcome, RetryLater)
        assert outcome.scope is Scope.ITEM

    async def test_an_update_said_twice_adds_once(self, rig: CrmRig) -> None:
        """So that it may be repeated after any doubt."""
        ref = ref_of((await rig.crm.deliver([create(phone=None)], held))[0])
        learned = UpdateLead(lead_id="lead_1", origin_id="conn_1:evt_2", person=Person(phone="+79000000101"), ref=ref)
        for _ in range(2):
            (outcome,) = await rig.crm.deliver([learned], held)
            assert isinstance(outcome, Delivered)
        assert list(rig.leads()[0].phones) == ["+79000000101"]
        assert isinstance((await rig.crm.look_up([learned]))[0], Delivered)
        other = replace(learned, person=Person(phone="+79000000303"))
        assert (await rig.crm.look_up([other])) == [NotExecuted()]

    async def test_a_correction_replaces_also_in_a_closed_lead_and_a_repeat_changes_nothing(self, rig: CrmRig) -> None:
        """The wrong number is gone, not merely joined by the right one; what is over is corrected as well."""
        wrong, right = Person(phone="+79000000101"), Person(phone="+79000000303")
        ref = ref_of((await rig.crm.deliver([create()], held))[0])
        correction = UpdateLead(lead_id="lead_1", origin_id="conn_1:evt_1", person=right, ref=ref, instead_of=wrong)
        assert await rig.crm.look_up([correction]) == [NotExecuted()]
        for _ in range(2):
            assert ref_of((await rig.crm.deliver([correction], held))[0]) == ref
            assert list(rig.leads()[0].phones) == [right.phone]
        assert isinstance((await rig.crm.look_up([correction]))[0], Delivered)
        rig.close_lead(ref)
        back = replace(correction, person=wrong, instead_of=right)
        assert ref_of((await rig.crm.deliver([back], held))[0]) == ref
        assert list(rig.leads()[0].phones) == [wrong.phone]
        rig.delete_lead(ref)
        assert isinstance((await rig.crm.deliver([correction], held))[0], LeadClosed)

    async def test_what_stands_there_is_told_and_what_is_gone_is_left_out(self, rig: CrmRig) -> None:
        """A person may ask what is held of them; a silent portal is no empty one."""
        first, second = [ref_of(o) for o in await rig.crm.deliver([create(1), create(2, phone=None)], held)]
        await rig.crm.deliver([entry(ref=first)], held)
        rig.delete_lead(second)
        records = {record.name: record for record in await rig.crm.read_records([first, second])}
        assert str(second) not in records
        told = records[str(first)]
        assert (list(told.phones), told.fields["name"]) == (["+79000000101"], "Алсу")
        assert ["Слова номер 1" in one.text for one in told.entries] == [True]
        rig.go_down()
        with pytest.raises(ServiceUnavailableError):
            await rig.crm.read_records([first])

    async def test_origins_are_found_and_absent_ones_said(self, rig: CrmRig) -> None:
        """The ledger asks for every lead by its origin id."""
        ref = ref_of((await rig.crm.deliver([create()], held))[0])
        found = await rig.crm.find_origins(["conn_1:evt_1", "conn_1:evt_9"])
        assert dict(found) == {"conn_1:evt_1": (ref,), "conn_1:evt_9": ()}
        rig.go_down()
        with pytest.raises(ServiceUnavailableError):
            await rig.crm.find_origins(["conn_1:evt_1"])

    async def test_a_sweep_gives_every_lead_of_ours_once_over_all_pages(self, rig: CrmRig) -> None:
        """What was doubled or deleted by hand is seen only by who reads what is there; a page too few would hide it."""
        gone, numbers = 100, range(1, 121)
        commands = [create(number, phone=None) for number in numbers]
        refs = [ref_of(outcome) for outcome in await rig.crm.deliver(commands, held)]
        double = rig.copy_lead(refs[7])
        rig.delete_lead(refs[gone - 1])
        rig.copy_lead(refs[0], originator="another-program")
        pages = [page async for page in rig.crm.sweep(None)]
        seen = [(lead.ref, lead.origin_id) for page in pages for lead in page]
        there = [(ref, f"conn_1:evt_{number}") for number, ref in zip(numbers, refs, strict=True) if number != gone]
        assert max(len(page) for page in pages) < len(seen)
        assert sorted(seen, key=str) == sorted([*there, (double, "conn_1:evt_8")], key=str)

    async def test_a_sweep_passes_over_what_rests_since_long_ago(self, rig: CrmRig) -> None:
        """Each night reads what is new; the years before would cost the portal's whole night."""
        old, fresh = [ref_of(o) for o in await rig.crm.deliver([create(1), create(2, phone=None)], held)]
        rig.touch_lead(old, WHEN - timedelta(days=30))
        rig.touch_lead(fresh, WHEN)
        rig.close_lead(fresh)
        (swept,) = [lead async for page in rig.crm.sweep(WHEN - timedelta(days=3)) for lead in page]
        assert (swept.ref, swept.is_closed) == (fresh, True)
        assert swept.created_at == WHEN

    async def test_a_sweep_of_a_silent_portal_is_no_empty_portal(self, rig: CrmRig) -> None:
        """Otherwise every lead would count as deleted."""
        rig.go_down()
        with pytest.raises(ServiceUnavailableError):
            [page async for page in rig.crm.sweep(None)]

    async def test_the_check_tells_well_from_silent(self, rig: CrmRig) -> None:
        """The light on the owner's page comes from it."""
        assert (await rig.crm.check()).state is not FindingState.FAIL
        rig.go_down()
        assert (await rig.crm.check()).state is FindingState.FAIL

    async def test_it_takes_at_least_one_command(self, rig: CrmRig) -> None:
        """Otherwise a lane would never move."""
        assert rig.crm.capacity() >= 1
