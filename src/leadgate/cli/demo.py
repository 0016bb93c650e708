"""`leadgate demo`: everything in one process, ready to be touched."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common, run_async
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.settings import DEFAULT_LISTEN, Address, Settings, read_settings

if TYPE_CHECKING:
    import socket

    from leadgate.app import App

DEMO_DATA = Path("./leadgate-demo")
EXAMPLE_FILE = "example-lead.json"
_BY_DEMO = "demo"
_CRM, _SITE, _BOT = "Битрикс24 (песочница)", "Чат на сайте", "Конструктор ботов"
_EXAMPLE = {
    "channel": "telegram",
    "contact": {"name": "Алсу Гарипова", "phone": "8 900 000-01-01"},
    "message": "Здравствуйте! Хочу на маникюр в четверг после шести.",
    "service": "Маникюр с покрытием",
    "utm": {"source": "instagram", "campaign": "osen"},
}


@dataclass(frozen=True, slots=True)
class _Demo:
    web: str
    chat: str
    sandbox: str
    bot_webhook: str
    signing_secret: Secret
    bot_connection: str
    setup_url: str | None


def demo(
    *,
    listen: Annotated[str | None, Parameter(help="HOST:PORT; port 0 lets the system choose.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Start everything with an example salon and a sandbox CRM, and print the addresses to open. Ctrl-C ends everything.

    Example: leadgate demo --listen 127.0.0.1:8080
    """
    data = common.data or DEMO_DATA
    run_async(_run(read_settings(data=data, listen=listen), is_address_given=listen is not None, common=common))
    return 0


async def _run(settings: Settings, *, is_address_given: bool, common: Common) -> None:
    from leadgate.app import open_app
    from leadgate.observability import configure_logs
    from leadgate.web.server import address_of, serve_house, stop_on_signals

    configure_logs(as_json=True if common.json else None)
    stop = asyncio.Event()
    stop_on_signals(stop)
    with _bind(settings.listen, is_address_given=is_address_given) as listener:
        address = address_of(listener)
        web = f"http://{address}"
        settings = replace(settings, listen=address, public_url=settings.public_url or web)
        _initialise(settings)
        async with _open_sandbox(settings, address) as (sandbox_url, webhook_url), open_app(settings) as app:
            ready = await _furnish(app, web, sandbox_url, Secret(webhook_url))
            await serve_house(
                app, listener, role="all", stop=stop, on_ready=lambda _address: _announce(ready, settings, common)
            )


def _bind(address: Address, *, is_address_given: bool) -> socket.socket:
    """The address asked for; when nobody asked and the usual one is taken, any free one."""
    from leadgate.web.server import bind

    try:
        return bind(address)
    except ConfigurationError:
        if is_address_given or str(address) != DEFAULT_LISTEN:
            raise
        return bind(replace(address, port=0))


@asynccontextmanager
async def _open_sandbox(settings: Settings, web: Address) -> AsyncIterator[tuple[str, str]]:
    """The sandbox CRM beside the web, one port higher where that is free; its leads live in the demo's folder.

    They must: our ledger remembers their numbers, and a fresh portal would give the same numbers to other people's leads.
    """
    from leadgate.sandbox.bitrix24 import STATE_FILE, open_kept_sandbox, serve

    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(open_kept_sandbox(settings.data / STATE_FILE))
        try:
            base_url = await stack.enter_async_context(serve(sandbox, web.host, web.port + 1))
        except (OSError, OverflowError):  # taken, or there is no higher port
            base_url = await stack.enter_async_context(serve(sandbox, web.host, 0))
        yield base_url, sandbox.webhook_url(base_url)


def _initialise(settings: Settings) -> None:
    from leadgate.app import initialise
    from leadgate.sandbox.salon import NAME
    from leadgate.system import SystemClock, SystemIds

    with initialise(
        settings, name=NAME, locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ) as made:
        made.confirm_shown()  # nobody keeps a demo's key on paper


async def _furnish(app: App, web: str, sandbox_url: str, webhook_url: Secret) -> _Demo:
    """The example salon and its connections; those that are there are brought to today's addresses."""
    from leadgate.booking.salon_book import write_salon
    from leadgate.sandbox.salon import EXAMPLE_SALON

    await app.storage.write(lambda tx: write_salon(tx, EXAMPLE_SALON))
    await _have(app, "bitrix24", _CRM, settings={"quiet_time_s": "20"}, secrets={"webhook_url": webhook_url})
    site = await _have(app, "site", _SITE, settings={"allowed_origins": web}, secrets={})
    bot = await _have(app, "bot", _BOT, settings={}, secrets={})
    opened = app.book.find(bot)
    secret = None if opened is None else opened.secret("signing_secret")
    token = await app.people.invite_owner_again()
    (app.settings.data / EXAMPLE_FILE).write_text(
        json.dumps(_EXAMPLE, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return _Demo(
        web=web,
        chat=f"{web}/chat/{site}",
        sandbox=sandbox_url,
        bot_webhook=f"{web}/webhooks/bot/{bot}",
        signing_secret=secret or Secret(""),
        bot_connection=bot,
        setup_url=None if token is None else f"{web}/setup/{token}",
    )


async def _have(app: App, kind: str, name: str, *, settings: dict[str, str], secrets: dict[str, Secret]) -> str:
    for opened in app.book.all():
        if opened.connection.kind == kind and opened.connection.name == name:
            connection_id = opened.connection.connection_id
            await app.connections.amend(connection_id, settings=settings, secrets=secrets, by=_BY_DEMO)
            return connection_id
    made = await app.connections.connect(kind, name=name, settings=settings, secrets=secrets, check=True, by=_BY_DEMO)
    return made.connection_id


def _announce(ready: _Demo, settings: Settings, common: Common) -> None:
    if common.json:
        addresses = {"web": ready.web, "chat": ready.chat, "sandbox": ready.sandbox}
        secret = ready.signing_secret.reveal()
        print_json({**addresses, "bot_webhook": ready.bot_webhook, "signing_secret": secret})
        return
    lines = [
        "",
        f"  Напишите салону как клиент:  {ready.chat}",
        f"  Заявки в песочнице CRM:      {ready.sandbox}/",
        f"  Страница владельца:          {ready.setup_url or ready.web}",
    ]
    if ready.setup_url is not None:
        lines.append("                               (адрес одноразовый: придумайте имя и пароль)")
    lines += [
        "",
        "  Заявка от конструктора ботов, подписывает сама себя:",
        (
            f"  {_leadgate()} sign {settings.data / EXAMPLE_FILE} --data {settings.data}"
            f" --connection {ready.bot_connection} --send {ready.web}"
        ),
        "",
        "  Ctrl-C завершает всё.",
        "",
    ]
    print_lines(*lines)


def _leadgate() -> str:
    """How the person can call us from where they stand."""
    command = Path(sys.argv[0])
    return str(command) if command.name == "leadgate" else "leadgate"
