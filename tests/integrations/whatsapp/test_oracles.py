"""A second opinion: a client library reads what we read, and builds what we send.

It reads the first item of a batch only and drops what lacks the newer ids, so it is given our parts of a batch, and the two bodies
that it refuses are named here.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pywa import handlers
from pywa.client import WhatsApp
from pywa.types.callback import Button, Section, SectionList, SectionRow
from pywa.types.templates import BodyText, TemplateLanguage
from pywa.utils import webhook_updates_validator

from leadgate.integrations.whatsapp.addresses import Address
from leadgate.integrations.whatsapp.manifest import INTEGRATION
from leadgate.integrations.whatsapp.messages import free_payloads, template_payload
from leadgate.model.messages import OutgoingMessage
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import NOW, open_connection

FIXTURES = Path(__file__).parent / "fixtures"
SIGNATURES: dict[str, str] = json.loads(
    (Path(__file__).parents[2] / "wire/fixtures/meta_signatures.json").read_bytes()
)["signatures"]
REFUSED = {"text_legacy_no_bsuid", "status_read_legacy"}
"""The library wants ids that older webhooks do not carry."""

KINDS = {
    "text": "Message",
    "media": "Message",
    "location": "Message",
    "contact": "Message",
    "reaction": "Message",
    "unsupported": "Message",
    "edited": "EditedMessage",
    "deleted": "DeletedMessage",
    "status": "MessageStatus",
}
SPECIAL = {
    "button_reply": "CallbackButton",
    "template_button": "CallbackButton",
    "list_reply": "CallbackSelection",
    "system_number_changed": "PhoneNumberChange",
    "marketing_opt_out": "UserMarketingPreferences",
}
HANDLERS = (
    handlers.MessageHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.MessageStatusHandler,
    handlers.PhoneNumberChangeHandler,
    handlers.UserMarketingPreferencesHandler,
    handlers.EditedMessageHandler,
    handlers.DeletedMessageHandler,
)


def _parts(name: str) -> list[VerifiedWebhook]:
    """The fixture as our receiver keeps it: each event a webhook of its own."""
    body = (FIXTURES / f"{name}.json").read_bytes()
    signature = SIGNATURES[f"whatsapp/{name}.json"]
    assert webhook_updates_validator("demo-app-secret", body, signature)
    assert INTEGRATION.receiver is not None
    connection = open_connection("whatsapp", secrets={"app_secret": "demo-app-secret"})
    webhook = INTEGRATION.receiver.verify(
        RawWebhook("POST", {"x-hub-signature-256": signature}, body), connection, now=NOW
    )
    return list(webhook.split) or [webhook]


def _read_by_library(body: bytes) -> Any:  # noqa: ANN401 - one of the library's many types
    found: list[Any] = []
    client = WhatsApp(phone_id="200000000000001", token="EAADEMO", server=None, filter_updates=False)
    client.add_handlers(*(handler(lambda _client, update: found.append(update)) for handler in HANDLERS))
    assert client.webhook_update_handler(body) == ("ok", 200)
    return found[0] if found else None


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.json")))
def test_a_library_sees_the_same_event(name: str) -> None:
    """Kind, sender, message and words, for every event of every fixture, batches included."""
    assert INTEGRATION.receiver is not None
    for part in _parts(name):
        (ours,) = INTEGRATION.receiver.parse(part, open_connection("whatsapp"))
        theirs = _read_by_library(part.body)
        if name in REFUSED:
            assert theirs is None
            continue
        assert type(theirs).__name__ == SPECIAL.get(name, KINDS.get(ours.kind))
        assert ours.occurred_at == theirs.timestamp
        if name == "system_number_changed":
            assert ours.phone == f"+{theirs.new_wa_id}"
            continue
        user = getattr(theirs, "from_user", None) or getattr(theirs, "user", None)
        assert user is not None
        assert (ours.sender_id, ours.sender_name, ours.username) == (user.bsuid, user.name, user.username)
        if ours.kind in {"text", "edited"}:
            assert ours.text == getattr(theirs, "message", theirs).text
        if ours.kind == "media":
            assert ours.text == theirs.caption
        if ours.kind == "button":
            assert (ours.payload, ours.text) == (theirs.data, theirs.title)
        if ours.kind == "status" and name not in SPECIAL:
            assert (ours.message_id, ours.status) == (theirs.id, theirs.status.value)
            assert ours.error_code == (str(theirs.error.code) if theirs.error else None)


class _Library:
    """The library with the wire taken away: what it would send is kept."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        session = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.client = WhatsApp(phone_id="200000000000001", token="EAADEMO", session=session)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        contact = {"input": "79000000201", "wa_id": "79000000201"}
        body = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": "wamid.1"}]}
        return httpx.Response(200, json=body)


def _ours(person: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a message
    message = OutgoingMessage(message_id="evt_1-1", chat_id=person, text="Когда?", **changed)
    (payload,) = free_payloads(message, Address("200000000000001", person))
    text = payload.get("text")
    if isinstance(text, dict):
        assert text.pop("preview_url") is False  # what Meta takes it for when it is absent
    return json.loads(json.dumps(payload))  # type: ignore[no-any-return] # JSON of our own


@pytest.mark.parametrize("person", ["79000000201", "RU.9000000000000210"])
def test_a_library_would_send_the_same_text(person: str) -> None:
    """A phone and a business-scoped id stand in different fields."""
    library = _Library()
    library.client.send_message(to=person, text="Когда?", tracker="evt_1-1")
    theirs = library.sent[0]
    theirs["text"].pop("preview_url", None)
    assert theirs == _ours(person)


def test_a_library_would_send_the_same_buttons_and_list() -> None:
    """Nothing of an interactive message is lost or added."""
    titles = ("Утром", "Днём", "Вечером", "Не знаю")
    library = _Library()
    library.client.send_message(
        to="79000000201", text="Когда?", buttons=[Button(title, title) for title in titles[:3]], tracker="evt_1-1"
    )
    rows = [SectionRow(title, title) for title in titles]
    library.client.send_message(
        to="79000000201",
        text="Когда?",
        buttons=SectionList("Выбрать", [Section("", rows)]),
        tracker="evt_1-1",
    )
    buttons, listed = library.sent
    assert buttons == _ours("79000000201", buttons=titles[:3])
    listed["interactive"]["action"]["sections"][0].pop(
        "title"
    )  # a title is wanted only where there are several sections
    assert listed == _ours("79000000201", buttons=titles)


def test_a_library_would_ask_for_the_phone_in_the_same_way() -> None:
    """For those who hide it behind a username."""
    library = _Library()
    library.client.request_contact_info(to="RU.9000000000000210", text="Когда?", tracker="evt_1-1")
    assert library.sent[0] == _ours("RU.9000000000000210", ask_contact="Поделиться номером")


def test_a_library_would_send_the_same_template() -> None:
    """Name, language and what is filled in."""
    message = OutgoingMessage(message_id="evt_1-1", chat_id="x", text="", parameters=("Алсу", "в 15:00"))
    library = _Library()
    library.client.send_template(
        to="79000000201",
        name="visit_reminder",
        language=TemplateLanguage.RUSSIAN,
        params=[BodyText.params(*message.parameters)],  # type: ignore[arg-type] # the library says Self for what it takes
        tracker="evt_1-1",
    )
    payload = template_payload(message, Address("200000000000001", "79000000201"), ("visit_reminder", "ru"))
    theirs, ours = library.sent[0], json.loads(json.dumps(payload))
    for component in (*theirs["template"]["components"], *ours["template"]["components"]):
        component["type"] = component["type"].lower()  # Meta takes either
    assert theirs == ours
