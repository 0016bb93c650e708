"""A backup file that is not as it was written is refused, wherever it was changed or cut; who holds no key reads nothing."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
from collections import deque
from pathlib import Path

import pytest

from leadgate.app import backup, initialise
from leadgate.app.backup import BackupMade, make_backup, open_backup, open_file
from leadgate.app.restore import verify_backup
from leadgate.errors import (
    BackupDamagedError,
    ConfigurationError,
    ConflictError,
    LeadgateError,
    UnknownKeyError,
    VaultError,
)
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings
from leadgate.storage.backup_records import Begin, End, FileBegins, FileBytes, RecordWriter, read_records
from leadgate.storage.engines import make_engine
from leadgate.storage.workspaces import find_workspace
from leadgate.system import SystemClock, SystemIds
from leadgate.vault.backup_file import MAGIC
from leadgate.vault.ciphers import StreamCipher, new_stream_keyset
from leadgate.vault.key_file import create_key_file, new_recovery_key, open_key_file

SAMPLES = 400
MARKED = b"+79000004711"
JOURNAL = frozenset({"journal.sqlite3", "journal-checkpoint", "journal-public-key", "journal-signing-key"})
"""Made with the house, whose first entry is the address of its owner."""


class Made:
    """A data directory and a backup of it."""

    def __init__(self, folder: Path) -> None:
        self.settings: Settings = read_settings(data=folder / "data", environment={})
        with initialise(
            self.settings, name="Лимон", locale="ru", time_zone="Europe/Moscow", clock=SystemClock(), ids=SystemIds()
        ) as made:
            assert made.recovery_key is not None
            self.recovery_key = made.recovery_key
            made.confirm_shown()
        (self.settings.data / "extra").mkdir()
        (self.settings.data / "extra" / "note").write_bytes(MARKED + os.urandom(20_000))
        self.file = folder / "leadgate.backup"
        self.made = self.make()

    def make(self) -> BackupMade:
        """One more."""
        engine = make_engine(self.settings.database_url)
        workspace = find_workspace(engine)
        assert workspace is not None
        try:
            return make_backup(
                engine,
                self.settings,
                workspace,
                open_key_file(self.settings.data),
                target=self.file,
                clock=SystemClock(),
                confirm=lambda _made: None,
            )
        finally:
            engine.dispose()

    def read(self, content: bytes | None = None, **secrets: Secret) -> None:
        """Every record of the file, or of this content instead."""
        if content is not None:
            self.file.write_bytes(content)
        with open_file(self.file) as opened:
            _, _, records = open_backup(opened, self.settings.data, secrets)
            deque(records, maxlen=0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once; the tests change the file and put it back."""
    return Made(tmp_path_factory.mktemp("house"))


@pytest.fixture
def whole(house: Made) -> bytes:
    """The file as it was written."""
    house.make()
    return house.file.read_bytes()


def test_a_whole_file_is_proved_and_shows_nothing(house: Made, whole: bytes) -> None:
    """What is in it is sealed, also what lay in the data directory in clear."""
    found = verify_backup(house.file, house.settings.data, {}, clock=SystemClock())
    assert found.rows["workspaces"] == 1
    assert found.files.keys() == {"extra/note", *JOURNAL}
    assert found.files["extra/note"] == 20_000 + len(MARKED)
    assert found.keys == 3
    assert MARKED not in whole
    assert "Лимон".encode() not in whole
    assert house.file.stat().st_mode & 0o777 == 0o600


def test_a_changed_byte_is_noticed_anywhere(house: Made, whole: bytes) -> None:
    """Each byte of the head, and many of the rest; a wrong key is told of only when the file is sound."""
    head = len(MAGIC) + 4 + int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 4]) + 32
    dice = random.Random(1)  # noqa: S311 - the same places every time
    places = [*range(head + 64), *dice.sample(range(head + 64, len(whole)), SAMPLES), len(whole) - 1]
    for place in places:
        changed = whole[:place] + bytes([whole[place] ^ (1 << dice.randrange(8))]) + whole[place + 1 :]
        with pytest.raises(BackupDamagedError):
            house.read(changed)


def test_a_cut_file_is_noticed_wherever_it_ends(house: Made, whole: bytes) -> None:
    """Above all between two pieces, where nothing looks torn."""
    head = len(MAGIC) + 4 + int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 4]) + 32
    pieces = range(0, len(whole), 4096)
    starts = [*pieces, *(head + piece for piece in pieces)]
    lengths = {0, 1, len(MAGIC), head - 1, head, len(whole) - 1, *(s + d for s in starts for d in (-1, 0, 1))}
    for length in sorted(length for length in lengths if 0 <= length < len(whole)):
        with pytest.raises(BackupDamagedError):
            house.read(whole[:length])


@pytest.mark.parametrize("more", [b"\0", b"\0" * 4096, MAGIC])
def test_an_appended_file_is_noticed(house: Made, whole: bytes, more: bytes) -> None:
    """Nobody hides anything behind the end."""
    with pytest.raises(BackupDamagedError):
        house.read(whole + more)


def test_pieces_cannot_change_places(house: Made, whole: bytes) -> None:
    """Each is bound to its place."""
    head = len(MAGIC) + 4 + int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 4]) + 32
    second, third, fourth = (head + 4096 * number for number in (1, 2, 3))
    with pytest.raises(BackupDamagedError):
        house.read(whole[:second] + whole[third:fourth] + whole[second:third] + whole[fourth:])


def test_the_recovery_key_opens_it_and_another_does_not(house: Made, whole: bytes) -> None:
    """However it is written; what does not fit is wrong use and no damage."""
    written = house.recovery_key.reveal().lower().replace("-", " ")
    house.read(whole, recovery_key=Secret(written))
    other = Secret(new_recovery_key(os.urandom(30)))
    with pytest.raises(UnknownKeyError, match="does not fit"):
        house.read(recovery_key=other)


def test_another_directory_without_the_paper_is_refused(house: Made, whole: bytes, tmp_path: Path) -> None:
    """Also one that has a key of its own."""
    assert whole
    for make_key in (lambda: None, lambda: create_key_file(tmp_path)):
        make_key()
        with open_file(house.file) as opened, pytest.raises((ConfigurationError, VaultError)):
            open_backup(opened, tmp_path, {})


def test_an_older_backup_of_the_name_is_replaced_and_nothing_else_is(house: Made, whole: bytes) -> None:
    """A name that was mistyped must not cost a file."""
    house.make()
    assert house.file.read_bytes() != whole
    house.file.write_bytes(b"something dear")
    with pytest.raises(ConfigurationError, match="no backup"):
        house.make()
    assert house.file.read_bytes() == b"something dear"
    house.file.unlink()


def test_a_backup_that_cannot_be_journaled_is_not_kept(house: Made, tmp_path: Path) -> None:
    """What leaves no trace was not done."""
    engine = make_engine(house.settings.database_url)
    workspace = find_workspace(engine)
    assert workspace is not None

    def refuse(_made: BackupMade) -> None:
        raise ConflictError("no")

    target = tmp_path / "x.backup"
    with pytest.raises(LeadgateError):
        make_backup(
            engine,
            house.settings,
            workspace,
            open_key_file(house.settings.data),
            target=target,
            clock=SystemClock(),
            confirm=refuse,
        )
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("told", "more"), [(1, b""), (2, b""), (1, b"x")])
def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, told: int, more: bytes) -> None:
    """Records that are missing although every byte is genuine: a mistake of ours, or of whoever holds the key."""
    begin = Begin(
        format=1, version="0", workspace_id="ws", workspace_name="", migration="0010", created_at="", engine="sqlite"
    )
    keyset, path = new_stream_keyset(), tmp_path / "records"
    with path.open("wb") as written, StreamCipher(keyset).sealing(written, b"") as sealing:
        writer = RecordWriter(sealing)
        for record in (begin, FileBegins("a"), FileBytes(b"x")):
            writer.write(record)
        end = End({}, {"a": told}, {"file:a": hashlib.sha256(b"x").hexdigest()})
        writer.write(end)
        sealing.write(more)
    with path.open("rb") as file:
        records = read_records(StreamCipher(keyset).opening(file, b""))
        if (told, more) == (1, b""):
            deque(records, maxlen=0)
        else:
            with pytest.raises(BackupDamagedError):
                deque(records, maxlen=0)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_full_disk_is_told_and_leaves_nothing(
    house: Made, whole: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, share: float
) -> None:
    """Whichever write it is that fails, also the last one."""
    true_lock = backup._lock  # noqa: SLF001 - the way to the file

    def lock(path: Path) -> int:
        descriptor = true_lock(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(len(whole) * share), hard))
        return descriptor

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    monkeypatch.setattr(backup, "_lock", lock)
    monkeypatch.setattr(house, "file", tmp_path / "x.backup")
    try:
        with pytest.raises(ConfigurationError, match="cannot be written"):
            house.make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_holds_no_keys_and_no_backups(house: Made) -> None:
    """The key lies in it under the paper key alone; a folder of backups inside the data directory does not grow into itself."""
    inside = house.settings.data / "copies.backup"
    inside.write_bytes(MAGIC + b"an older one")
    try:
        assert set(house.make().files) == {"extra/note", *JOURNAL}
    finally:
        inside.unlink()
    content = house.file.read_bytes()
    key = (house.settings.data / "key-encryption-key").read_bytes()
    assert key.splitlines()[1] not in content
