"""Instagram keeps the rules of every channel that receives."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import ClassVar

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.instagram.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook, WebhookAnswer
from leadgate.testing.channel_suite import BatchSuite, OpenVocabularySuite
from leadgate.testing.connections import NOW

ACCOUNT = "17841400000000001"


def _event(event: int, sender: str, words: str) -> dict[str, object]:
    return {
        "sender": {"id": sender},
        "recipient": {"id": ACCOUNT},
        "timestamp": 1782900000000 + event,
        "message": {"mid": f"mid-{event}", "text": words},
    }


def _body(*events: object, place: str = "messaging") -> bytes:
    return json.dumps({"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1, place: list(events)}]}).encode()


class TestInstagramReceives(OpenVocabularySuite, BatchSuite):
    integration = INTEGRATION
    secret_name = "app_secret"
    first = "demo-app-secret"
    second = "demo-instagram-secret"
    strange = "somebody-elses-secret"
    other_secrets: ClassVar = {"access_token": "EAADEMOpage0001", "verify_token": "demo-verify-token"}
    other_settings: ClassVar = {"account_ids": ACCOUNT}

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return RawWebhook(method="POST", headers={"x-hub-signature-256": signature}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        return _body(_event(event, "900000000000301", "@")).replace(b'"@"', text_json.encode())

    def unknown_body(self) -> bytes:
        return _body({"sender": {"id": "1"}, "recipient": {"id": ACCOUNT}, "timestamp": 1, "brand_new": {"x": 1}})

    def batch_body(self, *texts: tuple[int, str, str]) -> bytes:
        """The first in an entry of its own, the others together in a second one."""
        first, *others = [_event(*text) for text in texts]
        entries = [{"id": ACCOUNT, "time": 1, "messaging": [first]}, {"id": ACCOUNT, "time": 1, "messaging": others}]
        return json.dumps({"object": "instagram", "entry": entries}).encode()

    def test_a_changed_byte_is_refused(self) -> None:
        """The signature is over the bytes, so one changed space is another message."""
        request = self.hello()
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(RawWebhook("POST", request.headers, request.body + b" "), self.first)
        assert refusal.value.status == 401

    def test_the_time_of_the_entry_is_no_part_of_the_name(self) -> None:
        """Meta repeats with another time."""
        first = self.text_body('"x"')
        again = first.replace(b'"time": 1', b'"time": 2')
        assert first != again
        keys = {self.verify(self.request(body, secret=self.first), self.first).natural_key for body in (first, again)}
        assert keys == {"mid-1"}

    def test_the_handshake_is_that_of_meta(self) -> None:
        """See the tests of `graph_webhooks` by WhatsApp: it is the same one."""
        query = {"hub.mode": "subscribe", "hub.verify_token": "demo-verify-token", "hub.challenge": "77"}
        request = RawWebhook("GET", {}, b"", query)
        assert self.receiver.handshake(request, self.connection()) == WebhookAnswer(200, b"77")
        stranger = RawWebhook("GET", {}, b"", query | {"hub.verify_token": "another-token"})
        with pytest.raises(WebhookRejectedError):
            self.receiver.handshake(stranger, self.connection())
