"""Hello keeps the rules of every channel that sends."""

from typing import ClassVar

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.hello.manifest import INTEGRATION
from leadgate.integrations.hello.send import HelloChannel
from leadgate.model.connections import FindingState
from leadgate.model.outcomes import Outcome, Refused, RetryLater
from leadgate.testing.connections import FixedClock, open_connection
from leadgate.testing.hello_server import HelloServer
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.vendor_server import Reply
from leadgate.wire import pace

TOKEN = "demo-hello-token"


class TestHelloSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = {"token": TOKEN, "webhook_secret": "first-demo-secret"}
    chat_id = "u-1"
    piece_limit = 1000
    names_wait = True

    def double(self) -> HelloServer:
        return HelloServer(TOKEN)

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [(400, Refused("hello.refused")), (403, Refused("hello.blocked", unreachable=True))],
    )
    async def test_a_refusal_is_for_good(self, status: int, outcome: Outcome) -> None:
        """The vendor's words and ours, one by one."""
        async with self.running() as (vendor, channel):
            vendor.faults.append(Reply({}, status))
            assert await channel.send(self.message()) == outcome

    async def test_a_chat_has_its_own_pace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the burst a message gives the lane back and says when its turn is."""
        monkeypatch.setattr(pace, "PATIENCE_S", 0.0)
        async with self.running() as (vendor, channel):
            outcomes = [await channel.send(self.message(message_id=f"m-{number}")) for number in range(14)]
            assert isinstance(outcomes[-1], RetryLater)
            assert outcomes[-1].code == "hello.paced"
            assert len(vendor.said) < 14


async def test_without_its_secrets_nothing_is_opened_or_registered() -> None:
    """A half-made connection must say what is missing."""
    with pytest.raises(ConfigurationError, match="token"):
        HelloChannel(open_connection("hello"), clock=FixedClock())
    channel = HelloChannel(open_connection("hello", secrets={"token": TOKEN}), clock=FixedClock())
    assert (await channel.register("https://salon.example/x")).state is FindingState.FAIL
    await channel.close()
