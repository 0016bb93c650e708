"""The evening of the upgrade: the CRM was down, the queue is long, and the new version finds the schema of an earlier one."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from leadgate.storage.engines import make_engine
from leadgate.storage.upgrade import HEAD, alembic_config
from leadgate.testing.gateway import READY, Running
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.test_kill import Campaign

RUNNER = str(Path(__file__).with_name("killed_upgrade.py"))
REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]
EARLIER = sorted({REVISIONS[0], REVISIONS[-2]})
"""The schema of the first version, and the one before today's."""
LEADS, IN_DOUBT = 24, 2


async def fill_the_queue(salon: Salon) -> Campaign:
    """Deliveries that wait, one or two of unknown outcome, and events that nobody has looked at; then the process dies."""
    campaign = Campaign(salon, people=8)
    faults = salon.portal.sandbox.faults
    faults.add("drop-answer", count=IN_DOUBT, method="crm.item.add")
    await salon.restart()
    for number in range(IN_DOUBT):
        await campaign.send(number)
    running = salon.gateway.running
    assert running is not None
    await running.line(lambda: running.log("delivery.attempted", outcome="unknown"), what="a lead in doubt")
    faults.clear()
    faults.add("down")
    for number in range(IN_DOUBT, LEADS // 2):
        await campaign.send(number)
    await running.line(
        lambda: len(running.log("event.processed")) >= LEADS // 2, what="deliveries that wait for the CRM"
    )
    await salon.gateway.kill()
    await salon.gateway.start("--role", "intake")
    salon.bot.url = f"{salon.gateway.url}/webhooks/bot/{salon.bot_connection}"
    for number in range(LEADS // 2, LEADS):
        await campaign.send(number)
    await salon.gateway.kill()
    return campaign


def take_back(file: Path, revision: str) -> dict[str, int]:
    """Put the database back to an earlier schema with the same rows, as that version would have written them; how many there are.

    Each table gets the columns that it had then; what later versions added is not there.
    """
    old = file.with_name("old.sqlite3")
    engine = make_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)
    engine.dispose()
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.execute("ATTACH ? AS now", (str(file),))
        names = [row[0] for row in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        tables = [name for name in names if not name.startswith("sqlite_") and name != "alembic_version"]
        for table in tables:
            kept = sorted(_columns(database, "main", table) & _columns(database, "now", table))
            columns = ", ".join(f'"{column}"' for column in kept)
            database.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM now."{table}"')  # noqa: S608 - names of our own schema
        counts = {
            table: int(database.execute(f'SELECT count(*) FROM main."{table}"').fetchone()[0])  # noqa: S608 - as above
            for table in tables
        }
        database.execute("DETACH now")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for rest in file.parent.glob(f"{file.name}*"):
        rest.unlink()
    shutil.move(old, file)
    for rest in file.parent.glob("old.sqlite3-*"):
        rest.unlink()
    return counts


def _columns(database: sqlite3.Connection, schema: str, table: str) -> set[str]:
    return {str(row[1]) for row in database.execute(f'PRAGMA {schema}.table_info("{table}")')}


async def has_started(running: Running) -> bool:
    """True when it is ready, False when it was killed before."""
    await until(lambda: running.has_ended or running.log(READY), what="an end or a start", timeout_s=60)
    return not running.has_ended


def version_of(file: Path) -> str:
    """The migration of a database that nobody uses."""
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def everything_arrives_once(salon: Salon, campaign: Campaign) -> None:
    """The CRM is back; whoever was told 202 stands there."""
    salon.portal.sandbox.faults.clear()
    await campaign.arrived(timeout_s=60)
    await salon.idle()
    assert campaign.doubles() == []
    assert set(campaign.entries()) == set(campaign.acknowledged)
    balance = await salon.balanced()
    assert (balance["received"], balance["in_crm"], balance["waiting"], balance["dead"]) == (LEADS, LEADS, 0, 0)


@pytest.mark.parametrize("revision", EARLIER)
async def test_a_full_queue_of_an_earlier_version_reaches_the_crm(idle_salon: Salon, revision: str) -> None:
    """Nobody empties the queue before an upgrade; what waited there is somebody's client."""
    salon = idle_salon
    campaign = await fill_the_queue(salon)
    file = salon.gateway.data / "leadgate.sqlite3"
    counts = take_back(file, revision)
    assert (counts["events"], counts["deliveries"] > LEADS // 2) == (LEADS, True)
    assert version_of(file) == revision
    await salon.restart()
    await everything_arrives_once(salon, campaign)
    await salon.gateway.stop()
    assert version_of(file) == HEAD


async def test_killed_at_every_statement_of_the_upgrade_the_next_start_goes_on(idle_salon: Salon) -> None:
    """The machine loses power while the schema changes: either the step is done or it is not, and the queue is whole."""
    salon = idle_salon
    campaign = await fill_the_queue(salon)
    file = salon.gateway.data / "leadgate.sqlite3"
    take_back(file, REVISIONS[-2])
    kills = 0
    while True:
        salon.gateway.runner = (sys.executable, RUNNER, str(kills + 1))
        running = await salon.gateway.launch("run", "--listen", "127.0.0.1:0", "--json")
        if await has_started(running):
            break
        assert running.process.returncode == -signal.SIGKILL, running.err
        kills += 1
        assert kills < 100
    assert kills > 0
    await everything_arrives_once(salon, campaign)
    assert await running.end(signal.SIGTERM) == 0
    assert version_of(file) == HEAD
