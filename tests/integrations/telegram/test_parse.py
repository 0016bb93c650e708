import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import to_public
from leadgate.integrations.telegram.manifest import INTEGRATION
from leadgate.integrations.telegram.verify import verify_update
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import open_connection

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "Limon-demo_secret-token"
CONNECTION = open_connection("telegram", secrets={"bot_token": "7000000001:DEMO-token", "webhook_secret": SECRET})

ALSU = "5900000101"
MARAT = "5900000102"
ELENA = "912345678"

EXPECTED: dict[str, dict[str, Any]] = {
    "message__text": {
        "kind": "text",
        "sender_id": ALSU,
        "event_key": "410001",
        "text": "Здравствуйте! Можно записаться на стрижку в субботу?",
        "message_id": "11",
        "occurred_at": "2026-07-01T10:00:11+00:00",
    },
    "message__text_reply": {"kind": "text", "sender_id": ELENA, "text": "Елена", "message_id": "24"},
    "message__start_deeplink": {
        "kind": "text",
        "sender_id": ALSU,
        "text": "/start promo_leto",
        "payload": "promo_leto",
    },
    "message__contact_own": {
        "kind": "contact",
        "sender_id": ALSU,
        "phone": "+79000000101",
        "phone_verified": True,
        "text": None,
    },
    "message__contact_foreign": {
        "kind": "contact",
        "sender_id": ALSU,
        "phone": "+79000000777",
        "phone_verified": False,
    },
    "callback_query__data": {
        "kind": "button",
        "sender_id": ALSU,
        "payload": "slot:2026-07-04T15:30",
        "text": None,
        "message_id": "16",
        "occurred_at": None,
    },
    "callback_query__inaccessible": {
        "kind": "button",
        "sender_id": ALSU,
        "payload": "confirm:yes",
        "message_id": "2",
        "occurred_at": None,
    },
    "edited_message__text": {
        "kind": "edited",
        "sender_id": ALSU,
        "event_key": "410007",
        "text": "Здравствуйте! Можно записаться на стрижку в воскресенье?",
        "message_id": "11",
        "occurred_at": "2026-07-01T10:01:30+00:00",
    },
    "message__location": {"kind": "location", "sender_id": MARAT, "text": None},
    "message__voice": {"kind": "media", "sender_id": MARAT, "text": None},
    "message__photo_caption": {"kind": "media", "sender_id": MARAT, "text": "Хочу такое же окрашивание"},
    "message__album_part1": {"kind": "media", "sender_id": MARAT, "text": "Вот два примера"},
    "message__album_part2": {"kind": "media", "sender_id": MARAT, "text": None},
    "message_reaction__added": {"kind": "reaction", "sender_id": ALSU, "message_id": "16"},
    "my_chat_member__blocked": {"kind": "blocked", "sender_id": ELENA, "status": "blocked"},
    "my_chat_member__unblocked": {"kind": "status", "sender_id": ELENA, "status": "unblocked"},
    "message__group_text": {"kind": "ignored", "sender_id": MARAT, "reason": "group_chat", "text": None},
    "message__forwarded_text": {"kind": "text", "sender_id": ALSU, "text": None, "message_id": "22"},
    "message__sticker": {"kind": "media", "sender_id": ALSU, "text": None},
}


def _parse(update: object) -> NormalisedEvent:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    assert INTEGRATION.receiver is not None
    (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), CONNECTION)
    return event


def _message(**content: object) -> dict[str, Any]:
    person = {"id": 5900000101, "is_bot": False, "first_name": "Алсу"}
    chat = {"id": 5900000101, "type": "private"}
    return {
        "update_id": 1,
        "message": {"message_id": 1, "from": person, "chat": chat, "date": 1782900011, **content},
    }


def test_every_fixture_has_its_meaning_written_down() -> None:
    """A fixture that nobody looks at proves nothing."""
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fixture_means_what_is_written_down(name: str) -> None:
    """What is not named in the table is null, but for the account, the key, message and time."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    public = to_public(_parse(body))
    assert public == public | {"account": "7000000001"} | EXPECTED[name]
    unnamed = set(public) - set(EXPECTED[name]) - {"account", "event_key", "message_id", "occurred_at"}
    assert {field: public[field] for field in unnamed} == dict.fromkeys(unnamed)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_key_and_the_conversation_come_from_the_update(name: str) -> None:
    """The same update keeps its key when Telegram writes it anew; a chat keeps its order."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    update = json.loads(body)
    rewritten = json.dumps(update, sort_keys=True).encode()
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    first, again = (verify_update(RawWebhook("POST", headers, raw), CONNECTION) for raw in (body, rewritten))
    assert first.natural_key == again.natural_key == str(update["update_id"])
    event = _parse(body)
    assert first.conversation_key == again.conversation_key == (event.chat_id or "-1001900000001")


def test_the_dialogue_learns_whom_to_answer() -> None:
    """Name, user name, language, chat and the press to acknowledge are no part of the printed event."""
    event = _parse((FIXTURES / "callback_query__data.json").read_bytes())
    assert (event.sender_name, event.username, event.language) == ("Алсу Гарипова", "alsu_demo", "ru")
    assert (event.chat_id, event.callback_id) == ("5900000101", "25340000000000000001")


def test_without_a_token_the_account_is_unknown() -> None:
    """`leadgate parse` works without secrets."""
    assert INTEGRATION.receiver is not None
    webhook = VerifiedWebhook("key", None, json.dumps(_message(text="x")).encode())
    (event,) = INTEGRATION.receiver.parse(webhook, open_connection("telegram"))
    assert event.account is None


def test_own_words_passed_on_are_own_words() -> None:
    """Somebody who forwards an own message says it again."""
    origin = {
        "type": "user",
        "sender_user": {"id": 5900000101, "is_bot": False, "first_name": "Алсу"},
        "date": 1,
    }
    assert _parse(_message(text="Я", forward_origin=origin)).text == "Я"
    origin["sender_user"] = {"id": 1, "is_bot": False, "first_name": "Ольга"}
    assert _parse(_message(text="Не я", forward_origin=origin)).text is None
    assert _parse(_message(caption="Не я", photo=[], forward_date=1)).text is None


@pytest.mark.parametrize("extra", [{"forward_date": 1}, {"via_bot": {"id": 1}}, {"forward_origin": {}}])
def test_a_contact_that_was_passed_on_is_not_verified(extra: dict[str, object]) -> None:
    """Only the button "share my number" proves a number."""
    contact = {"phone_number": "79000000101", "first_name": "А", "user_id": 5900000101}
    assert _parse(_message(contact=contact)).phone_verified is True
    assert _parse(_message(contact=contact, **extra)).phone_verified is False


@pytest.mark.parametrize("owner", [{}, {"user_id": 5900000999}, {"user_id": "5900000101"}, {"user_id": True}])
def test_a_contact_without_the_senders_id_is_foreign(owner: dict[str, object]) -> None:
    """A number typed by hand into the address book is nobody's proof."""
    event = _parse(_message(contact={"phone_number": "+79000000777", "first_name": "Мама", **owner}))
    assert (event.phone, event.phone_verified) == ("+79000000777", False)


def test_a_contact_with_a_broken_number_has_no_phone() -> None:
    """Half a number would spoil the contact in the CRM."""
    event = _parse(_message(contact={"phone_number": "12", "first_name": "А", "user_id": 5900000101}))
    assert (event.kind, event.phone, event.phone_verified) == ("contact", None, None)


@pytest.mark.parametrize(
    ("chat_type", "reason"),
    [("group", "group_chat"), ("supergroup", "group_chat"), ("channel", "channel_post")],
)
def test_chats_of_many_are_ignored(chat_type: str, reason: str) -> None:
    """A lead from a group would answer a private question in public."""
    update = _message(text="кто завтра?")
    update["message"]["chat"] = {"id": -1001900000001, "type": chat_type}
    press = {
        "update_id": 2,
        "callback_query": {"id": "1", "from": {"id": 1}, "data": "x", "message": update["message"]},
    }
    for body in (update, {"update_id": 3, "edited_message": update["message"]}, press):
        event = _parse(body)
        assert (event.kind, event.reason, event.text, event.payload, event.chat_id) == (
            "ignored",
            reason,
            None,
            None,
            None,
        )


@pytest.mark.parametrize("kind", ["channel_post", "edited_channel_post"])
def test_channel_posts_are_ignored(kind: str) -> None:
    """They are the salon's own words."""
    update = {"update_id": 4, kind: {"message_id": 5, "chat": {"id": -1, "type": "channel"}, "text": "Акция"}}
    event = _parse(update)
    assert (event.kind, event.reason, event.text) == ("ignored", "channel_post", None)


def test_bots_are_ignored() -> None:
    """Two bots that answer one another never stop."""
    update = _message(text="x")
    update["message"]["from"]["is_bot"] = True
    event = _parse(update)
    assert (event.kind, event.reason) == ("ignored", "sender_is_bot")


@pytest.mark.parametrize(
    "content",
    [
        {"poll": {"id": "1"}},
        {"text": 5},
        {"photo": "x"},
        {"contact": None},
        {"pinned_message": {}},
    ],
)
def test_content_that_we_cannot_read_is_unsupported(content: dict[str, object]) -> None:
    """The bot may say so kindly; nobody is left without an answer."""
    event = _parse(_message(**content))
    assert (event.kind, event.sender_id, event.chat_id) == ("unsupported", "5900000101", "5900000101")


@pytest.mark.parametrize("text", ["/start", "/start ", "/started x", "start x"])
def test_a_start_without_a_payload_has_none(text: str) -> None:
    """The payload is where the client came from; nothing is made up."""
    assert _parse(_message(text=text)).payload is None


def test_large_ids_stay_exact() -> None:
    """Ids of people have up to 52 bits; a float or 32 bits would join two of them."""
    update = _message(text="x")
    update["message"]["from"]["id"] = update["message"]["chat"]["id"] = 2**52 - 1
    assert _parse(update).sender_id == "4503599627370495"
