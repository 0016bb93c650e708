"""Hello, the channel to copy, keeps the rules of every channel that receives."""

import json
from datetime import datetime
from pathlib import Path

from leadgate.integrations.hello.manifest import INTEGRATION
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.channel_suite import OpenVocabularySuite
from leadgate.testing.connections import NOW

FIXTURES = Path(__file__).parent / "fixtures"


class TestHelloReceives(OpenVocabularySuite):
    integration = INTEGRATION
    secret_name = "webhook_secret"
    first = "first-demo-secret"
    second = "second-demo-secret"
    strange = "strange-demo-secret"

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        return RawWebhook(method="POST", headers={"x-hello-secret": secret}, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        return f'{{"id":{event},"kind":"said","from":"u-1","text":{text_json}}}'.encode()

    def unknown_body(self) -> bytes:
        return b'{"id":7,"kind":"danced","from":"u-1"}'

    def test_fixtures_mean_what_their_names_say(self) -> None:
        """The part before the two underscores is the vendor's kind."""
        kinds = {"said": "text", "left": "blocked"}
        for path in FIXTURES.glob("*.json"):
            (event,) = self.parse(path.read_bytes())
            assert event.kind == kinds[path.stem.partition("__")[0]]
            assert event.sender_id == json.loads(path.read_bytes())["from"]
