from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.max.manifest import INTEGRATION
from leadgate.integrations.max.send import MaxChannel
from leadgate.model.connections import FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.connections import FixedClock, open_connection
from leadgate.testing.max_server import MaxServer
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.vendor_server import Fault, Reply, VendorServer
from leadgate.wire import pace

TOKEN = "f9LDEMO-limon-token-0001"
SECRETS = {"bot_token": TOKEN, "webhook_secret": "Limon-demo_secret"}
ADDRESS = "https://salon.example/webhooks/max/conn_00000000000000000000000001"
CHAT = "910000501"
HELLO = OutgoingMessage(message_id="evt_1-1", chat_id=CHAT, text="Здравствуйте!")
PRESSED = OutgoingMessage(message_id="evt_1-1", chat_id=CHAT, text="Записала", callback_id="f9LHDEMOcallback0001")


class TestMaxSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = SECRETS
    chat_id = CHAT
    piece_limit = 4000

    def double(self) -> VendorServer:
        return MaxServer(TOKEN, [f"chat:{CHAT}"])


@asynccontextmanager
async def _bot(server: MaxServer, **secrets: str) -> AsyncIterator[MaxChannel]:
    connection = open_connection("max", secrets={**SECRETS, **secrets}, settings={"api_base": server.base + "/"})
    channel = MaxChannel(connection, clock=FixedClock())
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def server() -> AsyncIterator[MaxServer]:
    """One bot at a double of MAX."""
    async with MaxServer(TOKEN, [f"chat:{CHAT}", "user:8800000501"]) as running:
        yield running


@pytest.fixture
async def channel(server: MaxServer) -> AsyncIterator[MaxChannel]:
    """The sender of that bot."""
    async with _bot(server) as opened:
        yield opened


async def test_the_token_travels_bare_in_the_header(server: MaxServer, channel: MaxChannel) -> None:
    """MAX takes it nowhere else, and addresses end up in logs."""
    assert await channel.send(HELLO) == Delivered("mid.1")
    (request,) = server.requests
    assert request.headers["authorization"] == TOKEN
    assert (request.method, request.path, request.query) == ("POST", "/messages", {"chat_id": CHAT})
    assert request.json() == {"text": HELLO.text}
    assert not channel.can_repeat()


async def test_a_person_can_be_the_address(server: MaxServer, channel: MaxChannel) -> None:
    """After a press under a message that is gone MAX names no chat."""
    assert isinstance(
        await channel.send(OutgoingMessage(message_id="m", chat_id="user:8800000501", text="Да")), Delivered
    )
    assert server.sent == [("user:8800000501", "Да")]


async def test_the_own_number_is_asked_for_by_a_button(server: MaxServer, channel: MaxChannel) -> None:
    """Only what comes by this button is proven."""
    await channel.send(OutgoingMessage(message_id="m", chat_id=CHAT, text="Номер?", ask_contact="Поделиться номером"))
    assert server.said[0].asks_contact


async def test_a_press_is_acknowledged_first(server: MaxServer, channel: MaxChannel) -> None:
    """Otherwise the client looks at a spinner."""
    assert isinstance(await channel.send(PRESSED), Delivered)
    assert [request.path for request in server.requests] == ["/answers", "/messages"]
    assert server.answered == [PRESSED.callback_id]


async def test_a_press_that_is_too_old_does_not_stop_the_answer(server: MaxServer, channel: MaxChannel) -> None:
    """The words are still wanted."""
    server.expired.add(str(PRESSED.callback_id))
    assert isinstance(await channel.send(PRESSED), Delivered)


async def test_nothing_is_sent_when_the_acknowledgement_is_held_up(server: MaxServer, channel: MaxChannel) -> None:
    """A limit that is reached holds up the whole message; it is sent once, later."""
    server.faults.append(server.limited(1))
    assert await channel.send(PRESSED) == RetryLater("max.too_many_requests", Scope.TARGET, after=timedelta(seconds=2))
    assert server.said == []


async def test_a_failure_between_pieces_is_unknown(server: MaxServer, channel: MaxChannel) -> None:
    """A repeat would show the first piece twice: MAX knows no idempotency key."""
    server.faults.extend([None, server.limited(1)])
    outcome = await channel.send(OutgoingMessage(message_id="m", chat_id=CHAT, text="слово " * 1000))
    assert outcome == OutcomeUnknown("max.partly_sent")
    assert len(server.said) == 1


async def test_one_dialogue_is_not_flooded(
    server: MaxServer, channel: MaxChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two messages a second is all that MAX takes; further ones wait for their turn."""
    monkeypatch.setattr(pace, "PATIENCE_S", 0.0)
    outcomes = [await channel.send(HELLO) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Delivered, Delivered, RetryLater]
    assert isinstance(outcomes[-1], RetryLater)
    assert (outcomes[-1].code, outcomes[-1].scope) == ("max.paced", Scope.ITEM)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (
            Reply({"code": "chat.denied", "message": "Key: error.dialog.suspended, args: [910000501,]."}, 403),
            Refused("max.dialog_suspended", "Key: error.dialog.suspended, args: *,*.", unreachable=True),
        ),
        (
            Reply({"code": "verify.token", "message": "Invalid"}, 403),
            RetryLater("max.token_refused", Scope.TARGET, needs_person=True, detail="Invalid"),
        ),
        (Reply({}, 401), RetryLater("max.token_refused", Scope.TARGET, needs_person=True)),
        (
            Reply({"code": "access.denied", "message": "x"}, 403),
            RetryLater("max.forbidden", Scope.TARGET, needs_person=True, detail="x"),
        ),
        (Reply({"code": "chat.not.found", "message": "x"}, 404), Refused("max.chat_not_found", "x", unreachable=True)),
        (Reply(b"<html>", 404), RetryLater("max.not_the_api", Scope.TARGET, needs_person=True)),
        (Reply({"code": "proto.payload", "message": "x"}, 400), Refused("max.bad_request", "x")),
        (Reply({"code": "method.not.allowed", "message": "x"}, 405), Refused("max.refused", "x")),
        (
            Reply({"code": "attachment.not.ready", "message": "x"}, 400),
            RetryLater("max.attachment_not_ready", Scope.ITEM, after=timedelta(seconds=2)),
        ),
        (
            Reply({}, 429, {"Retry-After": "9"}),
            RetryLater("max.too_many_requests", Scope.TARGET, after=timedelta(seconds=9)),
        ),
        (Reply({"code": "service.unavailable"}, 503), RetryLater("max.unavailable", Scope.TARGET)),
        (Reply({"code": "internal.error"}, 500), OutcomeUnknown("max.server_error")),
    ],
)
async def test_every_answer_has_its_outcome(
    reply: Reply, outcome: Outcome, server: MaxServer, channel: MaxChannel
) -> None:
    """A client who left, a dead token, a wrong address and a sick server need different care."""
    server.faults.append(reply)
    assert await channel.send(HELLO) == outcome


async def test_a_limit_of_the_bot_holds_up_its_other_dialogues(server: MaxServer, channel: MaxChannel) -> None:
    """The next dialogue would only run into it."""
    server.faults.append(Reply({}, 429, {"Retry-After": "9"}))
    await channel.send(HELLO)
    asked = len(server.requests)
    outcome = await channel.send(OutgoingMessage(message_id="m2", chat_id="910000502", text="Да"))
    assert isinstance(outcome, RetryLater)
    assert outcome.after is not None
    assert outcome.after >= timedelta(seconds=9)
    assert len(server.requests) == asked


async def test_a_detail_carries_no_personal_data(server: MaxServer, channel: MaxChannel) -> None:
    """MAX may quote what we sent; details are stored and shown."""
    server.faults.append(Reply({"code": "proto.payload", "message": "bad text: Алсу +7 900 000-01-01"}, 400))
    assert await channel.send(HELLO) == Refused("max.bad_request", "bad text: * * * *-*-*")


def test_a_connection_without_a_token_cannot_send() -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match="bot_token"):
        MaxChannel(open_connection("max"), clock=FixedClock())


async def test_registration_gives_address_secret_and_wishes(server: MaxServer, channel: MaxChannel) -> None:
    """What is not asked for is not posted."""
    for _ in range(2):
        report = await channel.register(ADDRESS)
        assert report.state is FindingState.OK
    assert (server.webhook, server.secret) == (ADDRESS, SECRETS["webhook_secret"])
    assert set(server.update_types) == {
        "message_created",
        "message_callback",
        "message_edited",
        "message_removed",
        "bot_started",
        "bot_stopped",
        "dialog_removed",
    }
    await channel.unregister()
    assert server.webhook == ""
    await channel.unregister()


async def test_an_address_that_max_refuses_is_told(server: MaxServer, channel: MaxChannel) -> None:
    """MAX says so with a status of 200."""
    (finding,) = (await channel.register("http://salon.example/x")).findings
    assert (finding.code, finding.state) == ("max.webhook_refused", FindingState.FAIL)
    assert "Only https" in finding.text
    server.faults.append(Reply({"code": "proto.payload", "message": "bad url"}, 400))
    (finding,) = (await channel.register(ADDRESS)).findings
    assert (finding.code, finding.state) == ("max.bad_request", FindingState.FAIL)
    assert "bad url" in finding.text
    server.kill_token()
    (finding,) = (await channel.register(ADDRESS)).findings
    assert (finding.code, "token" in finding.cure) == ("max.token_refused", True)


async def test_a_registration_without_a_secret_is_not_made(server: MaxServer) -> None:
    """Without a secret nothing that arrives could be proven."""
    connection = open_connection("max", secrets={"bot_token": TOKEN}, settings={"api_base": server.base})
    channel = MaxChannel(connection, clock=FixedClock())
    assert (await channel.register(ADDRESS)).findings[0].code == "max.secret_missing"
    assert server.requests == []
    await channel.close()


async def test_a_check_of_a_good_connection_is_good(server: MaxServer, channel: MaxChannel) -> None:
    """Token and address are as we think."""
    await channel.register(ADDRESS)
    assert [finding.code for finding in (await channel.check()).findings] == ["max.token_good", "max.webhook_set"]
    for kinds in (list[str](), None):  # MAX posts everything to an address that named nothing
        server.faults.extend([None, Reply({"subscriptions": [{"url": ADDRESS, "update_types": kinds}]})])
        assert (await channel.check()).state is FindingState.OK


@pytest.mark.parametrize(
    ("changed", "code", "state", "mends"),
    [
        ({"webhook": ""}, "max.webhook_not_set", "fail", True),
        ({"webhook": "https://other.example/hook"}, "max.webhook_not_set", "fail", True),
        ({"update_types": ["message_created"]}, "max.updates_left_out", "warn", True),
        ({"others": ["https://other.example/hook"]}, "max.webhook_shared", "warn", False),
    ],
)
async def test_a_check_finds_what_is_wrong(
    changed: dict[str, object], code: str, state: str, mends: bool, server: MaxServer, channel: MaxChannel
) -> None:
    """MAX takes a subscription away by itself after eight hours of failures; the watchdog puts it back."""
    await channel.register(ADDRESS)
    for name, value in changed.items():
        setattr(server, name, value)
    finding = (await channel.check()).findings[0]
    assert (finding.code, finding.state, finding.needs_registration) == (code, state, mends)
    assert finding.cure


async def test_what_max_does_not_tell_is_no_failure(server: MaxServer, channel: MaxChannel) -> None:
    """A moment of illness is no reason to alarm."""
    server.faults.extend([None, Reply({}, 500)])
    report = await channel.check()
    assert [(finding.code, finding.state) for finding in report.findings] == [
        ("max.server_error", FindingState.WARN),
        ("max.token_good", FindingState.OK),
    ]


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.GARBAGE])
async def test_an_acknowledgement_whose_answer_is_lost_does_not_stop_the_answer(
    fault: Fault, server: MaxServer, channel: MaxChannel
) -> None:
    """At worst the spinner turns a little longer."""
    server.faults.append(fault)
    assert isinstance(await channel.send(PRESSED), Delivered)
