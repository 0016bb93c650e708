"""No room on the disk: nothing is acknowledged that is not kept, nothing crashes, and it goes on when there is room."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from leadgate.testing.gateway import Gateway
from leadgate.testing.waiting import until
from tests.e2e.conftest import Portal, Prepared, Salon
from tests.e2e.sender import BotSender, lead

DISK = "size=8m,mode=0700"


class SmallDisk:
    """A disk that can be filled: a tmpfs where one may mount, else a limit on the size of the process's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)], capture_output=True, check=False
        )
        self.is_mounted = mounted.returncode == 0

    def fill(self, process_id: int) -> None:
        """Leave no room."""
        if not self.is_mounted:
            _limit(process_id, lambda _: 4096)
            return
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for piece_bytes in (65536, 4096, 1):
                while _write(ballast.fileno(), piece_bytes):
                    pass

    def empty(self, process_id: int) -> None:
        """Make room again."""
        if self.is_mounted:
            (self.folder / "ballast").unlink()
        else:
            _limit(process_id, lambda hard: hard)

    def close(self) -> None:
        """Take the disk away."""
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def _write(file: int, size_bytes: int) -> bool:
    try:
        return os.write(file, b"\0" * size_bytes) > 0
    except OSError:
        return False


def _limit(process_id: int, choose: Callable[[int], int]) -> None:
    _, hard = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (choose(hard), hard))


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SmallDisk]:
    """A small disk for one test."""
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.close()


async def test_a_full_disk_is_503_with_retry_after_and_after_it_nothing_is_missing(
    disk: SmallDisk, prepared: Prepared, portal: Portal, http: httpx.AsyncClient
) -> None:
    """A 200 for a lead that is on no disk is a lead lost; the sender must know that it has to come again."""
    data = disk.folder / "data"
    shutil.copytree(prepared.data, data)
    async with Gateway(data) as gateway:
        bot = BotSender(http, "", prepared.bot["webhook_secret"])
        salon = Salon(gateway, portal, bot, prepared.crm["connection"], prepared.bot["connection"])
        await salon.restart()
        running = gateway.running
        assert running is not None
        kept = [await bot.accept(lead(501), webhook_id="msg_501")]
        await portal.having(1)

        disk.fill(running.process.pid)
        refused: list[str] = []

        async def is_refused() -> bool:
            name = f"msg_full_{len(refused)}"
            answer = await bot.post(lead(510 + len(refused), message="Ж" * 8000), webhook_id=name)
            if answer.status_code == 202:
                kept.append(answer.json()["event"])
                return False
            assert (answer.status_code, answer.json()["code"]) == (503, "storage.unavailable"), answer.text
            assert int(answer.headers["retry-after"]) > 0
            refused.append(name)
            return True

        await until(is_refused, what="a refusal for want of room")

        async def is_unready() -> bool:
            ready = await http.get(f"{gateway.url}/health/ready")
            return (ready.status_code, "retry-after" in ready.headers) == (503, True)

        await until(is_unready, what="not ready")
        assert (await http.get(f"{gateway.url}/health/live")).status_code == 200
        assert not running.has_ended

        disk.empty(running.process.pid)

        async def is_ready() -> bool:
            return (await http.get(f"{gateway.url}/health/ready")).status_code == 200

        await until(is_ready, what="ready again", timeout_s=15)
        kept += [await bot.accept(lead(510), webhook_id=name) for name in refused]
        await salon.idle()
        balance = await salon.balanced()
        assert (balance["received"], balance["in_crm"]) == (len(kept), len(kept))
        assert not any("Traceback" in line for line in running.err)
