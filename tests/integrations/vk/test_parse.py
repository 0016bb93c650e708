import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import parse_bodies, to_public
from leadgate.integrations.vk.manifest import INTEGRATION
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import open_connection

FIXTURES = Path(__file__).parent / "fixtures"
CONNECTION = open_connection(
    "vk", secrets={"webhook_secret": "Limon2026DemoSecret"}, settings={"group_id": "210000001"}
)
GUZEL = "700000401"
PETR = "700000402"

EXPECTED: dict[str, dict[str, Any]] = {
    "confirmation__asked": {"kind": "ignored", "event_key": "key", "reason": "confirmation"},
    "message_new__text": {
        "kind": "text",
        "sender_id": GUZEL,
        "event_key": "b1046a6c63a96c8989968dcae4afbda4777781a0",
        "text": "Здравствуйте, хочу записаться к косметологу",
        "message_id": "1001",
        "occurred_at": "2026-07-01T10:00:01+00:00",
    },
    "message_new__keyboard_button": {
        "kind": "button",
        "sender_id": GUZEL,
        "text": "Маникюр",
        "payload": '{"cmd":"service","id":"manicure"}',
        "message_id": "1002",
    },
    "message_new__start_button": {
        "kind": "button",
        "sender_id": PETR,
        "text": "Начать",
        "payload": '{"command":"start"}',
    },
    "message_event__callback_button": {
        "kind": "button",
        "sender_id": GUZEL,
        "event_key": "bf70b5fc8eb645d3450b617935057ee526d642f4",
        "payload": '{"cmd":"slot","at":"2026-07-04T15:30"}',
        "message_id": "7",
        "occurred_at": None,
    },
    "message_new__geo": {"kind": "location", "sender_id": PETR},
    "message_new__voice": {"kind": "media", "sender_id": PETR},
    "message_edit__text": {
        "kind": "edited",
        "sender_id": GUZEL,
        "text": "Здравствуйте, хочу записаться к массажисту",
        "message_id": "1001",
        "occurred_at": "2026-07-01T10:01:00+00:00",
    },
    "message_allow__ref": {"kind": "status", "sender_id": PETR, "status": "unblocked", "occurred_at": None},
    "message_deny__user": {"kind": "blocked", "sender_id": PETR, "status": "blocked", "occurred_at": None},
    "message_reply__echo": {"kind": "echo", "sender_id": GUZEL, "message_id": "1010"},
    "message_new__group_chat": {"kind": "ignored", "sender_id": GUZEL, "reason": "group_chat", "message_id": "1011"},
}


def _parse(body: object) -> NormalisedEvent:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert INTEGRATION.receiver is not None
    (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, raw), CONNECTION)
    return event


def _event(kind: str, content: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {"group_id": 210000001, "type": kind, "event_id": "e1", "v": "5.199", "object": content, **changed}


def _message(**content: object) -> dict[str, Any]:
    base = {"date": 1782900001, "from_id": 700000401, "id": 1001, "out": 0, "text": "", "peer_id": 700000401}
    return _event("message_new", {"message": base | content, "client_info": {"lang_id": 0}})


def test_every_fixture_has_its_meaning_written_down() -> None:
    """A fixture that nobody looks at proves nothing."""
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fixture_means_what_is_written_down(name: str) -> None:
    """What is not named in the table is null, but for the account, the key, message and time."""
    public = to_public(_parse((FIXTURES / f"{name}.json").read_bytes()))
    assert public == public | {"account": "210000001"} | EXPECTED[name]
    unnamed = set(public) - set(EXPECTED[name]) - {"account", "event_key", "message_id", "occurred_at"}
    assert {field: public[field] for field in unnamed} == dict.fromkeys(unnamed)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"confirmation__asked"}))
def test_the_key_and_the_conversation_come_from_the_event(name: str) -> None:
    """The same event keeps its key when VK writes it anew; a dialogue keeps its order."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    rewritten = json.dumps(json.loads(body), sort_keys=True).encode()
    assert INTEGRATION.receiver is not None
    first, again = (
        INTEGRATION.receiver.verify(RawWebhook("POST", {}, raw), CONNECTION, now=CONNECTION.connection.created_at)
        for raw in (body, rewritten)
    )
    event = _parse(body)
    assert first.natural_key == again.natural_key == event.event_key
    assert first.conversation_key == again.conversation_key == (event.chat_id or "2000000001")


def test_the_dialogue_learns_whom_to_answer() -> None:
    """Chat, press and language are no part of the printed event; the inner id is the one to acknowledge."""
    event = _parse((FIXTURES / "message_event__callback_button.json").read_bytes())
    assert (event.chat_id, event.callback_id) == (GUZEL, "a1b2c3d4e5f6")
    assert _parse((FIXTURES / "message_new__text.json").read_bytes()).language == "ru"
    english = _message(text="Hello")
    english["object"]["client_info"]["lang_id"] = 3
    assert _parse(english).language == "en"


@pytest.mark.parametrize("broken", ['{"cmd":', "", "{'cmd': 1}", "\ud83d"])
def test_a_broken_payload_falls_back_to_the_words(broken: str) -> None:
    """Anybody may send a payload that is none; the words are still wanted."""
    event = _parse(_message(text="Маникюр", payload=broken))
    assert (event.kind, event.text, event.payload) == ("text", "Маникюр", None)


def test_a_link_in_the_words_is_no_media() -> None:
    """VK hangs a preview on every text with an address in it."""
    event = _parse(_message(text="Хочу как тут: https://salon.example", attachments=[{"type": "link", "link": {}}]))
    assert (event.kind, event.text) == ("text", "Хочу как тут: https://salon.example")


@pytest.mark.parametrize(("kind", "expected"), [("photo", "media"), ("sticker", "media"), ("brand_new", "unsupported")])
def test_attachments_without_words(kind: str, expected: str) -> None:
    """What is known is media; what is not is told apart, and never a silence."""
    assert _parse(_message(attachments=[{"type": kind}])).kind == expected


def test_a_caption_is_the_clients_words() -> None:
    """A picture with words has both."""
    event = _parse(_message(text="Хочу так", attachments=[{"type": "photo", "photo": {}}]))
    assert (event.kind, event.text) == ("media", "Хочу так")


def test_forwarded_words_are_not_the_clients_own() -> None:
    """They stand apart from the text, which is kept as it is."""
    forwarded = [{"from_id": 1, "text": "Приходите в пять"}]
    event = _parse(_message(fwd_messages=forwarded))
    assert (event.kind, event.text) == ("text", None)
    assert _parse(_message(text="Это мне?", fwd_messages=forwarded)).text == "Это мне?"


def test_a_link_of_the_salon_leaves_its_mark() -> None:
    """`ref` says which advertisement brought the client."""
    event = _parse(_message(text="Здравствуйте", ref="promo_leto", ref_source="post"))
    assert (event.kind, event.payload) == ("text", "promo_leto")


def test_our_own_words_are_an_echo() -> None:
    """Answering them would be an endless loop."""
    assert _parse(_message(text="x", out=1)).kind == "echo"
    assert _parse(_message(text="x", from_id=-210000001)).kind == "echo"
    edited = _event("message_edit", {"from_id": -210000001, "peer_id": 700000401, "out": 1, "text": "x", "id": 5})
    echo = _parse(edited)
    assert (echo.kind, echo.sender_id, echo.text) == ("echo", GUZEL, None)


def test_another_community_that_writes_is_ignored() -> None:
    """Communities write to one another by programs."""
    event = _parse(_message(text="x", from_id=-5, peer_id=-5))
    assert (event.kind, event.reason) == ("ignored", "sender_is_bot")


def test_a_message_of_an_old_version_is_read() -> None:
    """Before API 5.103 the message was the object itself; the version is a setting of the server at VK."""
    old = _event(
        "message_new", {"from_id": 700000401, "peer_id": 700000401, "id": 3, "text": "Привет", "date": 1782900001}
    )
    assert (_parse(old).kind, _parse(old).text) == ("text", "Привет")


def test_a_read_receipt_is_a_status_of_our_message() -> None:
    """Everything up to this message was read."""
    receipt = {"from_id": 700000401, "peer_id": 700000401, "read_message_id": 1010, "conversation_message_id": 10}
    event = _parse(_event("message_read", receipt))
    assert (event.kind, event.status, event.message_id, event.sender_id) == ("status", "read", "1010", GUZEL)


def test_a_reaction_is_told_apart() -> None:
    """It is no words."""
    event = _parse(
        _event("message_reaction_event", {"reacted_id": 700000401, "peer_id": 700000401, "cmid": 7, "reaction_id": 1})
    )
    assert (event.kind, event.sender_id, event.message_id) == ("reaction", GUZEL, "7")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("message_read", {"from_id": 700000401, "peer_id": 2000000001, "read_message_id": 1}),
        ("message_event", {"user_id": 700000401, "peer_id": 2000000001, "payload": {"a": 1}}),
        ("message_reaction_event", {"reacted_id": 700000401, "peer_id": 2000000001, "cmid": 1}),
        ("message_edit", {"from_id": 700000401, "peer_id": 2000000001, "id": 1, "text": "тайна"}),
    ],
)
def test_group_conversations_are_ignored(kind: str, content: dict[str, Any]) -> None:
    """Never answered, never a lead, and nothing of them is kept."""
    event = _parse(_event(kind, content))
    assert (event.kind, event.reason, event.text, event.payload) == ("ignored", "group_chat", None, None)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("message_typing_state", "typing"), ("group_join", "joined"), ("group_leave", "left")],
)
def test_chatter_is_ignored_with_its_reason(kind: str, reason: str) -> None:
    """Nobody needs it, and nobody wonders where it went."""
    event = _parse(_event(kind, {"user_id": 700000401}))
    assert (event.kind, event.reason) == ("ignored", reason)


def test_an_event_of_another_community_is_rejected() -> None:
    """A body that was kept for one community is never processed for another."""
    event = _parse(_message(text="тайна") | {"group_id": 210000002})
    assert (event.kind, event.reason, event.account, event.text) == ("rejected", "other_account", "210000002", None)


def test_without_settings_every_community_is_read() -> None:
    """`leadgate parse` works with the file alone."""
    assert INTEGRATION.receiver is not None
    body = (FIXTURES / "message_new__text.json").read_bytes()
    (line,) = parse_bodies(INTEGRATION.receiver, [body], open_connection("vk"))
    assert (line["kind"], line["account"]) == ("text", "210000001")
