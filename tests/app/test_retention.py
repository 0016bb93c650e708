"""Nothing is kept longer than the owner says, nothing still needed goes earlier, and a kill in the middle changes neither."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leadgate.app.retention import ROWS_AT_ONCE, RULE, Retention
from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.model.journal import Tag
from leadgate.model.leads import LeadState
from leadgate.model.retention import COUNT_LIMIT, DataKind
from leadgate.ports.stores import StoredConversation, Transaction
from leadgate.storage.engines import make_engine
from leadgate.storage.journal_file import FILE, JournalFile
from leadgate.storage.schema import events
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW, FixedClock
from leadgate.testing.databases import bring_up, sqlite_url
from leadgate.testing.storage_suite import new_delivery, new_event, new_lead

DAY = timedelta(days=1)


@dataclass(slots=True)
class Rig:
    """A retention over a real database, and whom it had erased."""

    storage: SqlStorage
    clock: FixedClock
    journal: JournalFile
    folder: Path
    erased: list[str] = field(default_factory=list)
    retention: Retention = field(init=False)

    def __post_init__(self) -> None:
        self.retention = Retention(self.storage, self.journal, self.erase, clock=self.clock, holder="node:1")

    async def erase(self, subject_id: str) -> None:
        """As `app.erasing` does, as far as a sweep can tell."""
        self.erased.append(subject_id)

    async def event(self, name: str, *, at: datetime, state: EventState | None = EventState.ANSWERED) -> None:
        """An event that came then, and its end; None: it is still to be worked on."""
        await self.storage.receive(replace(new_event(name), received_at=at))
        if state is None:
            return
        await self.storage.write(
            lambda tx: tx.events.finish(
                f"evt_{name}", state=state, reason=None, subject_id="subj_1", lead_id=None, resealed=None, at=at
            )
        )

    async def delivery(self, name: str, *, at: datetime, state: DeliveryState) -> None:
        """A delivery made then, in this state."""

        def keep(tx: Transaction) -> None:
            tx.deliveries.add(replace(new_delivery(name), created_at=at))
            tx.deliveries.settle(
                f"dlv_{name}",
                state=state,
                due_at=None,
                failures=0,
                error_code=None,
                error_detail=None,
                external_id=None,
                at=at,
            )

        await self.storage.write(keep)

    async def person(self, name: str, *, heard_at: datetime, made_at: datetime) -> None:
        """Somebody with one conversation."""

        def keep(tx: Transaction) -> None:
            tx.subjects.add(f"subj_{name}", at=made_at)
            chat = StoredConversation(
                conversation_id=f"conv_{name}",
                connection_id="conn_bot",
                subject_id=f"subj_{name}",
                chat_index=name.encode().ljust(16, b"."),
                sealed_state=b"state",
            )
            tx.conversations.add(chat, at=made_at)
            tx.conversations.set_state(f"conv_{name}", b"state", at=heard_at)

        await self.storage.write(keep)

    async def message(self, name: str, *, at: datetime) -> None:
        """A message of one conversation."""
        await self.storage.write(
            lambda tx: tx.conversations.add_message(
                "conv_1", message_id=name, subject_id="subj_1", outgoing=False, sealed_body=b"words", at=at
            )
        )

    async def has_body(self, name: str) -> bool:
        """Whether what was posted is still there."""
        event = await self.storage.read(lambda tx: tx.events.find(f"evt_{name}"))
        assert event is not None, "the event itself never goes: the ledger needs it"
        return event.sealed_body is not None

    async def payload(self, name: str) -> bytes:
        """What lies of a delivery's contents."""
        delivery = await self.storage.read(lambda tx: tx.deliveries.find(f"dlv_{name}"))
        assert delivery is not None
        return delivery.sealed_payload

    async def line(self, kind: DataKind) -> object:
        """A kind as the page shows it."""
        return next(line for line in await self.retention.lines() if line.kind is kind)


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """On each engine."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        bring_up(url)
    storage, clock = SqlStorage(make_engine(url), "ws"), FixedClock()
    yield Rig(storage, clock, JournalFile(tmp_path, clock), tmp_path)
    storage.close()


async def test_bodies_go_after_their_term_and_their_events_stay(rig: Rig) -> None:
    """To the day: what is fourteen days old goes, what is younger stays; what was not worked on yet stays at any age."""
    await rig.event("old", at=NOW - 14 * DAY - timedelta(seconds=1))
    await rig.event("young", at=NOW - 14 * DAY + timedelta(seconds=1))
    await rig.event("pending", at=NOW - 100 * DAY, state=None)
    gone = await rig.retention.sweep()
    assert gone[DataKind.BODIES] == 1
    assert [await rig.has_body(name) for name in ("old", "young", "pending")] == [False, True, True]


async def test_what_was_passed_over_is_met_again(rig: Rig) -> None:
    """An event that is worked on late is older than the place up to which was swept; within a week it goes, too."""
    await rig.event("late", at=NOW - 30 * DAY, state=None)
    await rig.event("old", at=NOW - 29 * DAY)
    await rig.retention.sweep()
    await rig.storage.write(
        lambda tx: tx.events.finish(
            "evt_late", state=EventState.LEAD, reason=None, subject_id="subj_1", lead_id=None, resealed=None, at=NOW
        )
    )
    rig.clock.move(7 * DAY)
    await rig.retention.sweep()
    assert not await rig.has_body("late")


async def test_a_sweep_takes_more_than_one_part(rig: Rig) -> None:
    """And a row with a time from a clock that was wrong does not stop it."""
    names = [f"n{number}" for number in range(ROWS_AT_ONCE + 20)]
    for number, name in enumerate(names):
        await rig.event(name, at=NOW + DAY if number == 3 else NOW - 20 * DAY)
    gone = await rig.retention.sweep()
    assert gone[DataKind.BODIES] == len(names) - 1


async def test_copies_go_once_they_arrived_and_stuck_ones_are_given_up_after_their_own_term(rig: Rig) -> None:
    """A dead letter waits for a person for ninety days; then it is given up by the system, and says so."""
    await rig.delivery("done", at=NOW - 15 * DAY, state=DeliveryState.DONE)
    await rig.delivery("fresh", at=NOW - 13 * DAY, state=DeliveryState.DONE)
    await rig.delivery("dead", at=NOW - 15 * DAY, state=DeliveryState.DEAD)
    await rig.delivery("forgotten", at=NOW - 91 * DAY, state=DeliveryState.DEAD)
    await rig.delivery("waiting", at=NOW - 91 * DAY, state=DeliveryState.WAITING)
    await rig.event("failed", at=NOW - 91 * DAY, state=EventState.FAILED)
    gone = await rig.retention.sweep()
    assert (gone[DataKind.COPIES], gone[DataKind.STUCK]) == (1, 2)
    assert [await rig.payload(name) for name in ("done", "forgotten")] == [b"", b""]
    assert all([await rig.payload(name) for name in ("fresh", "dead", "waiting")])
    assert not await rig.has_body("failed")
    forgotten = await rig.storage.query(lambda q: q.delivery("dlv_forgotten"))
    assert forgotten is not None
    assert forgotten.row.state is DeliveryState.DISCARDED


async def test_words_go_with_what_became_of_them(rig: Rig) -> None:
    """The number of the newest message must not be given again, so a chat that is read on goes on where it was."""
    await rig.message("m1", at=NOW - 181 * DAY)
    await rig.message("m2", at=NOW - 179 * DAY)
    assert (await rig.retention.sweep())[DataKind.MESSAGES] == 1
    kept = await rig.storage.read(lambda tx: tx.conversations.messages("conv_1", after=0, limit=10))
    assert [message.message_id for message in kept] == ["m2"]


async def test_people_who_were_not_heard_of_are_erased_unless_something_of_theirs_is_open(rig: Rig) -> None:
    """Three years after the last word; an open lead, something under way or a second self keeps them."""
    long_ago = NOW - 2000 * DAY
    for name in ("1_gone", "2_heard", "3_lead", "4_joined", "5_other", "6_sending"):
        heard = NOW - 10 * DAY if name in {"2_heard", "5_other"} else NOW - 1100 * DAY
        await rig.person(name, heard_at=heard, made_at=long_ago)
    await rig.person("7_new", heard_at=NOW, made_at=NOW)

    def tie(tx: Transaction) -> None:
        tx.leads.add(replace(new_lead("3", subject_id="subj_3_lead"), created_at=long_ago))
        tx.subjects.join("subj_5_other", "subj_4_joined", reason="phone", at=long_ago)
        tx.deliveries.add(replace(new_delivery("6"), subject_id="subj_6_sending", created_at=long_ago))

    await rig.storage.write(tie)
    gone = await rig.retention.sweep()
    assert rig.erased == ["subj_1_gone"]
    assert gone[DataKind.PEOPLE] == 1


async def test_a_closed_lead_of_long_ago_keeps_nobody(rig: Rig) -> None:
    """Otherwise a client of one visit would be kept for ever."""
    await rig.person("1", heard_at=NOW - 1100 * DAY, made_at=NOW - 2000 * DAY)

    def close(tx: Transaction) -> None:
        tx.leads.add(replace(new_lead("1", subject_id="subj_1"), created_at=NOW - 1100 * DAY))
        tx.leads.settle("lead_1", state=LeadState.CLOSED, ref=None, at=NOW - 1100 * DAY)

    await rig.storage.write(close)
    await rig.retention.sweep()
    assert rig.erased == ["subj_1"]


async def test_the_owner_chooses_and_the_next_sweep_obeys(rig: Rig) -> None:
    """Who chose what is in the journal before it holds."""
    await rig.event("a", at=NOW - 8 * DAY)
    assert (await rig.retention.sweep())[DataKind.BODIES] == 0
    await rig.retention.choose(DataKind.BODIES, 7, by="staff_1")
    line = await rig.line(DataKind.BODIES)
    assert (line.days, line.is_own, line.due) == (7, True, 1)  # type: ignore[attr-defined] # a RetentionLine
    assert (await rig.retention.sweep())[DataKind.BODIES] == 1
    changed = [row.entry for row in await rig.journal.newest(limit=20) if row.entry.tag is Tag.RETENTION_CHANGED]
    assert [(entry.by, entry.on, dict(entry.details)) for entry in changed] == [
        ("staff_1", "bodies", {"before": 14, "now": 7})
    ]
    await rig.retention.choose(DataKind.BODIES, None, by="staff_1")
    assert (await rig.retention.terms()).days(DataKind.BODIES) == 14


@pytest.mark.parametrize("days", [2, 91, 0, -1])
async def test_a_term_out_of_its_range_is_refused(rig: Rig, days: int) -> None:
    """Nobody keeps for ever, and nobody destroys what is still needed for work."""
    with pytest.raises(ConfigurationError):
        await rig.retention.choose(DataKind.BODIES, days, by="staff_1")
    assert (await rig.retention.terms()).own == {}


@pytest.mark.parametrize("body", [b"no json", b'{"bodies": 1}', b'{"bodies": "7"}', b'{"unknown": 7}', b"[]"])
async def test_a_rule_that_somebody_broke_in_the_database_counts_as_the_default(rig: Rig, body: bytes) -> None:
    """A term of one day in the database must not destroy what the page would not allow to destroy."""
    await rig.storage.write(lambda tx: tx.rules.set(RULE, body, by="?", at=NOW))
    assert (await rig.retention.terms()).days(DataKind.BODIES) == 14


async def test_nothing_is_destroyed_or_chosen_when_the_journal_cannot_be_written(rig: Rig) -> None:
    """What leaves no trace is not done."""
    await rig.event("old", at=NOW - 20 * DAY)
    (rig.folder / FILE).write_bytes(b"not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(JournalUnavailableError):
        await rig.retention.sweep()
    with pytest.raises(JournalUnavailableError):
        await rig.retention.choose(DataKind.BODIES, 7, by="staff_1")
    assert await rig.has_body("old")
    assert (await rig.retention.terms()).own == {}


async def test_a_sweep_that_was_cut_off_goes_on_and_counts_once(rig: Rig) -> None:
    """As after a kill between two parts."""
    for name in ("1", "2", "3"):
        await rig.person(name, heard_at=NOW - 1100 * DAY, made_at=NOW - 2000 * DAY)
    erase = rig.erase

    async def die(subject_id: str) -> None:
        if subject_id == "subj_2":
            raise JournalUnavailableError("cut off")
        await erase(subject_id)

    await rig.event("old", at=NOW - 20 * DAY)
    cut = Retention(rig.storage, rig.journal, die, clock=rig.clock, holder="node:1")
    with pytest.raises(JournalUnavailableError):
        await cut.sweep()
    line = await rig.line(DataKind.BODIES)
    assert (line.gone_last, line.gone_ever) == (1, 1)  # type: ignore[attr-defined] # a RetentionLine
    await rig.retention.sweep()
    assert set(rig.erased) == {"subj_1", "subj_2", "subj_3"}
    line = await rig.line(DataKind.BODIES)
    assert (line.gone_last, line.gone_ever) == (0, 1)  # type: ignore[attr-defined] # a RetentionLine


async def test_the_page_tells_what_goes_within_a_week_and_stops_counting_in_time(rig: Rig) -> None:
    """Counting a long history would keep the page from opening."""
    await rig.event("now", at=NOW - 15 * DAY)
    await rig.event("soon", at=NOW - 8 * DAY)
    await rig.event("later", at=NOW - 6 * DAY)
    line = await rig.line(DataKind.BODIES)
    assert (line.due, line.due_in_week) == (1, 2)  # type: ignore[attr-defined] # a RetentionLine
    counted = await rig.storage.read(
        lambda tx: tx.retention.count(DataKind.BODIES, before=NOW + DAY, after="", limit=1)
    )
    assert counted == 2, "the limit and one more"
    assert COUNT_LIMIT > 1


async def test_another_salons_rows_are_not_touched(rig: Rig) -> None:
    """Two salons of one database have terms of their own."""
    await rig.event("old", at=NOW - 20 * DAY)

    def sweep_other(tx: Transaction) -> int:
        assert isinstance(tx, SqlTransaction)
        other = SqlTransaction(tx.connection, "other")
        return other.retention.sweep(DataKind.BODIES, before=NOW, after="", limit=10).gone

    assert await rig.storage.write(sweep_other) == 0
    assert await rig.has_body("old")
    kept = select(func.count()).select_from(events).where(events.c.sealed_body.is_not(None))

    def count(tx: Transaction) -> int:
        assert isinstance(tx, SqlTransaction)
        return int(tx.connection.execute(kept).scalar_one())

    assert await rig.storage.read(count) == 1


async def test_a_day_on_which_nothing_is_over_leaves_no_entry_in_the_journal(rig: Rig) -> None:
    """Three hundred empty entries a year would hide the others; a person who asks is always noted."""
    await rig.event("young", at=NOW - DAY)
    await rig.person("1", heard_at=NOW, made_at=NOW - 2000 * DAY)
    assert set((await rig.retention.sweep()).values()) == {0}
    assert await rig.journal.newest(limit=9) == []
    assert all(line.swept_at == NOW for line in await rig.retention.lines())
    await rig.retention.sweep(by="command")
    assert [row.entry.on for row in await rig.journal.newest(limit=9)] == ["ended", "begun"]
    for name in ("bodies", "people"):
        rig.clock.move(20 * DAY if name == "bodies" else 1200 * DAY)
        await rig.retention.sweep()
    assert len(await rig.journal.newest(limit=9)) == 6, "what is over is noted again"
