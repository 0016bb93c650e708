"""Random manipulations of a journal's files: each must be found, and the first bad entry named.

The manipulator has the whole data directory and the code, but not the signing key unless it says so; what the auditor has is the
checkpoints that were taken out. Every manipulation says by itself which entry is the first bad one.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

from leadgate.audit.checkpoints import SigningKey, write_checkpoint
from leadgate.audit.encoding import Line, leaf_of, read_line
from leadgate.audit.merkle import Frontier, leaf_hash
from leadgate.audit.verifier import Refused, check
from leadgate.errors import JournalTamperedError
from leadgate.model.journal import JournalEntry, JournalFaultKind, Result, Tag
from leadgate.storage.journal_archive import JournalArchive
from leadgate.storage.journal_file import JournalFile
from leadgate.storage.journal_keys import CHECKPOINT_FILE, KEY_FILE, PUBLIC_FILE, open_signing_key
from leadgate.storage.journal_rows import ADD, FILE
from leadgate.system import SystemClock

COLUMNS = ("number", "at", "tag", "made_by", "made_on", "result", "details", "hashes", "signature")
FILES = (FILE, KEY_FILE, PUBLIC_FILE, CHECKPOINT_FILE)


@dataclass(frozen=True, slots=True)
class Rollback:
    """The files as they were when the journal had this many entries, and the checkpoint of then."""

    size: int
    folder: Path
    checkpoint: str


@dataclass(slots=True)
class Original:
    """A sound journal to be manipulated in copies, with older states of it.

    Attributes:
        export: its export; `key` its public key.
    """

    folder: Path
    size: int
    older: list[Rollback]
    head: str
    export: bytes
    key: str


@dataclass(slots=True)
class Case:
    """One manipulation of a copy.

    Attributes:
        first_bad: the entry that has to be named; None when it is about no entry.
        kind: when only one kind of fault is right.
        checkpoints: what the auditor gives to `verify`.
        is_refused: the checkpoint or the key itself must be refused.
    """

    folder: Path
    original: Original
    chance: random.Random
    first_bad: int | None = None
    kind: JournalFaultKind | None = None
    checkpoints: list[str] = field(default_factory=list)
    is_refused: bool = False

    def any_entry(self, first: int = 1) -> int:
        return self.chance.randint(first, self.original.size)

    def sql(self, statement: str, *values: object) -> None:
        """Change the file as anybody can who may write it."""
        file = sqlite3.connect(self.folder / FILE, isolation_level=None)
        file.execute("PRAGMA synchronous = OFF")
        file.execute(statement, values)
        file.close()

    def rows(self) -> list[tuple[object, ...]]:
        file = sqlite3.connect(self.folder / FILE)
        found = file.execute(f"SELECT {', '.join(COLUMNS)} FROM journal ORDER BY number").fetchall()  # noqa: S608 - column names of ours
        file.close()
        return found

    def replace_rows(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Write all rows anew."""
        file = sqlite3.connect(self.folder / FILE)
        file.execute("PRAGMA synchronous = OFF")
        with file:
            file.execute("DELETE FROM journal")
            file.executemany(ADD, rows)
        file.close()


async def make_original(folder: Path, sizes: Sequence[int], chance: random.Random) -> Original:
    """A journal of the last of these sizes, with a copy kept at each of the sizes before."""
    live = folder / "live"
    live.mkdir()
    journal = JournalFile(live, SystemClock())
    older: list[Rollback] = []
    for number in range(1, sizes[-1] + 1):
        await journal.record(_entry(number, chance))
        if number in sizes:
            await journal.close()
            state = folder / f"at-{number}"
            shutil.copytree(live, state)
            older.append(Rollback(number, state, (live / CHECKPOINT_FILE).read_text("utf-8")))
            journal = JournalFile(live, SystemClock())
    archive = JournalArchive(older[-1].folder)
    target = folder / "export.jsonl"
    archive.export(target)
    whole = older.pop()
    return Original(whole.folder, whole.size, older, archive.head(), target.read_bytes(), str(archive.key()))


def _entry(number: int, chance: random.Random) -> JournalEntry:
    details: dict[str, str | int] = {"version": f"v{number}", "count": chance.randrange(10)}
    return JournalEntry(
        tag=chance.choice(list(Tag)),
        by=chance.choice(["command", "system", "staff_1", "tok_1"]),
        on=chance.choice([None, "subj_1", f"req_{number}"]),
        result=chance.choice(list(Result)),
        details=details if chance.random() < 0.5 else {},
    )


def edit(case: Case) -> None:
    """Another value in one column."""
    number, column = case.any_entry(), case.chance.choice(COLUMNS)
    before = case.rows()[number - 1][COLUMNS.index(column)]
    after = _other(before, case.chance)
    case.first_bad = number
    if column == "number":
        after = case.chance.choice([-number, 0, case.original.size + case.chance.randint(1, 9)])
        case.first_bad = min(number, after)
    case.sql(f"UPDATE journal SET {column} = ? WHERE number = ?", after, number)  # noqa: S608 - a column of ours


def _other(before: object, chance: random.Random) -> object:
    if isinstance(before, int):
        return before + chance.choice([-1, 1, 1_000_000, 2**61 - before])
    if isinstance(before, bytes):
        place = chance.randrange(len(before))
        flipped = before[:place] + bytes([before[place] ^ 1 << chance.randrange(8)]) + before[place + 1 :]
        return chance.choice([flipped, before[:-1], before + b"\0", b"", "text"])
    if before is None:
        return chance.choice(["subj_1", "", 0, b""])
    text = str(before)
    return chance.choice([text + " ", text[:-1], text.upper() + "_", "", text.encode(), "\0" + text, text + "\ud7ff"])


def delete(case: Case) -> None:
    """One entry or several are gone."""
    first = case.any_entry()
    last = min(case.original.size, first + case.chance.choice([0, 0, 1, 5]))
    case.first_bad = first
    case.sql("DELETE FROM journal WHERE number BETWEEN ? AND ?", first, last)


def delete_and_close_up(case: Case) -> None:
    """One is gone and those after it moved up, so that no number is missing."""
    number = case.any_entry()
    rows = case.rows()
    del rows[number - 1]
    case.replace_rows([(place, *row[1:]) for place, row in enumerate(rows, 1)])
    case.first_bad = number


def insert(case: Case) -> None:
    """An entry is put in, and those after it move down."""
    number = case.any_entry()
    rows = case.rows()
    rows.insert(number - 1, _other_row(case.chance.choice(rows), case.chance))
    case.replace_rows([(place, *row[1:]) for place, row in enumerate(rows, 1)])
    case.first_bad = number


def append(case: Case) -> None:
    """One more at the end, well hashed but not signed; or one before the first."""
    rows = case.rows()
    tree, previous = _walk(rows)
    line = read_line(_other_row(rows[-1], case.chance))
    number = case.chance.choice([len(rows) + 1, 0, -case.any_entry()])
    line = _hashed(replace(line, number=number), tree, previous)
    case.sql(ADD, *astuple(line))
    case.first_bad = number


def swap(case: Case) -> None:
    """Two entries change places."""
    first, second = sorted(case.chance.sample(range(1, case.original.size + 1), 2))
    rows = case.rows()
    keep = case.chance.choice([1, 1, 8])  # with their hashes and signatures, or the signatures alone
    one, other = rows[first - 1], rows[second - 1]
    rows[first - 1] = (first, *(other[1:] if keep == 1 else (*other[1:8], one[8])))
    rows[second - 1] = (second, *(one[1:] if keep == 1 else (*one[1:8], other[8])))
    case.replace_rows(rows)
    case.first_bad = first


def cut(case: Case) -> None:
    """The newest are gone; the checkpoint beside the journal, or one that was taken out, shows it."""
    number = case.any_entry()
    case.sql("DELETE FROM journal WHERE number >= ?", number)
    if case.chance.random() < 0.5:
        _forge_beside(case, number - 1)
        case.checkpoints = [case.original.head]
    case.first_bad = number


def roll_back(case: Case) -> None:
    """An older file is put back, alone or with the checkpoint of then."""
    older = case.chance.choice(case.original.older)
    shutil.copy(older.folder / FILE, case.folder / FILE)
    if case.chance.random() < 0.5:
        shutil.copy(older.folder / CHECKPOINT_FILE, case.folder / CHECKPOINT_FILE)
        case.checkpoints = [older.checkpoint, case.original.head]
    case.first_bad = older.size + 1
    case.kind = JournalFaultKind.MISSING


def drop_file(case: Case) -> None:
    """The journal itself is gone."""
    (case.folder / FILE).unlink()
    case.first_bad, case.kind = 1, JournalFaultKind.MISSING


def rewrite(case: Case) -> None:
    """An entry is edited and every hash after it made anew; only the signatures cannot be."""
    _rewrite(case, sign=case.chance.choice([None, SigningKey("leadgate-journal/mallory", bytes(32)).sign]))


def rewrite_beside(case: Case) -> None:
    """As before, and the checkpoint beside the journal is signed with another key."""
    mallory = SigningKey(open_signing_key(case.folder).public.name, bytes(32))
    _rewrite(case, sign=mallory.sign)
    tree, _ = _walk(case.rows())
    note = write_checkpoint(mallory.public, tree.size, tree.root(), mallory.sign(tree.size, tree.root()))
    (case.folder / CHECKPOINT_FILE).write_text(note, "utf-8")


def replace_everything(case: Case) -> None:
    """Entry, hashes, signatures, both keys and the checkpoint: only a checkpoint that was taken out shows it."""
    mallory = SigningKey(open_signing_key(case.folder).public.name, bytes(32))
    _rewrite(case, sign=mallory.sign)
    tree, _ = _walk(case.rows())
    note = write_checkpoint(mallory.public, tree.size, tree.root(), mallory.sign(tree.size, tree.root()))
    for name, text in ((CHECKPOINT_FILE, note), (PUBLIC_FILE, f"{mallory.public}\n"), (KEY_FILE, mallory.reveal())):
        (case.folder / name).write_text(text, "utf-8")
    case.checkpoints = [case.chance.choice([case.original.head, case.original.older[0].checkpoint])]
    case.first_bad, case.is_refused = None, True


def rewrite_with_the_key(case: Case) -> None:
    """Whoever stole the signing key writes another past; older checkpoints narrow down from where on."""
    key = open_signing_key(case.folder)
    number = _rewrite(case, sign=key.sign)
    tree, _ = _walk(case.rows())
    _forge_beside(case, tree.size)
    case.checkpoints = [older.checkpoint for older in case.original.older] + [case.original.head]
    fitting = max([older.size for older in case.original.older if older.size < number], default=0)
    case.first_bad, case.kind = fitting + 1, JournalFaultKind.REWRITTEN


def forge_checkpoint(case: Case) -> None:
    """The one beside the journal, or the one that the auditor was given."""
    text = case.original.head
    place = case.chance.randrange(len(text) - 1)
    forged = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    if case.chance.random() < 0.5:
        case.checkpoints, case.is_refused = [forged], True
    else:
        (case.folder / CHECKPOINT_FILE).write_text(forged, "utf-8")


def drop_checkpoint(case: Case) -> None:
    """The one beside the journal is gone, so that a cut would not be seen."""
    (case.folder / CHECKPOINT_FILE).unlink()
    case.kind = JournalFaultKind.CHECKPOINT_MISSING


def replace_public_key(case: Case) -> None:
    """The signing key says which it should be."""
    (case.folder / PUBLIC_FILE).write_text(f"{SigningKey('leadgate-journal/mallory', bytes(32)).public}\n")
    case.is_refused = True


MANIPULATIONS: tuple[Callable[[Case], None], ...] = (
    *(edit, edit, edit, edit, delete, delete_and_close_up, insert, append, swap, cut, roll_back, drop_file),
    *(rewrite, rewrite_beside, replace_everything, rewrite_with_the_key),
    *(forge_checkpoint, drop_checkpoint, replace_public_key),
)


def try_one(original: Original, folder: Path, *, seed: int, number: int) -> str | None:
    """One manipulation in a copy; what was not found about it, or None."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - a campaign is repeated by its seed
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original.folder, folder)
    case = Case(folder, original, chance)
    manipulate = chance.choice(MANIPULATIONS)
    manipulate(case)
    told = f"{manipulate.__name__} (seed {seed}, number {number})"
    try:
        verdict = JournalArchive(folder).verify(case.checkpoints)
    except JournalTamperedError:
        return None if case.is_refused else f"{told}: refused though the entries are what is wrong"
    if case.is_refused or verdict.fault is None:
        return f"{told}: not found"
    if verdict.fault.number != case.first_bad:
        return f"{told}: entry {case.first_bad} is the first bad one, not {verdict.fault.number}"
    if case.kind not in {None, verdict.fault.kind}:
        return f"{told}: {case.kind} was expected, not {verdict.fault.kind}"
    return None


def try_export(original: Original, folder: Path, *, seed: int, number: int) -> str | None:
    """One manipulation of the export, against the verifier that stands alone."""
    chance = random.Random(f"export:{seed}:{number}")  # noqa: S311 - as above
    lines = original.export.splitlines(keepends=True)
    name, first_bad = _damage(lines, chance)
    folder.mkdir(exist_ok=True)
    target = folder / "export.jsonl"
    target.write_bytes(b"".join(lines))
    told = f"export, {name} (seed {seed}, number {number})"
    try:
        check(target, original.key, [original.head])
    except Refused as refused:
        is_named = first_bad is None or f"entry {first_bad} " in f"{refused} "
        return None if is_named else f"{told}: entry {first_bad} is the first bad one: {refused}"
    return f"{told}: not found"


def _damage(lines: list[bytes], chance: random.Random) -> tuple[str, int | None]:
    """Manipulate the lines; which entry is the first bad one (None when header or last line are)."""
    size = len(lines) - 2
    number = chance.randint(1, size)
    how = chance.choice(["flip", "flip", "flip", "delete", "swap", "double", "cut", "frame", "last"])
    first_bad: int | None = number
    match how:
        case "flip":
            # A byte that becomes an end of line makes two lines of one; the entry is the first bad one all the same.
            line = bytearray(lines[number])
            line[chance.randrange(len(line) - 1)] ^= 1 << chance.randrange(7)
            lines[number] = bytes(line)
        case "delete":
            del lines[number]
        case "swap":
            second = chance.choice([other for other in range(1, size + 1) if other != number])
            lines[number], lines[second] = lines[second], lines[number]
            first_bad = min(number, second)
        case "double":
            lines.insert(number, lines[number])
            first_bad = number + 1
        case "cut":
            del lines[number:]
        case "frame":
            lines[0], first_bad = lines[0].replace(b"leadgate", b"elsegate"), None
        case _:
            lines[-1], first_bad = lines[-1].replace(b'"entries":', b'"entries":1'), None
    return how, first_bad


def run(folder: Path, *, count: int, seed: int, sizes: Sequence[int]) -> list[str]:
    """So many manipulations, one in four of the export; everything that was not found."""
    original = asyncio.run(make_original(folder, sizes, random.Random(seed)))  # noqa: S311 - as above
    missed: list[str] = []
    for number in range(count):
        work = try_one if number % 4 else try_export
        if (wrong := work(original, folder / "copy", seed=seed, number=number)) is not None:
            missed.append(wrong)
    return missed


def _rewrite(case: Case, *, sign: Callable[[int, bytes], bytes] | None) -> int:
    number = case.any_entry()
    rows = case.rows()
    tree, previous = _walk(rows[: number - 1])
    made: list[tuple[object, ...]] = rows[: number - 1]
    for place, row in enumerate(rows[number - 1 :], number):
        line = read_line(_other_row(row, case.chance) if place == number else row)
        line = _hashed(line, tree, previous)
        if sign is not None:
            line = replace(line, signature=sign(tree.size, tree.root()))
        made.append(astuple(line))
        previous = line.signature
    case.replace_rows(made)
    case.first_bad = number
    return number


def _forge_beside(case: Case, size: int) -> None:
    """Whoever has the files can make the checkpoint of every size that once was: its signature stands in the rows."""
    key = open_signing_key(case.folder)
    tree, _ = _walk(case.rows()[:size])
    note = write_checkpoint(key.public, size, tree.root(), key.sign(size, tree.root()))
    (case.folder / CHECKPOINT_FILE).write_text(note, "utf-8")


def _walk(rows: Sequence[tuple[object, ...]]) -> tuple[Frontier, bytes]:
    tree, previous = Frontier(), b""
    for row in rows:
        line = read_line(row)
        tree.append(leaf_hash(leaf_of(line, previous)))
        previous = line.signature
    return tree, previous


def _hashed(line: Line, tree: Frontier, previous: bytes) -> Line:
    hashes = b"".join(tree.append(leaf_hash(leaf_of(line, previous))))
    return replace(line, hashes=hashes)


def _other_row(row: tuple[object, ...], chance: random.Random) -> tuple[object, ...]:
    """The same with another person or time."""
    number, at, tag, by, *rest = row
    if chance.random() < 0.5 or not isinstance(at, int):
        return (number, at, tag, f"{by}_x", *rest)
    return (number, at + 1, tag, by, *rest)


def accuse_the_innocent(folder: Path, *, sizes: Sequence[int]) -> list[str]:
    """Verify sound journals with every older checkpoint, in every way there is; the accusations."""
    original = asyncio.run(make_original(folder, sizes, random.Random(1)))  # noqa: S311 - as above
    kept = [older.checkpoint for older in original.older] + [original.head]
    faults = []
    for state in [*original.older, Rollback(original.size, original.folder, original.head)]:
        older = [note for note, size in zip(kept, sizes, strict=True) if size <= state.size]
        verdict = JournalArchive(state.folder).verify(older)
        if verdict.fault is not None or verdict.entries != state.size:
            faults.append(f"journal of {state.size}: {verdict}")
    target = folder / "sound.jsonl"
    target.write_bytes(original.export)
    try:
        check(target, original.key, kept)
    except Refused as refused:
        faults.append(str(refused))
    return faults
