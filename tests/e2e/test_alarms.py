"""The owner is told once when the CRM fails and once when it is well again, and nothing of a client is in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from leadgate.testing.mailbox import Mailbox, open_mailbox
from leadgate.testing.max_server import open_max
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

QUICK = {"LEADGATE_ALERT_DOWN_S": "1", "LEADGATE_ALERT_CALM_S": "1", "LEADGATE_ALERT_INTERVAL_S": "1"}
MARKS = ("900000", "900 000", "Алсу", "Гарипова", "markedtext", "markedalarmsecret", "markedportalsecret")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Where the alarms of the owner arrive."""
    async with open_mailbox() as box:
        yield box


async def test_a_crm_that_is_down_is_one_alarm_and_one_end(idle_salon: Salon, mailbox: Mailbox) -> None:
    """An owner who gets ten messages about one outage mutes them all."""
    salon = idle_salon
    salon.gateway.environment |= QUICK
    added = await salon.gateway.ask("alerts", "add", "--name", "Владелец", secrets={"url": mailbox.address})
    assert added["service"] == "JSON"
    await salon.restart()
    salon.portal.sandbox.faults.add("down")
    for number in range(501, 504):
        await salon.bot.accept(lead(number, message="markedtext"))
    (raised,) = await mailbox.having(1, timeout_s=45)
    assert "не дал ясного ответа" in raised["title"] or "не отвечает" in raised["title"]
    assert "ничего не потеряно" in raised["message"]
    listed = await salon.gateway.ask("alerts", "list")
    assert [(item["cause"], item["subject"]) for item in listed["items"]] == [("connection", salon.crm)]
    assert listed["items"][0]["count"] >= 3
    assert (listed["unsent"], [one["name"] for one in listed["addresses"]]) == (0, ["Владелец"])

    salon.portal.sandbox.faults.clear()
    await salon.portal.having(3, timeout_s=45)
    _, solved = await mailbox.having(2, timeout_s=45)
    assert solved["title"].endswith("снова на связи")
    await until(lambda: nothing_raised(salon), what="no alarm is left", timeout_s=15)
    assert len(mailbox.letters) == 2
    told = str(mailbox.letters) + salon.gateway.printed()
    assert [mark for mark in MARKS if mark in told] == []


async def test_an_address_that_fails_is_tried_again_and_a_second_one_is_told_meanwhile(
    idle_salon: Salon, mailbox: Mailbox
) -> None:
    """An alarm that nobody hears is no alarm."""
    salon = idle_salon
    salon.gateway.environment |= QUICK
    async with open_mailbox() as second:
        mailbox.status = 503
        await salon.gateway.ask("alerts", "add", "--name", "Первый", secrets={"url": mailbox.address})
        await salon.gateway.ask("alerts", "add", "--name", "Второй", secrets={"url": second.address})
        trial = await salon.gateway.command("alerts", "test", "--json")
        assert trial.code == 1
        assert [(item["name"], item["state"]) for item in trial.json()["items"]] == [
            ("Первый", "failed"),
            ("Второй", "taken"),
        ]
        salon.portal.sandbox.faults.add("revoked")
        await salon.restart()
        await salon.bot.accept(lead(511))
        _, raised = await second.having(2, timeout_s=45)
        assert "больше не принимает ключ" in raised["title"]
        assert "Выпустите новый ключ" in raised["message"]
        listed = await salon.gateway.ask("alerts", "list")
        assert listed["unsent"] == 1
        assert [one["error_code"] for one in listed["addresses"]] == ["alert.refused", None]
        mailbox.status = 200
        (late,) = await mailbox.having(1, timeout_s=45)
        assert late["title"] == raised["title"]
        assert (await salon.gateway.command("alerts", "test")).code == 0


async def test_the_owner_is_told_in_max(idle_salon: Salon) -> None:
    """By the real command and the real process; the token is on the wire alone."""
    salon = idle_salon
    salon.gateway.environment |= QUICK
    async with open_max() as messenger:
        base = quote(messenger.base, safe="")
        address = f"max://{messenger.token}@-70000000000001/?api_base={base}"
        added = await salon.gateway.ask("alerts", "add", secrets={"url": address})
        assert added["service"] == "MAX"
        assert (await salon.gateway.command("alerts", "test", added["address"])).code == 0
        salon.portal.sandbox.faults.add("revoked")
        await salon.restart()
        await salon.bot.accept(lead(521))
        _, (chat, text) = await until(
            lambda: messenger.sent if len(messenger.sent) > 1 else [], what="an alarm in MAX", timeout_s=45
        )
        assert chat == "chat:-70000000000001"
        assert "больше не принимает ключ" in text
        assert [mark for mark in (*MARKS, "markedmaxsecret") if mark in text + salon.gateway.printed()] == []


async def nothing_raised(salon: Salon) -> bool:
    """True when `alerts list` is empty."""
    return not (await salon.gateway.ask("alerts", "list"))["items"]
