import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadgate.errors import InvalidLeadError
from leadgate.integrations.bot.manifest import INTEGRATION
from leadgate.integrations.bot.schema import read_lead
from leadgate.integrations.bot.sign import sign_lead
from leadgate.integrations.bot.verify import conversation_key, verify_lead
from leadgate.model.events import NormalisedEvent
from leadgate.model.leads import Utm
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import NOW, open_connection

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDE="
CONNECTION = open_connection("bot", secrets={"signing_secret": SECRET})


def _lead(**changes: object) -> dict[str, Any]:
    return {"channel": "telegram", "contact": {"phone": "+79000000101"}, **changes}


def _bad_fields(value: object) -> list[str]:
    with pytest.raises(InvalidLeadError) as error:
        read_lead(value)
    assert error.value.status == 422
    assert all(problem.problem for problem in error.value.problems)
    return sorted(problem.field for problem in error.value.problems)


def _parse(body: bytes) -> NormalisedEvent:
    assert INTEGRATION.receiver is not None
    (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("msg_1", None, body), CONNECTION)
    return event


def test_a_full_lead_becomes_one_form() -> None:
    """Every field of the contract arrives, normalised."""
    event = _parse((FIXTURES / "lead__full.json").read_bytes())
    assert (event.kind, event.event_key, event.sender_id) == ("form", "msg_1", "5900000101")
    assert (event.phone, event.phone_verified) == ("+79000000101", False)
    assert event.text == "Хочу записаться на стрижку в среду"
    assert event.lead is not None
    assert event.lead.channel == "telegram"
    assert event.lead.contact.name == "Алсу Гарипова"
    assert event.lead.contact.email == "alsu@example.com"
    assert event.lead.contact.username == event.username == "alsu_demo"
    assert event.lead.service == "Стрижка женская"
    assert event.lead.preferred_time == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert event.lead.consent is not None
    assert event.lead.consent.policy_version == "2026-09"
    assert event.lead.utm == Utm(source="vk", medium="cpc", campaign="autumn", content="video", term="стрижка")


@pytest.mark.parametrize(
    "contact",
    [{"phone": "8 900 000-01-01"}, {"email": "a@b.ru"}, {"username": "@alsu"}, {"channel_user_id": "5"}],
)
def test_one_identifier_is_enough(contact: dict[str, str]) -> None:
    """All else is optional but the channel."""
    read = read_lead({"channel": "telegram", "contact": contact})
    assert read.message is None
    assert read.consent is None
    assert read.utm == Utm()


def test_absent_null_and_empty_are_the_same() -> None:
    """Builders send "" and null for a variable without a value."""
    bare = read_lead(_lead())
    for empty in ("", "  ", None):
        names = ("message", "service", "preferred_time", "consent", "utm")
        body = _lead(**dict.fromkeys(names, empty if empty is None else None))
        body |= {"message": empty, "service": empty, "preferred_time": empty}
        body["contact"] |= {"email": empty, "name": empty, "username": empty, "channel_user_id": empty}
        body["utm"] = {"source": empty}
        assert read_lead(body) == bare


def test_fields_that_the_schema_does_not_know_are_left_alone() -> None:
    """A builder that adds a field of its own must not lose leads."""
    assert read_lead(_lead(step=5, contact={"phone": "+79000000101", "age": 30})) == read_lead(_lead())


def test_every_bad_field_is_named_at_once() -> None:
    """The integrator mends them in one go, not one by one."""
    body = {
        "channel": 5,
        "contact": {
            "name": [],
            "phone": "позвоните мне",
            "email": "a@b",
            "username": "a b",
            "channel_user_id": 5,
        },
        "message": {},
        "service": "x" * 257,
        "preferred_time": "2026-11-25T15:00:00",
        "consent": {"given_at": "yesterday"},
        "utm": {"source": 1, "medium": True, "campaign": [], "content": {}, "term": 1.5},
    }
    assert _bad_fields(body) == [
        "channel",
        "consent.given_at",
        "consent.policy_version",
        "contact.channel_user_id",
        "contact.email",
        "contact.name",
        "contact.phone",
        "contact.username",
        "message",
        "preferred_time",
        "service",
        "utm.campaign",
        "utm.content",
        "utm.medium",
        "utm.source",
        "utm.term",
    ]


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ([], ["body"]),
        (None, ["body"]),
        ("lead", ["body"]),
        ({}, ["channel", "contact"]),
        ({"channel": "telegram"}, ["contact"]),
        ({"channel": "telegram", "contact": {"name": "Алсу"}}, ["contact"]),
        ({"channel": "telegram", "contact": "Алсу"}, ["contact"]),
        ({"channel": "telegram", "contact": {"phone": "12"}}, ["contact.phone"]),
        ({"contact": {"phone": "+79000000101"}}, ["channel"]),
        (_lead(channel=" "), ["channel"]),
        (_lead(channel="x" * 65), ["channel"]),
        (_lead(channel="a\nb"), ["channel"]),
        (_lead(utm="vk"), ["utm"]),
        (_lead(consent=True), ["consent"]),
        (_lead(consent={"policy_version": "1"}), ["consent.given_at"]),
        (_lead(message="x" * 16_385), ["message"]),
        (_lead(message=["x"]), ["message"]),
    ],
)
def test_a_body_that_breaks_the_schema_names_its_fields(value: object, fields: list[str]) -> None:
    """Each field that is wrong, and none that is right."""
    assert _bad_fields(value) == fields


@pytest.mark.parametrize(
    "time",
    [
        "tomorrow",
        "2026-11-25",
        "2026-11-25T15:00",
        "2026-13-01T00:00:00Z",
        "1999-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "1782900000",
    ],
)
def test_a_time_without_offset_or_sense_is_bad(time: str) -> None:
    """15:00 where? A salon in Kazan and its bot's server in Frankfurt do not agree."""
    assert _bad_fields(_lead(preferred_time=time)) == ["preferred_time"]


@pytest.mark.parametrize(
    "email",
    [
        "a",
        "a@",
        "@b.ru",
        "a@b",
        "a@b.",
        "a@.ru",
        "a@@b.ru",
        "a b@c.ru",
        "x" * 65 + "@b.ru",
        "a@" + "b" * 250 + ".ru",
    ],
)
def test_what_is_no_email_is_bad(email: str) -> None:
    """A shape check, no more: whether it exists only a letter can tell."""
    assert _bad_fields(_lead(contact={"email": email})) == ["contact.email"]


def test_problems_never_repeat_a_value() -> None:
    """They are logged; the values are somebody's data."""
    with pytest.raises(InvalidLeadError) as error:
        read_lead(_lead(contact={"phone": "MARKED", "email": "MARKED", "username": "MARKED MARKED"}))
    assert "MARKED" not in f"{error.value} {error.value.problems}"


def test_the_schema_is_checked_before_anything_is_stored() -> None:
    """422 at the door, after the signature is proven."""
    body, headers = sign_lead(_lead(channel=5), secret=SECRET, webhook_id="msg_1", at=NOW)
    with pytest.raises(InvalidLeadError):
        verify_lead(RawWebhook("POST", headers, body), CONNECTION, now=NOW)


def test_a_signed_lead_is_taken() -> None:
    """What `sign_lead` makes is what the door wants, Russian letters and all."""
    body, headers = sign_lead(_lead(message="Привет"), secret=SECRET, webhook_id="msg_1", at=NOW)
    webhook = verify_lead(RawWebhook("POST", headers, body), CONNECTION, now=NOW)
    assert (webhook.natural_key, webhook.conversation_key) == ("msg_1", "phone:+79000000101")
    assert "Привет".encode() in webhook.body


def test_the_conversation_is_the_strongest_identifier() -> None:
    """Leads of one person are worked on in order, however the phone is written."""
    for contact, key in (
        ({"phone": "8 900 000 01 01", "email": "A@b.ru"}, "phone:+79000000101"),
        ({"email": "A@b.ru", "channel_user_id": "5"}, "email:a@b.ru"),
        ({"channel_user_id": "5", "username": "a"}, "user:telegram:5"),
        ({"username": "@Alsu"}, "username:telegram:alsu"),
    ):
        assert conversation_key("telegram", read_lead(_lead(contact=contact)).contact) == key


def test_parse_rejects_what_the_door_would_refuse() -> None:
    """`leadgate parse bot FILE` tells an integrator what is wrong with a body."""
    event = _parse(json.dumps(_lead(channel=5, utm=1)).encode())
    assert event.kind == "rejected"
    assert event.reason is not None
    assert "channel: must be text in quotes" in event.reason
    assert "utm" in event.reason
    assert _parse(b"not json").reason == "bot.not_json"
