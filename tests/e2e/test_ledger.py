"""The ledger from both sides: what people did by hand in the CRM is found and explained, and every event names its end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

LEAD_TYPE = 1


async def add_by_hand(salon: Salon, origin_id: str) -> int:
    """A lead that an employee or another program made with this origin id."""
    fields = {"title": "Копия", "originatorId": "leadgate", "originId": origin_id}
    added = await salon.portal.call(salon.bot.client, "crm.item.add", {"entityTypeId": LEAD_TYPE, "fields": fields})
    return int(added["item"]["id"])


async def delete_by_hand(salon: Salon, crm_id: int) -> None:
    """As an employee does."""
    await salon.portal.call(salon.bot.client, "crm.item.delete", {"entityTypeId": LEAD_TYPE, "id": crm_id})


async def reconcile(salon: Salon, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document."""
    finished = await salon.gateway.command("reconcile", "--json", *options)
    return finished.code, dict(finished.json())


async def test_leads_deleted_doubled_and_brought_in_by_hand_are_found_and_explained(salon: Salon) -> None:
    """That nothing is lost is believed only by who has seen it say that one is."""
    events = [await salon.bot.accept(lead(number)) for number in (301, 302, 303)]
    shown = {one["origin_id"].rpartition(":")[2]: one for one in await salon.portal.having(3)}
    await salon.idle()
    code, calm = await reconcile(salon)
    assert (code, calm["differences"], calm["leads_checked"], calm["leads_swept"]) == (0, [], 3, 3)

    gone, doubled = shown[events[0]], shown[events[1]]
    await delete_by_hand(salon, gone["id"])
    double = await add_by_hand(salon, doubled["origin_id"])
    stranger = await add_by_hand(salon, "conn_elsewhere:evt_elsewhere")
    code, found = await reconcile(salon)
    assert code == 1
    told = {difference["code"]: difference for difference in found["differences"]}
    assert {name: difference["crm_ids"] for name, difference in told.items()} == {
        "missing_in_crm": [f"lead:{gone['id']}"],
        "doubled_in_crm": [f"lead:{doubled['id']}", f"lead:{double}"],
        "stranger_in_crm": [f"lead:{stranger}"],
    }
    assert told["missing_in_crm"]["event_id"] == events[0]
    assert all(difference["explained"] for difference in told.values())
    assert found["received"] == found["in_crm"] == 3

    await delete_by_hand(salon, double)
    await delete_by_hand(salon, stranger)
    code, cured = await reconcile(salon)
    assert (code, [difference["code"] for difference in cured["differences"]]) == (1, ["missing_in_crm"])
    for_people = await salon.gateway.command("reconcile")
    assert (for_people.code, "удалили" in for_people.out) == (1, True)

    missing = cured["differences"][0]["lead_id"]
    assert (await salon.gateway.command("reconcile", "--accept", missing)).code == 2
    code, accepted = await reconcile(salon, "--accept", missing, "--reason", "пробная заявка")
    assert (code, accepted["differences"]) == (0, [])
    assert [note["code"] for note in accepted["notes"]] == ["accepted_in_crm"]
    assert (await reconcile(salon))[0] == 0
    assert (await salon.gateway.command("reconcile", "--accept", missing, "--reason", "ещё раз")).code != 0


async def test_every_event_names_its_end(salon: Salon) -> None:
    """One word for what became of it, with the CRM's id, or why it waits."""
    delivered = await salon.bot.accept(lead(311))
    await salon.portal.having(1)
    await salon.idle()
    await salon.gateway.ask("connections", "pause", salon.crm)
    waiting = await salon.bot.accept(lead(312))

    told = await salon.gateway.ask("events", "show", delivered)
    assert (told["ending"]["state"], told["crm"]) == ("delivered", f"lead:{salon.portal.leads()[0]['id']}")
    items = {item["id"]: item for item in (await salon.gateway.ask("events", "list"))["items"]}
    assert items[waiting]["ending"]["state"] == "waiting"
    assert items[waiting]["ending"]["why"] in {"not_worked_on", "paused"}
    code, balance = await reconcile(salon)
    assert (code, balance["received"], balance["in_crm"], balance["waiting"]) == (0, 2, 1, 1)
    assert "в CRM" in (await salon.gateway.command("events", "show", delivered)).out


async def test_a_database_put_back_from_a_copy_is_compared_by_itself(salon: Salon, tmp_path: Path) -> None:
    """Who restores a copy rarely tells the program; a lead that came after it stands in the CRM and nowhere here."""
    data, copy = salon.gateway.data, tmp_path / "copy"
    await salon.bot.accept(lead(321))
    await salon.portal.having(1)
    await salon.idle()
    await salon.gateway.stop()
    copy.mkdir()
    for file in data.glob("leadgate.sqlite3*"):
        shutil.copy2(file, copy / file.name)

    await salon.restart()
    await salon.bot.accept(lead(322))
    after_the_copy = (await salon.portal.having(2))[-1]
    await salon.idle()
    await salon.gateway.stop()
    for file in data.glob("leadgate.sqlite3*"):
        file.unlink()
    for file in copy.iterdir():
        shutil.copy2(file, data / file.name)

    await salon.restart()

    token = (await salon.gateway.ask("tokens", "create", "--role", "auditor", "--days", "1"))["token"]
    salon.bot.client.headers["Authorization"] = f"Bearer {token}"

    async def compared() -> dict[str, Any]:
        answer = await salon.bot.client.get(f"{salon.gateway.url}/api/v1/ledger")
        last = answer.json()["last_reconciliation"] or {}
        return last if last.get("cause") == "restore" else {}

    result = await until(compared, what="a comparison after the restore")
    found = {difference["code"]: difference["crm_ids"] for difference in result["differences"]}
    assert found == {"stranger_in_crm": [f"lead:{after_the_copy['id']}"]}
