"""The light of a connection, over a whole opened house."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadgate.app import open_app
from leadgate.app.initialise import initialise
from leadgate.model.connections import ConnectionState
from leadgate.model.views import Light
from leadgate.ports.stores import Transaction
from leadgate.settings import read_settings
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import CRM, new_connection


@pytest.mark.parametrize(
    ("problem", "state", "light"),
    [
        ("bitrix24.unreachable", ConnectionState.ACTIVE, Light.WARN),
        ("bitrix24.revoked", ConnectionState.ACTIVE, Light.BAD),
        ("bitrix24.plan_without_rest", ConnectionState.ACTIVE, Light.BAD),
        ("bitrix24.revoked", ConnectionState.PAUSED, Light.PAUSED),
    ],
)
async def test_what_no_waiting_cures_is_red(problem: str, state: ConnectionState, light: Light, tmp_path: Path) -> None:
    """A page that says "we try again by ourselves" about a revoked key makes the owner wait for nothing."""
    settings = read_settings(data=tmp_path / "data", environment={})
    clock, ids = SystemClock(), SystemIds()
    with initialise(settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=clock, ids=ids) as made:
        made.confirm_shown()

    def fill(tx: Transaction) -> None:
        tx.connections.add(new_connection(CRM, state=state))
        tx.lanes.wake("crm:1", connection_id=CRM, due_at=NOW)
        lease = tx.lanes.claim_one("crm:1", holder="h", now=NOW, until=NOW)
        assert lease is not None
        tx.lanes.release(lease, due_at=NOW, failures=1, problem=problem, problem_since=NOW)

    async with open_app(settings) as app:
        await app.storage.write(fill)
        await app.book.refresh(force=True)
        (view,) = await app.desk.connections()
    assert (view.light, view.problem) == (light, problem)
