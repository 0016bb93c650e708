"""What goes to whom, with a running gateway, a portal and a messenger: read off what they were really sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from leadgate.app import open_app
from leadgate.booking.salon_book import write_salon
from leadgate.catalogue.texts import load_texts
from leadgate.integrations.bitrix24.written import WRITTEN
from leadgate.model.salon import Salon as Book
from leadgate.model.salon import Service
from leadgate.privacy.allow_list import FIXED, POSSIBLE, CrmField, CrmObject
from leadgate.processing.reach import Notice
from leadgate.sandbox.bitrix24.call import Call
from leadgate.sandbox.bitrix24.envelope import Reply
from leadgate.sandbox.bitrix24.methods import METHODS
from leadgate.sandbox.bitrix24.portal import CLASSIC_MODE, SIMPLE_MODE
from leadgate.settings import read_settings
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead
from tests.e2e.test_conversation import Client

HIDDEN = load_texts("bot", "ru").get("entry_health")
OBJECTS = {1: CrmObject.LEAD, 2: CrmObject.DEAL, 3: CrmObject.CONTACT}
WRITES = ("add", "update", "set", "delete", "import", "register")
SERVICE = "Удаление папиллом"

Sent = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Every call that the portal ran, those inside a batch too."""
    calls: Sent = []

    def noted(name: str, handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def run(call: Call) -> Reply:
            calls.append((name, call.params))
            return handler(call)

        return run

    methods = {name: noted(name, handler) for name, handler in METHODS.items()}
    monkeypatch.setattr("leadgate.sandbox.bitrix24.gateway.METHODS", methods)
    return calls


def written(sent: Sent) -> Iterator[tuple[CrmObject | None, str, object]]:
    """Object, the portal's name of the field, and the value, for everything that was written; no object: an unknown one."""
    for method, params in sent:
        if not method.rpartition(".")[2].startswith(WRITES):
            continue
        thing = {"crm.timeline.comment.add": CrmObject.ENTRY}.get(method)
        if thing is None and method in ("crm.item.add", "crm.item.update"):
            thing = OBJECTS.get(int(str(params["entityTypeId"])))
        fields = params.get("fields")
        if thing is None or not isinstance(fields, Mapping):
            yield thing, method, params
            continue
        for name, value in fields.items():
            if name == "fm":
                entries = value.values() if isinstance(value, Mapping) else value
                yield from ((thing, f"fm.{entry['typeId']}", entry["value"]) for entry in entries)
            else:
                yield thing, name, value


async def go_through_everything(salon: Salon) -> None:
    """A whole lead, a follow-up, news of the person: everything that the integration writes."""
    contact = {
        "name": "Алсу Гарипова",
        "phone": "+79000000977",
        "username": "alsu_demo",
        "channel_user_id": "4711-4712",
    }
    await salon.bot.accept(lead(977, contact=contact))
    await salon.portal.having(1)
    await salon.bot.accept(lead(977, contact={**contact, "email": "alsu@example.org"}, message="ещё вопрос"))
    await salon.portal.with_entry("ещё вопрос")
    await salon.idle()


@pytest.mark.parametrize("mode", [CLASSIC_MODE, SIMPLE_MODE])
async def test_the_portal_is_written_no_field_that_the_allow_list_does_not_name(
    salon: Salon, sent: Sent, mode: int
) -> None:
    """Whoever teaches the integration to write one more field names it in the allow-list, where the owner reads of it."""
    salon.portal.sandbox.portal.mode = mode
    await go_through_everything(salon)
    seen = {(thing, name) for thing, name, _ in written(sent)}
    unnamed = [(thing, name) for thing, name in seen if thing is None or not WRITTEN[thing].get(name)]
    assert unnamed == []
    expected = {CrmObject.CONTACT, CrmObject.ENTRY, CrmObject.LEAD if mode == CLASSIC_MODE else CrmObject.DEAL}
    assert {thing for thing, _ in seen} == expected
    assert "4711-4712" not in repr(sent)


def test_what_is_written_is_what_the_owner_reads_of() -> None:
    """The table of the integration and the allow-list cover each other, object by object."""
    for thing in CrmObject:
        named = {field for fields in WRITTEN[thing].values() for field in fields}
        assert named <= POSSIBLE[thing], thing
        # A contact's channel stands in the type of its messenger entry.
        assert POSSIBLE[thing] - named <= {CrmField.CHANNEL}, thing


async def test_a_field_that_was_taken_out_is_written_nowhere(salon: Salon, sent: Sent) -> None:
    """By command, while the gateway runs; what cannot be taken out still comes."""
    closed = [f"{thing}.{name}" for thing in CrmObject for name in sorted(POSSIBLE[thing] - FIXED[thing])]
    options = [word for place in closed for word in ("--close", place)]
    told = await salon.gateway.ask("policies", "set", *options)
    assert told["version"] == 1

    async def has_followed() -> bool:
        sent.clear()
        await salon.bot.accept(lead(978, message="проба"))
        await salon.idle()
        return "проба" not in repr(sent)

    await until(has_followed, what="the gateway has followed", timeout_s=30)
    sent.clear()
    await salon.bot.accept(lead(979, message="совсем тайные слова"))
    await salon.portal.having(2)
    await salon.idle()
    assert not any(word in repr(sent) for word in ("тайные", "Алсу", "Маникюр", "instagram", "osen", "26.11.2026"))
    assert {(thing, name) for thing, name, _ in written(sent)} == {
        *((CrmObject.LEAD, name) for name in ("title", "originatorId", "originId", "sourceId", "sourceDescription")),
        *((CrmObject.LEAD, name) for name in ("contactIds", "fm.PHONE")),
        *((CrmObject.CONTACT, name) for name in ("originatorId", "originId", "fm.PHONE")),
        *((CrmObject.ENTRY, name) for name in ("ENTITY_ID", "ENTITY_TYPE", "COMMENT")),
    }


async def test_what_a_salons_client_says_of_health_reaches_neither_crm_nor_messenger(salon: Salon, sent: Sent) -> None:
    """From a messenger and from a bot builder; the count is there for the owner, the words are not."""
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        client = Client(server, salon, made)
        await salon.heard(made["webhook_path"])
        await client.write("Здравствуйте, у меня диабет, можно на педикюр?")
        await client.write("У меня диабет")
        await salon.bot.accept(lead(981, message="у меня диабет, примете?", service="педикюр, у меня диабет"))
        await salon.portal.having(2)
        await salon.idle()
        said = [str(message["text"]) for message in server.sent]
    assert "диабет" not in repr(sent).lower()
    assert not [text for text in said if "диабет" in text.lower()]
    assert [text for text in said if "О здоровье лучше" in text] == [said[0]]
    assert len([text for entry in salon.portal.leads() for text in entry["timeline"] if HIDDEN in text["text"]]) >= 3
    held = (await salon.gateway.ask("health", "show"))["held_back"]
    assert {(one["place"], one["kind"]): one["count"] for one in held} == {("crm", "HEALTH"): 4}
    metrics = (await salon.bot.client.get(f"{salon.gateway.url}/metrics")).text
    assert 'leadgate_held_back_total{kind="HEALTH",place="crm"} 4.0' in metrics


async def test_no_message_of_a_clinic_names_a_service(salon: Salon) -> None:
    """The mode is set while the gateway runs; a notice that was written with a name goes out without it."""
    async with open_app(read_settings(data=salon.gateway.data)) as app:
        service = Service(service_id="s1", name=SERVICE, price_kopecks=100, minutes=10)
        await app.storage.write(lambda tx: write_salon(tx, Book(services=(service,))))
    await salon.gateway.ask("health", "set", "clinic", "--reason", "клиника косметологии")
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        client = Client(server, salon, made)
        await salon.heard(made["webhook_path"])
        await client.write("Здравствуйте")
        await client.write("Алсу")
        async with open_app(read_settings(data=salon.gateway.data)) as app:
            page = await app.desk.events(limit=1)
            event = await app.storage.read(lambda tx: tx.events.find(page.items[0].event_id))
            assert event is not None
            notice = Notice(text=f"Ждём вас завтра в 10:00 на {SERVICE.lower()}")
            subject = event.subject_id or ""
            await app.storage.write(lambda tx: app.reach.tell(tx, subject, notice, at=app.clock.now()))

        def arrived() -> list[str]:
            return [str(message["text"]) for message in server.sent if "10:00" in str(message["text"])]

        assert await until(arrived, what="the notice", timeout_s=30) == ["Ждём вас завтра в 10:00 на приём"]
    shown = await salon.gateway.ask("health", "show")
    assert {(one["place"], one["kind"]) for one in shown["held_back"]} == {("messenger", "SERVICE")}


async def test_a_rule_that_was_edited_in_the_database_opens_nothing(salon: Salon) -> None:
    """A thief with the file writes that cards pass and the model reads names; a log line says so, with a page in the runbook."""
    body = b'{"passes":{"crm_lead":["CARD","PERSON"],"crm_comment":["CARD","PASSPORT"]},"fields":{},"changes":[]}'
    with sqlite3.connect(salon.gateway.data / "leadgate.sqlite3") as database:
        (workspace,) = database.execute("SELECT workspace_id FROM workspaces").fetchone()
        values = (workspace, "policies", body, 7, 0, "staff_1")
        database.execute(
            "INSERT INTO rules (workspace_id, name, body, version, changed_at, changed_by) VALUES (?,?,?,?,?,?)", values
        )
    running = salon.gateway.running
    assert running is not None
    await until(
        lambda: running.log("policy.rule_refused", kind="policies", version=7), what="the log line", timeout_s=30
    )
    await salon.bot.accept(lead(984, message="карта 4111 1111 1111 1111, паспорт 9208 134677"))
    (made,) = await salon.portal.having(1)
    await salon.idle()
    assert not any(number in repr(salon.portal.leads()) for number in ("4111 1111", "134677")), made
    shown = await salon.gateway.ask("policies", "show")
    assert (shown["refused"], shown["version"]) == (True, 7)
    refused = await salon.gateway.command("policies", "set", "--open", "crm_lead:CARD", "--reason", "нужно")
    assert (refused.code, "CARD leaves for nobody" in refused.err) == (2, True)
