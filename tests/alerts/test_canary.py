"""The canary walks through a whole opened house; what the CRM says is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.alerts.canary import CRM_FAILING, EVERY, SENT, CanaryWalk, CrmAnswer
from leadgate.app import App, open_app
from leadgate.app.alarms import House, send_canary
from leadgate.app.initialise import initialise
from leadgate.errors import OverloadedError, ServiceUnavailableError
from leadgate.model.alerts import CANARY_ID, Cause, Signs
from leadgate.model.webhooks import RawWebhook
from leadgate.settings import read_settings
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.connections import NOW

NOTHING = Signs(connections=[])
DOWN_AFTER = timedelta(minutes=5)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """A house that `init` made."""
    settings = read_settings(data=tmp_path / "data", environment={})
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ) as made:
        made.confirm_shown()
    async with open_app(settings) as opened:
        yield opened


class Crm:
    """What the CRM says when it is asked, and how often it was."""

    def __init__(self) -> None:
        self.code: str | None = None
        self.asked = 0
        self.is_silent = False

    async def __call__(self) -> CrmAnswer:
        self.asked += 1
        if self.is_silent:
            raise ServiceUnavailableError("No answer.")
        return CrmAnswer("conn_crm", "Битрикс24", self.code)


@pytest.fixture
def crm() -> Crm:
    """A CRM that is well."""
    return Crm()


def walk(app: App, crm: Crm) -> CanaryWalk:
    """The canary of one process."""

    async def send(request: RawWebhook) -> str:
        house: House = app
        return await send_canary(house, request)

    return CanaryWalk(app.storage, send, crm, workspace_id=app.workspace.workspace_id, down_after=DOWN_AFTER)


async def test_a_canary_walks_the_whole_way_once_a_day_and_leaves_no_trace_in_the_numbers(app: App, crm: Crm) -> None:
    """Committed, claimed, opened, parsed, ended; no lead, no delivery, not in the ledger or a list."""
    canary = walk(app, crm)
    assert await canary.look(NOTHING, now=NOW) == []
    assert await canary.look(NOTHING, now=NOW + EVERY / 2) == []
    assert await canary.look(NOTHING, now=NOW + EVERY) == []
    note = await app.storage.read(lambda tx: tx.alerts.find_note(SENT))
    assert note is not None
    await app.settle()
    event = await app.storage.read(lambda tx: tx.events.find(note.detail))
    assert event is not None
    assert (event.connection_id, event.state.value, event.reason) == (CANARY_ID, "ignored", "canary")
    assert await canary.look(NOTHING, now=NOW + EVERY + timedelta(hours=1)) == []
    assert crm.asked == 1
    now = app.clock.now()
    ledger = await app.storage.query(lambda q: q.ledger(since=now - EVERY, until=now + EVERY))
    figures = await app.desk.figures(since=now - EVERY, until=now + EVERY)
    assert (ledger.received, figures.came, figures.ignored) == (0, 0, 0)
    assert not (await app.desk.events(limit=5)).items
    await app.book.refresh(force=True)
    assert not list(await app.desk.connections())


async def test_a_canary_that_does_not_come_through_is_told(app: App, crm: Crm) -> None:
    """Nobody works on the inbox: clients wait too."""
    canary = walk(app, crm)
    await canary.look(NOTHING, now=NOW)
    sent_at = NOW + EVERY
    await canary.look(NOTHING, now=sent_at)
    assert await canary.look(NOTHING, now=sent_at + timedelta(minutes=9)) == []
    (trouble,) = await canary.look(NOTHING, now=sent_at + timedelta(minutes=11))
    assert (trouble.cause, trouble.since) == (Cause.CANARY, sent_at)
    await app.settle()
    assert await canary.look(NOTHING, now=sent_at + timedelta(minutes=12)) == []


async def test_a_late_canary_is_told_until_one_comes_through(app: App, crm: Crm) -> None:
    """The next one starts after a day: that is no end, and an owner who reads "solved" would go home."""
    canary, late_at = walk(app, crm), NOW + EVERY + timedelta(minutes=11)
    await canary.look(NOTHING, now=NOW)
    await canary.look(NOTHING, now=NOW + EVERY)
    for at in (late_at, NOW + 2 * EVERY, NOW + 2 * EVERY + timedelta(minutes=1)):
        (trouble,) = await canary.look(NOTHING, now=at)
        assert (trouble.cause, trouble.since) == (Cause.CANARY, NOW + EVERY)
    await app.settle()
    assert await canary.look(NOTHING, now=NOW + 2 * EVERY + timedelta(minutes=2)) == []
    assert await canary.look(NOTHING, now=NOW + 2 * EVERY + timedelta(minutes=30)) == []


async def test_a_crowded_intake_puts_the_canary_off(app: App, crm: Crm) -> None:
    """Clients go first; the other alarms of this look are told all the same."""
    is_crowded = True

    async def send(request: RawWebhook) -> str:
        if is_crowded:
            raise OverloadedError("full")
        house: House = app
        return await send_canary(house, request)

    canary = CanaryWalk(app.storage, send, crm, workspace_id=app.workspace.workspace_id, down_after=DOWN_AFTER)
    await canary.look(NOTHING, now=NOW)
    assert await canary.look(NOTHING, now=NOW + EVERY) == []
    is_crowded = False
    await canary.look(NOTHING, now=NOW + EVERY + timedelta(seconds=15))
    note = await app.storage.read(lambda tx: tx.alerts.find_note(SENT))
    assert note is not None
    assert note.at == NOW + EVERY + timedelta(seconds=15)


async def test_no_answer_does_not_end_what_was_known(app: App, crm: Crm) -> None:
    """A revoked key stays told while the portal is silent on top of it."""
    canary, at = walk(app, crm), NOW + EVERY
    crm.code = "bitrix24.revoked"
    await canary.look(NOTHING, now=NOW)
    await canary.look(NOTHING, now=at)
    await app.settle()
    assert len(await canary.look(NOTHING, now=at + timedelta(seconds=15))) == 1
    crm.is_silent = True
    assert len(await canary.look(NOTHING, now=at + timedelta(minutes=6))) == 1
    assert crm.asked == 2
    crm.is_silent, crm.code = False, None
    assert await canary.look(NOTHING, now=at + timedelta(minutes=12)) == []


async def test_a_revoked_webhook_is_found_without_a_lead(app: App, crm: Crm) -> None:
    """On a quiet evening, and told until the CRM knows us again, also by a process that was started meanwhile."""
    canary, at = walk(app, crm), NOW + EVERY
    crm.code = "bitrix24.revoked"
    await canary.look(NOTHING, now=NOW)
    await canary.look(NOTHING, now=at)
    await app.settle()
    (trouble,) = await canary.look(NOTHING, now=at + timedelta(seconds=15))
    assert (trouble.cause, trouble.subject, trouble.detail) == (Cause.CONNECTION, "conn_crm", "bitrix24.revoked")
    assert len(await canary.look(NOTHING, now=at + timedelta(seconds=30))) == 1
    assert crm.asked == 1
    restarted = walk(app, crm)
    assert len(await restarted.look(NOTHING, now=at + timedelta(minutes=20))) == 1
    crm.code = None
    assert await restarted.look(NOTHING, now=at + timedelta(minutes=26)) == []
    assert await app.storage.read(lambda tx: tx.alerts.find_note(CRM_FAILING)) is None


async def test_a_crm_that_is_away_for_a_moment_is_no_alarm(app: App, crm: Crm) -> None:
    """Portals have bad minutes; findings about rights and habits are the check's own business."""
    canary, at = walk(app, crm), NOW + EVERY
    await canary.look(NOTHING, now=NOW)
    await canary.look(NOTHING, now=at)
    await app.settle()
    crm.code = "bitrix24.unreachable"
    assert await canary.look(NOTHING, now=at + timedelta(seconds=15)) == []
    assert len(await canary.look(NOTHING, now=at + timedelta(minutes=6))) == 1
    crm.code = "bitrix24.webhook_of_administrator"
    assert await canary.look(NOTHING, now=at + timedelta(minutes=12)) == []
