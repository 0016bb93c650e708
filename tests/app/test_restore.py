"""Putting a backup back: cut off at each of its steps, it leaves the old state or is finished by the next call."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from leadgate.app import erased_list, half_restored, initialise, open_app
from leadgate.app.keeping import keep_backup
from leadgate.app.restore import Contents, Wishes, restore_backup
from leadgate.errors import BackupDamagedError, ConfigurationError, ConflictError
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings
from leadgate.storage.engines import make_engine
from leadgate.storage.transaction import SqlTransaction
from leadgate.storage.workspaces import find_workspace
from leadgate.system import SystemClock, SystemIds
from leadgate.testing.connections import NOW
from leadgate.vault import backup_file
from leadgate.vault.key_file import KEY_FILE

ERASED = {"erasure": "era_1", "at": "2026-11-22T12:00:00+00:00", "subjects": ["subj_1"], "events": ["evt_1"]}
WHO = erased_list.parse(json.dumps(ERASED).encode())[0]


class Cut(BaseException):
    """The power goes."""


class Salon:
    """A data directory with a rule that says what state it is in, and a backup of an earlier state."""

    def __init__(self, folder: Path) -> None:
        self.data, self.file = folder / "data", folder / "leadgate.backup"
        self.settings: Settings = read_settings(data=self.data, environment={})
        with initialise(
            self.settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
        ) as made:
            made.confirm_shown()
            assert made.recovery_key is not None
            self.recovery_key = made.recovery_key

    async def back_up(self) -> None:
        """Then something changes, and somebody is erased."""
        self.say(b"old")
        async with open_app(self.settings) as app:
            await keep_backup(app, self.file, by="command")
        self.say(b"new")
        (self.data / "erased.jsonl").write_text(json.dumps(ERASED) + "\n")

    def say(self, what: bytes) -> None:
        """Set the rule."""
        engine = make_engine(self.settings.database_url)
        workspace = find_workspace(engine)
        assert workspace is not None
        with engine.begin() as connection:
            SqlTransaction(connection, workspace.workspace_id).rules.set("state", what, by="x", at=NOW)
        engine.dispose()

    def says(self) -> bytes:
        """The rule."""
        with sqlite3.connect(self.data / "leadgate.sqlite3") as database:
            found = database.execute("SELECT body FROM rules WHERE name = 'state'").fetchone()
        database.close()
        return bytes(found[0])

    async def restore(self, data: Path | None = None, *, may_replace: bool = True, **secrets: Secret) -> Contents:
        """Put it back."""
        settings = self.settings if data is None else read_settings(data=data, environment={})
        wishes = Wishes(may_replace=may_replace, secrets=secrets, erased=None)
        return await restore_backup(self.file, settings, wishes, clock=SystemClock())


@pytest.fixture
async def salon(tmp_path: Path) -> Salon:
    """With a backup of the day before."""
    made = Salon(tmp_path)
    await made.back_up()
    return made


async def cut_at(salon: Salon, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Restore; the power goes before the given change of a name. True when it came to that."""
    steps = 0

    def count(true: Any) -> Any:  # noqa: ANN401 - any of three methods
        def counted(self: Path, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
            nonlocal steps
            steps += 1
            if steps == step:
                raise Cut
            return true(self, *arguments, **options)

        return counted

    with monkeypatch.context() as patch:
        for name in ("replace", "rename", "unlink"):
            patch.setattr(Path, name, count(getattr(Path, name)))
        try:
            await salon.restore()
        except Cut:
            return True
        return False


async def test_a_cut_at_any_change_of_a_name_leaves_the_old_or_is_finished(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a mixture that works; the list of erased people is whole all the time."""
    seen: set[str] = set()
    for step in range(1, 100):
        salon.say(b"new")
        if not await cut_at(salon, step, monkeypatch):
            break
        assert erased_list.read(salon.data) == [WHO]
        if half_restored.is_half_restored(salon.data):
            seen.add("half")
            with pytest.raises(ConfigurationError, match="cut off"):
                async with open_app(salon.settings):
                    pass
            await salon.restore(may_replace=False)
            assert salon.says() == b"old"
        else:
            seen.add(salon.says().decode())
        async with open_app(salon.settings) as app:
            is_restored = await app.reopening.find() is not None
        assert salon.says() == (b"old" if is_restored else b"new")
    else:
        raise AssertionError("the restore never came to its end")
    assert seen >= {"new", "half"}
    assert salon.says() == b"old"
    assert erased_list.read(salon.data) == [WHO]


async def test_a_head_with_other_keys_in_it_does_not_open(salon: Salon) -> None:
    """Whoever recomputes the checksum after a change has to know the file's key as well."""
    with salon.file.open("rb") as file:
        head, rest = backup_file.read_head(file), file.read()
    forged = backup_file.Head(
        workspace_id=head.workspace_id,
        created_at=head.created_at,
        key_id=head.key_id,
        wrapped_key=head.wrapped_key,
        sealed_recovery=b"something else",
    )
    salon.file.write_bytes(backup_file._encode(forged) + rest)  # noqa: SLF001 - as a forger would
    with pytest.raises(BackupDamagedError):
        await salon.restore()
    assert salon.says() == b"new"


async def test_settings_never_lead_to_another_database(salon: Salon, tmp_path: Path) -> None:
    """A trial with a backup of the true salon must not begin to work on the true salon's server."""
    (salon.data / "leadgate.toml").write_text('listen = "127.0.0.1:9999"\n')
    await salon.back_up()
    await salon.restore(tmp_path / "plain", recovery_key=salon.recovery_key)
    assert read_settings(data=tmp_path / "plain", environment={}).listen.port == 9999
    path = salon.data / "leadgate.sqlite3"
    (salon.data / "leadgate.toml").write_text(f'database_url = "sqlite:///{path}"\n')
    await salon.back_up()
    await salon.restore(tmp_path / "trial", recovery_key=salon.recovery_key)
    assert not (tmp_path / "trial" / "leadgate.toml").exists()
    assert (tmp_path / "trial" / "leadgate.toml.from-backup").exists()
    assert (tmp_path / "trial" / "leadgate.sqlite3").exists()
    assert salon.says() == b"new"


async def test_a_lost_key_file_is_written_anew_and_a_fitting_one_is_left_alone(salon: Salon, tmp_path: Path) -> None:
    """Byte by byte the one that was lost."""
    key = (salon.data / KEY_FILE).read_bytes()
    inode = (salon.data / KEY_FILE).stat().st_ino
    await salon.restore()
    assert (salon.data / KEY_FILE).stat().st_ino == inode
    (salon.data / KEY_FILE).unlink()
    with pytest.raises(ConfigurationError, match="no key file"):
        await salon.restore()
    with pytest.raises(ConfigurationError, match="no recovery_key"):
        await salon.restore(recovery=salon.recovery_key)
    await salon.restore(recovery_key=salon.recovery_key)
    assert (salon.data / KEY_FILE).read_bytes() == key


async def test_a_restore_and_an_init_do_not_meet(salon: Salon) -> None:
    """Nor two restores: all of them lock the directory."""
    with (
        initialise(
            salon.settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
        ),
        pytest.raises(ConflictError),
    ):
        await salon.restore()


async def test_a_restore_that_fails_after_its_entry_says_so(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal must not tell of a restore that was none."""

    def refuse(_self: object) -> None:
        raise ConflictError("in use")

    with monkeypatch.context() as patch:
        patch.setattr("leadgate.app.restore._Engine.finish_stage", refuse)
        with pytest.raises(ConflictError):
            await salon.restore()
    async with open_app(salon.settings) as app:
        rows = await app.journal.newest(limit=2)
    assert [(row.entry.tag.value, row.entry.result.value) for row in rows] == [
        ("backup.restored", "failed"),
        ("backup.restored", "done"),
    ]
    assert salon.says() == b"new"


async def test_a_journal_that_takes_nothing_is_put_aside_and_not_thrown_away(salon: Salon) -> None:
    """A broken disk must not forbid the restore, and what somebody did to the journal must not vanish with it."""
    (salon.data / "journal.sqlite3").write_bytes(b"broken" * 1000)
    await salon.restore()
    assert (salon.data / "journal.sqlite3.before-restore").read_bytes() == b"broken" * 1000
    async with open_app(salon.settings) as app:
        rows = await app.journal.newest(limit=2)
    assert [row.entry.tag.value for row in rows] == ["backup.restored", "staff.invited"], (
        "the journal of the copy goes on"
    )
