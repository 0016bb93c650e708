"""The whole way of a request through the real house: words in a chat, a date, an alarm, an answer, an end, a trace of each act."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from leadgate.app import open_app
from leadgate.app.app import App
from leadgate.app.initialise import initialise
from leadgate.errors import ConfigurationError, ConflictError, JournalUnavailableError, NotFoundError
from leadgate.model.alerts import AlertState, Cause
from leadgate.model.journal import JournalEntry, JournalRow, Tag
from leadgate.model.requests import NewRequest, RequestKind, RequestOutcome, RequestState, RequestWay
from leadgate.model.secret import Secret
from leadgate.model.webhooks import RawWebhook
from leadgate.settings import read_settings
from leadgate.system import SystemIds
from leadgate.testing.connections import FixedClock
from leadgate.testing.mailbox import Mailbox, open_mailbox
from leadgate.testing.telegram_server import TelegramServer

# The library of the alarms still imports a module that Python 3.13 does without.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIFTH_DAY = timedelta(days=7)
SECRET = "telegram-webhook-secret-4711"
PEOPLE = ("Меткина", "metkina", "9004711811", "закладка", "5900004711")
"""Of the person and of what they wrote: nothing of it may stand in a log, an alarm, an address or a file in clear."""


@dataclass
class House:
    """A salon with a bot in Telegram and a letter box for alarms."""

    app: App
    clock: FixedClock
    server: TelegramServer
    mailbox: Mailbox
    connection_id: str
    number: int = 100
    logs: Sequence[object] = field(default_factory=list)

    async def write(self, text: str, language: str = "ru") -> str:
        """A client writes, and everything that follows is done; the bot's answer."""
        self.number += 1
        sender = {
            "id": 5900004711,
            "is_bot": False,
            "first_name": "Алсу Меткина",
            "username": "metkina",
            "language_code": language,
        }
        message = {
            "message_id": self.number,
            "from": sender,
            "chat": {"id": 5900004711, "type": "private", "first_name": "Алсу"},
            "date": int(self.clock.now().timestamp()),
            "text": text,
        }
        opened = self.app.book.find(self.connection_id)
        assert opened is not None
        receiver = self.app.book.integration("telegram").receiver
        assert receiver is not None
        body = json.dumps({"update_id": self.number, "message": message}).encode()
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        await self.app.intake.receive(receiver, RawWebhook(method="POST", headers=headers, body=body), opened)
        await self.app.settle()
        return str(self.server.sent[-1]["text"])

    async def look(self) -> list[str]:
        """The alarms look at the house; titles of every letter about requests so far (there is no CRM, which they tell, too)."""
        await self.app.watch.watch()
        titles = [str(letter["title"]) for letter in self.mailbox.letters]
        return [title for title in titles if title.endswith("до 7 декабря")]

    async def raised(self) -> list[tuple[Cause, str]]:
        """What is raised about requests."""
        alerts = (await self.app.alerts.overview()).alerts
        return [
            (one.cause, one.detail) for one in alerts if one.cause is Cause.REQUEST and one.state is AlertState.RAISED
        ]

    async def journal(self, request_id: str) -> list[tuple[Tag, str, dict[str, str | int]]]:
        """What the journal tells of a request, oldest first."""
        rows: Sequence[JournalRow] = await self.app.journal.newest(limit=50, on=request_id)
        return [(row.entry.tag, row.entry.by, dict(row.entry.details)) for row in reversed(rows)]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """It is Monday noon in Moscow."""
    clock = FixedClock(MONDAY)
    monkeypatch.setattr("leadgate.app.app.SystemClock", lambda: clock)
    monkeypatch.setenv("LEADGATE_PUBLIC_URL", "https://limon.example")
    settings = read_settings(data=tmp_path / "data")
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=clock, ids=SystemIds()
    ) as made:
        made.confirm_shown()
    with capture_logs() as logs:
        async with TelegramServer() as server, open_mailbox() as mailbox, open_app(settings) as app:
            made_connection = await app.connections.connect(
                "telegram",
                name="Бот",
                settings={"api_base": server.base},
                secrets={"bot_token": Secret(server.token), "webhook_secret": Secret(SECRET)},
                check=False,
                by="test",
            )
            await app.follow()
            await app.alerts.add(Secret(mailbox.address), name="Владелец", by="test")
            yield House(app, clock, server, mailbox, made_connection.connection_id, logs=logs)


async def test_from_words_in_a_chat_to_the_end(house: House, tmp_path: Path) -> None:
    """Words, a date, an alarm on the fifth working day, the words again for who may read them, an end."""
    said = await house.write("Здравствуйте, я Меткина, закладка 9004711811. Удалите мои данные")
    assert "Ответим до 7 декабря" in said or "ответим до 7 декабря" in said
    (view,) = (await house.app.requests.page(is_open=True, limit=9)).items
    assert (view.kind, view.way, view.state) == (RequestKind.ERASE, RequestWay.CHAT, RequestState.OPEN)
    assert (view.due_on, view.days_left, view.is_late, view.is_estimate) == (date(2026, 12, 7), 10, False, False)
    assert view.subject_id is not None
    client = f"client:{view.subject_id}"
    assert await house.journal(view.request_id) == [
        (Tag.REQUEST_OPENED, client, {"kind": "erase", "way": "chat"}),
    ]
    leads = (await house.app.desk.leads(limit=9)).items
    assert len(leads) == 1, "the message went to the administrator like any other"

    said = await house.write("так удалите все обо мне, пожалуйста")
    assert said.startswith("Ваше обращение уже в работе, ответим до 7 декабря")
    assert (await house.app.requests.page(is_open=True, limit=9)).items == [view]

    assert await house.look() == []
    house.clock.move(FIFTH_DAY - timedelta(hours=4))  # 8:00 in Moscow on the fifth working day
    assert await house.look() == []
    house.clock.move(timedelta(hours=2))
    assert await house.look() == ["Клиент ждёт ответа о своих данных: удалить данные, до 7 декабря"]
    assert await house.raised() == [(Cause.REQUEST, "5")]
    (body,) = (str(one["message"]) for one in house.mailbox.letters if str(one["title"]).startswith("Клиент ждёт"))
    assert "Рабочих дней осталось: 5." in body
    assert "https://limon.example/requests" in body

    read = await house.app.requests.read(view.request_id, by="staff_owner")
    assert read.words == "Здравствуйте, я Меткина, закладка 9004711811. Удалите мои данные"
    await house.app.requests.close(view.request_id, RequestOutcome.DONE, note="акт 7", by="staff_owner")
    assert (await house.journal(view.request_id))[1:] == [
        (Tag.REQUEST_READ, "staff_owner", {"what": "words"}),
        (Tag.REQUEST_CLOSED, "staff_owner", {"outcome": "done"}),
    ]
    for _ in range(2):
        house.clock.move(timedelta(minutes=20))
        await house.look()
    assert (await house.look())[1:] == ["Обращение закрыто или срок продлён: удалить данные, до 7 декабря"]
    assert (await house.app.requests.page(is_open=True, limit=9)).items == []

    seen = str(house.logs) + str(house.mailbox.letters)
    assert [mark for mark in PEOPLE if mark in seen] == []
    files = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert [mark for mark in PEOPLE if mark.encode() in files] == []


async def test_other_words_are_no_request_and_a_consent_is_left_to_others(house: House) -> None:
    """The bot goes on as it did."""
    for words in ("Хочу на маникюр", "удалите запись на завтра", "исправьте время на 15:00", "стоп"):
        assert "тветим до" not in await house.write(words)
    assert (await house.app.requests.page(limit=9)).items == []


async def test_the_date_is_told_in_the_language_of_the_messenger(house: House) -> None:
    """A Russian salon answers in Russian unless the messenger says otherwise, whatever the words were."""
    assert "ответим до 7 декабря" in await house.write("What data do you have about me?")
    assert "answer by 7 December" in await house.write("Delete my data", "en")


async def test_a_request_on_paper_and_whose_it_is(house: House) -> None:
    """Its term runs from the day it came; the letter is printed; every act stands in the journal before it is done."""
    await house.write("Привет")
    desk = house.app.requests
    new = NewRequest(kind=RequestKind.ACCESS, way=RequestWay.PAPER, received_on=date(2026, 11, 20), words="закладка")
    request_id = await desk.open(new, by="staff_owner")
    detail = await desk.detail(request_id)
    assert (detail.view.due_on, detail.view.subject_id, detail.extended_on) == (
        date(2026, 12, 4),
        None,
        date(2026, 12, 11),
    )
    with pytest.raises(NotFoundError):
        await desk.assign(request_id, "+7 900 471-19-99", by="staff_owner")
    await desk.assign(request_id, "@metkina", by="staff_owner")
    subject_id = (await desk.detail(request_id)).view.subject_id
    assert subject_id is not None
    assert await desk.extend(request_id, reason="архив на бумаге", by="staff_owner") == date(2026, 12, 11)
    with pytest.raises(ConflictError):
        await desk.extend(request_id, reason="ещё", by="staff_owner")
    assert (await desk.answer(request_id, by="staff_owner")).startswith(b"%PDF-")
    assert [tag for tag, _, _ in await house.journal(request_id)] == [
        Tag.REQUEST_OPENED,
        Tag.REQUEST_ASSIGNED,
        Tag.REQUEST_EXTENDED,
        Tag.REQUEST_READ,
    ]
    with pytest.raises(ConfigurationError):
        await desk.open(
            NewRequest(kind=RequestKind.OTHER, way=RequestWay.EMAIL, received_on=date(2026, 11, 24)), by="staff_owner"
        )


class Broken:
    """A journal whose disk is full."""

    async def record(self, entry: JournalEntry) -> int:
        """Refuses."""
        raise JournalUnavailableError("full")

    async def newest(self, *, limit: int, before: int | None = None, on: str | None = None) -> Sequence[JournalRow]:
        """Nothing."""
        return []


async def test_without_the_journal_nothing_is_done_by_hand_and_a_chat_is_journaled_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An act without a trace is none; a client is heard all the same."""
    desk = house.app.requests
    with monkeypatch.context() as broken:
        broken.setattr(desk, "_journal", Broken())
        with pytest.raises(JournalUnavailableError):
            await desk.open(NewRequest(kind=RequestKind.ACCESS, way=RequestWay.PAPER), by="staff_owner")
        with pytest.raises(JournalUnavailableError):
            await house.write("удалите мои данные")
        (view,) = (await desk.page(limit=9)).items
        assert view.kind is RequestKind.ERASE
    assert await house.journal(view.request_id) == []
    await desk.journal_arrivals()
    assert [tag for tag, _, _ in await house.journal(view.request_id)] == [Tag.REQUEST_OPENED]
    await desk.journal_arrivals()
    assert len(await house.journal(view.request_id)) == 1


async def test_a_list_is_walked_by_its_cursor(house: House) -> None:
    """Open ones first, then closed ones, nothing twice, nothing left out."""
    desk = house.app.requests
    ids = [await desk.open(NewRequest(kind=kind, way=RequestWay.EMAIL), by="x") for kind in RequestKind]
    for request_id in ids[:3]:
        house.clock.move(timedelta(minutes=1))
        await desk.close(request_id, RequestOutcome.DONE, by="x")
    walked, cursor = list[str](), None
    while True:
        page = await desk.page(limit=2, cursor=cursor)
        walked += [view.request_id for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(walked) == sorted(ids)
    assert walked[-3:] == [ids[2], ids[1], ids[0]]
    assert [view.state for view in (await desk.page(is_open=False, limit=9)).items] == [RequestState.CLOSED] * 3
    with pytest.raises(ConfigurationError):
        await desk.page(limit=2, cursor="x")
