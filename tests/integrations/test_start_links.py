"""Links that begin a conversation: made of what the check learned, and understood when somebody opens them."""

import json
from collections.abc import Mapping

import pytest

from leadgate import registry
from leadgate.crm.invitations import find_token, without_token
from leadgate.model.connections import OpenConnection
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.ports.channel import Channel
from leadgate.ports.integration import Surroundings
from leadgate.testing.connections import CountedIds, FixedClock, open_connection
from leadgate.testing.instagram_server import InstagramServer
from leadgate.testing.max_server import MaxServer
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vendor_server import VendorServer
from leadgate.testing.whatsapp_server import WhatsAppServer

TOKEN = "j_AbCdEfGhIjKlMnOpQrStUv"
GRAPH_SECRETS = {"app_secret": "limon-demo-app-secret", "verify_token": "limon-demo-verify"}
WHATSAPP = {"access_token": "EAADEMOtoken0001"} | GRAPH_SECRETS
NUMBER = {"phone_number_ids": "200000000000001"}
LINKS: dict[str, tuple[Mapping[str, str], str]] = {
    "telegram": ({"bot_name": "limon_bot"}, f"https://t.me/limon_bot?start={TOKEN}"),
    "max": ({"bot_name": "limon_demo_bot"}, f"https://max.ru/limon_demo_bot?start={TOKEN}"),
    "vk": ({"group_id": "200000001"}, f"https://vk.me/club200000001?ref={TOKEN}"),
    "whatsapp": ({"phone": "+79000000001"}, f"https://wa.me/79000000001?text={TOKEN}"),
    "instagram": ({"user_name": "limon.demo"}, f"https://ig.me/m/limon.demo?ref={TOKEN}"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_is_made_of_public_settings(kind: str) -> None:
    """And there is none while the settings do not tell enough."""
    settings, expected = LINKS[kind]
    make = registry.get(kind).start_link
    assert make is not None
    assert make(open_connection(kind, settings=settings), TOKEN) == expected
    assert make(open_connection(kind), TOKEN) is None


@pytest.mark.parametrize("kind", LINKS)
def test_the_form_refuses_what_would_make_another_link(kind: str) -> None:
    """A setting with a slash or a question mark would send clients elsewhere."""
    name = next(iter(LINKS[kind][0]))
    field = next(field for field in registry.get(kind).manifest.fields if field.name == name)
    assert not field.secret
    assert field.problem is not None
    assert field.problem(LINKS[kind][0][name]) is None
    for wrong in ("a/b", "a?b=c", "a b", "@limon", "лимон#"):
        assert field.problem(wrong) is not None, wrong


SERVERS: dict[str, tuple[VendorServer, Mapping[str, str], Mapping[str, str], Mapping[str, str]]] = {
    "telegram": (
        TelegramServer("7:D-x"),
        {"bot_token": "7:D-x", "webhook_secret": "a" * 16},
        {},
        {"bot_name": "limon"},
    ),
    "max": (
        MaxServer("demo-max-token"),
        {"bot_token": "demo-max-token", "webhook_secret": "a" * 16},
        {},
        {"bot_name": "limon_demo_bot"},
    ),
    "whatsapp": (WhatsAppServer(), WHATSAPP, NUMBER, {"phone": "+79000000001"}),
    "instagram": (
        InstagramServer(),
        {"access_token": InstagramServer().token} | GRAPH_SECRETS,
        {},
        {"user_name": "limon.demo"},
    ),
}


@pytest.mark.parametrize("kind", SERVERS)
async def test_the_check_learns_what_links_are_made_of(kind: str) -> None:
    """Nobody has to look up the name of a bot."""
    server, secrets, settings, learned = SERVERS[kind]
    async with server as running:
        connection = open_connection(kind, secrets=secrets, settings={"api_base": running.base, **settings})
        channel = _open(kind, connection)
        try:
            assert (await channel.check()).learned == learned
        finally:
            await channel.close()


OPENED: dict[str, object] = {
    "telegram": {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "from": {"id": 5900000101, "is_bot": False, "first_name": "Алсу"},
            "chat": {"id": 5900000101, "type": "private"},
            "date": 1782900011,
            "text": f"/start {TOKEN}",
        },
    },
    "max": {
        "update_type": "bot_started",
        "timestamp": 1782900011000,
        "chat_id": 88,
        "user": {"user_id": 88000101, "first_name": "Алсу", "is_bot": False},
        "payload": TOKEN,
    },
    "vk": {
        "type": "message_new",
        "group_id": 200000001,
        "event_id": "e1",
        "object": {
            "message": {
                "id": 1,
                "from_id": 590000101,
                "peer_id": 590000101,
                "date": 1782900011,
                "text": "Начать",
                "payload": '{"command":"start"}',
                "ref": TOKEN,
            }
        },
    },
    "whatsapp": {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "100000000000001",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {"phone_number_id": "200000000000001"},
                            "contacts": [{"wa_id": "79000000101", "profile": {"name": "Алсу"}}],
                            "messages": [
                                {
                                    "from": "79000000101",
                                    "id": "wamid.1",
                                    "timestamp": "1782900011",
                                    "type": "text",
                                    "text": {"body": TOKEN},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    },
    "instagram": {
        "object": "instagram",
        "entry": [
            {
                "id": "17841400000000001",
                "time": 1782900011,
                "messaging": [
                    {
                        "sender": {"id": "5900000101"},
                        "recipient": {"id": "17841400000000001"},
                        "timestamp": 1782900011000,
                        "referral": {"ref": TOKEN, "source": "IGME-SOURCE-LINK", "type": "OPEN_THREAD"},
                    }
                ],
            }
        ],
    },
}


@pytest.mark.parametrize("kind", OPENED)
def test_who_opens_a_link_brings_its_token(kind: str) -> None:
    """However the vendor tells it; and nothing of it is taken for the client's words."""
    (fact,) = _parse(kind, OPENED[kind])
    assert find_token(fact) == TOKEN
    assert fact.chat_id is not None
    plain = without_token(fact)
    assert (plain.text, plain.payload) == ("/start", None)


def _parse(kind: str, body: object) -> list[NormalisedEvent]:
    receiver = registry.get(kind).receiver
    assert receiver is not None
    webhook = VerifiedWebhook(natural_key="k", conversation_key=None, body=json.dumps(body).encode())
    return list(receiver.parse(webhook, open_connection(kind, settings=LINKS[kind][0])))


def _open(kind: str, connection: OpenConnection) -> Channel:
    make = registry.get(kind).open_channel
    assert make is not None
    return make(connection, Surroundings(clock=FixedClock(), ids=CountedIds()))
