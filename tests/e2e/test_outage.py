"""Partners fail: what waits then, in which order, who is told, and how it goes on."""

from __future__ import annotations

from typing import Any

from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead


async def crm_with_problem(salon: Salon, words: str) -> dict[str, Any]:
    """Wait until `connections list` shows the CRM with this problem."""

    async def look() -> dict[str, Any]:
        items = (await salon.gateway.ask("connections", "list"))["items"]
        view = next(item for item in items if item["id"] == salon.crm)
        return view if words in str(view["problem"]) else {}

    return await until(look, what=f"a problem with {words!r}")


async def test_while_the_crm_is_down_leads_wait_in_order_and_go_on_by_themselves(salon: Salon) -> None:
    """Portals have bad evenings; the salon must lose nothing, see why it waits, and do nothing about it."""
    salon.portal.sandbox.faults.add("down")
    events = [await salon.bot.accept(lead(401, message=f"Сообщение {number}")) for number in range(4)]
    await salon.bot.accept(lead(402))
    view = await crm_with_problem(salon, "connection_lost")
    assert view["light"] != "ok"
    assert view["since"]
    assert view["waiting"] == 7
    balance = await salon.gateway.command("reconcile", "--json")
    assert balance.code in {0, 3}, balance.err
    assert "Traceback" not in balance.err

    salon.portal.sandbox.faults.clear()
    await salon.portal.having(2, timeout_s=45)
    await salon.idle()
    (told,) = [one for one in salon.portal.leads() if one["origin_id"].endswith(events[0])]
    assert [entry["text"].rpartition(" ")[2] for entry in told["timeline"]] == events
    view = await salon.crm_view()
    assert (view["problem"], view["waiting"], view["light"]) == (None, 0, "ok")
    assert (await salon.balanced())["in_crm"] == 5


async def test_a_revoked_webhook_waits_says_so_and_goes_on_after_a_check(salon: Salon) -> None:
    """An administrator who leaves takes the webhook along; that is cured by a person, not by giving leads up."""
    salon.portal.sandbox.faults.add("revoked")
    await salon.bot.accept(lead(411))
    view = await crm_with_problem(salon, "NO_AUTH_FOUND")
    assert view["waiting"] == 2
    failed = await salon.gateway.command("connections", "check", salon.crm, "--json")
    assert failed.code == 1
    assert failed.json()["state"] == "fail"
    assert salon.portal.leads() == []

    salon.portal.sandbox.faults.clear()
    cured = await salon.gateway.command("connections", "check", salon.crm, "--json")
    assert cured.code == 0, cured.out
    await salon.portal.having(1, timeout_s=10)
    await salon.idle()
    assert (await salon.crm_view())["problem"] is None


async def test_a_paused_connection_keeps_everything_and_a_command_reaches_the_running_gateway(salon: Salon) -> None:
    """Pausing is for repairs, not for losing clients; nobody restarts a gateway to pause a connection."""
    await salon.gateway.ask("connections", "pause", salon.crm)

    async def is_followed() -> bool:
        return bool((await salon.crm_view())["light"] == "paused")

    await until(is_followed, what="the pause is shown", timeout_s=15)
    await salon.bot.accept(lead(421))
    await until(salon.unfinished, what="the lead waits", timeout_s=15)
    assert salon.portal.leads() == []
    await salon.gateway.ask("connections", "resume", salon.crm)
    await salon.portal.having(1, timeout_s=15)

    await salon.gateway.ask("connections", "pause", salon.bot_connection)
    for number in range(422, 425):
        await salon.bot.accept(lead(number))
    items = (await salon.gateway.ask("events", "list"))["items"]
    assert len(items) == 4
    await salon.gateway.ask("connections", "resume", salon.bot_connection)
    await salon.portal.having(4, timeout_s=15)
    await salon.idle()
    assert (await salon.balanced())["in_crm"] == 4


async def test_leads_that_come_before_a_crm_is_connected_go_to_it_later(salon: Salon) -> None:
    """Salons connect the bot first; what it brings meanwhile belongs to the CRM of tomorrow."""
    await salon.gateway.ask("connections", "remove", salon.crm)

    async def is_gone() -> bool:
        return all(item["id"] != salon.crm for item in (await salon.gateway.ask("connections", "list"))["items"])

    await until(is_gone, what="the CRM is removed", timeout_s=15)
    await salon.bot.accept(lead(431))
    secrets = {"webhook_url": salon.portal.webhook_url}
    await salon.gateway.connect("bitrix24", "Новая CRM", secrets=secrets, quiet_time_s="1")
    await salon.portal.having(1, timeout_s=20)
    await salon.idle()
    assert (await salon.balanced())["in_crm"] == 1
    gone = await salon.gateway.command("connections", "show", salon.crm, "--json")
    assert gone.code == 1
