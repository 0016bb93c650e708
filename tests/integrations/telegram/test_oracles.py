"""Second opinions: two client libraries read what we read, and build what we send."""

import json
from pathlib import Path
from typing import Any

import pytest
import telegram
from aiogram.methods import SendMessage
from aiogram.types import Update

from leadgate.integrations.telegram.manifest import INTEGRATION
from leadgate.integrations.telegram.messages import send_payloads
from leadgate.model.messages import OutgoingMessage
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_two_libraries_see_the_same_update(path: Path) -> None:
    """The file's name begins with the kind of update; both libraries agree on it, the sender and the words."""
    body = path.read_bytes()
    assert INTEGRATION.receiver is not None
    (event,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), open_connection("telegram"))
    theirs = Update.model_validate_json(body)
    others = telegram.Update.de_json(json.loads(body), None)
    assert theirs.event_type == path.stem.partition("__")[0]
    assert event.event_key == str(theirs.update_id) == str(others.update_id)
    assert others.effective_user is not None
    assert event.sender_id == str(others.effective_user.id)
    if event.kind in {"text", "edited"} and "forwarded" not in path.stem:
        assert others.effective_message is not None
        assert event.text == theirs.event.text == others.effective_message.text  # type: ignore[attr-defined] # a union


@pytest.mark.parametrize(
    "message",
    [
        OutgoingMessage(message_id="m", chat_id="5900000101", text="Здравствуйте!"),
        OutgoingMessage(message_id="m", chat_id="5900000101", text="Когда?", buttons=("Утром", "Днём", "Вечером")),
        OutgoingMessage(message_id="m", chat_id="5900000101", text="Номер?", ask_contact="Поделиться номером"),
        OutgoingMessage(message_id="m", chat_id="-100190", text="x" * 9000, buttons=("Да",)),
    ],
)
def test_a_library_would_send_the_same(message: OutgoingMessage) -> None:
    """The library builds the request from our words and nothing is lost or added."""
    for payload in send_payloads(message):
        built: dict[str, Any] = SendMessage.model_validate(payload).model_dump(exclude_unset=True)
        assert built == payload
