"""The site keeps the rules of every channel that receives."""

import json
from datetime import datetime

from leadgate.integrations.site.manifest import INTEGRATION
from leadgate.integrations.site.tokens import SECRET, VISITOR_ID_BYTES, VisitorTokens
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.channel_suite import ChannelSuite
from leadgate.testing.connections import NOW, CountedIds

ORIGIN = "https://salon.example"


class TestSiteReceives(ChannelSuite):
    integration = INTEGRATION
    secret_name = SECRET
    first = "first-invented-secret"
    second = "second-invented-secret"
    strange = "strange-invented-secret"
    other_settings = {"allowed_origins": ORIGIN}  # noqa: RUF012 - declared as a class variable by the suite
    not_json_status = 400

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        ids = CountedIds()  # from the first number on: always the same visitor
        visit = VisitorTokens(ids).open_visit(self.connection(secret), origin=ORIGIN, token=None, now=at)
        headers = {"origin": ORIGIN, "authorization": f"Bearer {visit.token}"}
        return RawWebhook(method="POST", headers=headers, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        visitor, message_id = json.dumps(CountedIds().token(VISITOR_ID_BYTES)), json.dumps(f"message-{event:08}")
        return f'{{"visitor": {visitor}, "id": {message_id}, "text": {text_json}, "lang": "ru"}}'.encode()
