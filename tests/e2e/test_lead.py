"""The main job: a signed lead of a bot builder becomes exactly one lead in the CRM."""

from __future__ import annotations

from tests.e2e.conftest import Salon
from tests.e2e.sender import lead


async def test_a_signed_lead_stands_in_the_crm_exactly_once_and_a_redelivery_changes_nothing(salon: Salon) -> None:
    """This is what the product is bought for; a builder that got no answer repeats, and the salon must not call twice."""
    event = await salon.bot.accept(lead(101), webhook_id="msg_one")
    (made,) = await salon.portal.having(1)
    again = await salon.bot.post(lead(101), webhook_id="msg_one")

    assert again.status_code == 202
    assert again.json() == {"event": event, "status": "duplicate"}
    await salon.portal.with_entry("Хочу на маникюр")
    (made,) = salon.portal.leads()
    assert made["name"] == "Алсу Гарипова"
    record = next(iter(salon.portal.sandbox.portal.leads))
    assert record.first("PHONE") == "+79000000101"
    assert made["contact"]["phone"] == "+79000000101"
    assert made["source_id"]
    assert "telegram" in (made["title"] + made["source_description"]).lower()
    assert made["utm"] == {
        "source": "instagram",
        "medium": "cpc",
        "campaign": "osen",
        "content": "video",
        "term": "маникюр",
    }
    assert "Хочу на маникюр в четверг" in made["comments"]
    assert "Маникюр с покрытием" in made["comments"]
    assert "26.11.2026 18:00" in made["comments"]
    assert made["originator_id"].startswith("leadgate")
    assert made["origin_id"] == f"{salon.bot_connection}:{event}"
    assert len(made["timeline"]) == 1

    told = await salon.gateway.ask("events", "show", event)
    assert told["crm"] == f"lead:{made['id']}"
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"]) == (1, 1, 0)


async def test_a_second_request_of_the_same_person_is_an_entry_and_after_closing_a_new_lead(salon: Salon) -> None:
    """Two leads for one person make two managers call her; and a person who comes back must not vanish in an old lead."""
    await salon.bot.accept(lead(102))
    (first,) = await salon.portal.having(1)
    await salon.bot.accept(lead(102, message="И ещё педикюр, пожалуйста", channel="whatsapp"))
    shown = await salon.portal.with_entry("И ещё педикюр")

    assert shown["id"] == first["id"]
    assert len(salon.portal.leads()) == 1
    head, words, *_ = shown["timeline"][-1]["text"].split("\n")
    author, channel, moment = head.split(" · ")
    assert (author, channel.lower()) == ("Алсу Гарипова", "whatsapp")
    assert moment[2] == moment[5] == "."
    assert moment[13] == ":"
    assert words == "И ещё педикюр, пожалуйста"

    await salon.portal.close(salon.bot.client, first)
    assert salon.portal.leads()[0]["closed"]
    await salon.bot.accept(lead(102, message="Снова хочу к вам"))
    second = (await salon.portal.having(2))[-1]
    assert second["id"] != first["id"]
    await salon.portal.with_entry("Снова хочу к вам")
    assert not any("Снова хочу" in entry["text"] for entry in salon.portal.leads()[0]["timeline"])
    assert second["contact_id"] == first["contact_id"]
    assert (await salon.balanced())["leads_checked"] == 2


async def test_a_contact_that_is_there_already_is_linked_however_its_number_is_written(salon: Salon) -> None:
    """Salons bring years of contacts; a double of a contact splits the client's history."""
    contacts = []
    for number, written in enumerate(("+79000000110", "89000000111", "79000000112"), start=110):
        fields = {"NAME": "Алсу", "PHONE": [{"VALUE": written, "VALUE_TYPE": "WORK"}]}
        contacts.append(await salon.portal.call(salon.bot.client, "crm.contact.add", {"fields": fields}))
        await salon.bot.accept(lead(number))
    shown = await salon.portal.having(3)

    linked = {one["phone"]: one["contact_id"] for one in shown}
    assert [linked[f"+7900000011{number}"] for number in range(3)] == [int(contact) for contact in contacts]
    assert len(list(salon.portal.sandbox.portal.contacts)) == 3


async def test_a_portal_without_leads_gets_a_deal(salon: Salon) -> None:
    """Half of the small portals run in the simple mode; there a lead would be turned away or vanish."""
    await salon.bot.client.post(f"{salon.portal.url}/sandbox/portal", json={"mode": 2})
    await salon.bot.accept(lead(104))
    (shown,) = await salon.portal.having(1)

    assert shown["entity"] == "deal"
    assert shown["contact"]["phone"] == "+79000000104"
    assert shown["originator_id"].startswith("leadgate")
    await salon.bot.accept(lead(104, message="Можно пораньше?"))
    assert len((await salon.portal.with_entry("Можно пораньше?"))["timeline"]) == 2
    assert (await salon.balanced())["in_crm"] == 2
