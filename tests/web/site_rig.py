"""A house for the site chat's tests: real routes, a real server, conversations in memory, a bot.

The bot answers each message with a question and quick answers. `Rig.accepted` is what the door let in.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from litestar import Litestar, Request, Response, Router, get, post, route
from litestar.datastructures import State
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.static_files import create_static_files_router

import leadgate.web
from leadgate.errors import WebhookRejectedError
from leadgate.integrations.site.tokens import SECRET, VisitorTokens
from leadgate.integrations.site.verify import SiteReceiver
from leadgate.model.connections import Connection, ConnectionState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.model.views import ChatMessage
from leadgate.model.webhooks import RawWebhook, Receipt
from leadgate.web.site_answers import preflight_answer
from leadgate.web.site_chat import Welcome, site_router
from leadgate.web.site_cors import cors_headers
from leadgate.web.site_page import SalonCard, SalonService

CONNECTION_ID = "conn_site1"
STATIC = Path(leadgate.web.__file__).parent / "static"

GREETING = (
    "Здравствуйте! Это бот салона «Лимон». Запишу вас, перенесу визит, подскажу цену. "
    "Захотите поговорить с человеком, напишите «администратор»."
)
CARD = SalonCard(
    title="Салон «Лимон»",
    address="Казань, Лимонная, 7",
    hours=("ежедневно 10:00-21:00",),
    phone="+7 900 000-12-34",
    masters=("Марина", "Гузель", "Лейла"),
    services=(
        SalonService(name="Стрижка", price_kopecks=140_000, minutes=60, is_from=True),
        SalonService(name="Маникюр с покрытием", price_kopecks=190_000, minutes=90),
        SalonService(name="Маникюр без покрытия", price_kopecks=120_000, minutes=60),
        SalonService(name="Окрашивание", price_kopecks=490_000, minutes=150, is_from=True),
        SalonService(name="Разговор <о волосах> & цвете", price_kopecks=None),
    ),
    consents=("Согласие на обработку данных", "Согласие на новости и скидки"),
)


class SteppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 11, 20, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


class CountingIds:
    """Ids that differ and say in which order they were made."""

    def __init__(self) -> None:
        self.made = 0

    def new(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}_{self.made:026}"

    def token(self, length_bytes: int = 32) -> str:
        self.made += 1
        return f"random-{self.made:0{length_bytes}}"

    def fraction(self) -> float:
        return 0.5


def site_connection(
    *, origins: str, connection_id: str = CONNECTION_ID, secrets: Sequence[str] = ("invented-secret",)
) -> OpenConnection:
    """A connection of the site as the storage gives it."""
    connection = Connection(
        workspace_id="ws_1",
        connection_id=connection_id,
        kind="site",
        name="Сайт",
        settings={"allowed_origins": origins},
        state=ConnectionState.ACTIVE,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return OpenConnection(connection, {SECRET: tuple(Secret(value) for value in secrets)})


class Rig:
    """The house: keeps what was said and answers like a bot. Implements `SiteChat`."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.connection = site_connection(origins="")
        self.receiver = SiteReceiver()
        self.accepted: dict[str, str] = {}
        self.said: dict[str, list[ChatMessage]] = {}
        self.news = asyncio.Condition()
        self.answers = True
        self.tidy: Callable[[str], str] = str
        self.is_closing = False

    def allow(self, *origins: str) -> None:
        self.connection = site_connection(origins=", ".join(origins))

    def find_connection(self, connection_id: str) -> OpenConnection | None:
        return self.connection if connection_id == CONNECTION_ID else None

    def welcome(self, connection_id: str, language: str) -> Welcome:
        greeting = GREETING if language == "ru" else "Hello! This is the salon's bot."
        return Welcome(
            title=CARD.title,
            subtitle="Люди на связи с 10 до 21",
            greeting=greeting,
            buttons=("Записаться", "Цены", "Как доехать"),
        )

    def salon_card(self, connection_id: str) -> SalonCard | None:
        return CARD

    async def messages(
        self, connection_id: str, visitor_id: str, *, after: int, wait_s: float
    ) -> Sequence[ChatMessage]:
        def news() -> list[ChatMessage]:
            return [message for message in self.said.get(visitor_id, []) if message.number > after]

        async with self.news:
            if wait_s and not news():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait_for(lambda: self.is_closing or news()), wait_s)
            return news()

    async def close(self) -> None:
        """Lets every long poll end, as a server that stops must."""
        async with self.news:
            self.is_closing = True
            self.news.notify_all()

    async def receive(self, request: RawWebhook) -> Receipt:
        """What the intake and the dialogue do, in memory and at once."""
        webhook = self.receiver.verify(request, self.connection, now=self.clock.now())
        first = self.accepted.get(webhook.natural_key)
        if first is not None:
            return Receipt(first, duplicate=True)
        event_id = self.accepted[webhook.natural_key] = f"evt_{len(self.accepted)}"
        (event,) = self.receiver.parse(webhook, self.connection)
        visitor = event.sender_id or ""
        await self.say(visitor, self.tidy(event.text or ""), outgoing=False)
        if self.answers:
            await self.say(visitor, self.reply(visitor), buttons=("Даю согласие", "Лучше позвоню"))
        return Receipt(event_id, duplicate=False)

    def reply(self, visitor: str) -> str:
        asked = sum(not message.outgoing for message in self.said[visitor])
        return (
            "Спасибо! Как к вам обращаться и на какой номер звонить, если планы мастера изменятся?",
            "Их увидят только в салоне. Прочтите согласие: https://salon.example/consent.",
            "Придержу для вас 18:15 на десять минут.",
        )[(asked - 1) % 3]

    async def say(self, visitor: str, text: str, *, outgoing: bool = True, buttons: Sequence[str] = ()) -> None:
        async with self.news:
            number = sum(map(len, self.said.values())) + 1
            at = self.clock.now() + timedelta(seconds=number)
            message = ChatMessage(number=number, outgoing=outgoing, text=text, buttons=buttons, at=at)
            self.said.setdefault(visitor, []).append(message)
            self.news.notify_all()

    def texts_of_clients(self) -> list[str]:
        return [m.text for said in self.said.values() for m in said if not m.outgoing]

    def app(self) -> Litestar:
        """The routes under test, the house's static files and a webhook route as the house has it."""
        static = create_static_files_router("/static", directories=[STATIC], include_in_schema=False)
        site = site_router(self, visitors=VisitorTokens(CountingIds()), clock=self.clock)
        return Litestar([site, static, self.webhooks()], openapi_config=None)

    def webhooks(self) -> Router:
        @route("/webhooks/site/{connection_id:str}", http_method=[HttpMethod.OPTIONS], sync_to_thread=False)
        def ask(request: Request[object, object, State], connection_id: FromPath[str]) -> Response[bytes]:
            return preflight_answer(request.headers.get("origin"), self.find_connection(connection_id))

        @post("/webhooks/site/{connection_id:str}")
        async def take(request: Request[object, object, State], connection_id: FromPath[str]) -> Response[bytes]:
            headers = cors_headers(request.headers.get("origin"), self.find_connection(connection_id))
            raw = RawWebhook("POST", dict(request.headers), await request.body())
            try:
                answer = self.receiver.accepted(await self.receive(raw))
            except WebhookRejectedError as error:
                body = json.dumps({"code": error.code}).encode()
                return Response(body, status_code=error.status, headers=headers)
            return Response(answer.body, status_code=answer.status, headers=headers, media_type=answer.content_type)

        return Router("/", route_handlers=[ask, take])


@asynccontextmanager
async def served(app: object) -> AsyncIterator[str]:
    """Serves an ASGI application on a free port of this machine; gives its origin."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)  # connections wait here until the server runs, so that nobody has to sleep
    port = listener.getsockname()[1]
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)  # type: ignore[arg-type]  # uvicorn's own wide type of an application
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[Rig, str]]:
    """A running house and its origin, which is in its own list."""
    rig = Rig()
    async with served(rig.app()) as origin:
        rig.allow(origin)
        try:
            yield rig, origin
        finally:
            await rig.close()


def foreign_page(gate: str) -> Response[str]:
    """A salon's page on its own site: a strict policy, and styles that would break a widget that shared them."""
    html = f"""<!doctype html><html lang="ru"><head><title>Салон</title><link rel="stylesheet" href="/page.css"></head>
<body><main><h1>Салон «Лимон»</h1><button>Меню</button></main>
<script src="{gate}/site/{CONNECTION_ID}/widget.js" defer></script></body></html>"""
    policy = f"default-src 'none'; style-src 'self'; script-src {gate}; connect-src {gate}; base-uri 'none'"
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": policy})


def foreign_site(gate: str) -> Litestar:
    """The site with that page."""

    @get("/", sync_to_thread=False)
    def home() -> Response[str]:
        return foreign_page(gate)

    @get("/page.css", sync_to_thread=False)
    def styles() -> Response[str]:
        css = "html { font-size: 5px } * { color: red !important; text-transform: uppercase } button { display: none }"
        return Response(css, media_type="text/css")

    return Litestar([home, styles], openapi_config=None)
