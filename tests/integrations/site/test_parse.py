"""From the widget's message to the event."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.integrations.site.verify import SiteReceiver
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.leads import Utm
from leadgate.model.webhooks import VerifiedWebhook
from tests.integrations.site.rig import BODY, VISITOR, connection


def parsed(body: bytes) -> NormalisedEvent:
    """The one event of a body that was verified."""
    stored = VerifiedWebhook(natural_key="", conversation_key=None, body=body)  # the store keeps the body alone
    (event,) = SiteReceiver().parse(stored, connection())
    return event


def fact(**change: object) -> NormalisedEvent:
    """The event of the usual message with these changes."""
    return parsed(json.dumps({**BODY, **change}).encode())


def test_a_written_message_is_a_text_in_the_clients_own_words() -> None:
    """Exactly as typed, blanks and lines included; the visitor is both who writes and where to answer."""
    event = fact(text="  Здравствуйте!\nХочу на маникюр ")
    assert event.kind is EventKind.TEXT
    assert event.text == "  Здравствуйте!\nХочу на маникюр "
    assert event.sender_id == event.chat_id == VISITOR
    assert event.event_key == f"{VISITOR}:{BODY['id']}"
    assert event.message_id == BODY["id"]
    assert (event.account, event.payload, event.phone, event.lead) == (None, None, None, None)


def test_a_pressed_answer_is_a_button_with_its_title() -> None:
    """The dialogue sees that it was pressed, the history what the visitor chose."""
    event = fact(text="Даю согласие", button=True)
    assert (event.kind, event.payload, event.text) == (EventKind.BUTTON, "Даю согласие", "Даю согласие")


@pytest.mark.parametrize("button", [False, None, 1, "true", {}])
def test_only_true_makes_a_button(button: object) -> None:
    """An odd value is no press."""
    assert fact(button=button).kind is EventKind.TEXT


def test_the_campaign_and_language_come_along() -> None:
    """UTM labels of the page reach the lead; what is odd or too long among them is left out or cut."""
    event = fact(lang="en", utm={"source": "yandex", "medium": 5, "term": "x" * 900, "other": "y"})
    assert event.language == "en"
    assert event.lead is not None
    assert event.lead.utm == Utm(source="yandex", term="x" * 200)
    assert event.lead.contact.channel_user_id == VISITOR
    assert fact(utm={}).lead is None
    assert fact(utm="yandex", lang="eng", page=7).lead is None


def test_what_cannot_be_stored_is_replaced_not_lost() -> None:
    """Half a character pair and NUL break UTF-8 and PostgreSQL; the rest of the words stays."""
    event = parsed(b'{"visitor": "random-1", "id": "0123456789", "text": "a\\ud800b\\u0000c"}')
    assert event.text == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


@given(
    st.one_of(
        st.binary(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)
    )
)
def test_an_odd_body_never_raises(body: bytes) -> None:
    """A body read back from the store years later may be of another version."""
    assert parsed(body).kind is EventKind.UNSUPPORTED


@given(
    st.dictionaries(
        st.sampled_from(["id", "text", "utm", "page", "lang", "button"]), st.none() | st.text() | st.integers()
    )
)
def test_odd_fields_never_raise(fields: dict[str, object]) -> None:
    """Whatever stands in the known fields."""
    assert fact(**fields).kind in {EventKind.TEXT, EventKind.UNSUPPORTED}
