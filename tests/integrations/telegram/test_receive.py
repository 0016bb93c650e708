"""Telegram keeps the rules of every channel that receives."""

from datetime import datetime
from typing import ClassVar

from leadgate.integrations.telegram.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.channel_suite import OpenVocabularySuite
from leadgate.testing.connections import NOW


class TestTelegramReceives(OpenVocabularySuite):
    integration = INTEGRATION
    secret_name = "webhook_secret"
    first = "Limon-demo_secret-token"
    second = "Limon-demo_second-token"
    strange = "somebody-elses-token"
    other_secrets: ClassVar = {"bot_token": "7000000001:DEMO-token"}

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        return RawWebhook(method="POST", headers={"x-telegram-bot-api-secret-token": secret}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        person = '{"id":5900000101,"is_bot":false,"first_name":"Алсу"}'
        chat = '{"id":5900000101,"type":"private"}'
        message = f'{{"message_id":1,"from":{person},"chat":{chat},"date":1782900011,"text":{text_json}}}'
        return f'{{"update_id":{event},"message":{message}}}'.encode()

    def unknown_body(self) -> bytes:
        return b'{"update_id":77,"brand_new_kind":{"chat":{"id":5900000101,"type":"private"}}}'
