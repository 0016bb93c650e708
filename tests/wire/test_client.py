import asyncio

from leadgate.model.outcomes import OutcomeUnknown, RetryLater
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vendor_server import Fault
from leadgate.wire.client import Answered, VendorClient, WireCodes

CODES = WireCodes(unreachable="v.unreachable", answer_lost="v.answer_lost", answer_unreadable="v.answer_unreadable")
GET_ME = "/bot7000000001:DEMO-token/getMe"


async def test_closing_lets_calls_in_hand_end() -> None:
    """A connection is opened anew when its settings change; the answer to a client that was on its way must not be cut off."""
    async with TelegramServer() as vendor:
        vendor.faults.append(Fault.SILENCE)
        client = VendorClient(CODES, vendor.base)
        call = asyncio.create_task(client.call("POST", GET_ME))
        await vendor.reached.wait()
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        assert not closing.done()
    assert isinstance(await call, OutcomeUnknown)
    await closing


async def test_after_closing_nothing_is_sent() -> None:
    """Whoever still holds the old one tries again and finds the new one."""
    async with TelegramServer() as vendor:
        client = VendorClient(CODES, vendor.base)
        assert isinstance(await client.call("POST", GET_ME), Answered)
        await client.close()
        assert isinstance(await client.call("POST", GET_ME), RetryLater)
        assert len(vendor.requests) == 1
