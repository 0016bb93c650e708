"""Putting a backup back: into an empty data directory, or in the place of a stopped one.

Everything is prepared beside what is there and switched over by renames (a PostgreSQL by its one commit), so that a kill leaves the
old state or a directory that nothing works on until the next restore (`half_restored`). Before the switch everybody who was erased
is erased again, and whatever was on its way counts as in doubt. The CRM is asked afterwards, before work begins: `reopening`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from leadgate.alerts.causes import BACKUP_MADE
from leadgate.app import erased_list
from leadgate.app.backup import database_path, open_backup, open_file
from leadgate.app.erased_again import erase_again, join_erased, write_erased
from leadgate.app.erased_list import FILE as ERASED_FILE
from leadgate.app.erased_list import ErasedLine
from leadgate.app.half_restored import is_half_restored, mark, unmark
from leadgate.app.key_bridge import build_bridge
from leadgate.app.reopening import RULE, Restoration
from leadgate.errors import (
    ConfigurationError,
    ConflictError,
    LeadgateError,
)
from leadgate.model.alerts import Note
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock
from leadgate.settings import CONFIG_FILE, Settings
from leadgate.storage.backup_records import Begin, End, FileBegins, FileBytes, Record, Rows, TableBegins
from leadgate.storage.copies import (
    bring_up_to_date,
    filling,
    find_damage,
    go_on_counting,
    has_layout,
    held_alone,
    is_empty,
    lay_out,
    write_rows,
)
from leadgate.storage.engines import Database, make_engine, make_scratch_engine
from leadgate.storage.journal_file import FILE as JOURNAL_FILE
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.restored import Restored
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.workspaces import find_workspace
from leadgate.vault.backup_file import damaged
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import Vault
from leadgate.vault.key_file import KEY_FILE, FileKeyWrapper, keep_key_file, open_key_file, sync_folder

_STAGE = ".restore"
_OF_THE_JOURNAL = ("journal", "checkpoint", "audit")
"""Words in the names of the files that go with the audit journal: its table, its key, its signed heads."""

_ASIDE = ".before-restore"
_SETTINGS_BESIDE = f"{CONFIG_FILE}.from-backup"
_BY_COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds, after every byte of it was seen.

    Attributes:
        rows: by table; `files` bytes by path.
        keys: data keys that open.
        erased_again: people whom the lists of erased people name.
        doubtful: deliveries that may have arrived since.
    """

    begin: Begin
    rows: Mapping[str, int]
    files: Mapping[str, int]
    keys: int
    erased_again: int = 0
    doubtful: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to restore.

    Attributes:
        may_replace: what stands in the data directory may go; its list of erased people is kept.
        secrets: may hold the recovery key.
        erased: a further list of erased people, from another copy of the directory.
    """

    may_replace: bool
    secrets: Mapping[str, Secret]
    erased: Path | None


def verify_backup(
    file: Path, data: Path, secrets: Mapping[str, Secret], *, clock: Clock, passphrase_file: Path | None = None
) -> Contents:
    """Restore a backup into a database without a name, look at all of it, and let it go.

    Raises:
        BackupDamagedError: changed or cut, or what it holds is not sound.
        UnknownKeyError: made under another key, or the recovery key does not fit.
        ConfigurationError: the file or a key is missing, or a newer version made it.
    """
    engine = make_scratch_engine()
    try:
        with open_file(file) as opened, filling(engine) as connection:
            _, wrapper, records = open_backup(opened, data, secrets, passphrase_file=passphrase_file)
            begin, end = _load(SqlTransaction(connection, ""), records, _forget)
            if find_damage(connection) is not None:
                raise damaged()
            tx = SqlTransaction(connection, begin.workspace_id)
            return Contents(begin=begin, rows=end.rows, files=end.files, keys=_try_keys(tx, wrapper, clock))
    finally:
        engine.dispose()


async def restore_backup(file: Path, settings: Settings, wishes: Wishes, *, clock: Clock) -> Contents:
    """Put a backup back; the CRM was not asked yet, so nothing works on its deliveries (see `reopening`).

    Raises:
        BackupDamagedError: changed or cut; what stood in the directory stands as before.
        UnknownKeyError: made under another key, or the recovery key does not fit.
        ConflictError: something is there and `may_replace` is false, or somebody works with it now.
        ConfigurationError: the file, a key or a list of erased people is missing or no such thing.
        ServiceUnavailableError: the database cannot be reached or written to.
        JournalUnavailableError: the restore would leave no trace.
    """
    data = settings.data
    with open_file(file) as opened:
        open_backup(
            opened, data, wishes.secrets, passphrase_file=settings.key_passphrase_file
        )  # what is wrong with file or key is said before anything is touched
    _make_folder(data)
    with _alone(data), contextlib.closing(_Engine(settings)) as target:
        if not wishes.may_replace and not is_half_restored(data) and not is_empty(target.engine):
            raise ConflictError(
                f"There is a database in {data} already.",
                code="backup.not_empty",
                hint="Choose an empty --data, or say --yes: what is there is replaced, but for its list of erased people.",
            )
        target.check_unused()
        try:
            return await _Restore(file, settings, wishes, target, clock).run()
        except OSError as error:
            raise ConfigurationError(
                f"The data directory cannot be written to: {error.strerror}.",
                code="backup.not_restored",
                hint="Make room or see to it, then run the same command again.",
            ) from error


class _Engine:
    """The database that is filled: a file beside the true one, or the PostgreSQL itself within one transaction."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings.database_url)
        self.path = database_path(self.engine)
        self.staged_path = None if self.path is None else self.path.with_name(f".{self.path.name}.restore")
        self.staged: Database = self.engine

    def check_unused(self) -> None:
        """Nobody else has it open.

        Raises:
            ConflictError: somebody works with it.
        """
        self.engine.dispose()  # what we had open ourselves
        with held_alone(self.engine):
            pass

    def stage(self) -> None:
        """Begin anew with an empty file, on SQLite."""
        self.drop_stage()
        if self.staged_path is not None:
            self.staged_path.touch(mode=0o600)
            self.staged = make_engine(f"sqlite:///{self.staged_path.absolute()}")

    def finish_stage(self) -> None:
        """Nothing but the one file is left of it, and it is on the disk."""
        if self.staged_path is not None:
            self.staged.dispose()
            _sync_file(self.staged_path)

    def drop_stage(self) -> None:
        if self.staged_path is not None:
            self.staged.dispose()
            for path in _with_companions(self.staged_path):
                path.unlink(missing_ok=True)

    def switch(self) -> None:
        """Put the new file in the place of the old one, whose log must not be played into it."""
        if self.path is not None and self.staged_path is not None:
            self.engine.dispose()
            for path in _with_companions(self.path)[1:]:
                path.unlink(missing_ok=True)
            self.staged_path.replace(self.path)
            sync_folder(self.path.parent)

    def close(self) -> None:
        self.staged.dispose()
        self.engine.dispose()


class _Restore:
    """One restore, step by step."""

    def __init__(self, file: Path, settings: Settings, wishes: Wishes, target: _Engine, clock: Clock) -> None:
        self._file = file
        self._data = settings.data
        self._passphrase_file = settings.key_passphrase_file
        self._wishes = wishes
        self._target = target
        self._clock = clock
        self._stage = settings.data / _STAGE
        self._noted: JournalEntry | None = None
        self._keeps_journal = False

    async def run(self) -> Contents:
        _remove(self._stage)
        self._stage.mkdir(mode=0o700)
        self._target.stage()
        try:
            return await self._fill_and_switch()
        except BaseException:
            await self._note_failure()
            raise
        finally:
            self._target.drop_stage()
            _remove(self._stage)

    async def _fill_and_switch(self) -> Contents:
        now = self._clock.now()
        with open_file(self._file) as opened:
            head, wrapper, records = open_backup(
                opened, self._data, self._wishes.secrets, passphrase_file=self._passphrase_file
            )
            old_workspace = self._old_workspace_id()
            with filling(self._target.staged) as connection:
                begin, end = _load(SqlTransaction(connection, head.workspace_id), records, self._stage_file)
                tx = SqlTransaction(connection, begin.workspace_id)
                erased = self._erased()
                keys = _try_keys(tx, wrapper, self._clock)
                contents = Contents(
                    begin=begin,
                    rows=end.rows,
                    files=end.files,
                    keys=keys,
                    erased_again=len({subject for one in erased for subject in one.subjects}),
                    doubtful=self._settle(tx, begin, erased, now),
                )
                self._stage_rest(wrapper, erased)
                is_same_salon = old_workspace in {None, begin.workspace_id}
                await self._record(await self._choose_journal(is_same_salon=is_same_salon), _entry(contents))
                if self._target.staged_path is None:  # from the commit on there is no way back
                    mark(self._data)
        if self._target.staged_path is not None:
            self._target.finish_stage()
            self._target.check_unused()
            mark(self._data)
        self._switch()
        return contents

    async def _record(self, folder: Path, entry: JournalEntry) -> None:
        """Before anything is switched: a restore that leaves no trace is refused."""
        try:
            await _add_entry(folder, entry, self._clock)
        except LeadgateError:
            if folder == self._stage:
                raise
            # The directory's own journal takes nothing any more (a broken disk, somebody's hand): it is put aside, and the
            # backup's goes on.
            folder = self._stage
            self._keeps_journal = False
            await _add_entry(folder, entry, self._clock)
        self._noted = entry if folder == self._data else None

    async def _note_failure(self) -> None:
        """What the directory's own journal says was done was not."""
        if self._noted is not None and not is_half_restored(self._data):
            failed = dataclasses.replace(self._noted, result=Result.FAILED)
            with contextlib.suppress(LeadgateError):
                await _add_entry(self._data, failed, self._clock)

    def _old_workspace_id(self) -> str | None:
        """Whose directory this is; None when that cannot be read any more."""
        try:
            found = None if is_empty(self._target.engine) else find_workspace(self._target.engine)
        except LeadgateError:
            return None
        return None if found is None else found.workspace_id

    def _stage_file(self, path: str) -> BinaryIO:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or any(part in {"..", "."} or part.startswith(".") for part in parts):
            raise damaged()
        place = self._stage.joinpath(*parts)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def _erased(self) -> list[ErasedLine]:
        """The directory's own list, the one that was handed in, and the backup's."""
        own = erased_list.read(self._data)
        handed = [] if self._wishes.erased is None else _read_handed(self._wishes.erased)
        return join_erased(own, handed, erased_list.read(self._stage))

    def _settle(self, tx: SqlTransaction, begin: Begin, erased: Sequence[ErasedLine], now: datetime) -> int:
        """What has to be so before anybody sees this database; how many deliveries are in doubt."""
        for one in erased:
            erase_again(tx, one)
        doubtful = Restored.of(tx).forget_the_moment(at=now)
        created_at = datetime.fromisoformat(begin.created_at)
        restoration = Restoration(copied_at=created_at, restored_at=now)
        tx.rules.set(RULE, msgspec.json.encode(restoration), by=_BY_COMMAND, at=now)
        tx.alerts.note(Note(topic=BACKUP_MADE, subject="", at=created_at, detail=""))
        return doubtful

    def _stage_rest(self, wrapper: FileKeyWrapper | Custodians, erased: Sequence[ErasedLine]) -> None:
        """The key, the joined list, and settings that do not lead to another database."""
        (self._stage / KEY_FILE).unlink(missing_ok=True)
        if isinstance(wrapper, FileKeyWrapper) and not self._has_key(wrapper):
            keep_key_file(self._stage, wrapper, self._passphrase_file)
        if erased:
            with self._stage_file(ERASED_FILE) as file:
                file.write(write_erased(erased))
        settings = self._stage / CONFIG_FILE
        if (self._data / CONFIG_FILE).exists():
            settings.unlink(missing_ok=True)  # how the process runs belongs to the machine
        elif settings.exists() and "database_url" in settings.read_text(encoding="utf-8", errors="replace"):
            settings.rename(self._stage / _SETTINGS_BESIDE)

    def _has_key(self, wrapper: FileKeyWrapper) -> bool:
        try:
            return wrapper.key_ids() <= open_key_file(self._data, self._passphrase_file).key_ids()
        except LeadgateError:
            return False

    async def _choose_journal(self, *, is_same_salon: bool) -> Path:
        """The folder whose journal goes on: the directory's own when it knows all that the backup's does, and more."""
        old, copied = await self._newest_entry(self._data), await self._newest_entry(self._stage)
        self._keeps_journal = is_same_salon and old >= max(copied, 1)
        return self._data if self._keeps_journal else self._stage

    async def _newest_entry(self, folder: Path) -> int:
        if not (folder / JOURNAL_FILE).exists():
            return 0
        journal = JournalFile(folder, self._clock)
        try:
            newest = await journal.newest(limit=1)
        except LeadgateError:
            return 0
        finally:
            await journal.close()
        return newest[0].number if newest else 0

    def _put_journal_aside(self) -> None:
        """Evidence is not thrown away; its log must not be played into the journal that takes its place."""
        for path in sorted(self._data.glob("journal*")):
            if path.is_file() and not path.name.endswith(_ASIDE):
                path.replace(path.with_name(path.name + _ASIDE))

    def _switch(self) -> None:
        """From here on only forward: a kill leaves the mark, and the next restore begins anew."""
        for path in self._stage.rglob("*"):
            if path.is_file():
                _sync_file(path)
        self._target.switch()
        staged = sorted(path for path in self._stage.rglob("*") if path.is_file())
        if not self._keeps_journal:
            self._put_journal_aside()
        for path in staged:
            if self._keeps_journal and any(word in path.name for word in _OF_THE_JOURNAL):
                continue
            place = self._data / path.relative_to(self._stage)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(place)
        sync_folder(self._data)
        unmark(self._data)


async def _add_entry(folder: Path, entry: JournalEntry, clock: Clock) -> None:
    journal = JournalFile(folder, clock)
    try:
        await journal.record(entry)
    finally:
        await journal.close()


def _entry(contents: Contents) -> JournalEntry:
    details: dict[str, str | int] = {
        "created_at": contents.begin.created_at,
        "erased": contents.erased_again,
        "doubtful": contents.doubtful,
        "rows": sum(contents.rows.values()),
    }
    return JournalEntry(tag=Tag.BACKUP_RESTORED, by=_BY_COMMAND, on=contents.begin.workspace_id, details=details)


def _load(tx: SqlTransaction, records: Iterator[Record], open_place: Callable[[str], BinaryIO]) -> tuple[Begin, End]:
    """Rows into the transaction's tables, files to where `open_place` says; both wait for the manifest at the end."""
    connection = tx.connection
    begin = next(records)
    if not isinstance(begin, Begin):
        raise damaged()
    lay_out(connection, begin.migration)
    table: TableBegins | None = None
    end: End | None = None
    with contextlib.ExitStack() as files:
        file: BinaryIO | None = None
        for record in records:
            match record:
                case TableBegins(name=name, columns=columns):
                    if not has_layout(connection, name, columns):
                        raise damaged()
                    table = record
                case Rows(rows=rows) if table is not None:
                    write_rows(connection, table.name, table.columns, rows)
                case FileBegins(path=path):
                    files.close()
                    file = files.enter_context(open_place(path))
                case FileBytes(content=content) if file is not None:
                    file.write(content)
                case End():
                    end = record
                case _:
                    raise damaged()
    if end is None:
        raise damaged()
    bring_up_to_date(connection, begin.migration)
    go_on_counting(connection)
    return begin, end


def _try_keys(tx: SqlTransaction, wrapper: FileKeyWrapper | Custodians, clock: Clock) -> int:
    """Every data key must open under the key that will stand beside it; how many there are."""
    vault, scopes = Vault(wrapper, clock), Restored.of(tx).scopes()
    if isinstance(wrapper, Custodians):
        build_bridge(tx, vault, wrapper)
    for scope in scopes:
        vault.try_key(tx, scope)
    return len(scopes)


def _forget(_path: str) -> BinaryIO:
    return open(os.devnull, "wb")  # noqa: PTH123 -- a device, not a path of ours


def _read_handed(path: Path) -> list[ErasedLine]:
    if not path.is_file():
        raise ConfigurationError(f"There is no list of erased people {path}.", code="backup.erased_list")
    return erased_list.read_file(path)


def _with_companions(path: Path) -> list[Path]:
    """An SQLite file, its log and its index of the log."""
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal"))]


def _remove(stage: Path) -> None:
    """Also what a restore that was killed left of it."""
    if stage.exists():
        shutil.rmtree(stage)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory cannot be made: {error.strerror}.", hint="Choose another one with --data."
        ) from None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Neither an `init` nor another restore at the same time: both lock the folder. The lock ends with its process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(
            f"Another command makes or restores {folder} now.", code="backup.busy", hint="Wait until it has ended."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
