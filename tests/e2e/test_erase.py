"""`subject erase` beside a running gateway: another process holds the opened keys and carries the order out."""

from __future__ import annotations

import json
from pathlib import Path

from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead
from tests.e2e.test_personal_data import in_files

PERSON = {"name": "Стираева-Меткина", "phone": "+79004711977", "email": "stir4711@example.org"}
MARKS = {"name": "Стираева", "phone": "9004711977", "tail": "4711977", "email": "stir4711"}


async def test_a_person_is_erased_by_their_phone_while_the_gateway_runs(salon: Salon, tmp_path: Path) -> None:
    """Named by a phone in any writing; the CRM, the files and the listings know nobody any more."""
    await salon.bot.accept(lead(message="Хочу стереться", contact=PERSON))
    await salon.portal.having(1)
    await salon.idle()
    asked = await salon.gateway.command("subject", "erase", "8 (900) 471-19-77")
    assert (asked.code, "Nothing was erased" in asked.err) == (2, True)
    assert PERSON["phone"] not in asked.err + asked.out

    act = tmp_path / "act.pdf"
    done = await salon.gateway.ask("subject", "erase", "8 (900) 471-19-77", "--yes", "--out", str(act))
    assert done["crm"]["state"] == "done"
    assert done["destroyed_key"] == f"subject:{done['subject']}"
    assert done["rows"]["profiles"] == 1
    assert done["act"] == str(act)
    assert act.read_bytes().startswith(b"%PDF-")
    again = await salon.gateway.command("subject", "erase", PERSON["phone"], "--yes", "--json")
    assert (again.code, PERSON["phone"] in again.err) == (1, False)

    assert not any(mark in json.dumps(salon.portal.leads(), ensure_ascii=False) for mark in MARKS.values())
    await salon.balanced()
    listed = await salon.gateway.ask("subject", "erasures")
    assert [(one["erasure"], one["crm"]["state"]) for one in listed["items"]] == [(done["erasure"], "done")]
    extract = tmp_path / "extract.pdf"
    written = await salon.gateway.command("subject", "act", done["erasure"], "--out", str(extract), "--extract")
    assert (written.code, extract.read_bytes()[:5]) == (0, b"%PDF-")

    await salon.bot.accept(lead(message="Я новый человек", contact=PERSON))
    await salon.portal.having(1)
    shown = await salon.gateway.ask("subject", "erase", done["subject"], "--yes")
    assert shown["erasure"] == done["erasure"]
    new = await salon.gateway.ask("subject", "erase", PERSON["email"], "--yes")
    assert new["subject"] != done["subject"]
    assert await salon.gateway.stop() == 0
    assert in_files(salon.gateway.data, MARKS) == {}
    assert not any(mark in salon.gateway.printed() for mark in MARKS.values())


async def test_an_order_waits_for_a_crm_that_is_away(salon: Salon) -> None:
    """The command says that the task is open; the gateway ends it when the CRM is back."""
    await salon.bot.accept(lead(message="Хочу стереться", contact=PERSON))
    await salon.portal.having(1)
    await salon.idle()
    salon.portal.sandbox.faults.add("down")
    done = await salon.gateway.ask("subject", "erase", PERSON["phone"], "--yes")
    assert done["crm"]["state"] == "open"
    assert done["crm"]["delivery"].startswith("dlv_")
    salon.portal.sandbox.faults.clear()

    async def is_done() -> bool:
        (one,) = (await salon.gateway.ask("subject", "erasures"))["items"]
        return bool(one["crm"]["state"] == "done")

    await until(is_done, what="the CRM has done it", timeout_s=60)
    assert salon.portal.leads() == []
