"""A data directory that `init` made, people in it, and nodes that work on it, each with a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.app.custodian_book import open_custodians
from leadgate.app.initialise import initialise
from leadgate.app.key_bridge import build_bridge
from leadgate.app.key_follow import open_keys
from leadgate.app.key_keeper import KeyKeeper
from leadgate.app.key_moves import KeyMoves
from leadgate.app.keys import KeyDesk, KeyHouse
from leadgate.model.secret import Secret
from leadgate.ports.stores import Transaction, Workspace
from leadgate.settings import Settings, read_settings
from leadgate.storage.engines import make_engine
from leadgate.storage.sql_storage import SqlStorage
from leadgate.storage.workspaces import find_workspace
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.connections import FixedClock
from leadgate.testing.journal import MemoryJournal
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import Vault, subject_scope

PLACE, WORDS = "messages.body:msg_1", "Запишите на маникюр".encode()


def make_directory(data: Path, database_url: str | None = None) -> tuple[Settings, Secret]:
    """What `leadgate init` makes, and the recovery key."""
    environment = {} if database_url is None else {"LEADGATE_DATABASE_URL": database_url}
    settings = read_settings(data=data, environment=environment)
    with initialise(
        settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
    ) as made:
        assert made.recovery_key is not None
        made.confirm_shown()
        return settings, made.recovery_key


@dataclass(slots=True)
class Node:
    """One node; `journal` is shared by all that a test opens with the same one."""

    data: Path
    storage: SqlStorage
    workspace: Workspace
    custodian: Custodians
    vault: Vault
    clock: FixedClock
    journal: MemoryJournal
    desk: KeyDesk = field(init=False)
    moves: KeyMoves = field(init=False)
    keeper: KeyKeeper = field(init=False)

    def __post_init__(self) -> None:
        house = KeyHouse(
            storage=self.storage,
            custodian=self.custodian,
            vault=self.vault,
            journal=self.journal,
            data=self.data,
            passphrase_file=None,
            workspace=self.workspace,
            clock=self.clock,
            holder=f"node:{id(self)}",
        )
        self.desk = KeyDesk(house)
        self.moves = KeyMoves(self.desk, house)
        self.keeper = KeyKeeper(self.desk, house)

    async def add_people(self, first: int, count: int) -> dict[str, bytes]:
        """So many people with a data key each; what was sealed for each, by scope."""

        def unit(tx: Transaction) -> dict[str, bytes]:
            sealed = {}
            for number in range(first, first + count):
                scope = subject_scope(f"subj_{number:05}")
                self.vault.create_scope(tx, scope)
                sealed[scope] = self.vault.seal(tx, scope, PLACE, WORDS)
            return sealed

        return await self.storage.write(unit)

    async def opens(self, sealed: dict[str, bytes]) -> bool:
        """True when everything opens, asked by a vault that remembers nothing."""
        fresh = Vault(self.custodian, self.clock)

        def unit(tx: Transaction) -> bool:
            fresh.load(tx)
            return all(fresh.open(tx, scope, PLACE, content) == WORDS for scope, content in sealed.items())

        return await self.storage.read(unit)

    async def counts(self) -> dict[str, int]:
        """Data keys by what wraps them."""
        return dict(await self.storage.read(lambda tx: tx.keys.counts()))

    def tags(self) -> list[str]:
        """What the journal says, oldest first; a failure with its result."""
        return [
            row.entry.tag.value + ("" if row.entry.result.value == "done" else f" {row.entry.result.value}")
            for row in self.journal.rows
        ]


async def open_node(settings: Settings, clock: FixedClock, journal: MemoryJournal) -> Node:
    """What `leadgate run` opens."""
    engine = make_engine(settings.database_url)
    workspace = find_workspace(engine)
    assert workspace is not None
    storage = SqlStorage(engine, workspace.workspace_id)
    custodian = open_custodians(settings.data, settings.key_passphrase_file, clock)
    await open_keys(custodian, storage, settings.data, now=clock.now())
    vault = Vault(custodian, clock)
    await storage.read(vault.load)
    await storage.read(lambda tx: build_bridge(tx, vault, custodian))
    return Node(settings.data, storage, workspace, custodian, vault, clock, journal)


def copy_of(data: Path, name: str) -> Path:
    """The data directory of a further node of a cluster, copied after `init`."""
    copied = data.with_name(name)
    shutil.copytree(data, copied)
    copied.chmod(0o700)
    return copied


class NodeSuite:
    """A house with one node, for suites that run on each engine; they say where it lies by a fixture `settings`."""

    @pytest.fixture
    def database_url(self) -> str | None:
        """None: SQLite in the data directory."""
        return None

    @pytest.fixture
    def clock(self) -> FixedClock:
        """From now on."""
        return FixedClock(datetime.now(UTC))

    @pytest.fixture
    async def node(self, settings: Settings, clock: FixedClock) -> AsyncIterator[Node]:
        """The house runs."""
        opened = await open_node(settings, clock, MemoryJournal(clock))
        yield opened
        opened.storage.close()
