"""The key encryption key at the terminal: rotated beside a gateway that is killed, with backups from before and after."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from leadgate.testing.gateway import Gateway
from leadgate.testing.openbao_server import openbao
from leadgate.testing.waiting import until
from leadgate.vault.key_file import KEY_FILE
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.sender import lead

PASSPHRASE = "пять слов и один лимон"


async def finished(gateway: Gateway) -> dict[str, Any]:
    """Wait until the running gateway has wrapped everything anew."""

    async def look() -> dict[str, Any]:
        status = await gateway.ask("keys", "status")
        return status if status["waiting"] == 0 else {}

    return dict(await until(look, what="every data key wrapped anew"))


async def test_a_rotation_disturbs_nobody_and_outlives_a_kill(salon: Salon, prepared: Prepared, tmp_path: Path) -> None:
    """Leads before, during and after arrive; the backup from before opens by the key file, the one from after by the paper."""
    gateway = salon.gateway
    assert (await salon.bot.post(lead(1, message="До смены ключа"))).status_code == 202
    await salon.portal.having(1)
    before = await gateway.ask("keys", "status")
    assert before["data_keys"] >= 4
    await gateway.ask("backup", "create", str(tmp_path / "before"))

    rotated = await gateway.ask("keys", "rotate")
    await gateway.kill()
    assert rotated["primary"] != before["primary"]
    assert datetime.fromisoformat(rotated["next_due"]) > datetime.fromisoformat(before["next_due"])
    assert datetime.fromisoformat(rotated["next_due"]) - datetime.fromisoformat(rotated["rotated_at"]) == timedelta(
        days=90
    )
    await salon.restart()
    status = await finished(gateway)
    assert status["primary"] == rotated["primary"]
    assert (await salon.bot.post(lead(1, message="После смены ключа"))).status_code == 202
    assert (await salon.bot.post(lead(2, message="Новый человек"))).status_code == 202
    await salon.portal.having(2)
    await salon.portal.with_entry("После смены ключа")

    await gateway.ask("backup", "create", str(tmp_path / "after"))
    for name in ("before", "after"):
        assert (await gateway.command("backup", "verify", str(tmp_path / name))).code == 0, name
    async with Gateway(tmp_path / "from-paper") as other:
        back = await other.ask(
            "backup",
            "restore",
            str(tmp_path / "after"),
            "--no-sweep",
            secrets={"recovery_key": prepared.made["recovery_key"]},
        )
        assert back["keys"] >= 5
        assert (await other.ask("keys", "status"))["primary"] == rotated["primary"]
    tags = [item["tag"] for item in (await gateway.ask("journal", "tail"))["items"]]
    assert "key.rewrapped" in tags
    assert "key.rotated" in tags


async def test_an_older_backup_put_back_works_with_the_newer_key_file(idle_salon: Salon, tmp_path: Path) -> None:
    """The database says which key wraps, so the house goes on with the one of that day, and loses none of the file."""
    gateway = idle_salon.gateway
    first = await gateway.ask("keys", "status")
    await gateway.ask("backup", "create", str(tmp_path / "before"))
    await gateway.ask("keys", "rotate", "--wait")
    keys = (gateway.data / KEY_FILE).read_bytes()
    await gateway.ask("backup", "restore", str(tmp_path / "before"), "--yes", "--no-sweep")
    assert (await gateway.ask("keys", "status"))["primary"] == first["primary"]
    assert (gateway.data / KEY_FILE).read_bytes() == keys


async def test_a_sealed_key_file_opens_with_a_credential_of_systemd(tmp_path: Path) -> None:
    """From `init` on: the data directory alone opens nothing, and each command says what it misses."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "leadgate-key-passphrase").write_text(PASSPHRASE, encoding="utf-8")
    async with Gateway(tmp_path / "data", environment={"CREDENTIALS_DIRECTORY": str(credentials)}) as gateway:
        await gateway.ask("init")
        await gateway.start()
        status = await gateway.ask("keys", "rotate", "--wait")
        assert (status["locked"], status["waiting"]) == (True, 0)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{gateway.url}/health/ready")).status_code == 200
        await gateway.stop()
        gateway.environment.pop("CREDENTIALS_DIRECTORY")
        refused = await gateway.command("keys", "status")
        assert refused.code == 2
        assert "LEADGATE_KEY_PASSPHRASE_FILE" in refused.err
        gateway.environment["LEADGATE_KEY_PASSPHRASE_FILE"] = str(credentials / "leadgate-key-passphrase")
        assert (await gateway.ask("keys", "protect", "--off"))["locked"] is False
        again = await gateway.ask("keys", "protect", secrets={"passphrase": "другие пять слов"})
        assert again["locked"] is True
        assert (await gateway.command("keys", "status")).code == 2, "the file named holds the former one"
        assert PASSPHRASE not in gateway.printed()


async def test_the_key_moves_to_openbao_beside_a_running_gateway(salon: Salon, tmp_path: Path) -> None:
    """Leads arrive before, during the move and while the server is away; a restart and a backup work after it is back."""
    gateway = salon.gateway
    with openbao(tmp_path) as server:
        token = server.make_key("leadgate")
        assert (await salon.bot.post(lead(1, message="До переезда"))).status_code == 202
        await salon.portal.having(1)
        options = ("--setting", f"address={server.url}", "--setting", "key=leadgate")
        moved = await gateway.ask("keys", "move", "transit", *options, secrets={"token": token})
        assert moved["custodian"] == "transit"
        assert (await finished(gateway))["primary"] == moved["primary"]
        assert (await gateway.ask("keys", "move", "--confirm"))["moving_from"] is None
        assert (await salon.bot.post(lead(2, message="После переезда"))).status_code == 202
        await salon.portal.having(2)
        await until(lambda: bridged(gateway), what="the bridge")

        server.seal()
        assert (await salon.bot.post(lead(3, message="Без хранителя"))).status_code == 202
        assert (await salon.bot.post(lead(2, message="Ещё раз без хранителя"))).status_code == 202
        await salon.portal.having(3)
        await until(lambda: alarmed(gateway), what="the alarm", timeout_s=60)
        assert (await gateway.command("keys", "status")).code == 3, "a process that starts has nothing open"
        server.unseal()
        assert (await finished(gateway))["away_since"] is None
        await salon.portal.with_entry("Ещё раз без хранителя")
        await gateway.kill()
        await salon.restart()
        assert (await salon.bot.post(lead(3, message="После перезапуска"))).status_code == 202
        await salon.portal.with_entry("После перезапуска")
        await gateway.ask("backup", "create", str(tmp_path / "copy"))
        assert (await gateway.command("backup", "verify", str(tmp_path / "copy"))).code == 0
        assert token not in gateway.printed()


def bridged(gateway: Gateway) -> bool:
    """True when the house is ready for the custodian's absence."""
    with contextlib.closing(sqlite3.connect(f"file:{gateway.data / 'leadgate.sqlite3'}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT count(*) FROM data_keys WHERE scope = 'bridge'").fetchone()
    return bool(found[0])


def alarmed(gateway: Gateway) -> bool:
    """True when the running gateway has raised the alarm."""
    return bool(gateway.running and gateway.running.log("alert.raised", outcome="custodian"))
