"""The reconciliation over a real database and the CRM in memory: what it finds, what it keeps, and when it makes itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from leadgate.app.acceptance import Acceptance
from leadgate.app.high_water import NAME, HighWater
from leadgate.app.nightly import NightlyReconciliation
from leadgate.app.reconciler import Reconciler
from leadgate.app.targets import Portal
from leadgate.errors import (
    ConfigurationError,
    ConflictError,
    JournalUnavailableError,
    NotFoundError,
    ServiceUnavailableError,
)
from leadgate.model.journal import Tag
from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.model.views import Cause, Reconciliation
from leadgate.observability import metrics
from leadgate.ports.stores import StoredLead, Transaction, Workspace
from leadgate.storage.schema import subjects
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW, FixedClock
from leadgate.testing.crm_suite import create, held, ref_of
from leadgate.testing.journal import MemoryJournal
from leadgate.testing.memory_crm import MemoryCrm, Mood
from leadgate.testing.storage_suite import new_event

WORKSPACE = Workspace(
    workspace_id="ws", name="Лимон", locale="ru", time_zone="Europe/Moscow", created_at=NOW - timedelta(days=400)
)


@dataclass(slots=True)
class Rig:
    """A reconciler, its clock and the CRM that it asks."""

    storage: SqlStorage
    crm: MemoryCrm
    clock: FixedClock
    reconciler: Reconciler
    acceptance: Acceptance
    journal: MemoryJournal
    folder: Path

    async def lead(self, number: int, *, crm_connection_id: str = "conn_crm", at: datetime = NOW) -> LeadRef:
        """A lead that we delivered: it stands on both sides."""
        (outcome,) = await self.crm.deliver([create(number)], held)
        ref = ref_of(outcome)
        lead = StoredLead(
            lead_id=f"lead_{number}",
            subject_id=f"subj_{number}",
            crm_connection_id=crm_connection_id,
            origin_id=f"conn_1:evt_{number}",
            state=LeadState.PENDING,
            ref=None,
            created_at=at,
        )

        def keep(tx: Transaction) -> None:
            tx.leads.add(lead)
            tx.leads.settle(lead.lead_id, state=LeadState.OPEN, ref=ref, at=at)

        await self.storage.write(keep)
        return ref

    def delete(self, ref: LeadRef) -> None:
        """As an employee does."""
        self.crm.leads = [lead for lead in self.crm.leads if lead.ref != ref]

    async def run(self, *, since: datetime | None = None) -> Reconciliation:
        """Reconcile as the command does, a minute later than the last time."""
        self.clock.move(timedelta(minutes=1))
        return await self.reconciler.run(cause=Cause.COMMAND, since=since)

    def nightly(self, holder: str = "node-a") -> NightlyReconciliation:
        """One node that looks."""
        return NightlyReconciliation(
            self.storage,
            self.reconciler,
            WORKSPACE,
            high_water=HighWater(self.storage, self.folder),
            clock=self.clock,
            holder=holder,
        )


@pytest.fixture
def rig(storage: SqlStorage, tmp_path: Path) -> Rig:
    """Both sides are empty."""
    crm, clock = MemoryCrm(), FixedClock()
    reconciler = Reconciler(storage, lambda: Portal("conn_crm", crm), WORKSPACE, clock=clock)
    journal = MemoryJournal(clock)
    return Rig(storage, crm, clock, reconciler, Acceptance(storage, reconciler, journal, clock), journal, tmp_path)


def codes(result: Reconciliation) -> list[str]:
    """Of the differences."""
    return [finding.code for finding in result.differences]


def ids(result: Reconciliation) -> Sequence[Sequence[str]]:
    """Where they stand in the CRM."""
    return [finding.crm_ids for finding in result.differences]


async def test_two_sides_that_agree_give_no_finding(rig: Rig) -> None:
    """The calm night is the usual one."""
    for number in range(1, 9):
        await rig.lead(number)
    result = await rig.run()
    assert (codes(result), result.notes, result.leads_checked, result.leads_swept) == ([], [], 8, 8)
    assert await rig.reconciler.last() == result


async def test_what_was_done_by_hand_is_found_and_explained(rig: Rig) -> None:
    """A person deleted, copied and brought in leads; the owner reads what to do, in the salon's language."""
    gone, doubled, kept = [await rig.lead(number) for number in (1, 2, 3)]
    rig.delete(gone)
    double = rig.crm.copy(doubled)
    stranger = rig.crm.copy(kept)
    next(lead for lead in rig.crm.leads if lead.ref == stranger).origin_id = "conn_9:evt_9"
    result = await rig.run()
    assert codes(result) == ["missing_in_crm", "doubled_in_crm", "stranger_in_crm"]
    assert ids(result) == [["lead:1"], ["lead:2", str(double)], [str(stranger)]]
    missing, twice, alien = result.differences
    assert (missing.lead_id, missing.event_id, missing.origin_id) == ("lead_1", "evt_1", "conn_1:evt_1")
    assert (alien.lead_id, alien.origin_id, result.strangers) == (None, "conn_9:evt_9", 1)
    assert "удалили" in missing.explained
    assert "Оставьте первую (лид 2)" in twice.explained
    assert "второй Leadgate" in alien.explained


async def test_a_finding_stays_until_it_is_cured(rig: Rig) -> None:
    """The next sweep begins where this one ended and sees no old stranger; a finding that vanished by itself would be forgotten."""
    gone, doubled, kept = [await rig.lead(number, at=NOW - timedelta(days=30)) for number in (1, 2, 3)]
    rig.delete(gone)
    double, stranger = rig.crm.copy(doubled), rig.crm.copy(kept)
    next(lead for lead in rig.crm.leads if lead.ref == stranger).origin_id = "conn_9:evt_9"
    first = await rig.run()
    for lead in rig.crm.leads:
        lead.changed_at = NOW - timedelta(days=30)
    later = await rig.run(since=NOW)
    assert later.leads_swept == 0
    assert sorted(codes(later)) == sorted(codes(first))
    rig.delete(double)
    rig.delete(stranger)
    assert codes(await rig.run(since=NOW)) == ["missing_in_crm"]


async def test_the_sweep_finds_a_double_of_a_lead_older_than_the_period(rig: Rig) -> None:
    """Our side asks for a quarter of leads each night; a copy made today of an older one is seen from the other side."""
    old = await rig.lead(1, at=NOW - timedelta(days=200))
    await rig.run()
    double = rig.crm.copy(old)
    next(lead for lead in rig.crm.leads if lead.ref == double).changed_at = rig.clock.at
    assert codes(await rig.run(since=NOW - timedelta(days=92))) == ["doubled_in_crm"]


async def test_moved_and_closed_leads_are_notes_and_no_loss(rig: Rig) -> None:
    """A lead that was merged under another number or closed in the CRM wants no alarm."""
    moved, closed = await rig.lead(1), await rig.lead(2)
    double = rig.crm.copy(moved)
    rig.delete(moved)
    next(lead for lead in rig.crm.leads if lead.ref == closed).is_closed = True
    result = await rig.run()
    assert codes(result) == []
    assert {(note.code, *note.crm_ids) for note in result.notes} == {
        ("moved_in_crm", str(double)),
        ("closed_in_crm", "lead:2"),
    }
    assert all(note.explained for note in result.notes)


async def test_leads_from_before_this_house_are_history(rig: Rig) -> None:
    """A salon that installs anew finds its old leads in the portal: they are no alarm for the years to come."""
    rig.crm.leads.clear()
    ref = await rig.lead(1)
    stranger = rig.crm.copy(ref)
    lead = next(lead for lead in rig.crm.leads if lead.ref == stranger)
    lead.origin_id, lead.changed_at = "conn_9:evt_9", WORKSPACE.created_at - timedelta(seconds=1)
    assert codes(await rig.run()) == []
    lead.changed_at = rig.clock.at
    rig.clock.move(timedelta(minutes=1))
    after_restore = await rig.reconciler.after_restore()
    assert (after_restore.cause, codes(after_restore)) == (Cause.RESTORE, ["stranger_in_crm"])


async def test_the_lead_of_an_erased_person_may_be_gone(rig: Rig) -> None:
    """It was deleted because she asked for it; to report it would bring her back."""
    rig.delete(await rig.lead(1))
    row = {"workspace_id": "ws", "subject_id": "subj_1", "created_at": NOW, "erased_at": NOW}

    def erase(tx: Transaction) -> None:
        tx.connection.execute(insert(subjects), row)  # type: ignore[attr-defined]  # the SQL behind the port: no store erases yet

    await rig.storage.write(erase)
    assert codes(await rig.run()) == []


async def test_a_deletion_that_was_meant_is_accepted_with_who_when_and_why(rig: Rig) -> None:
    """Otherwise a test lead that the owner deleted would be an alarm every night for ever."""
    gone = await rig.lead(1)
    await rig.lead(2)
    rig.delete(gone)
    assert codes(await rig.run()) == ["missing_in_crm"]
    assert await differences_in_alarms(rig) == 1
    await rig.acceptance.accept(["lead_1"], reason="  пробная   заявка ", by="staff_1")
    kept = await rig.reconciler.last()
    assert kept is not None
    assert (codes(kept), [note.code for note in kept.notes]) == ([], ["accepted_in_crm"])
    assert "так и задумано" in kept.notes[0].explained
    assert (await differences_in_alarms(rig), metrics.reconcile_differences._value.get()) == (0, 0)  # noqa: SLF001 - no other way to read a gauge
    (told,) = await rig.acceptance.newest(limit=5)
    assert (told.lead_id, told.event_id, told.crm_id) == ("lead_1", "evt_1", "lead:1")
    assert (told.at, told.by, told.by_name, told.reason) == (rig.clock.at, "staff_1", None, "пробная заявка")
    for again in (await rig.run(), await rig.run(since=NOW + timedelta(days=1))):
        assert codes(again) == []
    assert [note.code for note in (await rig.run()).notes] == ["accepted_in_crm"]


async def test_only_what_is_missing_now_can_be_accepted(rig: Rig) -> None:
    """Nobody makes a loss of tomorrow invisible today."""
    gone = await rig.lead(1)
    await rig.lead(2)
    rig.delete(gone)
    with pytest.raises(ConflictError):
        await rig.acceptance.accept(["lead_1"], reason="дубль", by="staff_1")
    await rig.run()
    with pytest.raises(NotFoundError):
        await rig.acceptance.accept(["lead_9"], reason="дубль", by="staff_1")
    with pytest.raises(ConflictError):
        await rig.acceptance.accept(["lead_1", "lead_2"], reason="дубль", by="staff_1")
    with pytest.raises(ConfigurationError):
        await rig.acceptance.accept(["lead_1"], reason="  ", by="staff_1")
    assert list(await rig.acceptance.newest(limit=5)) == []
    assert codes(await rig.run()) == ["missing_in_crm"]
    assert rig.journal.rows == [], "what was refused for a wrong question is no act"
    await rig.acceptance.accept(["lead_1"], reason="дубль", by="staff_1")
    with pytest.raises(ConflictError):
        await rig.acceptance.accept(["lead_1"], reason="ещё раз", by="staff_2")


async def test_who_called_a_deletion_intended_is_in_the_journal(rig: Rig) -> None:
    """It silences the one check that would find a lost lead; without a trace it is not possible."""
    for number in (1, 2):
        rig.delete(await rig.lead(number))
    await rig.run()
    await rig.acceptance.accept(["lead_2", "lead_1"], reason="дубль", by="staff_1")
    await rig.acceptance.withdraw("lead_1", by="staff_2")
    told = [(row.entry.tag, row.entry.on, row.entry.by) for row in rig.journal.rows]
    assert told == [
        (Tag.LEDGER_ACCEPTED, "lead_1", "staff_1"),
        (Tag.LEDGER_ACCEPTED, "lead_2", "staff_1"),
        (Tag.LEDGER_ACCEPTANCE_WITHDRAWN, "lead_1", "staff_2"),
    ]
    await rig.run()
    rig.journal.is_broken = True
    with pytest.raises(JournalUnavailableError):
        await rig.acceptance.accept(["lead_1"], reason="дубль", by="staff_1")
    with pytest.raises(JournalUnavailableError):
        await rig.acceptance.withdraw("lead_2", by="staff_1")
    assert [one.lead_id for one in await rig.acceptance.newest(limit=5)] == ["lead_2"]


async def test_an_acceptance_ends_when_the_lead_is_back_or_it_is_taken_back(rig: Rig) -> None:
    """Taken out of the recycle bin it is watched again; a slip of the finger can be mended."""
    gone = await rig.lead(1)
    (lead,) = rig.crm.leads
    rig.delete(gone)
    await rig.run()
    await rig.acceptance.accept(["lead_1"], reason="дубль", by="staff_1")
    rig.crm.leads.append(lead)
    assert codes(await rig.run()) == []
    assert list(await rig.acceptance.newest(limit=5)) == []
    rig.delete(gone)
    assert codes(await rig.run()) == ["missing_in_crm"]
    await rig.acceptance.accept(["lead_1"], reason="дубль", by="staff_1")
    await rig.acceptance.withdraw("lead_1", by="staff_1")
    kept = await rig.reconciler.last()
    assert kept is not None
    assert codes(kept) == ["missing_in_crm"]
    with pytest.raises(ConflictError):
        await rig.acceptance.withdraw("lead_1", by="staff_1")


async def differences_in_alarms(rig: Rig) -> int:
    """How many the alarms see."""
    return (await rig.storage.read(lambda tx: tx.alerts.signs(now=rig.clock.at))).differences


async def test_leads_of_a_crm_of_the_past_are_not_asked_for_here(rig: Rig) -> None:
    """After a change of portal nothing of the old one is missing in the new one."""
    rig.delete(await rig.lead(1, crm_connection_id="conn_before"))
    result = await rig.run()
    assert (codes(result), result.leads_checked) == ([], 0)


async def test_without_a_crm_nothing_is_compared_and_it_says_so(rig: Rig) -> None:
    """An answer about nothing must not look like a proof."""
    await rig.lead(1)
    alone = Reconciler(rig.storage, lambda: None, WORKSPACE, clock=rig.clock)
    result = await alone.run(cause=Cause.COMMAND)
    assert (result.crm_asked, result.leads_checked, codes(result)) == (False, 0, [])


async def test_a_silent_portal_keeps_no_result(rig: Rig) -> None:
    """Half an answer is none: the last good result stays, and the next sweep begins where the last good one ended."""
    await rig.lead(1)
    good = await rig.run()
    rig.crm.mood = Mood.DOWN
    with pytest.raises(ServiceUnavailableError):
        await rig.run()
    assert [kept.started_at for kept in await rig.reconciler.kept(limit=5)] == [good.started_at]
    rig.crm.mood = Mood.WELL
    assert (await rig.run()).swept_since == good.started_at - timedelta(hours=1)


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of the salon in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=3)


async def test_it_makes_itself_once_a_night_on_one_node(rig: Rig) -> None:
    """Nobody has to remember it, and two nodes do not ask the portal twice."""
    rig.clock.at = moscow(22, 4, 45)
    first, second = rig.nightly("node-a"), rig.nightly("node-b")
    result = await first.look()
    assert result is not None
    assert result.cause is Cause.NIGHT
    rig.clock.at = moscow(23, 2, 59)
    assert await first.look() is None
    rig.clock.at = moscow(23, 4, 45)
    made = [await node.look() for node in (first, second, first)]
    assert [None if one is None else one.cause for one in made] == [Cause.NIGHT, None, None]
    rig.clock.at = moscow(24, 1)
    assert await second.look() is None


async def test_while_one_node_works_the_other_waits(rig: Rig) -> None:
    """The lease of the lane: a second node that finds it taken goes away."""
    rig.clock.at = moscow(22, 4, 45)
    now = rig.clock.at
    until = now + timedelta(minutes=3)
    lease = await rig.storage.write(lambda tx: tx.lanes.claim_one("reconcile", holder="node-b", now=now, until=until))
    assert lease is not None
    assert await rig.nightly().look() is None
    rig.clock.move(timedelta(minutes=4))  # node-b died: its lease ran out
    assert await rig.nightly().look() is not None


async def test_after_a_long_stand_still_it_is_made_at_the_start(rig: Rig) -> None:
    """The night was missed; 26 hours later the day will do as well."""
    rig.clock.at = moscow(22, 4, 45)
    assert await rig.nightly().look() is not None
    rig.clock.at = moscow(23, 6, 30)
    assert await rig.nightly().look() is None
    rig.clock.at = moscow(23, 7)
    result = await rig.nightly().look()
    assert result is not None
    assert result.cause is Cause.LATE


async def test_a_portal_that_is_down_at_night_is_asked_again_after_half_an_hour(rig: Rig) -> None:
    """Not every minute, and not only the next night."""
    rig.clock.at = moscow(22, 4, 45)
    node = rig.nightly()
    rig.crm.mood = Mood.DOWN
    with pytest.raises(ServiceUnavailableError):
        await node.look()
    rig.crm.mood = Mood.WELL
    rig.clock.move(timedelta(minutes=29))
    assert await node.look() is None
    rig.clock.move(timedelta(minutes=1))
    assert await node.look() is not None


async def test_a_look_shows_the_last_result_in_the_metrics(rig: Rig) -> None:
    """Also one that a command made in another process."""
    rig.delete(await rig.lead(1))
    result = await rig.run()
    metrics.reconcile_differences.set(0)
    metrics.reconciled_at.set(0)
    await rig.nightly().look()
    assert metrics.registry.get_sample_value("leadgate_reconcile_differences") == 1
    shown = metrics.registry.get_sample_value("leadgate_reconcile_last_success_timestamp_seconds")
    assert shown == result.finished_at.timestamp()


def test_a_reference_is_written_as_the_target_names_it() -> None:
    """Findings and events name a lead of the CRM alike."""
    assert str(LeadRef(CrmEntity.DEAL, 7)) == "deal:7"


async def test_a_database_that_was_put_back_is_compared_at_once(rig: Rig) -> None:
    """Leads that came after the copy stand in the CRM and nowhere here; next night would be late, and nobody tells the program."""
    await rig.run()
    await rig.storage.receive(new_event("1"))
    mark = HighWater(rig.storage, rig.folder)
    await mark.move_on()
    node = rig.nightly()
    assert await node.look() is None, "the database knows its newest event"
    (rig.folder / NAME).write_text("evt_of_after_the_copy")
    await rig.storage.receive(new_event("2"))
    await mark.move_on()
    rig.clock.at += timedelta(minutes=1)
    result = await node.look()
    assert result is not None
    assert (result.cause, result.since) == (Cause.RESTORE, None)
    assert not await mark.is_behind(), "once is enough"
    assert await node.look() is None


async def test_a_mark_that_cannot_be_read_or_written_stops_nothing(rig: Rig) -> None:
    """It is a help, and its loss costs one comparison."""
    (rig.folder / NAME).mkdir()
    mark = HighWater(rig.storage, rig.folder)
    await rig.storage.receive(new_event("1"))
    await mark.move_on()
    assert not await mark.is_behind()
