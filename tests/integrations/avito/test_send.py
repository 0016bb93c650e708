"""Avito keeps the rules of every channel that sends; the rest is what only Avito has: a token that ends, a secret address."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.avito.manifest import INTEGRATION
from leadgate.integrations.avito.send import AvitoChannel
from leadgate.model.connections import FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.avito_server import AvitoServer
from leadgate.testing.connections import FixedClock, open_connection
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.vendor_server import Fault, Reply

SECRETS = {
    "client_id": "demo-client-id",
    "client_secret": "demo-client-secret",
    "webhook_secret": "demo-secret-of-the-address",
}
CHAT = "u2i-DEMOchat~0001"
ADDRESS = "https://salon.example/webhooks/avito/conn_00000000000000000000000001"
HELLO = OutgoingMessage(message_id="evt_1-1", chat_id=CHAT, text="Здравствуйте!")


class TestAvitoSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = SECRETS
    settings: ClassVar = {"account_id": "94000601"}
    chat_id = CHAT
    piece_limit = 1000
    names_wait = True
    calls_before_send = 2

    def double(self) -> AvitoServer:
        return AvitoServer()

    @property
    def registered_address(self) -> str:
        return f"{self.address}?key={SECRETS['webhook_secret']}"


class House:
    """A profile, our sender and a clock."""

    def __init__(self, server: AvitoServer, clock: FixedClock, channel: AvitoChannel) -> None:
        self.server, self.clock, self.channel = server, clock, channel


@asynccontextmanager
async def opened(
    server: AvitoServer, *, secrets: Mapping[str, str | Sequence[str]] = SECRETS, **settings: str
) -> AsyncIterator[House]:
    """Our sender for the profile."""
    clock = FixedClock()
    connection = open_connection("avito", secrets=secrets, settings={"api_base": server.base, **settings})
    channel = AvitoChannel(connection, clock=clock)
    try:
        yield House(server, clock, channel)
    finally:
        await channel.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A profile at a double of Avito."""
    async with AvitoServer() as server, opened(server) as house:
        yield house


# -- the token


async def test_one_token_serves_many_messages(house: House) -> None:
    """Asking for one before each message would double the calls."""
    outcomes = await asyncio.gather(*(house.channel.send(HELLO) for _ in range(4)))
    assert [type(outcome) for outcome in outcomes] == [Delivered] * 4
    assert house.server.issued == 1


@pytest.mark.parametrize(("life_s", "good_for_s"), [(86_400, 85_800), (1000, 500), (1, 0.5)])
async def test_a_token_is_renewed_before_its_end(house: House, life_s: int, good_for_s: float) -> None:
    """A message must not meet a token that ends on its way; a short life is used by half at least."""
    house.server.life_s = life_s
    await house.channel.send(HELLO)
    house.clock.move(timedelta(seconds=good_for_s - 0.1))
    await house.channel.send(HELLO)
    assert house.server.issued == 1
    house.clock.move(timedelta(seconds=0.1))
    await house.channel.send(HELLO)
    assert house.server.issued == 2


async def test_a_token_that_was_taken_back_is_fetched_anew(house: House) -> None:
    """A 401 carried nothing out, so the message goes again under a fresh token, once."""
    await house.channel.send(HELLO)
    house.server.tokens.clear()
    assert isinstance(await house.channel.send(HELLO), Delivered)
    assert (house.server.issued, len(house.server.said)) == (2, 2)


async def test_a_fresh_token_that_is_refused_waits_for_a_person(house: House) -> None:
    """No end of asking."""
    await house.channel.send(HELLO)
    refusals = [Reply({}, 401), None, Reply({}, 401)]
    house.server.faults.extend(refusals)
    assert await house.channel.send(HELLO) == RetryLater("avito.token_refused", Scope.TARGET, needs_person=True)


@pytest.mark.parametrize(
    ("answer", "code", "needs_person"),
    [
        (Reply({"error": "invalid_client"}, 401), "avito.client_refused", True),
        (Reply({"error": "invalid_client"}), "avito.client_refused", True),
        (Reply({"access_token": "a b\n"}), "avito.client_refused", True),
        (Reply({}, 429, {"Retry-After": "9"}), "avito.too_many_requests", False),
        (Reply({}, 503), "avito.server_error", False),
        (Reply({}, 418), "avito.refused", True),
        (Fault.DROP_AFTER, "avito.answer_lost", False),
        (Fault.GARBAGE, "avito.answer_unreadable", False),
        (Fault.REDIRECT, "avito.unexpected_redirect", True),
    ],
)
async def test_without_a_token_nothing_was_sent(
    house: House, answer: Reply | Fault, code: str, needs_person: bool
) -> None:
    """Whatever became of the call for the token, the message has not left and may go later."""
    house.server.faults.append(answer)
    outcome = await house.channel.send(HELLO)
    assert isinstance(outcome, RetryLater)
    assert (outcome.code, outcome.needs_person, outcome.scope) == (code, needs_person, Scope.TARGET)
    assert isinstance(await house.channel.send(HELLO), Delivered)


# -- messages


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Reply({}, 400), Refused("avito.bad_request")),
        (Reply({}, 402), RetryLater("avito.plan", Scope.TARGET, needs_person=True)),
        (Reply({}, 403), Refused("avito.chat_forbidden", unreachable=True)),
        (Reply({}, 404), Refused("avito.chat_not_found", unreachable=True)),
        (Reply({}, 413), Refused("avito.refused")),
        (Reply({}, 500), OutcomeUnknown("avito.server_error")),
    ],
)
async def test_an_answer_is_an_outcome(house: House, answer: Reply, outcome: object) -> None:
    """By the status: the words are documented nowhere."""
    house.server.faults.extend([None, None, answer])
    assert await house.channel.send(HELLO) == outcome


@pytest.mark.parametrize(("status", "code"), [(403, "avito.no_access"), (404, "avito.refused"), (402, "avito.plan")])
async def test_keys_without_rights_blame_no_client(house: House, status: int, code: str) -> None:
    """A client who is marked unreachable by mistake gets no answer until they write again."""
    house.server.faults.extend([None, Reply({}, status)])
    outcome = await house.channel.send(HELLO)
    assert outcome == RetryLater(code, Scope.TARGET, needs_person=True)


async def test_keys_of_another_profile_send_nothing() -> None:
    """Answers of one salon in the name of another."""
    async with AvitoServer(account_id=94000999) as server, opened(server, account_id="94000601") as house:
        outcome = await house.channel.send(HELLO)
        assert outcome == RetryLater("avito.other_account", Scope.TARGET, needs_person=True)
        assert server.said == []
        assert (await house.channel.check()).findings[0].code == "avito.other_account"


async def test_a_failure_between_pieces_is_unknown(house: House) -> None:
    """A repeat would show the first piece twice."""
    house.server.faults.extend([None, None, None, Reply({}, 400)])
    outcome = await house.channel.send(OutgoingMessage(message_id="m", chat_id=CHAT, text="слово " * 300))
    assert outcome == OutcomeUnknown("avito.partly_sent")


async def test_an_odd_chat_stays_one_part_of_the_address(house: House) -> None:
    """An id is the vendor's, and not a way into another method."""
    await house.channel.send(OutgoingMessage(message_id="m", chat_id="../../self?x=1", text="x"))
    assert house.server.requests[-1].path.endswith("/chats/../../self?x=1/messages")
    assert house.server.requests[-1].query == {}


async def test_only_so_many_messages_leave_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Avito tells no limit, and a profile that is closed hurts more than a second's wait."""
    monkeypatch.setattr("leadgate.wire.pace.PATIENCE_S", 0.0)
    outcomes = [await house.channel.send(HELLO) for _ in range(8)]
    assert isinstance(outcomes[-1], RetryLater)
    assert outcomes[-1].code == "avito.paced"
    assert len(house.server.said) <= 5


async def test_without_its_keys_nothing_is_opened() -> None:
    """A half-made connection must say what is missing."""
    with pytest.raises(ConfigurationError, match="client_id"):
        AvitoChannel(open_connection("avito"), clock=FixedClock())


# -- our address


async def test_the_address_carries_the_newest_secret_and_replaces_the_old_one() -> None:
    """After a rotation the old address would go on working for whoever learnt it."""
    secrets = {**SECRETS, "webhook_secret": ["new-secret-of-the-address", "old-secret-of-the-address"]}
    async with AvitoServer() as server, opened(server, secrets=secrets) as house:
        server.webhook = f"{ADDRESS}?key=old-secret-of-the-address"
        server.others = ["https://crm.example/avito"]
        (finding, _) = (await house.channel.check()).findings
        assert (finding.code, finding.needs_registration) == ("avito.webhook_old_secret", True)
        assert (await house.channel.register(ADDRESS)).state is FindingState.OK
        assert server.webhook == f"{ADDRESS}?key=new-secret-of-the-address"
        assert server.others == ["https://crm.example/avito"]
        assert [finding.code for finding in (await house.channel.check()).findings] == [
            "avito.account_good",
            "avito.webhook_set",
        ]
        await house.channel.unregister()
        assert (server.webhook, server.others) == ("", ["https://crm.example/avito"])


async def test_an_address_that_stands_is_not_subscribed_again(house: House) -> None:
    """The watchdog looks every minute; it must not hammer."""
    for _ in range(3):
        await house.channel.register(ADDRESS)
    assert [request.path for request in house.server.requests].count("/messenger/v3/webhook") == 1


@pytest.mark.parametrize(
    "entry", [{"url": f"{ADDRESS}?key={SECRETS['webhook_secret']}", "version": "2"}, "x", {"url": 7}]
)
async def test_subscriptions_that_we_cannot_read_are_not_ours(house: House, entry: object) -> None:
    """An older shape of webhooks would arrive and say nothing to us."""
    await house.channel.send(HELLO)
    house.server.faults.extend([None, Reply({"subscriptions": [entry, {"url": "https://[x", "version": "3"}]})])
    assert (await house.channel.check()).findings[0].code == "avito.webhook_elsewhere"


async def test_findings_tell_what_is_missing() -> None:
    """The secret address is in none of them."""
    async with AvitoServer() as server:
        server.has_plan = False
        async with opened(server) as house:
            report = await house.channel.check()
            assert [finding.code for finding in report.findings] == ["avito.plan", "avito.account_good"]
            assert (await house.channel.register(ADDRESS)).findings[0].code == "avito.plan"
        async with opened(server, secrets={key: SECRETS[key] for key in ("client_id", "client_secret")}) as house:
            assert (await house.channel.register(ADDRESS)).findings[0].code == "avito.secret_missing"
        server.has_plan = True
        async with opened(server) as house:
            assert (await house.channel.register("http://salon.example/x")).findings[0].code == "avito.refused"
            assert SECRETS["webhook_secret"] not in repr(await house.channel.check())
