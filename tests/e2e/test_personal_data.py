"""The hunt: marked people and secrets go through everything that can fail, and must stand nowhere in clear."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from leadgate.testing.avito_server import AvitoServer
from leadgate.testing.telegram_server import Fault, TelegramServer, refusal
from leadgate.testing.waiting import until
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.sender import lead
from tests.e2e.visitor import Visitor

PEOPLE = {
    "name": "Меткина-Закладкина",
    "phone": "9004711811",
    "email": "metka4711@example.org",
    "username": "metka_zakladka",
    "words": "заветная-фраза-4711",
    "telegram name": "Телеграмова-Меткина",
    "telegram phone": "9004711822",
    "telegram words": "тайное-желание-4712",
    "telegram id": "5900004713",
    "site words": "шепот-посетителя-4714",
    "site phone": "9004711833",
}
BOT_TOKEN = "7000004711:MARKED-bot-token-4711"
GUESSED = "GUESSED-secret-of-a-stranger-4711"


_TAIL_DIGITS = 7
"""By so many digits a person is told apart within a town."""


@cache
def spellings(mark: str) -> frozenset[bytes]:
    """A mark as it may lie in a file: as written, in other letters, UTF-16, escaped, hex, base64; of a phone also the tail."""
    plain = {mark, mark.lower(), mark.upper()}
    if mark.isdecimal() and len(mark) > _TAIL_DIGITS:
        plain.add(mark[-_TAIL_DIGITS:])
    written = {form for text in plain for form in (text.encode(), text.encode("utf-16-le"))}
    written |= {json.dumps(text)[1:-1].encode() for text in plain}
    for text in plain:
        content = text.encode()
        written |= {quote(text).encode(), content.hex().encode(), content.hex().upper().encode()}
        written |= set(in_base64(content))
    return frozenset(written)


def in_base64(content: bytes) -> Iterator[bytes]:
    """The letters that stand for these bytes wherever they begin in a longer text, without the ends that differ."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + content)
        inner = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 3, 2)[(shift + len(content)) % 3]]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def found_in(content: bytes, marks: Mapping[str, str]) -> list[str]:
    """Names of the marks that stand in these bytes."""
    return [name for name, mark in marks.items() if any(written in content for written in spellings(mark))]


def in_files(folder: Path, marks: Mapping[str, str]) -> dict[str, list[str]]:
    """Marks in the bytes of every file of a folder; only the key file and its like hold secrets, and none of ours."""
    hits = {
        str(path.relative_to(folder)): found_in(path.read_bytes(), marks)
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: names for name, names in hits.items() if names}


def gather_refusals(client: httpx.AsyncClient) -> list[httpx.Response]:
    """Every answer from now on that says no, with its body."""
    gathered: list[httpx.Response] = []

    async def note(response: httpx.Response) -> None:
        if response.is_error:
            await response.aread()
            gathered.append(response)

    client.event_hooks["response"].append(note)
    return gathered


async def go_through_everything(salon: Salon, server: TelegramServer, made: Mapping[str, Any], site: str) -> None:
    """Leads and chats while every partner fails in every way it can, and strangers knock."""
    http, faults = salon.bot.client, salon.portal.sandbox.faults
    faults.add("error-500", count=1)
    faults.add("drop-answer", count=1, method="crm.item.add")
    faults.add("wrong-types", count=1, method="crm.timeline.comment.add")
    contact = {"name": PEOPLE["name"], "phone": f"+7{PEOPLE['phone']}", "email": PEOPLE["email"]}
    marked = lead(message=PEOPLE["words"], contact={**contact, "username": PEOPLE["username"]})
    await salon.bot.accept(marked)
    await salon.bot.post(marked | {"preferred_time": PEOPLE["words"], "contact": {"phone": PEOPLE["words"]}})
    await salon.bot.post(f"{PEOPLE['words']} no json".encode())
    strange = salon.bot.signed(b"{}", webhook_id=GUESSED) | {"webhook-signature": f"v1,{GUESSED}", "cookie": GUESSED}
    assert (await http.post(salon.bot.url, content=PEOPLE["words"].encode(), headers=strange)).status_code == 401
    assert (await http.post(f"{salon.gateway.url}/webhooks/bot/{GUESSED}", content=b"{}")).status_code == 404
    await http.get(f"{salon.gateway.url}/{GUESSED}?phone={PEOPLE['phone']}")
    await http.post(f"{salon.gateway.url}/login", data={"name": PEOPLE["email"], "password": GUESSED})

    server.faults.extend(
        [refusal(401, "Unauthorized"), Fault.SERVER_ERROR, Fault.GARBAGE, Fault.DROP_AFTER, Fault.REDIRECT]
    )
    person = {
        "id": int(PEOPLE["telegram id"]),
        "is_bot": False,
        "first_name": PEOPLE["telegram name"],
        "language_code": "ru",
    }
    for number, text in enumerate(
        ("/start", PEOPLE["telegram name"], f"8{PEOPLE['telegram phone']}", PEOPLE["telegram words"])
    ):
        chat = {"id": person["id"], "type": "private"}
        message = {"message_id": number + 1, "from": person, "chat": chat, "date": 1_782_900_000, "text": text}
        headers = {"X-Telegram-Bot-Api-Secret-Token": made["webhook_secret"]}
        url = salon.gateway.url + made["webhook_path"]
        answer = await http.post(url, json={"update_id": number + 1, "message": message}, headers=headers)
        assert answer.status_code == 200
        wrong = {"X-Telegram-Bot-Api-Secret-Token": GUESSED}
        assert (await http.post(url, json={"message": message}, headers=wrong)).status_code == 401

    visitor = Visitor(http, salon.gateway.url, site)
    await visitor.enter()
    for text in ("Здравствуйте", PEOPLE["name"], f"8{PEOPLE['site phone']}", PEOPLE["site words"]):
        await visitor.ask(text)

    async def have_all_struck() -> bool:
        if len(faults) and not await salon.unfinished():
            await salon.bot.accept(marked | {"message": f"{PEOPLE['words']} ещё раз"})
            await salon.bot.accept(lead(800 + salon.portal.sandbox.portal.counters.requests % 100))
        return not len(faults)

    await until(have_all_struck, what="every fault has struck", timeout_s=60)
    for words in (PEOPLE["words"], PEOPLE["telegram words"], PEOPLE["site words"]):
        await salon.portal.with_entry(words, timeout_s=30)


async def test_marked_people_and_secrets_stand_nowhere_in_clear(salon: Salon, prepared: Prepared) -> None:
    """Logs are copied into tickets, disks are sold, figures are shared: a client's words and our keys must not go along."""
    async with TelegramServer(BOT_TOKEN) as server:
        secrets = {"bot_token": BOT_TOKEN}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        await salon.heard(made["webhook_path"])
        salon.gateway.output.clear()  # `connect` showed the secrets that it made; from here on nothing may
        refusals = gather_refusals(salon.bot.client)
        await go_through_everything(salon, server, made, prepared.site["connection"])
        marks = PEOPLE | {
            "bot token": BOT_TOKEN,
            "telegram secret": made["webhook_secret"],
            "signing secret": salon.bot.secret.removeprefix("whsec_"),
            "crm secret": salon.portal.sandbox.webhook_secret,
            "stranger's secret": GUESSED,
        }
        metrics = await salon.bot.client.get(f"{salon.gateway.url}/metrics")
        await ask_everything(salon, server, made["connection"])
        for command in (("backup", "create"), ("journal", "export"), ("data-map", "--out")):
            made_of_it = await salon.gateway.command(*command, str(salon.gateway.data / f"hunted-{command[0]}"))
            assert made_of_it.code in {0, 1}, made_of_it.err
        assert (salon.gateway.data / "journal.sqlite3").exists()

        running = salon.gateway.running
        assert running is not None
        assert running.log("webhook.refused")
        assert running.log("delivery.attempted", outcome="unknown")
        assert {401, 404, 422} <= {answer.status_code for answer in refusals}
        telling = [answer.url.path for answer in refusals if found_in(answer.content, marks)]
        assert telling == ["/login"], "the form keeps the name that was typed into it, and nobody else sees it"
        assert found_in(metrics.content, marks) == []
        assert [line for line in salon.gateway.printed().splitlines() if found_in(line.encode(), marks)] == []
        assert (salon.gateway.data / "leadgate.sqlite3-wal").exists()
        assert in_files(salon.gateway.data, marks) == {}
        assert await salon.gateway.stop() == 0
        assert in_files(salon.gateway.data, marks) == {}
        assert found_in(salon.gateway.printed().encode(), marks) == []


KEY = "MARKED-key-in-the-address-4711"
CLIENT_SECRET = "MARKED-client-secret-4711"


async def raw(salon: Salon, *lines: str) -> bytes:
    """A request as only a broken or ill-meaning client writes it; the beginning of the answer."""
    reader, writer = await asyncio.open_connection(*salon.gateway.url.removeprefix("http://").split(":"))
    writer.write("\r\n".join((*lines, "", "")).encode())
    answer = await reader.read(4096)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_secret_in_an_address_stands_nowhere_in_clear(salon: Salon) -> None:
    """Addresses are what servers like best to log; who reads this one can write to the salon as any client of Avito."""
    salon.gateway.environment["LEADGATE_PUBLIC_URL"] = "https://salon.example"
    async with AvitoServer(client_secret=CLIENT_SECRET) as server:
        secrets = {"client_id": "demo-client-id", "client_secret": CLIENT_SECRET, "webhook_secret": KEY}
        made = await salon.gateway.connect("avito", "Авито", secrets=secrets, api_base=server.base)
        assert server.webhook == f"https://salon.example{made['webhook_path']}?key={KEY}"
        path, http = made["webhook_path"], salon.bot.client
        await salon.heard(path)
        url = f"{salon.gateway.url}{path}?key={KEY}"
        for method, address, body, status in (
            ("POST", url, b"{}", 200),
            ("POST", url + "x", b"{}", 401),
            ("POST", url, b"x" * (1 << 21), 413),
            ("GET", url, b"", 405),
            ("POST", url.replace("conn_", "conn_x"), b"{}", 404),
            ("POST", url.replace("/webhooks/", "//webhooks/"), b"{}", 404),
            ("POST", url.replace("/webhooks/", "/Webhooks/"), b"{}", 404),
            ("GET", f"{salon.gateway.url}/health/live?key={KEY}", b"", 200),
        ):
            assert (await http.request(method, address, content=body)).status_code == status, (method, status)
        await raw(salon, f"POST {path}?key={KEY} HTTP/9.9", "Host: salon")
        await raw(salon, f"POST http://salon{path}?key={KEY} HTTP/1.1", "Host: salon", "Content-Length: x")
        server.kill_token()
        for arguments in (("check",), ("show",)):
            await salon.gateway.command("connections", *arguments, made["connection"], "--json", "--debug")
        marks = {"key": KEY, "client secret": CLIENT_SECRET}
        metrics = (await http.get(f"{salon.gateway.url}/metrics")).content
        assert salon.gateway.running is not None
        assert salon.gateway.running.log("webhook.refused", integration="avito")
        assert await salon.gateway.stop() == 0
        assert found_in(metrics + salon.gateway.printed().encode(), marks) == []
        assert in_files(salon.gateway.data, marks) == {}


async def ask_everything(salon: Salon, server: TelegramServer, telegram: str) -> None:
    """Commands that show what happened, and commands that fail, with their tracebacks; all but `events show`."""
    gateway = salon.gateway
    listings = (("events", "list"), ("deliveries", "list"), ("connections", "list"), ("reconcile",))
    server.token = "7000009999:another"
    troubled = [one for one in (await gateway.ask("deliveries", "list"))["items"] if one["attempts"] > 1]
    assert troubled
    asked = [gateway.command(*command) for command in listings]
    asked += [gateway.command(*command, "--json") for command in listings]
    asked += [gateway.command("deliveries", "show", one["id"], "--json") for one in troubled[:2]]
    assert {answer.code for answer in await asyncio.gather(*asked)} == {0}
    salon.portal.sandbox.faults.add("revoked")
    checks = [gateway.command("connections", "check", one, "--json", "--debug") for one in (telegram, salon.crm)]
    assert [answer.code for answer in await asyncio.gather(*checks)] == [1, 1]
    views = [gateway.command("connections", "show", one, "--json") for one in (telegram, salon.crm)]
    url = salon.portal.webhook_url
    connect = ("connect", "bitrix24", "--name", "X", "--debug", "--json")
    wrong = [
        gateway.command(*connect, secrets={"webhook_url": f"{url}not-a-webhook?key={GUESSED}"}),
        gateway.command(*connect, secrets={"webhook_url": url}),
        gateway.command(*connect, "--secrets-file", "-", stdin=GUESSED),
    ]
    assert [answer.code for answer in await asyncio.gather(*views, *wrong)] == [0, 0, 2, 1, 2]
    gateway.environment["LEADGATE_DATABASE_URL"] = f"postgresql://u:{GUESSED}@127.0.0.1:1/x"
    away = await gateway.command("events", "list", "--debug")
    assert away.code == 3, away.err
    assert "Traceback" in away.err
    del gateway.environment["LEADGATE_DATABASE_URL"]


async def test_the_hunt_finds_what_is_planted_in_clear(tmp_path: Path) -> None:
    """A hunt that cannot find anything would be green for ever."""
    (tmp_path / "a").write_bytes(b"\0\0" + PEOPLE["name"].lower().encode() + b"\0")
    (tmp_path / "b").write_bytes(json.dumps({"x": PEOPLE["words"]}).encode())
    (tmp_path / "c").write_bytes(b"tail " + PEOPLE["site phone"][-7:].encode())
    for shift in range(3):
        hidden = b"." * shift + PEOPLE["telegram words"].encode() + b" and more"
        (tmp_path / f"d{shift}").write_bytes(base64.b64encode(hidden))
        (tmp_path / f"e{shift}").write_bytes(base64.urlsafe_b64encode(hidden[: shift - 9 or None]))
        (tmp_path / f"f{shift}").write_bytes(hidden.hex().encode())
    found = in_files(tmp_path, PEOPLE)
    assert {name: found.pop(name) for name in "abc"} == {"a": ["name"], "b": ["words"], "c": ["site phone"]}
    assert found == {f"{kind}{shift}": ["telegram words"] for kind in "def" for shift in range(3)}


async def test_a_secret_is_never_taken_from_the_arguments(salon: Salon, http: httpx.AsyncClient) -> None:
    """Arguments stand in the process list and in the shell's history."""
    for option in (("--setting", f"webhook_url={salon.portal.webhook_url}"), ("--setting", f"bot_token={BOT_TOKEN}")):
        kind = "bitrix24" if "webhook_url" in option[1] else "telegram"
        refused = await salon.gateway.command("connect", kind, "--name", "X", *option)
        assert refused.code == 2
        assert found_in(refused.err.encode(), {"url": salon.portal.sandbox.webhook_secret, "token": BOT_TOKEN}) == []
        assert "--secrets-file" in refused.err
