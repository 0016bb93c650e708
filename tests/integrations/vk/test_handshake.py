import json
from pathlib import Path

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.vk.manifest import INTEGRATION
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.testing.connections import open_connection

FIXTURES = Path(__file__).parent / "fixtures"
ASKED = (FIXTURES / "confirmation__asked.json").read_bytes()
SECRETS = {"webhook_secret": "Limon2026DemoSecret", "confirmation": "a1b2c3d4"}


def _connection(**changed: str | list[str]) -> OpenConnection:
    secrets = {name: value for name, value in {**SECRETS, **changed}.items() if value}
    return open_connection("vk", secrets=secrets, settings={"group_id": "210000001"})


def _handshake(
    body: bytes | dict[str, object], connection: OpenConnection | None = None, method: str = "POST"
) -> WebhookAnswer | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert INTEGRATION.receiver is not None
    return INTEGRATION.receiver.handshake(RawWebhook(method, {}, raw), connection or _connection())


def test_vk_gets_the_confirmation_string_as_plain_text() -> None:
    """Not `ok`, not JSON: otherwise the address is never confirmed."""
    answer = _handshake(ASKED)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"a1b2c3d4", "text/plain; charset=utf-8")


def test_vk_may_ask_before_it_knows_our_secret() -> None:
    """The string proves nothing to anybody else, and a first set-up by hand begins without a secret."""
    answer = _handshake({"type": "confirmation", "group_id": 210000001})
    assert answer is not None
    assert answer.body == b"a1b2c3d4"


@pytest.mark.parametrize(
    "body",
    [
        {"type": "confirmation", "group_id": 210000002, "secret": "Limon2026DemoSecret"},
        {"type": "confirmation"},
        {"type": "confirmation", "group_id": 210000001, "secret": "wrong"},
        {"type": "confirmation", "group_id": 210000001, "secret": None},
    ],
)
def test_a_wrong_handshake_is_refused(body: dict[str, object]) -> None:
    """Another community or a wrong secret is somebody else."""
    with pytest.raises(WebhookRejectedError) as refusal:
        _handshake(body)
    assert refusal.value.status == 401


def test_without_a_confirmation_string_nothing_is_answered() -> None:
    """An empty answer would look like a success of ours and a failure of VK's."""
    with pytest.raises(WebhookRejectedError):
        _handshake(ASKED, _connection(confirmation=""))


def test_the_newest_of_two_strings_is_answered() -> None:
    """VK changes the string when its settings change; the old one is good for nothing."""
    answer = _handshake(ASKED, _connection(confirmation=["fresh123", "a1b2c3d4"]))
    assert answer is not None
    assert answer.body == b"fresh123"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("message*.json")), ids=lambda path: path.stem)
def test_an_ordinary_event_is_no_handshake(path: Path) -> None:
    """It goes on to the proof."""
    assert _handshake(path.read_bytes()) is None


def test_words_of_a_client_make_no_handshake() -> None:
    """Somebody may write the word."""
    body = json.loads((FIXTURES / "message_new__text.json").read_bytes())
    body["object"]["message"]["text"] = '"confirmation"'
    body["object"]["message"]["type"] = "confirmation"
    assert _handshake(body) is None
    assert _handshake(b'{"type":"confirmation"', None) is None
    assert _handshake(ASKED, method="GET") is None
