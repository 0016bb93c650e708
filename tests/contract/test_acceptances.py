"""Accepted deletions of leads, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.model.staff import Role, Staff
from leadgate.model.views import AcceptedLead
from leadgate.ports.stores import StoredLead, Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import NOW
from leadgate.testing.databases import open_storage, sqlite_url

LATER = NOW + timedelta(hours=1)


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

    async def test_the_first_word_on_a_lead_stays_until_it_is_withdrawn(self, storage: SqlStorage) -> None:
        """Two people press at once: one of them is named. The name comes with it, a command has none."""

        def fill(tx: Transaction) -> None:
            staff = Staff(
                workspace_id=tx.workspace_id, staff_id="staff_1", name="Ирина", role=Role.OWNER, created_at=NOW
            )
            tx.staff.add(staff)
            for number in (1, 2):
                lead = StoredLead(
                    lead_id=f"lead_{number}",
                    subject_id=f"subj_{number}",
                    crm_connection_id="conn_crm",
                    origin_id=f"conn_1:evt_{number}",
                    state=LeadState.PENDING,
                    ref=None,
                    created_at=NOW,
                )
                tx.leads.add(lead)
                tx.leads.settle(lead.lead_id, state=LeadState.OPEN, ref=LeadRef(CrmEntity.LEAD, 48210 + number), at=NOW)

        await storage.write(fill)
        assert await storage.write(lambda tx: tx.acceptances.add("lead_1", at=NOW, by="staff_1", reason="дубль"))
        assert not await storage.write(lambda tx: tx.acceptances.add("lead_1", at=LATER, by="staff_2", reason="нет"))
        assert await storage.write(lambda tx: tx.acceptances.add("lead_2", at=LATER, by="command", reason="проба"))
        newest = await storage.read(lambda tx: tx.acceptances.newest(limit=9))
        assert [(one.lead_id, one.by_name) for one in newest] == [("lead_2", None), ("lead_1", "Ирина")]
        assert newest[1] == AcceptedLead(
            lead_id="lead_1",
            event_id="evt_1",
            crm_id="lead:48211",
            at=NOW,
            by="staff_1",
            by_name="Ирина",
            reason="дубль",
        )
        many = ["lead_1", "lead_3", *(f"lead_x{number}" for number in range(1200))]
        assert await storage.read(lambda tx: tx.acceptances.among(many)) == {"lead_1"}
        assert await storage.write(lambda tx: tx.acceptances.withdraw(many)) == 1
        assert await storage.read(lambda tx: tx.acceptances.among(["lead_1", "lead_2"])) == {"lead_2"}


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
