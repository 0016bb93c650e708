"""`leadgate demo`: what a newcomer touches first, and what an integrator's script starts."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from leadgate.testing.gateway import Gateway, Running
from leadgate.testing.waiting import until
from tests.e2e.sender import BotSender, lead
from tests.e2e.visitor import Visitor

KEYS = ["web", "chat", "sandbox", "bot_webhook", "signing_secret"]


async def start_demo(gateway: Gateway) -> tuple[Running, dict[str, str]]:
    """Start it and wait for its one line."""
    running = await gateway.launch("demo", "--json", "--listen", "127.0.0.1:0", "--data", str(gateway.data))
    await running.line(lambda: running.out, what="the line of addresses")
    ready: dict[str, str] = json.loads(running.out[0])
    assert list(ready) == KEYS
    return running, ready


async def leads_of(http: httpx.AsyncClient, ready: dict[str, str], count: int) -> list[dict[str, object]]:
    """Wait for so many leads in the demo's CRM."""

    async def look() -> list[dict[str, object]]:
        found = (await http.get(f"{ready['sandbox']}/leads.json")).json()["items"]
        return found if len(found) == count else []

    return await until(look, what=f"{count} leads in the demo's CRM")


def is_free(address: str) -> bool:
    """Whether nobody listens there any more."""
    parts = urlsplit(address)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((parts.hostname, parts.port))
        except OSError:
            return False
    return True


async def test_the_demo_works_from_the_first_second_and_again_on_the_same_data(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    """Nobody tries a product twice; and who comes back tomorrow finds the demo where it was."""
    async with Gateway(tmp_path / "demo") as gateway:
        running, ready = await start_demo(gateway)
        page = await http.get(ready["chat"])
        assert page.status_code == 200
        assert "Лимон" in page.text
        assert (await http.get(ready["web"], follow_redirects=True)).status_code == 200
        assert (await http.get(ready["sandbox"])).status_code == 200
        connection = ready["chat"].rpartition("/")[2]
        visitor = Visitor(http, ready["web"], connection, origin=ready["web"])
        words = await visitor.enter()
        assert "Лимон" in words["greeting"]
        assert "отзываю согласие" in await visitor.ask("Здравствуйте")
        await visitor.ask("Даю согласие")
        assert "номер" in await visitor.ask("Алсу")
        await visitor.ask("8 900 000-07-01")
        assert "+7 900 000-07-01" in await visitor.ask("Стрижка в субботу")
        (talked,) = await leads_of(http, ready, 1)
        assert talked["phone"] == "+79000000701"
        sender = BotSender(http, ready["bot_webhook"], ready["signing_secret"])
        await sender.accept(lead(702))
        assert "+79000000702" in {one["phone"] for one in await leads_of(http, ready, 2)}
        bot = ready["bot_webhook"].rpartition("/")[2]
        example = str(gateway.data / "example-lead.json")
        signed = await gateway.command("sign", example, "--connection", bot, "--send", ready["web"])
        assert signed.code == 0, signed.err
        await leads_of(http, ready, 3)

        assert await running.end(signal.SIGINT) == 0
        assert all(is_free(ready[name]) for name in ("web", "sandbox"))
        assert len(running.out) == 1

        running, again = await start_demo(gateway)
        assert again["signing_secret"] == ready["signing_secret"]
        assert again["chat"].rpartition("/")[2] == connection
        sender = BotSender(http, again["bot_webhook"], again["signing_secret"])
        await sender.accept(lead(703))

        async def has_arrived() -> bool:
            items = (await http.get(f"{again['sandbox']}/leads.json")).json()["items"]
            return any(one["phone"] == "+79000000703" for one in items)

        await until(has_arrived, what="a lead after the second start")
        assert await running.end(signal.SIGTERM) == 0


async def test_two_demos_do_not_fall_over_each_other(tmp_path: Path) -> None:
    """A forgotten demo in another window must not look like a broken product."""
    async with Gateway(tmp_path / "one") as one, Gateway(tmp_path / "two") as two:
        (_, first), (_, second) = await asyncio.gather(start_demo(one), start_demo(two))
        assert len({first["web"], first["sandbox"], second["web"], second["sandbox"]}) == 4
        taken = await two.command("demo", "--json", "--listen", urlsplit(first["web"]).netloc)
        assert taken.code == 2
        assert "--listen" in taken.err
