from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time

import pytest

from leadgate import registry
from leadgate.errors import ConfigurationError
from leadgate.integrations.apprise_notifier.notifier import AppriseNotifier
from leadgate.model.secret import Secret
from leadgate.ports.notifier import Message
from leadgate.testing.mailbox import open_mailbox

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
    ],
)
def test_services_are_named_by_their_own_names(address: str, service: str) -> None:
    """That is all that is shown of an address."""
    assert AppriseNotifier().service_of(Secret(address)) == service


@pytest.mark.parametrize("address", ["", "nonsense://markedsecret", "markedsecret", "json://"])
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
