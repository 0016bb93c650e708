"""Making a data directory: folder, key file, database, workspace, and the owner's one-time address."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadgate.app.half_restored import check_whole
from leadgate.catalogue.texts import LOCALES
from leadgate.errors import ConfigurationError, ConflictError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import Transaction, Workspace
from leadgate.settings import Settings
from leadgate.staff.people import invite, invite_again, new_owner
from leadgate.storage.engines import Database, make_engine
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.upgrade import upgrade
from leadgate.storage.workspaces import add_workspace, find_workspace, reseal_workspace
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import (
    KEY_FILE,
    FileKeyWrapper,
    create_key_file,
    new_recovery_key,
    open_key_file,
    sync_folder,
    write_durably,
)

UNSHOWN = "recovery-key-not-shown"
"""Lies in the data directory from before the keys are made until somebody has seen the recovery key."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made; both parts are None when everything was there already.

    Attributes:
        setup_token: last part of the one-time address at which the owner sets a password; None when one was set.
        recovery_key: to keep on paper; shown this once and stored nowhere.
        is_repaired: an earlier call was cut off and may have shown a key and an address; those count no more.
        data: the data directory.
    """

    setup_token: Secret | None
    recovery_key: Secret | None
    is_repaired: bool
    data: Path

    @property
    def is_new(self) -> bool:
        """True when something was made."""
        return self.recovery_key is not None

    def confirm_shown(self) -> None:
        """Somebody has seen the key and the address: from now on they count for good. A second call is harmless."""
        (self.data / UNSHOWN).unlink(missing_ok=True)


def is_unfinished(data: Path) -> bool:
    """True when `init` was cut off before it had shown the recovery key."""
    return (data / UNSHOWN).exists()


@contextlib.contextmanager
def initialise(
    settings: Settings, *, name: str, locale: str, time_zone: str, clock: Clock, ids: IdSource
) -> Iterator[Initialised]:
    """Make what is missing; a second call changes nothing. A call that was cut off in the middle is finished by the next.

    While the block runs no second `init` works on the directory. Unless the block calls `confirm_shown`, the next call makes
    another recovery key and address: whatever was shown last is what counts.

    Raises:
        ConfigurationError: a name, locale or zone that is none, or a folder that cannot be made or written to.
        ConflictError: another process makes this directory now.
        ServiceUnavailableError: the database cannot be reached or written to.
    """
    _check(name, locale, time_zone)
    check_whole(settings.data)
    _make_folder(settings.data)
    with _alone(settings.data):
        engine = make_engine(settings.database_url)
        try:
            made = _make(engine, settings, name=name, locale=locale, time_zone=time_zone, clock=clock, ids=ids)
        except OSError as error:
            raise _not_writable(error) from error
        finally:
            engine.dispose()
        yield made


def _make(
    engine: Database, settings: Settings, *, name: str, locale: str, time_zone: str, clock: Clock, ids: IdSource
) -> Initialised:
    upgrade(engine)
    _clear_up(settings.data)
    workspace = find_workspace(engine)
    if workspace is not None:
        wrapper = open_key_file(settings.data, settings.key_passphrase_file)
        if not is_unfinished(settings.data):
            return Initialised(None, None, is_repaired=False, data=settings.data)
        return _show_again(engine, workspace, wrapper, settings.data, clock=clock, ids=ids)
    # A key file without a workspace is left over from a call that was cut off: nothing is sealed with it yet.
    has_key = (settings.data / KEY_FILE).exists()
    open_or_make = open_key_file if has_key else create_key_file
    wrapper = open_or_make(settings.data, settings.key_passphrase_file)
    now, recovery_key, token = clock.now(), new_recovery_key(os.urandom(30)), ids.token()
    workspace = Workspace(
        workspace_id=ids.new("ws"),
        name=" ".join(name.split()),
        locale=locale,
        time_zone=time_zone,
        created_at=now,
    )
    vault = Vault(wrapper, clock)
    owner = new_owner(workspace.workspace_id, ids, at=now)

    def furnish(tx: Transaction) -> None:
        for scope in (INTAKE, SECRETS, INDEX):
            vault.create_scope(tx, scope)
        invite(tx, owner, token, at=now)

    if not is_unfinished(settings.data):
        write_durably(settings.data / UNSHOWN, b"")
    add_workspace(engine, workspace, sealed_recovery=wrapper.seal_for_recovery(recovery_key), furnish=furnish)
    _journal_invitation(settings.data, owner.staff_id, clock)
    return Initialised(Secret(token), Secret(recovery_key), is_repaired=False, data=settings.data)


def _show_again(
    engine: Database, workspace: Workspace, wrapper: FileKeyWrapper, data: Path, *, clock: Clock, ids: IdSource
) -> Initialised:
    """Nobody may have seen what the call before made: another recovery key, and another address unless there is a password."""
    recovery_key, token = new_recovery_key(os.urandom(30)), ids.token()
    invited: list[str] = []

    def furnish(tx: Transaction) -> None:
        if owner_id := invite_again(tx, token, at=clock.now()):
            invited.append(owner_id)

    reseal_workspace(engine, workspace, sealed_recovery=wrapper.seal_for_recovery(recovery_key), furnish=furnish)
    for owner_id in invited:
        _journal_invitation(data, owner_id, clock)
    setup_token = Secret(token) if invited else None
    return Initialised(setup_token, Secret(recovery_key), is_repaired=True, data=data)


def _journal_invitation(data: Path, owner_id: str, clock: Clock) -> None:
    """Every one-time address is in the journal, the first one too. In a thread of its own: the caller may be in a loop."""

    async def record() -> None:
        journal = JournalFile(data, clock)
        try:
            await journal.record(JournalEntry(tag=Tag.STAFF_INVITED, by="command", on=owner_id))
        finally:
            await journal.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(record())).result()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of two calls at once the second would void the recovery key of the first. The lock ends with its process."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _not_writable(error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(
            f"Another leadgate init works on {folder} now.",
            code="configuration.busy",
            hint="Wait until it has ended.",
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _clear_up(folder: Path) -> None:
    """Nobody else reads what lies in the data directory, whatever the umask was; a spare copy of the key does not stay."""
    for leftover in folder.glob(f".{KEY_FILE}.*"):  # from a call that was cut off
        leftover.unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(0o600)


def _not_writable(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The data directory cannot be used: {error.strerror}.",
        hint="Make room or see to it, then run leadgate init again.",
    )


def _check(name: str, locale: str, time_zone: str) -> None:
    if not name.strip() or len(name) > 80:  # noqa: PLR2004 - as the pages can show it
        raise ConfigurationError("--workspace-name needs 1 to 80 characters.")
    if locale not in LOCALES:
        raise ConfigurationError(f"--locale is one of {', '.join(LOCALES)}.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"--time-zone: there is no zone {time_zone!r}.", hint="Try Europe/Moscow.") from None


def _make_folder(folder: Path) -> None:
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for path in made:
            with contextlib.suppress(PermissionError):  # a folder that we may not read is flushed by its owner
                sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory cannot be made: {error.strerror}.", hint="Choose another one with --data."
        ) from None
