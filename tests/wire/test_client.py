from leadgate.model.outcomes import RetryLater
from leadgate.testing.telegram_server import TelegramServer
from leadgate.wire.client import Answered, VendorClient, WireCodes

CODES = WireCodes(unreachable="v.unreachable", answer_lost="v.answer_lost", answer_unreadable="v.answer_unreadable")
GET_ME = "/bot7000000001:DEMO-token/getMe"


async def test_after_closing_nothing_is_sent() -> None:
    """Whoever still holds the old one tries again and finds the new one."""
    async with TelegramServer() as vendor:
        client = VendorClient(CODES, vendor.base)
        assert isinstance(await client.call("POST", GET_ME), Answered)
        await client.close()
        assert isinstance(await client.call("POST", GET_ME), RetryLater)
        assert len(vendor.requests) == 1
