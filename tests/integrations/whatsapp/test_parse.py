import json
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake.normalised import to_public
from leadgate.integrations.whatsapp.manifest import INTEGRATION
from leadgate.integrations.whatsapp.verify import items_of
from leadgate.model.events import NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection

FIXTURES = Path(__file__).parent / "fixtures"
NUMBER = "200000000000001"

AIGUL = "RU.9000000000000201"
DMITRY = "RU.9000000000000202"
LEYSAN = "RU.9000000000000203"
KAMILA = "RU.9000000000000210"


def _wamid(number: str) -> str:
    return f"wamid.SEJnTE56a3dNREF3TURBeE1ERVZBZ0FTR0JRelEwMD{number}="


FIRST = _wamid("AwMDE")
OURS = _wamid("A5MDQ")
PROVEN = {"phone": "+79000000201", "phone_verified": True}
PROVEN_DMITRY = {"phone": "+79000000202", "phone_verified": True}

EXPECTED: dict[str, list[dict[str, Any]]] = {
    "text": [
        PROVEN
        | {
            "kind": "text",
            "sender_id": AIGUL,
            "event_key": FIRST,
            "message_id": FIRST,
            "text": "Добрый день, есть окно на маникюр завтра?",
            "occurred_at": "2026-07-01T10:00:01+00:00",
        }
    ],
    "text_legacy_no_bsuid": [PROVEN | {"kind": "text", "sender_id": "79000000201", "text": "Здравствуйте"}],
    "text_username_only": [{"kind": "text", "sender_id": KAMILA, "text": "Хочу записаться"}],
    "button_reply": [
        PROVEN | {"kind": "button", "sender_id": AIGUL, "payload": "slot:2026-07-04T12:00", "text": "12:00"}
    ],
    "list_reply": [
        PROVEN_DMITRY | {"kind": "button", "sender_id": DMITRY, "payload": "svc:manicure", "text": "Маникюр"}
    ],
    "template_button": [
        PROVEN_DMITRY | {"kind": "button", "sender_id": DMITRY, "payload": "confirm:yes", "text": "Подтверждаю"}
    ],
    "location": [PROVEN_DMITRY | {"kind": "location", "sender_id": DMITRY}],
    "voice": [PROVEN | {"kind": "media", "sender_id": AIGUL}],
    "image_caption": [PROVEN | {"kind": "media", "sender_id": AIGUL, "text": "Хочу такой цвет"}],
    "contacts_card": [
        {"kind": "contact", "sender_id": AIGUL, "phone": "+79000000299", "phone_verified": False},
    ],
    "reaction": [PROVEN | {"kind": "reaction", "sender_id": AIGUL, "message_id": _wamid("A5MDM")}],
    "status_delivered": [
        {
            "kind": "status",
            "sender_id": AIGUL,
            "event_key": f"{OURS}:delivered",
            "message_id": OURS,
            "status": "delivered",
        }
    ],
    "status_read_legacy": [
        {
            "kind": "status",
            "sender_id": "79000000201",
            "event_key": f"{OURS}:read",
            "message_id": OURS,
            "status": "read",
        }
    ],
    "status_failed_131047": [
        {
            "kind": "status",
            "sender_id": DMITRY,
            "message_id": _wamid("A5MDU"),
            "status": "failed",
            "error_code": "131047",
        }
    ],
    "unsupported": [PROVEN | {"kind": "unsupported", "sender_id": AIGUL}],
    "system_number_changed": [
        {
            "kind": "status",
            "sender_id": DMITRY,
            "status": "number_changed",
            "phone": "+79000000292",
            "phone_verified": True,
        }
    ],
    "referral_ad": [
        {
            "kind": "text",
            "sender_id": LEYSAN,
            "text": "Здравствуйте! Хочу узнать подробнее",
            "phone": "+79000000203",
            "phone_verified": True,
        }
    ],
    "edit": [
        PROVEN
        | {
            "kind": "edited",
            "sender_id": AIGUL,
            "message_id": FIRST,
            "text": "Добрый день, есть окно на маникюр послезавтра?",
        }
    ],
    "revoke": [PROVEN | {"kind": "deleted", "sender_id": AIGUL, "message_id": FIRST}],
    "marketing_opt_out": [
        {
            "kind": "status",
            "sender_id": LEYSAN,
            "status": "opted_out",
            "message_id": None,
            "occurred_at": "2026-07-01T10:00:17+00:00",
        }
    ],
    "batch_two_messages": [
        PROVEN | {"kind": "text", "sender_id": AIGUL, "text": "Первое"},
        PROVEN_DMITRY | {"kind": "text", "sender_id": DMITRY, "text": "Второе"},
    ],
}


def _parse(body: bytes, **settings: str) -> list[NormalisedEvent]:
    assert INTEGRATION.receiver is not None
    connection = open_connection("whatsapp", settings=settings)
    return INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), connection)


def _fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def _message(name: str = "text", **changed: object) -> bytes:
    """The body of a fixture with some fields of its message changed; None takes one away."""
    body = json.loads(_fixture(name))
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message.update(changed)
    for key in [key for key, value in changed.items() if value is None]:
        del message[key]
    return json.dumps(body).encode()


def _change(field: str, value: dict[str, object], name: str = "text") -> bytes:
    body = json.loads(_fixture(name))
    metadata = body["entry"][0]["changes"][0]["value"]["metadata"]
    body["entry"][0]["changes"] = [{"field": field, "value": {"metadata": metadata, **value}}]
    return json.dumps(body).encode()


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
        assert public == public | {"account": NUMBER} | expected
        unnamed = set(public) - set(expected) - {"account", "event_key", "message_id", "occurred_at"}
        assert {field: public[field] for field in unnamed} == dict.fromkeys(unnamed)
        assert event.occurred_at is not None


def test_the_dialogue_learns_whom_to_answer() -> None:
    """Name, user name and chat are no part of the printed event; a phone is the better address where there is one."""
    (known,) = _parse(_fixture("text"))
    assert (known.sender_name, known.username, known.chat_id) == ("Айгуль Сафина", None, f"{NUMBER}:79000000201")
    (hidden,) = _parse(_fixture("text_username_only"))
    assert (hidden.sender_name, hidden.username, hidden.chat_id) == ("Камила", "kamila.demo", f"{NUMBER}:{KAMILA}")


def test_a_status_and_a_message_of_one_person_meet_in_one_chat() -> None:
    """Otherwise a client who forbade marketing would still get it."""
    chats = {_parse(_fixture(name))[0].chat_id for name in ("referral_ad", "marketing_opt_out")}
    assert len(chats) == 1


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_of_another_number_is_never_worked_on(name: str) -> None:
    """One app serves many salons: what came to a stranger's number is a stranger's."""
    for event in _parse(_fixture(name), phone_number_ids="200000000000002, 200000000000003"):
        assert (event.kind, event.reason, event.account) == ("rejected", "other_account", NUMBER)
        assert (event.text, event.sender_id, event.phone, event.chat_id) == (None, None, None, None)
    for event in _parse(_fixture(name), waba_id="100000000000009"):
        assert event.kind == "rejected"
    for event in _parse(_fixture(name), phone_number_ids=f"200000000000002,{NUMBER}", waba_id="100000000000001"):
        assert event.kind == EXPECTED[name][0]["kind"]


def test_one_body_for_two_businesses_is_sorted() -> None:
    """The address alone authorises nothing; each value says whose it is."""
    body = json.loads(_fixture("text"))
    other = json.loads(_fixture("button_reply").replace(NUMBER.encode(), b"200000000000002"))
    body["entry"] += other["entry"]
    kinds = [event.kind for event in _parse(json.dumps(body).encode(), phone_number_ids=NUMBER)]
    assert kinds == ["text", "rejected"]


def test_groups_are_ignored() -> None:
    """A private answer in public would be worse than none."""
    (event,) = _parse(_message(group_id="120363000000000001"))
    assert (event.kind, event.reason, event.text, event.chat_id) == ("ignored", "group_chat", None, None)


def test_the_own_card_proves_the_phone() -> None:
    """Asked for, or with the number that writes; any other card is somebody else's."""
    own = [{"phones": [{"phone": "8 (900) 000-02-01"}]}]
    (event,) = _parse(_message("contacts_card", contacts=own))
    assert (event.kind, event.phone, event.phone_verified) == ("contact", "+79000000201", True)
    asked = [{"origin": "contact_request", "phones": [{"phone": "+7 900 000-02-10", "wa_id": "79000000210"}]}]
    hidden: dict[str, Any] = {"type": "contacts", "contacts": asked, "text": None}
    (event,) = _parse(_message("text_username_only", **hidden))
    assert (event.kind, event.phone, event.phone_verified) == ("contact", "+79000000210", True)


def test_a_card_without_a_number_has_no_phone() -> None:
    """Half a number would spoil the contact in the CRM."""
    (event,) = _parse(_message("contacts_card", contacts=[{"phones": [{"phone": "12"}]}, {}]))
    assert (event.kind, event.phone, event.phone_verified) == ("contact", None, None)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"type": "order", "order": {"catalog_id": "1"}}, "unsupported"),
        ({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow"}}}, "unsupported"),
        ({"type": "interactive", "interactive": None}, "unsupported"),
        ({"type": "sticker", "sticker": {"id": "1"}}, "media"),
        ({"type": "video", "video": {"caption": "Вот"}}, "media"),
        ({"type": "document", "document": {"filename": "прайс.pdf"}}, "media"),
        ({"type": "request_welcome"}, "ignored"),
        ({"type": "system", "system": {"type": "customer_identity_changed"}}, "ignored"),
        ({"type": "system", "system": {"type": "customer_changed_number", "new_wa_id": "79000000299"}}, "status"),
        ({"type": "edit", "edit": {}}, "unsupported"),
        ({"type": "revoke", "revoke": {}}, "unsupported"),
        ({"type": "text", "text": None}, "unsupported"),
        ({"type": "button", "button": {"text": "Да"}}, "button"),
        ({"from": None, "from_user_id": None}, "unsupported"),
    ],
)
def test_other_types_of_messages(changed: dict[str, object], kind: str) -> None:
    """What we cannot read is kept, and no shape makes us fall over."""
    (event,) = _parse(_message("text", **changed))
    assert event.kind == kind


def test_the_words_of_an_edited_picture_are_read() -> None:
    """An edit may be of a caption."""
    edit = {"original_message_id": FIRST, "message": {"type": "image", "image": {"caption": "Такой"}}}
    (event,) = _parse(_message("edit", edit=edit))
    assert (event.kind, event.text) == ("edited", "Такой")


def test_what_the_salon_wrote_in_its_app_is_an_echo() -> None:
    """Answering ourselves would be an endless loop."""
    echo = {
        "from": "79000000001",
        "to": "79000000201",
        "id": "wamid.echo",
        "type": "text",
        "text": {"body": "Ждём вас"},
    }
    (event,) = _parse(_change("smb_message_echoes", {"message_echoes": [echo]}))
    assert (event.kind, event.text, event.sender_id, event.message_id) == ("echo", None, "79000000201", "wamid.echo")


@pytest.mark.parametrize("field", ["account_update", "message_template_status_update", "phone_number_quality_update"])
def test_other_fields_are_kept(field: str) -> None:
    """They concern the account, not a client."""
    (event,) = _parse(_change(field, {"event": "DISABLED"}))
    assert (event.kind, event.sender_id, event.chat_id) == ("unsupported", None, None)


def test_marketing_may_be_allowed_again() -> None:
    """And another category says nothing to us."""
    preference = {"wa_id": "79000000203", "category": "marketing_messages", "value": "resume", "timestamp": 1782900017}
    (event,) = _parse(_change("user_preferences", {"user_preferences": [preference]}))
    assert (event.status, event.sender_id) == ("opted_in", "79000000203")
    (event,) = _parse(_change("user_preferences", {"user_preferences": [preference | {"category": "x"}]}))
    assert event.kind == "unsupported"


@pytest.mark.parametrize(("word", "kind"), [("played", "status"), ("warning", "unsupported"), ("", "unsupported")])
def test_other_words_of_statuses(word: str, kind: str) -> None:
    """A voice message that was played was read; the rest says nothing that we act on."""
    body = _fixture("status_delivered").replace(b'"delivered"', json.dumps(word).encode())
    (event,) = _parse(body)
    assert event.kind == kind


def test_a_person_is_never_found_by_position() -> None:
    """A contact without the right id is nobody's."""
    body = json.loads(_fixture("text"))
    value = body["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"profile": {"name": "Чужая"}, "wa_id": "79000000999"}]
    del value["messages"][0]["from_user_id"]
    (event,) = _parse(json.dumps(body).encode())
    assert (event.sender_name, event.sender_id) == (None, "79000000201")
    value["contacts"].append({"profile": {"name": "Своя"}, "wa_id": "79000000201", "user_id": AIGUL})
    (event,) = _parse(json.dumps(body).encode())
    assert (event.sender_name, event.sender_id) == ("Своя", AIGUL)


def test_an_empty_body_has_no_items() -> None:
    """It is one event all the same: what came is kept."""
    for body in (b"{}", b'{"entry": [{"changes": [1]}]}', b"[]"):
        assert items_of(body) == []
        (event,) = _parse(body)
        assert (event.kind, event.event_key) == ("unsupported", "key")
