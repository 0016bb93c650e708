"""A sandbox that remembers: its portal lies in one JSON file and is there again after the next start.

The file holds the secret of the webhook and whatever people wrote, so only its owner may read it. A change is on disk
soon after it was made, not before the call is answered: a killed sandbox may forget its last half second.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from leadgate.errors import ConfigurationError
from leadgate.observability import get_logger
from leadgate.sandbox.bitrix24.clock import SandboxClock, SystemClock
from leadgate.sandbox.bitrix24.limits import Limits
from leadgate.sandbox.bitrix24.portal import Portal
from leadgate.sandbox.bitrix24.sandbox import Sandbox, build_sandbox
from leadgate.sandbox.bitrix24.snapshot import Snapshot, SnapshotError, read_snapshot, restore, write_snapshot

STATE_FILE = "sandbox-bitrix24.json"
MAX_KEPT_RECORDS = 10_000  # of each kind: the whole file is written anew after a change
MAX_STATE_BYTES = 64 * 1024 * 1024
PAUSE_S = 0.5

_log = get_logger("sandbox")


@asynccontextmanager
async def open_kept_sandbox(
    path: Path,
    *,
    webhook_user_id: int = 1,
    webhook_secret: str | None = None,
    limits: Limits | None = None,
    clock: SandboxClock | None = None,
) -> AsyncIterator[Sandbox]:
    """A sandbox whose portal is read from `path` and written there after each change, at most twice a second, and at the end.

    Where there is no file yet, a fresh portal is made as `build_sandbox` makes it; else the webhook is the one in the file,
    and `webhook_user_id` and `webhook_secret` are not used. Serve it inside the block.

    Raises:
        ConfigurationError: the file is damaged, too large, or cannot be read or written; it is left as it is.
    """
    clock = clock or SystemClock()
    document = _read(path)
    snapshot = None if document is None else _understand(path, document)
    if snapshot is not None:
        webhook_user_id, webhook_secret = snapshot.webhook_user_id, snapshot.webhook_secret
    sandbox = build_sandbox(webhook_user_id=webhook_user_id, webhook_secret=webhook_secret, limits=limits, clock=clock)
    if snapshot is not None:
        restore(sandbox.portal, snapshot)
    _bound(sandbox.portal)
    _write_first(path, write_snapshot(sandbox.portal))
    keeper = _Keeper(path, sandbox.portal, clock)
    task = asyncio.create_task(keeper.run(), name="sandbox-keeper")
    try:
        yield sandbox
    finally:
        keeper.stop()
        await task


class _Keeper:
    """Writes the portal down when it has changed, and then rests for a while."""

    def __init__(self, path: Path, portal: Portal, clock: SandboxClock) -> None:
        self._path = path
        self._portal = portal
        self._clock = clock
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        portal.on_change = self._changed.set

    def stop(self) -> None:
        """Asks for the last writing; `run` then returns."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Writes until it is stopped, the last time at the end."""
        while not self._stopping.is_set():
            await self._changed.wait()
            self._changed.clear()
            await self._write()
            await self._rest()
        await self._write()

    async def _write(self) -> None:
        """A disk that is full must not end the sandbox: it goes on in memory, and the next change tries again."""
        document = write_snapshot(self._portal)
        if len(document) > MAX_STATE_BYTES:
            _log.error("sandbox.state_too_large")
            return
        try:
            await asyncio.to_thread(replace_file, self._path, document)
        except OSError as error:
            _log.error("sandbox.state_not_written", error_code=errno.errorcode.get(error.errno or 0))

    async def _rest(self) -> None:
        waits = [asyncio.ensure_future(self._stopping.wait()), asyncio.ensure_future(self._clock.sleep(PAUSE_S))]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def replace_file(path: Path, content: bytes) -> None:
    """Puts `content` in place of the file in one step, readable by its owner alone.

    After a power cut either the old content stands there or the new one.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file stays.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_first(path: Path, document: bytes) -> None:
    """At the start, while someone looks: the webhook of a fresh portal must survive, and a wrong folder must be said."""
    try:
        replace_file(path, document)
    except OSError as error:
        raise ConfigurationError(f"The sandbox's state {path} cannot be written: {error.strerror}.") from error


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_STATE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"The sandbox's state {path} cannot be read: {error.strerror}.") from error


def _understand(path: Path, document: bytes) -> Snapshot:
    try:
        if len(document) > MAX_STATE_BYTES:
            raise SnapshotError(f"it is over {MAX_STATE_BYTES // 2**20} MiB")
        return read_snapshot(document)
    except SnapshotError as error:
        raise ConfigurationError(
            f"The sandbox's state {path} is damaged: {error}.",
            hint="Move the file away to begin with an empty portal; the leads in it are then gone.",
        ) from error


def _bound(portal: Portal) -> None:
    for store in (portal.leads, portal.deals, portal.contacts):
        store.limit = MAX_KEPT_RECORDS
    portal.max_entries = MAX_KEPT_RECORDS
