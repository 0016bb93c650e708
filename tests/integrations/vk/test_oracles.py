"""Second opinion: vkbottle reads what we read, and takes what we send."""

import json
from pathlib import Path
from typing import Any

import pytest
from vkbottle import API
from vkbottle_types.codegen.responses.groups import GroupsGetCallbackServersResponse, GroupsGetTokenPermissionsResponse
from vkbottle_types.events import bot_events

from leadgate.integrations.vk.manifest import INTEGRATION
from leadgate.integrations.vk.messages import to_pieces
from leadgate.integrations.vk.standing import WANTED_EVENTS, settings_of
from leadgate.model.messages import OutgoingMessage
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection
from leadgate.testing.vendor_server import Request
from leadgate.testing.vk_server import VkServer

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("message*.json"))
MODELS: dict[str, Any] = {
    "message_new": bot_events.MessageNew,
    "message_event": bot_events.MessageEvent,
    "message_edit": bot_events.MessageEdit,
    "message_reply": bot_events.MessageReply,
    "message_allow": bot_events.MessageAllow,
    "message_deny": bot_events.MessageDeny,
}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_library_sees_the_same_event(path: Path) -> None:
    """The file's name begins with the kind; the library agrees on it, the key, the person and the words."""
    body = path.read_bytes()
    assert INTEGRATION.receiver is not None
    (ours,) = INTEGRATION.receiver.parse(VerifiedWebhook("key", None, body), open_connection("vk"))
    kind = path.stem.partition("__")[0]
    theirs = MODELS[kind](**json.loads(body))
    assert (theirs.event_id, str(theirs.group_id)) == (ours.event_key, ours.account)
    content = theirs.object.message if kind == "message_new" else theirs.object
    person = content.peer_id if kind == "message_reply" else getattr(content, "from_id", None) or content.user_id
    assert str(person) == ours.sender_id
    if ours.kind in {"text", "edited", "button"} and kind != "message_event":
        assert content.text == ours.text
    if ours.payload is not None:
        payload = content.payload
        assert json.loads(ours.payload) == (json.loads(payload) if isinstance(payload, str) else payload)
    if ours.callback_id is not None:
        assert theirs.object.event_id == ours.callback_id


@pytest.mark.parametrize(
    "message",
    [
        OutgoingMessage(message_id="m", chat_id="700000401", text="Здравствуйте!"),
        OutgoingMessage(message_id="m", chat_id="700000401", text="Когда?", buttons=("Утром", "Днём", "Вечером")),
        OutgoingMessage(message_id="m", chat_id="700000401", text="слово " * 2000, buttons=("Да",)),
    ],
)
async def test_a_library_would_send_the_same(message: OutgoingMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes our parameters by VK's names and hands them on as they are."""
    sent: list[tuple[str, dict[str, Any]]] = []
    api = API("invented")

    async def note(method: str, params: dict[str, Any]) -> dict[str, Any]:
        sent.append((method, {name: value for name, value in params.items() if value is not None}))
        return {"response": 1}

    monkeypatch.setattr(api, "request", note)
    pieces = [piece.parameters() for piece in to_pieces(message)]
    for piece in pieces:
        await api.messages.send(
            peer_id=int(piece["peer_id"]),
            random_id=int(piece["random_id"]),
            message=piece["message"],
            keyboard=piece.get("keyboard"),
        )
    assert [(method, {name: str(value) for name, value in given.items()}) for method, given in sent] == [
        ("messages.send", piece) for piece in pieces
    ]


async def test_the_events_that_we_switch_on_are_events_of_the_library() -> None:
    """A misspelt name would be switched on nowhere, and nobody would notice."""
    known = API("invented").groups.set_callback_settings.__annotations__
    assert set(WANTED_EVENTS) | {"group_id", "server_id", "api_version"} <= set(known)
    assert set(settings_of("1", "2")) <= set(known)


def test_the_double_answers_as_the_library_expects() -> None:
    """A double that speaks otherwise than VK proves nothing."""
    server = VkServer()
    server.webhook, server.secret = "https://salon.example/x", "s3cret"
    form = b"v=5.199&group_id=210000001"

    def ask(method: str) -> Any:  # noqa: ANN401 - JSON
        headers = {"authorization": f"Bearer {server.token}"}
        return server.carry_out(Request("POST", f"/method/{method}", {}, headers, form)).body

    servers = GroupsGetCallbackServersResponse(**_with_creator(ask("groups.getCallbackServers"))).response.items
    assert [item.url for item in servers] == ["https://other.example/vk", "https://salon.example/x"]
    rights = GroupsGetTokenPermissionsResponse(**ask("groups.getTokenPermissions")).response.permissions
    assert [right.name for right in rights] == ["manage", "messages"]


def _with_creator(answer: dict[str, Any]) -> dict[str, Any]:
    """The double leaves out who made a server: nobody reads it."""
    items = [{"creator_id": 1, **item} for item in answer["response"]["items"]]
    return {"response": {**answer["response"], "items": items}}
