"""MAX keeps the rules of every channel that receives."""

import json
from datetime import datetime
from typing import ClassVar

from leadgate.integrations.max.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook, Receipt
from leadgate.testing.channel_suite import OpenVocabularySuite
from leadgate.testing.connections import NOW


class TestMaxReceives(OpenVocabularySuite):
    integration = INTEGRATION
    secret_name = "webhook_secret"
    first = "Limon-demo_secret"
    second = "Limon-second_secret"
    strange = "somebody-elses"
    other_secrets: ClassVar = {"bot_token": "f9LDEMO-limon-token-0001"}

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        return RawWebhook(method="POST", headers={"x-max-bot-api-secret": secret}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        sender = '{"user_id":8800000501,"first_name":"Гузель","is_bot":false}'
        recipient = '{"chat_id":910000501,"chat_type":"dialog","user_id":8800000001}'
        content = f'{{"mid":"mid.{event}","seq":{event},"text":{text_json}}}'
        message = f'{{"recipient":{recipient},"timestamp":1782900001000,"body":{content},"sender":{sender}}}'
        return f'{{"message":{message},"timestamp":1782900001000,"update_type":"message_created"}}'.encode()

    def unknown_body(self) -> bytes:
        return b'{"update_type":"brand_new","timestamp":1782900001000,"chat_id":1,"user":{"user_id":2}}'

    def test_the_answer_is_exactly_200(self) -> None:
        """MAX takes 202 and 204 for failures, and unsubscribes the bot after eight hours of them."""
        for duplicate in (False, True):
            assert self.receiver.accepted(Receipt(event_id="evt_1", duplicate=duplicate)).status == 200

    def test_a_repeat_that_is_written_anew_has_the_same_key(self) -> None:
        """MAX warns of repeats and gives no id; the order of fields is nobody's promise."""
        body = self.text_body('"x"')
        again = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=True).encode()
        keys = {self.verify(self.request(raw, secret=self.first), self.first).natural_key for raw in (body, again)}
        assert len(keys) == 1
