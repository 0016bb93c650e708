"""The ground that the other tests stand on: if one of these fails, look here first."""

import asyncio
import socket

import httpx
import psycopg
import pytest
from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import create_engine, make_url, text

from tests.conftest import OutsideNetworkError

OUTSIDE = "192.0.2.1"  # an address of documentation (RFC 5737): nobody answers there, should the guard be broken


def test_a_socket_to_the_outside_is_refused() -> None:
    """A test that reached a vendor would leak, and would depend on somebody else's day."""
    with socket.socket() as client, pytest.raises(OutsideNetworkError):
        client.connect((OUTSIDE, 80))


def test_a_datagram_to_the_outside_is_refused() -> None:
    """A datagram leaves without a connection, so it has a guard of its own."""
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(OutsideNetworkError):
        client.sendto(b"", (OUTSIDE, 53))


def test_a_name_of_the_outside_is_not_looked_up() -> None:
    """The look-up alone already tells a stranger whom we were going to call."""
    with pytest.raises(OutsideNetworkError):
        socket.getaddrinfo("crm.example", 443)


async def test_the_http_library_cannot_swallow_the_refusal() -> None:
    """A refusal that became a network error would read as a vendor who is down, and the test would pass."""
    async with httpx.AsyncClient() as client:
        with pytest.RaisesGroup(OutsideNetworkError, allow_unwrapped=True, flatten_subgroups=True):
            await client.get(f"http://{OUTSIDE}/")


async def test_loopback_is_open() -> None:
    """Doubles of vendors are real servers on this machine."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"ok")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"ok"
        writer.close()
        await writer.wait_closed()


def test_a_database_is_empty_and_takes_cyrillic(postgres_database: str) -> None:
    """A test that found another test's rows would pass or fail by its place in the order."""
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE word (value text)"))
        connection.execute(text("INSERT INTO word VALUES ('Лимон')"))
        assert connection.scalar(text("SELECT value FROM word")) == "Лимон"
    engine.dispose()


def test_a_database_is_gone_after_its_test(postgres_url: str) -> None:
    """Databases that stay behind would fill the machine and hide a lost connection."""
    url = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_%'").fetchall()
    assert rows == []


async def test_a_page_runs_scripts_and_shows_russian(page: Page) -> None:
    """The browser is a real one: it lays out, runs scripts and knows our visitor's language."""
    await page.set_content("<p id=a></p><script>a.textContent = navigator.language + ' Привет'</script>")
    assert await page.inner_text("#a") == "ru-RU Привет"


async def test_the_browser_does_not_leave_this_machine(browser_context: BrowserContext) -> None:
    """A page that calls a font or a script of a third party shows it here rather than at a client's."""
    opened = await browser_context.new_page()
    failed: list[str] = []
    opened.on("requestfailed", lambda request: failed.append(request.url))
    await opened.set_content("<img src='http://fonts.example/a.png'>", wait_until="load")
    assert failed == ["http://fonts.example/a.png"]


async def test_every_test_has_a_browser_of_its_own(browser: Browser) -> None:
    """Cookies of one test must not log in another."""
    assert browser.contexts == []
