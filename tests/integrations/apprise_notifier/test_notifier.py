from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from urllib.parse import quote

import pytest

from leadgate import registry
from leadgate.errors import ConfigurationError
from leadgate.integrations.apprise_notifier.notifier import AppriseNotifier
from leadgate.model.secret import Secret
from leadgate.ports.notifier import Message
from leadgate.testing.mailbox import open_mailbox
from leadgate.testing.max_server import MaxServer, open_max
from leadgate.testing.telegram_server import TelegramServer

# The library's plug-in for mail still imports a module that Python 3.13 does without.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
MESSAGE = Message("Битрикс24 не отвечает", "С 14:46. Ждут: 2.\nУйдут сами.")


async def test_a_message_arrives_as_it_was_written() -> None:
    """Title, lines and Cyrillic letters, through the real library and a real socket."""
    async with open_mailbox() as box:
        assert await registry.notifier().send(Secret(box.address), MESSAGE) is None
    (letter,) = box.letters
    assert (letter["title"], letter["message"]) == (MESSAGE.title, MESSAGE.body)


@pytest.mark.parametrize("status", [400, 403, 500, 503])
async def test_a_service_that_refuses_is_told_as_a_code(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """The library would log the address, and addresses hold tokens."""
    with caplog.at_level(logging.DEBUG):
        async with open_mailbox() as box:
            box.status = status
            assert await AppriseNotifier().send(Secret(box.address), MESSAGE) == "alert.refused"
    assert box.knocks == 1
    assert "markedalarmsecret" not in caplog.text


async def test_nobody_at_home_is_a_refusal_too() -> None:
    """A closed port."""
    async with open_mailbox() as box:
        pass
    assert await AppriseNotifier().send(Secret(box.address), MESSAGE) == "alert.refused"


async def test_a_service_that_hangs_is_given_up() -> None:
    """Other addresses wait behind it."""
    leave, has_left = asyncio.Event(), asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leave.wait()
        writer.close()
        await writer.wait_closed()
        has_left.set()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        code = await AppriseNotifier(timeout_s=0.5).send(Secret(f"json://127.0.0.1:{port}/?rto=9"), MESSAGE)
        assert code == "alert.timeout"
        assert time.monotonic() - began < 2.5
        leave.set()
        await has_left.wait()


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("tgram://123456789:abcdefg_hijklmnop/-100123/", "Telegram"),
        ("mailto://user:pass@mail.example", "E-Mail"),
        ("ntfy://topic", "ntfy"),
        ("max://invented-token@-70000000000001", "MAX"),
        ("max://invented-token@70000001?to=user", "MAX"),
    ],
)
def test_services_are_named_by_their_own_names(address: str, service: str) -> None:
    """That is all that is shown of an address."""
    assert AppriseNotifier().service_of(Secret(address)) == service


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense://markedsecret",
        "markedsecret",
        "json://",
        "max://markedsecret@",
        "max://markedsecret@chat",
        "max://markedsecret@1?to=nobody",
        "max://markedsecret@1?api_base=http://elsewhere.example",
        "tgram://123456789:markedsecret_hijklmnop",
        "tgram://123456789:markedsecret_hijklmnop/-1?api_base=http://elsewhere.example",
        "tgram://123456789:markedsecret_hijklmnop/-1?template=/etc/hostname",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(address: str) -> None:
    """A typing error in a token must not put the token on the screen."""
    with pytest.raises(ConfigurationError) as caught:
        AppriseNotifier().service_of(Secret(address))
    assert "marked" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_commands_do_not_wait_for_the_library() -> None:
    """`leadgate --help` and a start are quick because it is imported when the first message is sent."""
    imports = "import sys, leadgate.app, leadgate.cli.main; from leadgate import registry; registry.notifier()"
    code = f"{imports}; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def max_address(server: MaxServer, chat: str = "-70000000000001", more: str = "") -> Secret:
    """The Apprise address of a chat."""
    return Secret(f"max://{server.token}@{chat}/?api_base={quote(server.base, safe='')}{more}")


async def test_max_takes_the_message_with_the_token_in_the_header_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The platform refuses a token in the address, and addresses end up in logs."""
    with caplog.at_level(logging.DEBUG):
        async with open_max() as server:
            server.chats.add("user:70000001")
            assert await AppriseNotifier().send(max_address(server), MESSAGE) is None
            assert await AppriseNotifier().send(max_address(server, "70000001", "&to=user"), MESSAGE) is None
    assert [chat for chat, _ in server.sent] == ["chat:-70000000000001", "user:70000001"]
    title, *lines = server.sent[0][1].splitlines()
    assert (title, lines) == (MESSAGE.title, MESSAGE.body.splitlines())
    assert "markedmaxsecret" not in caplog.text


async def test_max_says_what_is_wrong_with_an_address() -> None:
    """A reissued token and a chat that the bot is not in are cured at different places."""
    notifier = AppriseNotifier()
    async with open_max() as server:
        good = max_address(server)
        assert await notifier.send(max_address(server, "-2"), MESSAGE) == "alert.chat_unknown"
        server.status = 503
        assert await notifier.send(good, MESSAGE) == "alert.refused"
        server.token = "another-token"
        assert await notifier.send(good, MESSAGE) == "alert.token_refused"
    assert await notifier.send(good, MESSAGE) == "alert.unreachable"
    no_roots = Secret(good.reveal() + "&ca=/nowhere/roots.pem")
    assert await notifier.send(no_roots, MESSAGE) == "alert.unreachable"
    assert server.sent == []


async def test_telegram_takes_the_message_at_another_address_of_its_api() -> None:
    """Where the usual one cannot be reached; and a salon with markup in its name is shown as it is called."""
    async with TelegramServer(token="123456789:invented_token_of_a_bot") as server:
        address = f"tgram://{server.token}/-100123/?api_base={quote(server.base, safe='')}"
        assert await AppriseNotifier().send(Secret(address), Message("«Лак & <Кисть>»", "Ждут: 2.")) is None
        (sent,) = server.sent
        assert (sent["chat_id"], sent["parse_mode"]) == (-100123, "HTML")
        text = str(sent["text"])
        assert "«Лак &amp; &lt;Кисть&gt;»" in text
        assert "Ждут: 2." in text
        server.token = "reissued"
        assert await AppriseNotifier().send(Secret(address), MESSAGE) == "alert.refused"
    assert {call.method for call in server.calls} == {"sendMessage"}
