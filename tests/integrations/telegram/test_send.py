import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import httpx
import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.telegram import wire
from leadgate.integrations.telegram.manifest import INTEGRATION
from leadgate.integrations.telegram.send import TelegramChannel
from leadgate.model.connections import FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.connections import NOW, FixedClock, open_connection
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.telegram_server import Fault, TelegramServer, refusal
from leadgate.testing.vendor_server import Reply
from leadgate.wire import client

TOKEN = "7000000001:DEMO-token"
SECRET = "Limon-demo_secret-token"
CONNECTION_ID = "conn_00000000000000000000000001"
ADDRESS = f"https://salon.example/webhooks/telegram/{CONNECTION_ID}"
HELLO = OutgoingMessage(message_id="msg_1", chat_id="5900000101", text="Здравствуйте! Как вас зовут?")


class TestTelegramSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = {"bot_token": TOKEN, "webhook_secret": SECRET}
    chat_id = "5900000101"
    piece_limit = 4096
    names_wait = True

    @staticmethod
    def size(text: str) -> int:
        """In UTF-16 units, the longest way to count."""
        return len(text.encode("utf-16-le")) // 2

    def double(self) -> TelegramServer:
        return TelegramServer(TOKEN)


@asynccontextmanager
async def _bot(base: str, *, token: str = TOKEN) -> AsyncIterator[TelegramChannel]:
    connection = open_connection(
        "telegram", secrets={"bot_token": token, "webhook_secret": SECRET}, settings={"api_base": base + "/"}
    )
    channel = TelegramChannel(connection, clock=FixedClock())
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    """One bot at a double of Telegram."""
    async with TelegramServer(TOKEN) as running:
        yield running


@pytest.fixture
async def channel(server: TelegramServer) -> AsyncIterator[TelegramChannel]:
    """The sender of that bot."""
    async with _bot(server.base) as opened:
        yield opened


async def test_a_message_reaches_the_chat(server: TelegramServer, channel: TelegramChannel) -> None:
    """The outcome carries Telegram's id of the message, so that it can be found again."""
    assert await channel.send(HELLO) == Delivered("1")
    assert server.sent[0]["chat_id"] == 5900000101
    assert server.sent[0]["text"] == HELLO.text
    assert not channel.can_repeat()


async def test_quick_answers_become_a_keyboard(server: TelegramServer, channel: TelegramChannel) -> None:
    """The client taps instead of typing; the button that shares the own number comes first."""
    message = OutgoingMessage(
        message_id="m", chat_id="1", text="?", buttons=("Утром", "Днём", "Вечером"), ask_contact="Мой номер"
    )
    await channel.send(message)
    assert server.sent[0]["reply_markup"] == {
        "keyboard": [
            [{"text": "Мой номер", "request_contact": True}],
            [{"text": "Утром"}, {"text": "Днём"}],
            [{"text": "Вечером"}],
        ],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }
    await channel.send(HELLO)
    assert server.sent[1]["reply_markup"] == {"remove_keyboard": True}


async def test_a_long_text_goes_in_pieces(server: TelegramServer, channel: TelegramChannel) -> None:
    """Nothing of it is lost, and the buttons stand under the last piece."""
    text = ("слово " * 1500).strip()
    assert await channel.send(OutgoingMessage(message_id="m", chat_id="1", text=text, buttons=("Да",))) == Delivered(
        "3"
    )
    assert "".join(str(payload["text"]) for payload in server.sent) == text
    assert ["reply_markup" in payload for payload in server.sent] == [False, False, True]


async def test_a_failure_between_pieces_is_unknown(server: TelegramServer, channel: TelegramChannel) -> None:
    """A repeat would show the first piece twice."""
    server.faults.append(None)
    server.faults.append(refusal(429, "Too Many Requests", {"retry_after": 3}))
    outcome = await channel.send(OutgoingMessage(message_id="m", chat_id="1", text="слово " * 1000))
    assert outcome == OutcomeUnknown("telegram.partly_sent")
    assert len(server.sent) == 1


async def test_a_press_is_acknowledged_first(server: TelegramServer, channel: TelegramChannel) -> None:
    """Otherwise the client looks at a spinner."""
    message = OutgoingMessage(message_id="m", chat_id="1", text="Записала", callback_id="253")
    assert await channel.send(message) == Delivered("1")
    assert [call.method for call in server.calls] == ["answerCallbackQuery", "sendMessage"]
    assert server.calls[0].payload == {"callback_query_id": "253"}


async def test_a_press_that_is_too_old_does_not_stop_the_answer(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    """Telegram forgets presses after some minutes; the words are still wanted."""
    server.expired.add("253")
    message = OutgoingMessage(message_id="m", chat_id="1", text="Записала", callback_id="253")
    assert await channel.send(message) == Delivered("1")


async def test_nothing_is_sent_when_the_acknowledgement_is_held_up(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    """A limit that is reached holds up the whole message; it is sent once, later."""
    server.faults.append(refusal(429, "Too Many Requests: retry after 3", {"retry_after": 3}))
    message = OutgoingMessage(message_id="m", chat_id="1", text="Записала", callback_id="253")
    assert await channel.send(message) == RetryLater(
        "telegram.too_many_requests", Scope.TARGET, after=timedelta(seconds=3)
    )
    assert server.sent == []


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_text_is_refused_here(text: str, server: TelegramServer, channel: TelegramChannel) -> None:
    """Telegram would refuse it; the call is spared."""
    assert await channel.send(OutgoingMessage(message_id="m", chat_id="1", text=text)) == Refused("telegram.text_empty")
    assert server.calls == []


@pytest.mark.parametrize(
    ("status", "description", "code", "is_unreachable"),
    [
        (403, "Forbidden: bot was blocked by the user", "telegram.blocked_by_user", True),
        (403, "Forbidden: user is deactivated", "telegram.user_deactivated", True),
        (403, "Forbidden: bot can't initiate conversation with a user", "telegram.not_started", True),
        (403, "Forbidden: bot was kicked from the group chat", "telegram.kicked", True),
        (403, "Forbidden: something new", "telegram.forbidden", False),
        (400, "Bad Request: chat not found", "telegram.chat_not_found", True),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", "telegram.chat_migrated", False),
        (400, "Bad Request: something new", "telegram.bad_request", False),
        (413, "Request Entity Too Large", "telegram.refused", False),
    ],
)
async def test_a_refusal_is_for_good(
    status: int, description: str, code: str, is_unreachable: bool, server: TelegramServer, channel: TelegramChannel
) -> None:
    """Repeating a refused message only brings the bot nearer to its limits; to whom nothing can be said we say no more."""
    server.faults.append(refusal(status, description))
    assert await channel.send(HELLO) == Refused(code, description, unreachable=is_unreachable)


async def test_a_detail_carries_no_personal_data(server: TelegramServer, channel: TelegramChannel) -> None:
    """Telegram may quote what we sent; details are stored and shown."""
    server.faults.append(refusal(400, "Bad Request: can't parse entity at +7 900 000-01-01 Алсу"))
    outcome = await channel.send(HELLO)
    assert outcome == Refused("telegram.bad_request", "Bad Request: can't parse entity at * * *-*-* *")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(401, "Unauthorized"), "telegram.token_revoked"),
        (refusal(404, "Not Found"), "telegram.token_unknown"),
    ],
)
async def test_a_dead_token_waits_for_a_person(
    reply: Reply, code: str, server: TelegramServer, channel: TelegramChannel
) -> None:
    """The messages are good and wait; only a person can bring a new token."""
    server.faults.append(reply)
    outcome = await channel.send(HELLO)
    assert isinstance(outcome, RetryLater)
    assert (outcome.code, outcome.scope, outcome.needs_person) == (code, Scope.TARGET, True)


async def test_a_revoked_token_is_told_by_the_server_itself(server: TelegramServer, channel: TelegramChannel) -> None:
    """The double knows one good token, as Telegram does."""
    server.token = "7000000001:ANOTHER-token"
    outcome = await channel.send(HELLO)
    assert isinstance(outcome, RetryLater)
    assert outcome.code == "telegram.token_revoked"


@pytest.mark.parametrize(
    ("parameters", "after"),
    [
        ({"retry_after": 17}, timedelta(seconds=17)),
        ({"retry_after": 10**9}, timedelta(hours=1)),
        ({"retry_after": -1}, timedelta(seconds=1)),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
async def test_a_limit_is_waited_out(
    parameters: dict[str, object], after: timedelta | None, server: TelegramServer, channel: TelegramChannel
) -> None:
    """Exactly as long as Telegram says, within reason."""
    server.faults.append(refusal(429, "Too Many Requests", parameters))
    assert await channel.send(HELLO) == RetryLater("telegram.too_many_requests", Scope.TARGET, after=after)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.DROP_AFTER, "telegram.answer_lost"),
        (Fault.SERVER_ERROR, "telegram.server_error"),
        (Fault.BAD_GATEWAY, "telegram.server_error"),
        (Fault.GARBAGE, "telegram.answer_unreadable"),
        (Fault.ENDLESS, "telegram.answer_unreadable"),
    ],
)
async def test_a_lost_answer_is_unknown(
    fault: Fault, code: str, server: TelegramServer, channel: TelegramChannel
) -> None:
    """The client may have the message already; a repeat would double it."""
    server.faults.append(fault)
    assert await channel.send(HELLO) == OutcomeUnknown(code)


async def test_silence_is_unknown(
    server: TelegramServer, channel: TelegramChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever, and the message may have arrived."""
    monkeypatch.setattr(client, "CALL_TIMEOUT_S", 0.05)
    server.faults.append(Fault.SILENCE)
    assert await channel.send(HELLO) == OutcomeUnknown("telegram.answer_lost")
    assert len(server.sent) == 1


async def test_a_redirect_is_not_followed(server: TelegramServer, channel: TelegramChannel) -> None:
    """It would carry the token to a stranger."""
    server.faults.append(Fault.REDIRECT)
    outcome = await channel.send(HELLO)
    assert isinstance(outcome, RetryLater)
    assert outcome.needs_person


async def test_an_unreachable_server_is_waited_for() -> None:
    """Nothing left the house, so it is safe to send again."""
    async with TelegramServer() as server:
        gone = server.base
    async with _bot(gone) as channel:
        assert await channel.send(HELLO) == RetryLater("telegram.unreachable", Scope.TARGET)


async def test_the_token_is_nowhere_but_on_the_wire(
    server: TelegramServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Httpx logs every address and keeps it in its errors; a token in a log is a stolen bot."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("httpx"), "filters", [])  # another integration may have silenced it here
    connection = open_connection("telegram", secrets={"bot_token": TOKEN}, settings={"api_base": server.base})
    seen: list[str] = []

    class Breaking(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(str(request.url))
            raise httpx.ReadError("broken", request=request)

    for transport in (None, Breaking()):
        channel = TelegramChannel(connection, clock=FixedClock(), transport=transport)
        await channel.send(HELLO)
        await channel.close()
    assert TOKEN in seen[0]
    assert any("bot" in record.getMessage() for record in caplog.records)
    for record in caplog.records:
        assert TOKEN not in f"{record.getMessage()} {record.args} {record.exc_text}"
    assert TOKEN not in repr(connection)


async def test_errors_of_the_http_library_carry_no_token(server: TelegramServer) -> None:
    """An error that escaped would carry the address of its request."""
    broken = httpx.MockTransport(lambda request: (_ for _ in ()).throw(httpx.ReadError("x", request=request)))
    api = wire.BotApi(server.base, open_connection("telegram", secrets={"t": TOKEN}).secrets["t"][0], broken)
    with pytest.raises(httpx.ReadError) as error:
        await api._client._client.post(server.base + "/bot********/getMe")  # noqa: SLF001 - the client is what is looked at
    assert TOKEN not in str(error.value.request.url)
    await api.close()


async def test_registration_gives_address_secret_and_wishes(server: TelegramServer, channel: TelegramChannel) -> None:
    """Reactions come only when asked for, and what waits at Telegram is never dropped."""
    for _ in range(2):
        report = await channel.register(ADDRESS)
        assert report.state is FindingState.OK
    assert server.registration["url"] == ADDRESS
    assert server.registration["secret_token"] == SECRET
    allowed = server.registration["allowed_updates"]
    assert isinstance(allowed, list)
    assert {"message_reaction", "my_chat_member", "callback_query", "edited_message", "message"} == set(allowed)
    await channel.unregister()
    assert server.registration == {}
    assert not any(call.payload.get("drop_pending_updates") for call in server.calls)


async def test_an_address_that_telegram_refuses_is_told(channel: TelegramChannel) -> None:
    """The finding says why, in Telegram's own words."""
    report = await channel.register("http://salon.example/x")
    assert report.state is FindingState.FAIL
    assert "HTTPS URL must be provided" in report.findings[0].text


async def test_a_registration_without_a_secret_is_not_made(server: TelegramServer) -> None:
    """Without a secret nothing that arrives could be proven."""
    connection = open_connection("telegram", secrets={"bot_token": TOKEN}, settings={"api_base": server.base})
    channel = TelegramChannel(connection, clock=FixedClock())
    assert (await channel.register(ADDRESS)).findings[0].code == "telegram.secret_missing"
    assert server.calls == []
    await channel.close()


async def test_a_check_of_a_good_connection_is_good(server: TelegramServer, channel: TelegramChannel) -> None:
    """Token and address are as we think."""
    await channel.register(ADDRESS)
    report = await channel.check()
    assert [finding.code for finding in report.findings] == ["telegram.token_good", "telegram.webhook_set"]
    assert report.state is FindingState.OK


@pytest.mark.parametrize(
    ("info", "code", "state"),
    [
        ({"url": ""}, "telegram.webhook_not_set", "fail"),
        ({"url": "https://other.example/hook"}, "telegram.webhook_elsewhere", "fail"),
        ({"pending_update_count": 101}, "telegram.updates_waiting", "warn"),
        (
            {"last_error_date": int(NOW.timestamp()) - 60, "last_error_message": "Connection refused"},
            "telegram.webhook_failing",
            "warn",
        ),
        ({"allowed_updates": ["message"]}, "telegram.updates_left_out", "warn"),
    ],
)
async def test_a_check_finds_what_is_wrong(
    info: dict[str, object], code: str, state: str, server: TelegramServer, channel: TelegramChannel
) -> None:
    """The gravest finding comes first."""
    await channel.register(ADDRESS)
    server.info = info
    finding = (await channel.check()).findings[0]
    assert (finding.code, finding.state) == (code, state)
    assert finding.cure


async def test_an_old_error_is_no_finding(server: TelegramServer, channel: TelegramChannel) -> None:
    """Telegram remembers its last error for ever."""
    await channel.register(ADDRESS)
    server.info = {"last_error_date": int(NOW.timestamp()) - 3600, "last_error_message": "Connection refused"}
    assert (await channel.check()).state is FindingState.OK


async def test_a_check_finds_a_dead_token_and_an_unreachable_server(server: TelegramServer) -> None:
    """Two different cures: a new token, or the network."""
    async with _bot(server.base, token="7000000001:wrong") as channel:
        assert (await channel.check()).findings[0].code == "telegram.token_revoked"
    gone = server.base
    await server.__aexit__(None, None, None)
    async with _bot(gone) as channel:
        assert (await channel.check()).findings[0].code == "telegram.unreachable"
        await channel.unregister()


@pytest.mark.parametrize(("bypass", "met"), [("", True), ("telegram.localhost", False)])
async def test_the_proxy_of_the_environment_is_heeded(bypass: str, met: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some networks reach Telegram by a proxy only. It sees the host, never the token; its refusal sends nothing."""
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", bypass)
        async with _bot("https://telegram.localhost:8443") as channel:
            assert await channel.send(HELLO) == RetryLater("telegram.unreachable", Scope.TARGET)
    assert bool(asked) is met
    assert all(request.startswith(b"CONNECT telegram.localhost:8443 ") for request in asked)
    assert TOKEN.encode() not in b"".join(asked)


def test_a_connection_without_a_token_cannot_send() -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match="bot_token"):
        TelegramChannel(open_connection("telegram"), clock=FixedClock())


async def test_many_messages_share_connections(server: TelegramServer, channel: TelegramChannel) -> None:
    """Chats are lanes of their own and send at the same time."""
    messages = [OutgoingMessage(message_id=str(n), chat_id=str(n), text="x") for n in range(1, 20)]
    outcomes = await asyncio.gather(*(channel.send(message) for message in messages))
    assert {type(outcome) for outcome in outcomes} == {Delivered}
    assert len(server.sent) == 19
