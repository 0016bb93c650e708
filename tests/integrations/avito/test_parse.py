"""What each body of Avito means."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import to_public
from leadgate.integrations.avito.manifest import INTEGRATION
from leadgate.integrations.avito.verify import message_key
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.connections import NOW, open_connection

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "demo-secret-of-the-address"
ANY = open_connection("avito", secrets={"webhook_secret": SECRET})
OURS = open_connection("avito", secrets={"webhook_secret": SECRET}, settings={"account_id": "94000601"})
CLIENT = "95000602"

EXPECTED: dict[str, dict[str, Any]] = {
    "message__text": {
        "kind": "text",
        "account": "94000601",
        "sender_id": CLIENT,
        "event_key": "00000001demo",
        "text": "Здравствуйте, ещё актуально?",
        "phone": None,
        "message_id": "00000001demo",
        "occurred_at": "2026-07-01T10:00:01+00:00",
    },
    "message__profile_chat": {"kind": "text", "sender_id": CLIENT, "text": "Вы ещё работаете?"},
    "message__link": {"kind": "text", "sender_id": CLIENT, "text": "salon.example"},
    "message__voice": {"kind": "media", "sender_id": CLIENT, "text": None},
    "message__image": {"kind": "media", "sender_id": CLIENT, "text": None},
    "message__location": {"kind": "location", "sender_id": CLIENT, "text": None},
    "message__deleted": {
        "kind": "deleted",
        "sender_id": CLIENT,
        "event_key": "00000001demo/deleted",
        "message_id": "00000001demo",
        "text": None,
    },
    "message__call": {"kind": "unsupported", "sender_id": CLIENT},
    "message__item": {"kind": "unsupported", "sender_id": CLIENT},
    "message__own": {"kind": "echo", "sender_id": "94000601", "text": "Да, записываем"},
    "message__system": {"kind": "ignored", "reason": "system_message", "text": None},
    "message__other_account": {"kind": "rejected", "reason": "other_account", "account": "94000999", "text": None},
}


def parse(body: bytes, *, any_account: bool = False) -> NormalisedEvent:
    """The event of a body, on the live way."""
    connection = ANY if any_account else OURS
    receiver = INTEGRATION.receiver
    assert receiver is not None
    request = RawWebhook(method="POST", headers={}, body=body, query={"key": SECRET})
    webhook = receiver.verify(request, connection, now=NOW)
    (event,) = receiver.parse(webhook, connection)
    assert event.event_key == webhook.natural_key
    return event


def test_every_fixture_is_looked_at() -> None:
    """A body without an expectation proves nothing."""
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_body_means_what_it_says(name: str) -> None:
    """One line of the contract's section 4 for each body."""
    public = to_public(parse((FIXTURES / f"{name}.json").read_bytes()))
    assert {key: public[key] for key in EXPECTED[name]} == EXPECTED[name]


def test_the_chat_is_where_to_answer() -> None:
    """Avito answers into chats, not to people: one person may ask about two adverts."""
    assert parse((FIXTURES / "message__text.json").read_bytes()).chat_id == "u2i-DEMOchat~0001"


def test_nobody_answers_the_platform_or_another_profile() -> None:
    """Without a chat there is no way to answer."""
    for name in ("message__system", "message__other_account"):
        assert parse((FIXTURES / f"{name}.json").read_bytes()).chat_id is None


def test_a_connection_without_an_account_takes_every_profile() -> None:
    """The setting is a second barrier, not a duty."""
    event = parse((FIXTURES / "message__other_account.json").read_bytes(), any_account=True)
    assert (event.kind, event.account) == ("text", "94000999")


def test_a_body_that_names_no_profile_is_not_let_past_the_account_check() -> None:
    """A stranger who learns the address must not get around it by leaving a field out."""
    body = json.loads((FIXTURES / "message__text.json").read_bytes())
    del body["payload"]["value"]["user_id"]
    assert parse(json.dumps(body).encode()).reason == "other_account"


def test_a_deletion_is_another_event_than_the_message() -> None:
    """It keeps the message's id; as a redelivery it would be dropped, and the words would stay."""
    text = parse((FIXTURES / "message__text.json").read_bytes())
    deleted = parse((FIXTURES / "message__deleted.json").read_bytes())
    assert text.message_id == deleted.message_id
    assert text.event_key != deleted.event_key
    assert message_key({}) is None


def test_a_time_that_is_missing_comes_from_the_envelope() -> None:
    """Better a second late than none."""
    body = json.loads((FIXTURES / "message__text.json").read_bytes())
    body["payload"]["value"]["created"] = None
    body["timestamp"] += 5
    assert str(parse(json.dumps(body).encode()).occurred_at) == "2026-07-01 10:00:06+00:00"
