"""Avito keeps the rules of every channel that receives; the secret stands in the address."""

from datetime import datetime
from typing import ClassVar

import pytest

from leadgate.errors import WebhookRejectedError
from leadgate.integrations.avito.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.channel_suite import OpenVocabularySuite
from leadgate.testing.connections import NOW


class TestAvitoReceives(OpenVocabularySuite):
    integration = INTEGRATION
    secret_name = "webhook_secret"
    first = "first-demo-secret-of-the-address"
    second = "second-demo-secret-of-the-address"
    strange = "somebody-elses-secret-of-the-address"
    other_secrets: ClassVar = {"client_id": "demo-client-id", "client_secret": "demo-client-secret"}

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        return RawWebhook(method="POST", headers={"content-type": "application/json"}, body=body, query={"key": secret})

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        value = (
            f'{{"id":"{event:08d}demo","chat_id":"u2i-DEMOchat~0001","user_id":94000601,"author_id":95000602,'
            f'"created":1782900001,"type":"text","chat_type":"u2i","content":{{"text":{text_json}}}}}'
        )
        return f'{{"version":"v3.0.0","timestamp":1782900001,"payload":{{"type":"message","value":{value}}}}}'.encode()

    def unknown_body(self) -> bytes:
        return b'{"id":"x","version":"v4","payload":{"type":"danced","value":{"id":"7","type":"text"}}}'

    def test_the_secret_counts_in_its_own_place_only(self) -> None:
        """Neither a header nor a parameter of another name proves anything."""
        request = RawWebhook(method="POST", headers={"key": self.first}, body=b"{}", query={"Key": self.first})
        with pytest.raises(WebhookRejectedError) as refusal:
            self.verify(request, self.first)
        assert refusal.value.status == 401

    def test_the_request_never_shows_its_secret(self) -> None:
        """What stands in an address ends up in logs unless everybody on the way is careful."""
        assert self.first not in repr(self.hello())
