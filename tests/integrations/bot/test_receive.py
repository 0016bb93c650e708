"""A bot builder keeps the rules of every channel that receives, and those of signed bodies."""

from datetime import datetime

import pytest

from leadgate.errors import ConfigurationError
from leadgate.intake.signatures import sign_standard
from leadgate.integrations.bot.manifest import INTEGRATION
from leadgate.integrations.bot.settings import signing_secret_problem
from leadgate.model.webhooks import RawWebhook, Receipt
from leadgate.testing.channel_suite import SignedBodySuite
from leadgate.testing.connections import NOW


class TestBotReceives(SignedBodySuite):
    integration = INTEGRATION
    secret_name = "signing_secret"
    first = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDE="
    second = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDI="
    strange = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDM="
    not_json_status = 400

    def request(self, body: bytes, *, secret: str, event: str = "1", at: datetime = NOW) -> RawWebhook:
        headers = sign_standard(body, secret=secret, webhook_id=f"msg_{event}", at=at)
        return RawWebhook(method="POST", headers=headers, body=body)

    def text_body(self, text_json: str, *, event: int = 1) -> bytes:
        return f'{{"channel":"telegram","contact":{{"phone":"8 900 000-01-01"}},"message":{text_json}}}'.encode()

    def test_the_answer_tells_the_event(self) -> None:
        """The builder can ask for it later; a duplicate is told apart, and both are 202."""
        assert INTEGRATION.receiver is not None
        answer = INTEGRATION.receiver.accepted(Receipt("evt_1", duplicate=False))
        assert (answer.status, answer.body) == (202, b'{"event":"evt_1","status":"accepted"}')
        assert answer.content_type == "application/json"
        duplicate = INTEGRATION.receiver.accepted(Receipt("evt_1", duplicate=True))
        assert (duplicate.status, duplicate.body) == (202, b'{"event":"evt_1","status":"duplicate"}')

    def test_a_short_secret_is_refused_at_set_up(self) -> None:
        """Less than 24 bytes could be guessed, and then every lead forged."""
        assert signing_secret_problem("whsec_c2hvcnQ=") is not None
        assert signing_secret_problem("bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDE=") is not None
        assert signing_secret_problem(self.first) is None
        with pytest.raises(ConfigurationError):
            sign_standard(b"{}", secret="whsec_c2hvcnQ=", webhook_id="msg_1", at=NOW)
