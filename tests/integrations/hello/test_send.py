import httpx
import pytest

from leadgate.integrations.hello.manifest import INTEGRATION
from leadgate.integrations.hello.send import HelloChannel
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.integration import Surroundings
from leadgate.testing.connections import CountedIds, FixedClock, open_connection

MESSAGE = OutgoingMessage(message_id="msg_1", chat_id="u-1", text="Здравствуйте!")


def _answering(status: int) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status))


def _failing(error: type[httpx.TransportError]) -> httpx.MockTransport:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return httpx.MockTransport(fail)


@pytest.mark.parametrize(
    ("transport", "outcome"),
    [
        (_answering(200), Delivered()),
        (_answering(403), Refused("hello.blocked")),
        (_answering(429), RetryLater("hello.too_many_requests", Scope.TARGET)),
        (_answering(500), OutcomeUnknown("hello.error")),
        (_failing(httpx.ConnectError), RetryLater("hello.unreachable", Scope.TARGET)),
        (_failing(httpx.ReadTimeout), OutcomeUnknown("hello.answer_lost")),
    ],
)
async def test_every_answer_is_an_outcome(transport: httpx.MockTransport, outcome: Outcome) -> None:
    """Sent, refused, later or unknown: the delivery decides by this alone."""
    channel = HelloChannel(open_connection("hello"), transport=transport)
    assert await channel.send(MESSAGE) == outcome
    await channel.close()


async def test_the_rest_of_the_port_is_there() -> None:
    """What Hello cannot do it does harmlessly."""
    assert INTEGRATION.open_channel is not None
    channel = INTEGRATION.open_channel(open_connection("hello"), Surroundings(clock=FixedClock(), ids=CountedIds()))
    assert channel.can_repeat()
    assert (await channel.check()).findings == (await channel.register("https://salon.example")).findings == ()
    await channel.unregister()
