"""VK keeps the rules of every channel that receives; its proof stands in the body instead of a header."""

import json
from datetime import datetime
from typing import ClassVar

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.vk.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook, Receipt
from leadgate.testing.channel_suite import OpenVocabularySuite
from leadgate.testing.connections import NOW


class TestVkReceives(OpenVocabularySuite):
    integration = INTEGRATION
    secret_name = "webhook_secret"
    first = "Limon2026DemoSecret"
    second = "Limon2026SecondSecret"
    strange = "SomebodyElsesSecret"
    other_secrets: ClassVar = {"access_token": "vk1.a.demo-limon-key", "confirmation": "a1b2c3d4"}
    other_settings: ClassVar = {"group_id": "210000001"}
    not_json_status = 401  # what is no JSON carries no secret

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        if body.startswith(b"{") and body.endswith(b"}"):
            comma = b"," if body[1:-1].strip() else b""
            body = body[:-1] + comma + b'"secret":' + json.dumps(secret).encode() + b"}"
        return RawWebhook(method="POST", headers={}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        message = f'{{"date":1782900001,"from_id":700000401,"id":1001,"out":0,"text":{text_json},"peer_id":700000401}}'
        return (
            f'{{"group_id":210000001,"type":"message_new","event_id":"e{event}","v":"5.199",'
            f'"object":{{"message":{message},"client_info":{{"lang_id":0}}}}}}'
        ).encode()

    def unknown_body(self) -> bytes:
        return b'{"group_id":210000001,"type":"brand_new","event_id":"e77","object":{"user_id":700000401}}'

    def test_a_request_without_proof_is_refused(self) -> None:
        """The absence of the field is no proof."""
        self._refused(RawWebhook(method="POST", headers={}, body=self.text_body('"x"')))

    def test_an_empty_proof_is_refused(self) -> None:
        """Nothing compares equal to nothing, and a number is no secret."""
        for odd in ('""', "null", "0", "true", "[]", "{}"):
            body = self.text_body('"x"')[:-1] + f',"secret":{odd}}}'.encode()
            self._refused(RawWebhook(method="POST", headers={}, body=body))

    def test_odd_characters_in_the_proof_are_refused(self) -> None:
        """Comparing them must not fall over."""
        for odd in ("ÿþ", "секрет", "\ud800", "a\x00b", ",", " "):
            self._refused(self.request(self.text_body('"x"'), secret=odd))

    def test_the_secret_in_a_header_or_elsewhere_in_the_body_is_no_proof(self) -> None:
        """Only the field that VK fills counts."""
        body = json.loads(self.text_body('"x"')) | {"object": {"secret": self.first}}
        self._refused(RawWebhook(method="POST", headers={"secret": self.first}, body=json.dumps(body).encode()))

    def test_another_community_is_refused(self) -> None:
        """One server may serve two communities with the same secret by mistake; each has its own connection."""
        for other in ("210000002", '"210000001"', "null", "210000001.0"):
            self._refused(
                self.request(
                    self.text_body('"x"').replace(b'"group_id":210000001', f'"group_id":{other}'.encode()),
                    secret=self.first,
                )
            )

    def test_the_answer_is_exactly_ok(self) -> None:
        """For anything else VK sends the event again, and gives the address up at last."""
        for duplicate in (False, True):
            answer = self.receiver.accepted(Receipt(event_id="evt_1", duplicate=duplicate))
            assert (answer.status, answer.body) == (200, b"ok")
            assert answer.content_type.startswith("text/plain")

    def _refused(self, request: RawWebhook) -> None:
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == 401
