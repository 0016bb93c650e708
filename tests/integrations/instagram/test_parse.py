import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import to_public
from leadgate.integrations.instagram.manifest import INTEGRATION
from leadgate.integrations.instagram.verify import items_of
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection

FIXTURES = Path(__file__).parent / "fixtures"
ACCOUNT = "17841400000000001"
VERA, OLEG = "900000000000301", "900000000000302"


def _mid(number: str) -> str:
    return f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjMTc4NDE0MDAwMDAwMDAwMDE6{number}"


FIRST, OURS = _mid("MDAwMDAwMDE"), _mid("MDAwMDA1MDE")

EXPECTED: dict[str, list[dict[str, Any]]] = {
    "text": [
        {
            "kind": "text",
            "sender_id": VERA,
            "event_key": FIRST,
            "message_id": FIRST,
            "text": "Привет! Сколько стоит педикюр?",
            "occurred_at": "2026-07-01T10:00:01+00:00",
        }
    ],
    "quick_reply": [{"kind": "button", "sender_id": VERA, "payload": "day:tomorrow", "text": "Завтра"}],
    "quick_reply_phone": [
        {"kind": "contact", "sender_id": VERA, "phone": "+79000000301", "phone_verified": True, "text": None}
    ],
    "postback": [{"kind": "button", "sender_id": VERA, "payload": "book:start", "text": "Записаться"}],
    "image": [{"kind": "media", "sender_id": OLEG}],
    "voice": [{"kind": "media", "sender_id": OLEG}],
    "story_reply": [{"kind": "text", "sender_id": VERA, "text": "А это сколько стоит?"}],
    "story_mention": [{"kind": "media", "sender_id": OLEG}],
    "reaction": [{"kind": "reaction", "sender_id": VERA, "message_id": OURS}],
    "seen": [{"kind": "status", "sender_id": VERA, "status": "read", "message_id": OURS, "event_key": f"{OURS}:read"}],
    "echo": [{"kind": "echo", "sender_id": VERA, "text": None, "message_id": _mid("MDAwMDA1MDI")}],
    "deleted": [{"kind": "deleted", "sender_id": VERA, "message_id": FIRST, "event_key": f"{FIRST}:deleted"}],
    "unsupported": [{"kind": "unsupported", "sender_id": OLEG}],
    "referral": [{"kind": "text", "sender_id": OLEG, "text": "Хочу по акции", "payload": "promo_leto"}],
    "edit": [
        {
            "kind": "edited",
            "sender_id": VERA,
            "message_id": FIRST,
            "event_key": f"{FIRST}:message_edit:1",
            "text": "Привет! Сколько стоит маникюр?",
        }
    ],
    "batch_two_entries": [
        {"kind": "text", "sender_id": VERA, "text": "первое"},
        {"kind": "text", "sender_id": OLEG, "text": "второе"},
    ],
}


def _parse(body: bytes, **settings: str) -> list[NormalisedEvent]:
    assert INTEGRATION.receiver is not None
    return INTEGRATION.receiver.parse(
        VerifiedWebhook("key", None, body), open_connection("instagram", settings=settings)
    )


def _fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def _event(**content: object) -> NormalisedEvent:
    event = {"sender": {"id": VERA}, "recipient": {"id": ACCOUNT}, "timestamp": 1782900001000, **content}
    (found,) = _parse(json.dumps({"object": "instagram", "entry": [{"id": ACCOUNT, "messaging": [event]}]}).encode())
    return found


def test_every_fixture_has_its_meaning_written_down() -> None:
    """A fixture that nobody looks at proves nothing."""
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fixture_means_what_is_written_down(name: str) -> None:
    """What is not named in the table is null, but for the account, the key, message and time."""
    events = _parse(_fixture(name))
    assert len(events) == len(EXPECTED[name])
    for event, expected in zip(events, EXPECTED[name], strict=True):
        public = to_public(event)
        assert public == public | {"account": ACCOUNT} | expected
        unnamed = set(public) - set(expected) - {"account", "event_key", "message_id", "occurred_at"}
        assert {field: public[field] for field in unnamed} == dict.fromkeys(unnamed)
        assert event.occurred_at is not None
        assert event.chat_id == f"{ACCOUNT}:{event.sender_id}"


def test_all_fixtures_have_different_keys() -> None:
    """Deletion, edit, reaction and receipt carry the id of another message and must not be taken for it."""
    keys = [event.event_key for name in EXPECTED for event in _parse(_fixture(name))]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_of_another_account_is_never_worked_on(name: str) -> None:
    """One app serves many salons; an echo has its account on the other side."""
    for event in _parse(_fixture(name), account_ids="17841400000000002, 17841400000000003"):
        assert (event.kind, event.reason, event.account) == ("rejected", "other_account", ACCOUNT)
        assert (event.text, event.sender_id, event.chat_id, event.phone) == (None, None, None, None)
    for event in _parse(_fixture(name), account_ids=f"17841400000000002,{ACCOUNT}"):
        assert event.kind == EXPECTED[name][0]["kind"]


def test_a_thread_that_another_app_leads_is_still_heard() -> None:
    """The lead must not be lost; Meta refuses our answer there by itself."""
    (event,) = _parse(_fixture("text").replace(b'"messaging"', b'"standby"'))
    assert (event.kind, event.sender_id, event.event_key) == ("text", VERA, FIRST)


def test_the_test_button_of_the_dashboard_is_read() -> None:
    """It sends a change with a string for the time and an account that is nobody's."""
    value = {
        "sender": {"id": "12334"},
        "recipient": {"id": "23245"},
        "timestamp": "1782900001",
        "message": {"mid": "random_mid", "text": "random_text"},
    }
    body = {
        "object": "instagram",
        "entry": [{"id": "0", "time": 1, "changes": [{"field": "messages", "value": value}]}],
    }
    (event,) = _parse(json.dumps(body).encode())
    assert (event.kind, event.text, event.account) == ("text", "random_text", "23245")
    assert event.occurred_at is not None
    (event,) = _parse(json.dumps(body).encode(), account_ids=ACCOUNT)
    assert event.kind == "rejected"


@pytest.mark.parametrize("field", ["comments", "mentions", "story_insights"])
def test_other_fields_are_kept(field: str) -> None:
    """Comments under posts are public: never answered here, never a lead."""
    value = {"id": "17900000000000001", "from": {"id": VERA}, "text": "Красиво!", "message": {"text": "x"}}
    body = {"object": "instagram", "entry": [{"id": ACCOUNT, "changes": [{"field": field, "value": value}]}]}
    (event,) = _parse(json.dumps(body).encode())
    assert (event.kind, event.text, event.sender_id, event.chat_id) == ("unsupported", None, None, None)
    assert event.event_key.startswith(f"{ACCOUNT}:{field}:")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"attachments": [{"type": "ig_reel", "payload": {}}], "text": "Вот такое"}, "media"),
        ({"attachments": [{"type": "template"}], "text": "Вот"}, "text"),
        ({"attachments": [{"type": "brand_new"}]}, "unsupported"),
        ({"attachments": "x"}, "unsupported"),
        ({"text": "Я сама себе", "is_self": True, "is_echo": True}, "echo"),
        ({"quick_reply": {"payload": "7"}, "text": "Семь"}, "button"),
        ({"quick_reply": {}, "text": "Семь"}, "button"),
        ({"quick_reply": {}}, "unsupported"),
        ({"text": "+7 900 000-03-01"}, "text"),
        ({}, "unsupported"),
    ],
)
def test_other_shapes_of_messages(message: dict[str, object], kind: str) -> None:
    """A number that was typed is no proof, and what we cannot read is kept."""
    event = _event(message={"mid": "m"} | message)
    assert event.kind == kind
    assert event.phone is None
    if kind == "media":
        assert event.text == "Вот такое"


def test_a_link_that_only_opened_the_chat_is_a_press() -> None:
    """The client has not said anything yet, and the bot greets."""
    event = _event(referral={"ref": "promo_leto", "source": "SHORTLINKS"})
    assert (event.kind, event.payload, event.message_id, event.text) == ("button", "promo_leto", None, None)
    assert _event(referral={"source": "ADS"}).payload == "/start"


def test_old_postbacks_have_no_id() -> None:
    """Then the person, the time and the payload name the press."""
    first = _event(postback={"title": "Записаться", "payload": "book"})
    again = _event(postback={"title": "Записаться", "payload": "book"})
    later = _event(postback={"title": "Записаться", "payload": "book"}, timestamp=1782900009000)
    assert first.event_key == again.event_key != later.event_key
    assert (first.kind, first.payload) == ("button", "book")
    assert _event(postback={}).kind == "unsupported"


def test_a_reaction_may_be_given_again() -> None:
    """Given, taken back, given again are three events; each redelivery is the same."""
    given = {"mid": "m", "action": "react", "emoji": "❤"}
    keys = [
        _event(reaction=reaction, timestamp=1782900001000 + second * 1000).event_key
        for second, reaction in enumerate((given, {"mid": "m", "action": "unreact"}, given))
    ]
    assert len(set(keys)) == 3
    assert _event(reaction=given).event_key == _event(reaction=given).event_key


def test_edits_of_one_message_are_told_apart() -> None:
    """Each has its number."""
    keys = {_event(message_edit={"mid": "m", "text": "x", "num_edit": number}).event_key for number in (1, 2)}
    assert len(keys) == 2


def test_what_has_no_sender_is_kept() -> None:
    """It cannot be answered."""
    event = _event(message={"mid": "m", "text": "x"}, sender=None)
    assert (event.kind, event.text, event.chat_id) == ("unsupported", None, None)
    assert _event(read={"watermark": 5}).kind == "unsupported"


def test_an_empty_body_has_no_items() -> None:
    """It is one event all the same: what came is kept."""
    for body in (b"{}", b'{"entry": [{"messaging": [1]}]}', b"[]"):
        assert items_of(body) == []
        (event,) = _parse(body)
        assert (event.kind, event.event_key) == ("unsupported", "key")
