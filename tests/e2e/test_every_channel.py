"""The same conversation in every messenger: proven, answered, one lead, nothing twice, nobody forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from leadgate import registry
from leadgate.testing.vendor_server import Fault
from leadgate.testing.waiting import until
from leadgate.testing.whatsapp_server import WhatsAppServer
from tests.e2e.conftest import Salon
from tests.e2e.messengers import MESSENGERS, Messenger, Posted, WhatsApp

every_messenger = pytest.mark.parametrize("make", MESSENGERS, ids=lambda make: make.kind)


class Client:
    """One client in one messenger."""

    def __init__(self, messenger: Messenger, salon: Salon, made: dict[str, str]) -> None:
        self.messenger = messenger
        self.salon = salon
        self.made = made
        self.number = 0

    async def post(self, text: str, number: int, *, secret: str | None = None) -> httpx.Response:
        """The vendor posts this message."""
        secret = self.made.get("webhook_secret", "") if secret is None else secret
        return await self.knock(self.messenger.posted(text, number, secret))

    async def knock(self, posted: Posted) -> httpx.Response:
        """The vendor posts."""
        body, headers, query = posted
        address = self.salon.gateway.url + self.made["webhook_path"]
        return await self.salon.bot.client.post(address, content=body, headers=headers, params=query)

    async def forge(self, text: str) -> httpx.Response:
        """Somebody who does not know the secret posts."""
        body, headers, query = self.messenger.posted(text, 1, "a-strange-secret-0001")
        forged = {
            name: "sha256=" + "0" * 64 if value.startswith("sha256=") else value for name, value in headers.items()
        }
        return await self.knock((body, forged, query))

    async def write(self, text: str, *, answers: int = 1) -> str:
        """Write, wait for this many messages, and read the last."""
        server, before = self.messenger.server, len(self.messenger.server.said)
        self.number += 1
        answer = await self.post(text, self.number)
        assert answer.is_success, answer.text
        async with asyncio.timeout(20):
            while len(server.said) < before + answers:
                await server.reached.wait()
                server.reached.clear()
        return server.said[-1].text


@asynccontextmanager
async def writing(make: type[Messenger], salon: Salon) -> AsyncIterator[Client]:
    """A client of a connected messenger."""
    messenger = make()
    async with messenger.server as server:
        settings = {**messenger.settings(), "api_base": server.base}
        made = await salon.gateway.connect(
            messenger.kind, messenger.title, secrets=dict(messenger.secrets()), check=False, **settings
        )
        # Posted at once: a connection that a command made a moment ago is found by the running gateway when it is asked for.
        yield Client(messenger, salon, made)


@every_messenger
async def test_a_client_is_led_from_hello_to_one_lead(make: type[Messenger], salon: Salon) -> None:
    """Whatever messenger a client likes: five messages, one readable lead with the right tag, and the ledger is right.

    The consent comes with its choices: as buttons where the messenger has them, in the text where it has none.
    """
    async with writing(make, salon) as client:
        asked = await client.write("Здравствуйте", answers=2)
        assert "отзываю согласие" in asked
        consent = client.messenger.server.said[-1]
        assert "Даю согласие" in (*consent.buttons, *consent.text.split("— ")[1:])[0]
        assert "Как к вам обращаться" in await client.write("Даю согласие")
        asked = await client.write("Алсу")
        if not client.messenger.knows_phone:
            assert "на какой номер" in asked.lower()
            await client.write("8 900 000-03-02")
        await client.write("Маникюр, в четверг после шести")
        shown = await salon.portal.with_entry("после шести")
        (only,) = salon.portal.leads()
        assert only["id"] == shown["id"]
        assert (only["name"], only["phone"]) == ("Алсу", "+79000000302")
        assert client.messenger.title.casefold() in (only["title"] + only["source_description"]).casefold()
        assert {said.chat_id for said in client.messenger.server.said} == {client.messenger.chat_id}
        assert (await salon.balanced())["waiting"] == 0


@every_messenger
async def test_forgeries_repeats_and_lost_answers(make: type[Messenger], salon: Salon) -> None:
    """Nobody else puts words into a client's mouth, what a vendor repeats has no second effect, a lost answer is read once.

    It is sent again where the vendor drops repeats and shown as uncertain elsewhere.
    """
    async with writing(make, salon) as client:
        server = client.messenger.server
        assert (await client.forge("Запишите меня")).status_code == 401
        server.faults.append(Fault.DROP_AFTER)
        await client.write("Здравствуйте", answers=2)
        assert (await client.post("Здравствуйте", client.number)).is_success
        await client.write("Алсу")
        texts = [said.text for said in server.said]
        assert len(texts) == len(set(texts)) == 3
        events = (await salon.gateway.ask("events", "list"))["items"]
        assert len([event for event in events if event["connection"] == client.made["connection"]]) == 2


async def test_a_status_of_whatsapp_tells_that_a_message_whose_answer_was_lost_arrived(salon: Salon) -> None:
    """Nobody has to look into the client's chat."""
    async with writing(WhatsApp, salon) as client:
        messenger, server = client.messenger, client.messenger.server
        assert isinstance(messenger, WhatsApp)
        assert isinstance(server, WhatsAppServer)
        server.faults.append(Fault.DROP_AFTER)
        await client.write("Здравствуйте", answers=2)

        async def states() -> set[str]:
            items = (await salon.gateway.ask("deliveries", "list"))["items"]
            return {item["state"] for item in items if item["connection"] == client.made["connection"]}

        async def is_uncertain() -> bool:
            return await states() == {"uncertain", "done"}

        async def is_done() -> bool:
            return await states() == {"done"}

        await until(is_uncertain, what="a message in doubt")
        our_id = server.sent[0]["biz_opaque_callback_data"]
        assert (await client.knock(messenger.status("delivered", str(our_id)))).is_success
        await until(is_done, what="a message that is known to have arrived")


def test_every_messenger_of_the_registry_is_here() -> None:
    """A channel that is added has its conversation here; the bot builder, the widget and the CRM have tests of their own."""
    others = {"bitrix24", "bot", "site", "openai", "gigachat", "yandexgpt"}
    assert {make.kind for make in MESSENGERS} == set(registry.kinds()) - others
