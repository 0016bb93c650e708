"""What alarms keep and read, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from leadgate.alerts.raising import review
from leadgate.errors import ConflictError
from leadgate.model.alerts import AlertTarget, Cause, Note, Trouble
from leadgate.model.connections import ConnectionState
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.ports.stores import Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.testing.storage_suite import BOT, CRM, LANE, new_connection, new_delivery, new_event

HOUR = timedelta(hours=1)
TARGET = AlertTarget(target_id="addr_1", name="Владелец", service="JSON", created_at=NOW, sealed_address=b"sealed")
TROUBLE = Trouble(cause=Cause.CONNECTION, subject=CRM, who="CRM", detail="x.y", count=3, since=NOW)


class OnEachEngine:
    @pytest.fixture
    def database_url(self) -> str:
        """The address of an up-to-date database."""
        raise NotImplementedError

    @pytest.fixture
    def storage(self, database_url: str) -> Iterator[SqlStorage]:
        """An empty workspace."""
        opened = open_storage(database_url, f"ws_{uuid4().hex}")
        yield opened
        opened.close()

    async def test_alarms_come_back_as_they_were_kept(self, storage: SqlStorage) -> None:
        """And what was told of those that are forgotten goes with them."""
        kept = review([], [TROUBLE, replace(TROUBLE, subject="conn_2", count=0)], now=NOW, calm=HOUR)
        kept = review(kept, [TROUBLE], now=NOW + HOUR, calm=timedelta())

        def fill(tx: Transaction) -> None:
            tx.alerts.replace_all(kept)
            for alert in kept:
                tx.alerts.set_told(alert.key, "addr_1", 1)
                tx.alerts.set_told(alert.key, "addr_1", alert.round)

        await storage.write(fill)
        assert set(await storage.read(lambda tx: tx.alerts.all())) == set(kept)
        told = await storage.read(lambda tx: tx.alerts.told())
        assert told == {(alert.key, "addr_1"): alert.round for alert in kept}
        await storage.write(lambda tx: tx.alerts.replace_all(kept[:1]))
        assert set(await storage.read(lambda tx: tx.alerts.told())) == {(kept[0].key, "addr_1")}

    async def test_addresses_are_kept_changed_and_forgotten(self, storage: SqlStorage) -> None:
        """Their names are taken once; how sends end changes, the address does not."""
        await storage.write(lambda tx: tx.alerts.add_target(TARGET))
        with pytest.raises(ConflictError, match="Владелец"):
            await storage.write(lambda tx: tx.alerts.add_target(replace(TARGET, target_id="addr_2")))
        failing = replace(TARGET, failures=2, failing_since=NOW, retry_at=NOW + HOUR, last_error="alert.refused")
        await storage.write(lambda tx: tx.alerts.set_target(replace(failing, sealed_address=b"other")))
        assert await storage.read(lambda tx: tx.alerts.targets()) == [failing]
        assert await storage.write(lambda tx: tx.alerts.remove_target("addr_1"))
        assert not await storage.write(lambda tx: tx.alerts.remove_target("addr_1"))

    async def test_notes_are_replaced_and_dropped(self, storage: SqlStorage) -> None:
        """Other parts of the house leave them."""
        note = Note(topic="database_check", subject="", at=NOW, detail="page 7")
        await storage.write(lambda tx: tx.alerts.note(note))
        await storage.write(lambda tx: tx.alerts.note(replace(note, detail="page 8")))
        assert await storage.read(lambda tx: tx.alerts.find_note("database_check")) == replace(note, detail="page 8")
        await storage.write(lambda tx: tx.alerts.drop_note("database_check"))
        assert await storage.read(lambda tx: tx.alerts.find_note("database_check")) is None

    async def test_hours_are_counted_from_the_events_and_old_ones_forgotten(self, storage: SqlStorage) -> None:
        """An event at the full hour belongs to the hour that begins."""
        for number, at in enumerate([NOW - timedelta(microseconds=1), NOW, NOW + HOUR / 2, NOW + HOUR]):
            await storage.receive(replace(new_event(str(number)), received_at=at))
        counts = await storage.read(lambda tx: tx.alerts.count_hour(NOW))
        assert counts == {BOT: 2}
        await storage.write(lambda tx: tx.alerts.add_flow(NOW, {BOT: 9}, forget_before=NOW))
        await storage.write(lambda tx: tx.alerts.add_flow(NOW, counts, forget_before=NOW))
        assert await storage.read(lambda tx: tx.alerts.flow()) == {BOT: {NOW: 2}}
        await storage.write(lambda tx: tx.alerts.add_flow(NOW + HOUR, {}, forget_before=NOW + HOUR))
        assert await storage.read(lambda tx: tx.alerts.flow()) == {}

    async def test_signs_show_what_is_wrong_with_each_connection(self, storage: SqlStorage) -> None:
        """Everything that a cause is made of, and nothing of a removed connection."""
        await storage.write(self._break_things)
        signs = await storage.read(lambda tx: tx.alerts.signs(now=NOW + HOUR))
        views = {view.connection_id: view for view in signs.connections}
        assert set(views) == {CRM, BOT}
        crm, bot = views[CRM], views[BOT]
        assert (crm.problem, crm.problem_since) == ("bitrix24.timeout", NOW)
        assert (crm.waiting, crm.overdue_since) == (1, NOW)
        assert (crm.dead, crm.dead_since, crm.uncertain) == ({"x.y": 1}, NOW, 1)
        assert (bot.is_paused, bot.pending, bot.problem) == (True, 0, None)
        assert (signs.homeless, signs.homeless_since) == (1, NOW)

    async def test_of_several_lanes_the_trouble_that_needs_a_person_is_shown(self, storage: SqlStorage) -> None:
        """A portal that is slow in one lane and refuses the key in another refuses the key."""
        problems = {"crm:a": "bitrix24.unreachable", "crm:b": "bitrix24.revoked", "crm:c": "bitrix24.timeout"}

        def fill(tx: Transaction) -> None:
            tx.connections.add(new_connection(CRM))
            for lane, problem in problems.items():
                tx.lanes.wake(lane, connection_id=CRM, due_at=NOW)
                lease = tx.lanes.claim_one(lane, holder="h", now=NOW, until=NOW + HOUR)
                assert lease is not None
                tx.lanes.release(lease, due_at=NOW, failures=1, problem=problem, problem_since=NOW)

        await storage.write(fill)
        signs = await storage.read(lambda tx: tx.alerts.signs(now=NOW + HOUR))
        assert signs.connections[0].problem == "bitrix24.revoked"

    async def test_signs_count_events_that_wait_or_broke(self, storage: SqlStorage) -> None:
        """Those of paused connections are not overdue."""
        await storage.write(lambda tx: tx.connections.add(new_connection(BOT)))
        for name in ("1", "2", "3"):
            await storage.receive(new_event(name))

        def fail(tx: Transaction) -> None:
            ending = {"subject_id": None, "lead_id": None, "resealed": None, "at": NOW}
            tx.events.finish("evt_1", state=EventState.FAILED, reason="event.crashed", **ending)  # type: ignore[arg-type]  # values of several types

        await storage.write(fail)
        signs = await storage.read(lambda tx: tx.alerts.signs(now=NOW + HOUR))
        assert (signs.pending, signs.pending_since) == (2, NOW)
        assert (signs.connections[0].failed, signs.connections[0].failed_since) == (1, NOW)
        late = await storage.read(lambda tx: tx.alerts.signs(now=NOW + timedelta(days=8)))
        assert late.connections[0].failed == 0
        await storage.write(lambda tx: tx.connections.set_state(BOT, ConnectionState.PAUSED, at=NOW))
        signs = await storage.read(lambda tx: tx.alerts.signs(now=NOW + HOUR))
        assert (signs.pending, signs.pending_since) == (0, None)
        assert signs.connections[0].pending == 2

    @staticmethod
    def _break_things(tx: Transaction) -> None:
        tx.connections.add(new_connection(CRM))
        tx.connections.add(new_connection(BOT, state=ConnectionState.PAUSED, name="bot"))
        tx.connections.add(new_connection("conn_gone", state=ConnectionState.REMOVED, name="gone"))
        for name in ("waits", "dead", "uncertain"):
            tx.deliveries.add(new_delivery(name, lane=LANE, lead_id=None))
        homeless = replace(new_delivery("homeless", lane="crm:", lead_id=None), connection_id="")
        tx.deliveries.add(homeless)
        for name, state in (("dead", DeliveryState.DEAD), ("uncertain", DeliveryState.UNCERTAIN)):
            tx.deliveries.settle(
                new_delivery(name).delivery_id,
                state=state,
                due_at=None,
                failures=1,
                error_code="x.y",
                error_detail=None,
                external_id=None,
                at=NOW,
            )
        tx.lanes.wake(LANE, connection_id=CRM, due_at=NOW)
        lease = tx.lanes.claim_one(LANE, holder="h", now=NOW, until=NOW + HOUR)
        assert lease is not None
        tx.lanes.release(lease, due_at=NOW, failures=1, problem="bitrix24.timeout", problem_since=NOW)


class TestSqlite(OnEachEngine):
    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        """A file."""
        return sqlite_url(tmp_path)


class TestPostgres(OnEachEngine):
    @pytest.fixture
    def database_url(self, postgres_shared: str) -> str:
        """The shared server."""
        return postgres_shared
