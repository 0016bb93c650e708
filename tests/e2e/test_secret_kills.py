"""`secrets rotate` is killed at every commit and every call, before and after, while the gateway runs."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from pathlib import Path

from leadgate.testing.gateway import Gateway
from leadgate.testing.telegram_server import TelegramServer
from tests.e2e.conftest import Salon

HEADER = "X-Telegram-Bot-Api-Secret-Token"
RUNNER = Path(__file__).with_name("killed_rotation.py")


async def strike(gateway: Gateway, witness: Path, *, fault: tuple[str, str, int], command: tuple[str, ...]) -> bool:
    """Run the command until it dies; False when it ended before it came by so often."""
    point, deed, passing = fault
    arguments = (sys.executable, str(RUNNER), point, deed, str(passing), str(witness), *command)
    process = await asyncio.create_subprocess_exec(
        *arguments, env=gateway.environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    await process.wait()
    return process.returncode == -signal.SIGKILL


async def test_what_telegram_signs_with_is_good_wherever_the_command_was_killed(
    idle_salon: Salon, tmp_path: Path
) -> None:
    """And the next command finishes what was begun: Telegram, we and the gateway agree again.

    Killed before a commit is as good as after the call before it; what both moments leave is tried without processes in
    `tests/connections/test_rotation.py`.
    """
    deed = "kill-after"
    gateway, numbers = idle_salon.gateway, itertools.count(9000)
    gateway.environment["LEADGATE_PUBLIC_URL"] = "https://leads.example"
    async with TelegramServer() as server:
        options = ("--setting", f"api_base={server.base}")
        made = await gateway.ask("connect", "telegram", "--name", "Бот", *options, secrets={"bot_token": server.token})
        await idle_salon.restart()
        name = f"{made['connection']}.webhook_secret"
        seen: list[tuple[str, int]] = []

        async def passes() -> bool:
            headers = {HEADER: str(server.registration["secret_token"])}
            url = gateway.url + made["webhook_path"]
            answer = await idle_salon.bot.client.post(url, json={"update_id": next(numbers)}, headers=headers)
            return answer.status_code == 200

        assert await passes()
        for point in ("commit", "call"):
            for passing in itertools.count(1):
                fault = (point, deed, passing)
                command = ("secrets", "rotate", name, "--overlap", "600")
                if not await strike(gateway, tmp_path / "witness", fault=fault, command=command):
                    break
                seen.append((point, passing))
                assert await passes(), f"killed at {fault}"
        assert {point for point, _ in seen} == {"commit", "call"}
        rotated = await gateway.ask("secrets", "rotate", name)
        assert rotated["secret"] == server.registration["secret_token"]
        assert await passes()
        items = (await gateway.ask("secrets", "list"))["items"]
        assert not any(item["unfinished"] for item in items)
