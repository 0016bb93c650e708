"""Second opinion: maxapi reads what we read, and takes what we send."""

import json
from pathlib import Path
from typing import Any

import pytest
from maxapi.enums.update import UpdateType
from maxapi.types.attachments.attachment import ButtonsPayload
from maxapi.types.updates import UpdateUnionAdapter
from maxapi.utils.vcf import parse_vcf_info

from leadgate.integrations.max.contact import find_phone
from leadgate.integrations.max.manifest import INTEGRATION
from leadgate.integrations.max.messages import send_bodies
from leadgate.integrations.max.standing import WANTED_UPDATES
from leadgate.model.messages import OutgoingMessage
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection

REFUSED = "message_created__voice_without_message"
"""What the platform really sent and the library cannot read: it skips the update with a line in its log."""

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))


@pytest.mark.parametrize("path", [path for path in FIXTURES if path.stem != REFUSED], ids=lambda path: path.stem)
def test_a_library_sees_the_same_update(path: Path) -> None:
    """The file's name begins with the kind; the library agrees on it, the chat, the person, the words and the payload."""
    body = path.read_bytes()
    assert INTEGRATION.receiver is not None
    (ours,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), open_connection("max"))
    theirs: Any = UpdateUnionAdapter.validate_python(json.loads(body))
    assert theirs.update_type.value == path.stem.partition("__")[0]
    chat_id, user_id = theirs.get_ids()
    assert str(user_id) == ours.sender_id
    if ours.chat_id is not None:
        assert str(chat_id) == ours.chat_id
    if ours.text is not None:
        assert theirs.message.body.text == ours.text
    if ours.kind == "button":
        assert (theirs.callback.payload if hasattr(theirs, "callback") else theirs.payload) == ours.payload


def test_the_library_refuses_what_we_keep() -> None:
    """The difference is explained: for the library the update does not exist, for us it is `unsupported`."""
    body = next(path for path in FIXTURES if path.stem == REFUSED).read_bytes()
    with pytest.raises(ValueError, match="message"):
        UpdateUnionAdapter.validate_python(json.loads(body))


@pytest.mark.parametrize("name", ["message_created__contact_own", "message_created__contact_foreign"])
def test_a_library_reads_the_same_phone_in_the_card(name: str) -> None:
    """Its own reader of cards finds the same digits."""
    update = json.loads(next(path for path in FIXTURES if path.stem == name).read_bytes())
    contact = update["message"]["body"]["attachments"][0]["payload"]
    assert f"+{parse_vcf_info(contact['vcf_info']).phone}" == find_phone(contact)


@pytest.mark.parametrize(
    "message",
    [
        OutgoingMessage(message_id="m", chat_id="1", text="Когда?", buttons=("Утром", "Днём", "Вечером")),
        OutgoingMessage(
            message_id="m", chat_id="1", text="Номер?", ask_contact="Поделиться номером", buttons=("Позже",)
        ),
        OutgoingMessage(message_id="m", chat_id="1", text="?", buttons=tuple(f"Услуга номер {n}" for n in range(100))),
    ],
)
def test_a_library_would_send_the_same_buttons(message: OutgoingMessage) -> None:
    """The library builds the keyboard from our words and loses nothing."""
    attachments: Any = send_bodies(message)[-1]["attachments"]
    (attachment,) = attachments
    built = ButtonsPayload.model_validate(attachment["payload"]).model_dump(mode="json", exclude_unset=True)
    assert built == attachment["payload"]


def test_the_updates_that_we_ask_for_exist() -> None:
    """A misspelt name would be posted never, and nobody would notice."""
    assert set(WANTED_UPDATES) <= {kind.value for kind in UpdateType}
