"""Leads that the CRM refuses: one cause, one cure, one command, and nothing is lost on the way."""

from __future__ import annotations

from typing import Any

from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead


async def test_what_one_cause_held_back_goes_with_one_command_after_the_cure(salon: Salon) -> None:
    """An administrator breaks a field and twenty leads stand still; mending it must not cost twenty decisions."""
    store = salon.portal.sandbox.portal.leads
    usual, store.limit = store.limit, 0
    events = [await salon.bot.accept(lead(number)) for number in (501, 502)]

    async def both_refused() -> list[dict[str, Any]]:
        causes = (await salon.gateway.ask("deliveries", "causes"))["items"]
        return causes if causes and causes[0]["count"] == len(events) else []

    (cause,) = await until(both_refused, what="two dead letters of one cause")
    assert cause["cause"] == "bitrix24.ERROR_CORE"
    told = await salon.gateway.ask("events", "show", events[0])
    assert (told["ending"]["state"], told["ending"]["why"]) == ("refused", "bitrix24.ERROR_CORE")
    balance = (await salon.gateway.command("reconcile", "--json")).json()
    assert (balance["received"], balance["dead"], balance["differences"]) == (2, 2, [])

    store.limit = usual
    other = await salon.gateway.ask("deliveries", "retry", "--all-dead", "--cause", "crm.another")
    assert (other["retried"], salon.portal.leads()) == (0, [])
    cured = await salon.gateway.ask("deliveries", "retry", "--all-dead", "--cause", cause["cause"])
    assert cured["retried"] == len(events)
    await salon.portal.having(len(events))
    await salon.idle()
    assert (await salon.balanced())["in_crm"] == len(events)
    assert (await salon.gateway.ask("deliveries", "causes"))["items"] == []
