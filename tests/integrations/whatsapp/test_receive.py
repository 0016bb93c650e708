"""WhatsApp keeps the rules of every channel that receives."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, ClassVar

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.whatsapp.manifest import INTEGRATION
from leadgate.model.events import EventKind
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.testing.channel_suite import BatchSuite, OpenVocabularySuite
from leadgate.testing.connections import NOW, open_connection

NUMBER = "200000000000001"


def _signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _value(messages: list[dict[str, Any]], **further: object) -> dict[str, object]:
    metadata = {"display_phone_number": "79000000001", "phone_number_id": NUMBER}
    return {"messaging_product": "whatsapp", "metadata": metadata, "messages": messages, **further}


def _body(value: object, *, field: str = "messages") -> bytes:
    entry = {"id": "100000000000001", "changes": [{"value": value, "field": field}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _text(event: int, sender: str, words: str) -> dict[str, Any]:
    return {
        "from": sender,
        "id": f"wamid.{event}",
        "timestamp": str(1782900000 + event),
        "type": "text",
        "text": {"body": words},
    }


class TestWhatsAppReceives(OpenVocabularySuite, BatchSuite):
    integration = INTEGRATION
    secret_name = "app_secret"
    first = "demo-app-secret"
    second = "demo-second-app-secret"
    strange = "somebody-elses-secret"
    other_secrets: ClassVar = {"access_token": "EAADEMOtoken0001", "verify_token": "demo-verify-token"}
    other_settings: ClassVar = {"phone_number_ids": NUMBER}

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        return RawWebhook(method="POST", headers={"x-hub-signature-256": _signature(secret, body)}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        return _body(_value([_text(event, "79000000201", "@")])).replace(b'"@"', text_json.encode())

    def unknown_body(self) -> bytes:
        return _body({"brand": {"new": 1}}, field="brand_new_field")

    def batch_body(self, *texts: tuple[int, str, str]) -> bytes:
        """All four levels are used: the first text stands in an entry of its own, the second in a change of its own."""
        contacts = [
            {"wa_id": sender, "profile": {"name": f"Имя {sender}"}} for _event, sender, _words in reversed(texts)
        ]
        (first, *others) = [_text(*text) for text in texts]
        changes = [
            {"field": "messages", "value": _value(list(part), contacts=contacts)} for part in (others[:1], others[1:])
        ]
        entries = [
            {"id": "1", "changes": [{"field": "messages", "value": _value([first], contacts=contacts)}]},
            {"id": "1", "changes": [change for change in changes if change["value"]["messages"]]},  # type: ignore[index] # nested dicts
        ]
        return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()

    def test_a_changed_byte_is_refused(self) -> None:
        """The signature is over the bytes, so one changed space is another message."""
        request = self.hello()
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(RawWebhook("POST", request.headers, request.body + b" "), self.first)
        assert refusal.value.status == 401

    def test_a_signature_without_its_prefix_is_refused(self) -> None:
        """What is compared is the whole header."""
        request = self.hello()
        bare = {name: value.removeprefix("sha256=") for name, value in request.headers.items()}
        with pytest.raises(WebhookRejectedError):
            self.verify(RawWebhook("POST", bare, request.body), self.first)

    def test_a_batch_without_order_keeps_the_person_with_the_message(self) -> None:
        """The two lists do not run side by side: a name is found by its id."""
        events = self.parse(self.batch_body((1, "101", "раз"), (2, "102", "два"), (3, "103", "три")))
        assert [event.sender_name for event in events] == ["Имя 101", "Имя 102", "Имя 103"]

    def test_a_batch_of_messages_and_statuses_keeps_both(self) -> None:
        """Both come to one address, also in one value."""
        statuses = [{"id": "wamid.9", "status": word, "recipient_id": "101"} for word in ("sent", "delivered")]
        webhook = self.verify(
            self.request(_body(_value([_text(1, "101", "раз")], statuses=statuses)), secret=self.first), self.first
        )
        assert [part.natural_key for part in webhook.split] == ["wamid.1", "wamid.9:sent", "wamid.9:delivered"]
        events = [event for part in webhook.split for event in self.receiver.parse(part, self.connection(self.first))]
        assert [event.kind for event in events] == [EventKind.TEXT, EventKind.STATUS, EventKind.STATUS]

    def test_a_change_that_is_written_anew_keeps_its_key(self) -> None:
        """What has no id is named by its content, however it is ordered."""
        value = {"event": "VERIFIED_ACCOUNT", "phone_number": "79000000001"}
        turned = dict(reversed(value.items()))
        keys = {
            self.verify(self.request(_body(v, field="account_update"), secret=self.first), self.first).natural_key
            for v in (value, turned)
        }
        assert len(keys) == 1
        (event,) = self.parse(_body(value, field="account_update"))
        assert (event.kind, event.event_key, event.chat_id) == (EventKind.UNSUPPORTED, keys.pop(), None)

    def test_too_deep_a_nest_is_kept_whole(self) -> None:
        """What can be read but not written anew is still kept and answered."""
        for depth in range(900, 1000, 7):
            deep = b'{"a":' * depth + b"1" + b"}" * depth
            body = _body(_value([_text(1, "101", "раз"), _text(2, "102", "два")])).replace(
                b'"\\u0440', deep + b',"b":"\\u0440'
            )
            assert self.verify(self.request(body, secret=self.first), self.first).body == body
            assert self.parse(body)


def _handshake(**query: str) -> RawWebhook:
    full = {"mode": "subscribe", "verify_token": "demo-verify-token", "challenge": "1158201444"} | query
    return RawWebhook("GET", {}, b"", {f"hub.{name}": value for name, value in full.items()})


def _answer(request: RawWebhook, *live: str) -> WebhookAnswer | None:
    assert INTEGRATION.receiver is not None
    return INTEGRATION.receiver.handshake(request, open_connection("whatsapp", secrets={"verify_token": live or ()}))


def test_the_challenge_is_sent_back_as_plain_text() -> None:
    """Meta compares the bytes; both live verify tokens are good."""
    for live in (("demo-verify-token",), ("newer-verify-token", "demo-verify-token")):
        answer = _answer(_handshake(), *live)
        assert answer == WebhookAnswer(200, b"1158201444")
        assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("request_", "live", "status"),
    [
        (_handshake(verify_token="another-verify-token"), "demo-verify-token", 403),
        (_handshake(verify_token=""), "", 403),
        (_handshake(mode="unsubscribe"), "demo-verify-token", 403),
        (_handshake(challenge="<script>alert(1)</script>"), "demo-verify-token", 400),
        (_handshake(challenge=""), "demo-verify-token", 400),
        (_handshake(challenge="1" * 300), "demo-verify-token", 400),
    ],
)
def test_a_handshake_of_a_stranger_is_refused(request_: RawWebhook, live: str, status: int) -> None:
    """A wrong token is no 200, and an odd challenge would make a page of ours that a stranger wrote."""
    with pytest.raises(WebhookRejectedError) as refusal:
        _answer(request_, live)
    assert refusal.value.status == status


def test_without_a_verify_token_no_handshake_is_made() -> None:
    """A token that was lost must close the door."""
    with pytest.raises(WebhookRejectedError):
        _answer(_handshake(verify_token=""))


def test_an_ordinary_request_is_no_handshake() -> None:
    """Only the GET of Meta is answered before the proof."""
    for request in (RawWebhook("GET", {}, b""), RawWebhook("POST", {}, b"{}", _handshake().query)):
        assert _answer(request, "demo-verify-token") is None
