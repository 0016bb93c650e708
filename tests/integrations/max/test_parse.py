import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import to_public
from leadgate.integrations.max.manifest import INTEGRATION
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import NOW, open_connection

FIXTURES = Path(__file__).parent / "fixtures"
TOKEN = "f9LDEMO-limon-token-0001"
CONNECTION = open_connection("max", secrets={"bot_token": TOKEN, "webhook_secret": "Limon-demo_secret"})
BOT = "8800000001"
GUZEL = "8800000501"
PETR = "8800000502"

EXPECTED: dict[str, dict[str, Any]] = {
    "message_created__text": {
        "kind": "text",
        "account": BOT,
        "sender_id": GUZEL,
        "event_key": "message_created:mid.00000000000005010000019f0000000000000001",
        "text": "Здравствуйте! Хочу записаться на окрашивание",
        "message_id": "mid.00000000000005010000019f0000000000000001",
        "occurred_at": "2026-07-01T10:00:01+00:00",
    },
    "message_created__contact_own": {
        "kind": "contact",
        "account": BOT,
        "sender_id": GUZEL,
        "phone": "+79000000501",
        "phone_verified": True,
    },
    "message_created__contact_foreign": {
        "kind": "contact",
        "account": BOT,
        "sender_id": GUZEL,
        "phone": "+79000000577",
        "phone_verified": False,
    },
    "message_created__location": {"kind": "location", "account": BOT, "sender_id": PETR},
    "message_created__image": {"kind": "media", "account": BOT, "sender_id": PETR, "text": "Хочу так"},
    "message_created__audio": {"kind": "media", "account": BOT, "sender_id": PETR},
    "message_created__group_text": {"kind": "ignored", "sender_id": PETR, "reason": "group_chat"},
    "message_created__voice_without_message": {
        "kind": "unsupported",
        "event_key": "message_created:1782900011000",
        "occurred_at": "2026-07-01T10:00:11+00:00",
    },
    "message_edited__text": {
        "kind": "edited",
        "account": BOT,
        "sender_id": GUZEL,
        "event_key": "message_edited:mid.00000000000005010000019f0000000000000001:1782900060000",
        "text": "Здравствуйте! Хочу записаться на стрижку",
        "message_id": "mid.00000000000005010000019f0000000000000001",
        "occurred_at": "2026-07-01T10:01:00+00:00",
    },
    "message_removed__by_client": {
        "kind": "deleted",
        "sender_id": GUZEL,
        "event_key": "message_removed:mid.00000000000005010000019f0000000000000001",
        "message_id": "mid.00000000000005010000019f0000000000000001",
    },
    "message_callback__pressed": {
        "kind": "button",
        "account": BOT,
        "sender_id": GUZEL,
        "event_key": "message_callback:f9LHDEMOcallback0001:1782900005000",
        "payload": "slot:2026-07-04T15:30",
        "occurred_at": "2026-07-01T10:00:05+00:00",
    },
    "bot_started__deep_link": {
        "kind": "button",
        "sender_id": PETR,
        "event_key": "bot_started:8800000502:910000502:1782900006000",
        "payload": "promo_leto",
    },
    "bot_stopped__by_client": {"kind": "blocked", "sender_id": PETR, "status": "blocked"},
    "dialog_removed__by_client": {"kind": "blocked", "sender_id": PETR, "status": "blocked"},
}


def _parse(update: object) -> NormalisedEvent:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    assert INTEGRATION.receiver is not None
    (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), CONNECTION)
    return event


def _read(name: str) -> dict[str, Any]:
    update: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
    return update


def _message(**body: object) -> dict[str, Any]:
    update = _read("message_created__text")
    update["message"]["body"] |= {"text": ""} | body
    return update


def test_every_fixture_has_its_meaning_written_down() -> None:
    """A fixture that nobody looks at proves nothing."""
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fixture_means_what_is_written_down(name: str) -> None:
    """What is not named in the table is null, but for the key, message and time."""
    public = to_public(_parse((FIXTURES / f"{name}.json").read_bytes()))
    assert public == public | EXPECTED[name]
    unnamed = set(public) - set(EXPECTED[name]) - {"event_key", "message_id", "occurred_at"}
    assert {field: public[field] for field in unnamed} == dict.fromkeys(unnamed)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_key_and_the_conversation_come_from_the_update(name: str) -> None:
    """The same update keeps its key when MAX writes it anew; a dialogue keeps its order."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    rewritten = json.dumps(json.loads(body), sort_keys=True).encode()
    headers = {"x-max-bot-api-secret": "Limon-demo_secret"}
    assert INTEGRATION.receiver is not None
    first, again = (
        INTEGRATION.receiver.verify(RawWebhook("POST", headers, raw), CONNECTION, now=NOW) for raw in (body, rewritten)
    )
    event = _parse(body)
    assert first.natural_key == again.natural_key == event.event_key
    place = "-70800000000001" if event.reason == "group_chat" else event.chat_id
    assert first.conversation_key == again.conversation_key == place


def test_all_updates_of_one_dialogue_have_different_keys() -> None:
    """A message, its edit and its removal share the mid."""
    keys = [_parse(_read(name)).event_key for name in EXPECTED]
    assert len(set(keys)) == len(keys)


def test_two_presses_of_one_keyboard_are_two_events() -> None:
    """MAX calls the id that of the keyboard."""
    first, second = _read("message_callback__pressed"), _read("message_callback__pressed")
    second["callback"]["timestamp"] += 900
    assert _parse(first).event_key != _parse(second).event_key


def test_the_dialogue_learns_whom_to_answer() -> None:
    """Name, language, chat and the press to acknowledge are not printed; the person is who pressed, not the bot."""
    event = _parse(_read("message_callback__pressed"))
    assert (event.sender_name, event.username, event.language) == ("Гузель Ибрагимова", None, "ru")
    assert (event.chat_id, event.callback_id) == ("910000501", "f9LHDEMOcallback0001")


def test_a_press_under_a_message_that_is_gone_can_be_answered() -> None:
    """Then MAX names no chat, and the person is the address."""
    update = _read("message_callback__pressed") | {"message": None}
    event = _parse(update)
    assert (event.kind, event.chat_id, event.payload) == ("button", "user:8800000501", "slot:2026-07-04T15:30")


def test_a_start_without_a_link_is_a_start() -> None:
    """Most clients find the bot by its name."""
    update = _read("bot_started__deep_link")
    del update["payload"]
    assert (_parse(update).kind, _parse(update).payload) == ("button", "/start")


def test_a_contact_is_own_only_when_max_proves_it() -> None:
    """The hash over the card under the bot's token, and the account of the sender: both, or it is somebody else's phone."""

    def verified(change: dict[str, Any], sender: int = 8800000501) -> bool | None:
        update = _read("message_created__contact_own")
        update["message"]["sender"]["user_id"] = sender
        update["message"]["body"]["attachments"][0]["payload"] |= change
        return _parse(update).phone_verified

    own = _read("message_created__contact_own")["message"]["body"]["attachments"][0]["payload"]
    assert verified({}) is True
    assert verified({"hash": own["hash"].upper()}) is True
    assert verified({"hash": None}) is False
    assert verified({"hash": ""}) is False
    assert verified({"hash": "0" * 64}) is False
    assert verified({"max_info": None}) is False
    assert verified({"max_info": own["max_info"] | {"user_id": 8800000577}}) is False
    assert verified({}, sender=8800000577) is False
    assert verified({"vcf_info": own["vcf_info"].replace("79000000501", "79000000502")}) is False
    assert verified({"vcf_info": own["vcf_info"].replace("\r\n", "\n")}) is False


def test_a_contact_is_proven_by_any_live_token_and_by_none_without() -> None:
    """A reissued token signs new cards while updates of the old one are still on their way; `leadgate parse` may have no token."""
    body = (FIXTURES / "message_created__contact_own.json").read_bytes()
    assert INTEGRATION.receiver is not None
    for tokens, expected in (
        ([TOKEN], True),
        (["fresh-token-0002", TOKEN], True),
        (["fresh-token-0002"], False),
        ([], False),
    ):
        connection = open_connection("max", secrets={"bot_token": tokens} if tokens else {})
        (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), connection)
        assert (event.phone, event.phone_verified) == ("+79000000501", expected)


@pytest.mark.parametrize(
    ("card", "phone"),
    [
        ("BEGIN:VCARD\r\nTEL;TYPE=cell:8 (900) 000-05-01\r\nEND:VCARD", "+79000000501"),
        ("BEGIN:VCARD\nTEL:tel:+79000000501\nEND:VCARD", "+79000000501"),
        ("TEL:\r\nTEL;TYPE=work:+7 900 000-05-02", "+79000000502"),
        ("BEGIN:VCARD\r\nFN:79000000501\r\nNOTE:TEL:79000000501\r\nEND:VCARD", None),
        ("", None),
        (None, None),
    ],
)
def test_the_phone_is_the_cards(card: str | None, phone: str | None) -> None:
    """Whatever its writing; a number in another line is no phone."""
    event = _parse(_message(attachments=[{"type": "contact", "payload": {"vcf_info": card}}]))
    assert (event.kind, event.phone) == ("contact", phone)
    assert event.phone_verified is (None if phone is None else False)


def test_forwarded_words_are_not_the_clients_own() -> None:
    """They stand in `link`; what the client adds is kept."""
    update = _message()
    update["message"]["link"] = {"type": "forward", "message": {"mid": "mid.9", "text": "Приходите в пять"}}
    assert (_parse(update).kind, _parse(update).text) == ("text", None)
    update["message"]["body"]["text"] = "Это мне?"
    assert _parse(update).text == "Это мне?"


def test_a_link_in_the_words_is_no_media() -> None:
    """MAX hangs a preview on every text with an address in it."""
    event = _parse(_message(text="Хочу как тут: https://salon.example", attachments=[{"type": "share", "payload": {}}]))
    assert (event.kind, event.text) == ("text", "Хочу как тут: https://salon.example")


@pytest.mark.parametrize(
    ("attachment", "kind"),
    [
        *((kind, "media") for kind in ("image", "video", "audio", "file", "sticker")),
        ("location", "location"),
        ("brand_new", "unsupported"),
    ],
)
def test_attachments_without_words(attachment: str, kind: str) -> None:
    """What is known has its kind; what is not is told apart, and never a silence."""
    assert _parse(_message(attachments=[{"type": attachment}])).kind == kind


def test_our_own_words_are_an_echo() -> None:
    """Answering them would be an endless loop."""
    update = _message(text="Ждём вас")
    update["message"]["sender"] = {"user_id": 8800000001, "first_name": "Студия Лимон", "is_bot": True}
    update["message"]["recipient"]["user_id"] = 8800000501
    event = _parse(update)
    assert (event.kind, event.sender_id, event.account, event.text) == ("echo", GUZEL, BOT, None)


@pytest.mark.parametrize(("chat_type", "reason"), [("chat", "group_chat"), ("channel", "channel_post")])
@pytest.mark.parametrize("name", ["message_created__text", "message_edited__text", "message_callback__pressed"])
def test_groups_and_channels_are_ignored(name: str, chat_type: str, reason: str) -> None:
    """Never answered, never a lead, and no word of them is kept."""
    update = _read(name)
    update["message"]["recipient"]["chat_type"] = chat_type
    event = _parse(update)
    assert (event.kind, event.reason, event.text, event.payload) == ("ignored", reason, None, None)


def test_a_removal_in_a_group_is_ignored() -> None:
    """Groups have negative ids."""
    assert _parse(_read("message_removed__by_client") | {"chat_id": -7}).reason == "group_chat"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("dialog_cleared", "dialog_cleared"),
        ("dialog_muted", "dialog_muted"),
        ("dialog_unmuted", "dialog_unmuted"),
        ("bot_added", "group_chat"),
        ("bot_removed", "group_chat"),
        ("user_added", "group_chat"),
        ("user_removed", "group_chat"),
        ("chat_title_changed", "group_chat"),
        ("message_chat_created", "group_chat"),
    ],
)
def test_chatter_is_ignored_with_its_reason(kind: str, reason: str) -> None:
    """Nobody needs it, and nobody wonders where it went."""
    event = _parse(_read("bot_stopped__by_client") | {"update_type": kind})
    assert (event.kind, event.reason) == ("ignored", reason)
