import asyncio
from dataclasses import replace

from leadgate import registry
from leadgate.app.targets import BusyChannel
from leadgate.integrations.telegram.messages import PIECE_LIMIT
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, RetryLater
from leadgate.ports.integration import Surroundings
from leadgate.testing.connections import CountedIds, FixedClock, open_connection
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vendor_server import Reply, Request

TOKEN = "7000000001:DEMO-token"
LONG = OutgoingMessage(message_id="m-1", chat_id="5900000101", text="слово " * (PIECE_LIMIT // 3))


class NoticingServer(TelegramServer):
    """Lets a test do something while the first piece is carried out."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.channel: BusyChannel | None = None
        self.closing: asyncio.Task[None] | None = None

    def carry_out(self, request: Request) -> Reply:
        if self.closing is None and self.channel is not None:
            self.closing = asyncio.ensure_future(self.channel.close())
        return super().carry_out(request)


def _open(base: str) -> BusyChannel:
    make = registry.get("telegram").open_channel
    assert make is not None
    connection = open_connection(
        "telegram", secrets={"bot_token": TOKEN, "webhook_secret": "a-secret-of-16ch"}, settings={"api_base": base}
    )
    return BusyChannel(make(connection, Surroundings(clock=FixedClock(), ids=CountedIds())))


async def test_a_message_on_its_way_arrives_whole_before_the_channel_closes() -> None:
    """A change of the settings between two pieces must not leave the client with half an answer."""
    async with NoticingServer() as vendor:
        vendor.channel = channel = _open(vendor.base)
        assert isinstance(await channel.send(LONG), Delivered)
        assert len(vendor.said) > 1
        assert vendor.closing is not None
        await vendor.closing


async def test_after_closing_nothing_is_sent() -> None:
    """Whoever still holds the old channel tries again and finds the new one."""
    async with TelegramServer(TOKEN) as vendor:
        channel = _open(vendor.base)
        await channel.close()
        assert isinstance(await channel.send(replace(LONG, text="Да")), RetryLater)
        assert vendor.said == []
