"""What is left on a disk when the power goes: a VFS that records, and a disk that keeps any subset of what was not flushed.

The record is taken while everything works; what a cut at some moment leaves behind is made from it afterwards. So one run of the
product serves for thousands of cuts. The rules of the disk are harsher than those of real ones:

- what was written before a flush of the same file began is there;
- of everything written since, each sector of 512 bytes is there or not, in any combination, whatever the order was; a file may
  have grown without its new bytes (zeros);
- a name that was made or removed since the last flush of the folder is there or not.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import BinaryIO, NamedTuple, Protocol

import apsw

from tests.faults.sqlite_files import path_of

SECTOR_BYTES = 512
_FOLDER_FLUSHERS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class Wrote(NamedTuple):
    """Bytes were written to a file."""

    file: str
    offset: int
    content: bytes


class Truncated(NamedTuple):
    """A file was cut to a size."""

    file: str
    size: int


class Flushed(NamedTuple):
    """What was done to a file before the step `since` is on the disk."""

    file: str
    since: int


class Named(NamedTuple):
    """A name in the folder stands for this file from now on."""

    name: str
    file: str


class Removed(NamedTuple):
    """A name is no longer there."""

    name: str


class FolderFlushed(NamedTuple):
    """Names made and removed before the step `since` are on the disk."""

    since: int


class Promised(NamedTuple):
    """Somebody was told that this is kept."""

    what: str


Step = Wrote | Truncated | Flushed | Named | Removed | FolderFlushed | Promised


class Record(Protocol):
    """Where steps go, from any thread."""

    def add(self, step: Step) -> None:
        """Add one."""
        ...

    @property
    def length(self) -> int:
        """How many there are."""
        ...


class RecordInMemory:
    """Steps as a list."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)

    @property
    def length(self) -> int:
        return len(self.steps)


class RecordInFile:
    """Steps in a file, for a process that is killed: each is handed to the system before the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()
        self.length = 0

    def add(self, step: Step) -> None:
        content = pickle.dumps(step)
        with self._lock:
            while content:
                content = content[self._file.write(content) :]
            self.length += 1


def read_record(path: Path) -> Iterator[Step]:
    """Steps that a killed process left; a last one that was not finished did not happen."""
    with path.open("rb") as file:
        while (step := _read_step(file)) is not None:
            yield step


def _read_step(file: BinaryIO) -> Step | None:
    try:
        step: Step = pickle.load(file)  # noqa: S301 - our own test wrote it
    except (EOFError, pickle.UnpicklingError):
        return None
    return step


class RecordingVfs(apsw.VFS):
    """Does what SQLite asks and records what changes files. For one folder."""

    def __init__(self, name: str, record: Record) -> None:
        self.record = record
        self.files: dict[str, str] = {}
        self._made = 0
        self._folder = threading.Lock()  # two connections that open one name at once find one file
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        path = path_of(name)
        if path is None:
            return apsw.VFSFile("unix", name, flags)
        with self._folder:
            was_there = path.exists()
            opened = RecordingFile(self, name, flags)
            opened.file = self._file_of(path.name, was_there=was_there)
        return opened

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - as above
        with self._folder:
            super().xDelete(filename, syncdir)
            self.record.add(Removed(Path(filename).name))
            if syncdir:
                self.record.add(FolderFlushed(self.record.length))

    def _file_of(self, name: str, *, was_there: bool) -> str:
        if was_there:
            return self.files.setdefault(name, name)
        self._made += 1
        self.files[name] = made = f"{self._made}:{name}"
        self.record.add(Named(name, made))
        return made


class RecordingFile(apsw.VFSFile):
    """An open file.

    Attributes:
        file: which one; a name that was removed and made again stands for another.
    """

    file: str

    def __init__(self, vfs: RecordingVfs, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._record = vfs.record
        # SQLite flushes the folder with the first flush of a journal that it may have made (os_unix.c, UNIXFILE_DIRSYNC).
        self._flushes_folder = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _FOLDER_FLUSHERS)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._record.add(Wrote(self.file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - as above
        super().xTruncate(newsize)
        self._record.add(Truncated(self.file, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - as above
        since = self._record.length  # what another thread writes meanwhile is not promised to be flushed
        super().xSync(flags)
        self._record.add(Flushed(self.file, since))
        if self._flushes_folder:
            self._flushes_folder = False
            self._record.add(FolderFlushed(since))


class Disk:
    """A disk that plays a record step by step and can say at each moment what a power cut would leave."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        """Start with these files, by their names in the folder."""
        self._names = {name: name for name in content}
        self._files = {name: bytearray(one) for name, one in content.items()}
        self._pending: list[tuple[int, Wrote | Truncated | Named | Removed]] = []
        self._played = 0

    def play(self, step: Step) -> None:
        """The next step happens."""
        match step:
            case Flushed(file, since):
                self._keep(lambda one: isinstance(one, Wrote | Truncated) and one.file == file, since)
            case FolderFlushed(since):
                self._keep(lambda one: isinstance(one, Named | Removed), since)
            case Promised():
                pass
            case _:
                self._pending.append((self._played, step))
        self._played += 1

    def after_a_cut(self, dice: Random) -> dict[str, bytes]:
        """Files by their names, with a subset of what was not flushed, chosen by the dice."""
        names = dict(self._names)
        files = {file: bytearray(content) for file, content in self._files.items()}
        share = dice.choice((0.0, 0.0, 0.1, 0.5, 0.9, 1.0))
        for _, step in self._pending:
            match step:
                case Named() | Removed():
                    if dice.random() < share:
                        _rename(names, step)
                case Truncated(file, size):
                    if dice.random() < share:
                        _truncate(files.setdefault(file, bytearray()), size)
                case Wrote(file, offset, content):
                    _write_some(files.setdefault(file, bytearray()), offset, content, share=share, dice=dice)
        return {name: bytes(files.get(file, b"")) for name, file in names.items()}

    def _keep(self, is_meant: Callable[[Step], bool], since: int) -> None:
        still_pending = []
        for number, step in self._pending:
            if number >= since or not is_meant(step):
                still_pending.append((number, step))
            else:
                self._do(step)
        self._pending = still_pending

    def _do(self, step: Wrote | Truncated | Named | Removed) -> None:
        match step:
            case Wrote(file, offset, content):
                _write(self._files.setdefault(file, bytearray()), offset, content)
            case Truncated(file, size):
                _truncate(self._files.setdefault(file, bytearray()), size)
            case _:
                _rename(self._names, step)


def cuts(content: Mapping[str, bytes], steps: Iterable[Step]) -> Iterator[tuple[Disk, frozenset[str]]]:
    """The disk after each step, with what had been promised by then."""
    disk, promised = Disk(content), frozenset[str]()
    for step in steps:
        disk.play(step)
        if isinstance(step, Promised):
            promised |= {step.what}
        yield disk, promised


def throw_dice(seed: int | str) -> Random:
    """Dice that fall the same way every time."""
    return Random(seed)  # noqa: S311 - a campaign that repeats


def put(content: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder and take away what else SQLite left there."""
    for path in folder.glob("*.sqlite3*"):
        path.unlink()
    for name, one in content.items():
        (folder / name).write_bytes(one)


def _write_some(file: bytearray, offset: int, content: bytes, *, share: float, dice: Random) -> None:
    """Write whole or in sectors, each of which is kept or not."""
    is_torn = dice.random() < 0.5
    size = SECTOR_BYTES if is_torn else len(content)
    start = 0
    while start < len(content):
        end = min(len(content), start + size - (offset + start) % size if is_torn else len(content))
        if dice.random() < share:
            _write(file, offset + start, content[start:end])
        elif dice.random() < share:
            _grow(file, offset + end)
        start = end


def _write(file: bytearray, offset: int, content: bytes) -> None:
    _grow(file, offset)
    file[offset : offset + len(content)] = content


def _grow(file: bytearray, size: int) -> None:
    file.extend(bytes(max(0, size - len(file))))


def _truncate(file: bytearray, size: int) -> None:
    _grow(file, size)
    del file[size:]


def _rename(names: dict[str, str], step: Named | Removed) -> None:
    match step:
        case Named(name, file):
            names[name] = file
        case Removed(name):
            names.pop(name, None)
