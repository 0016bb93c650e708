"""`leadgate journal …`. Reads the journal's own files alone: works beside a gateway and on a stopped, copied data directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, run_async
from leadgate.cli.output import print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.model.journal import JournalEntry, JournalRow, Tag
from leadgate.storage.journal_archive import EXTRACT_FORMAT, JournalArchive
from leadgate.web.api.documents.journal import journal_document, verdict_document


def verify(
    *,
    checkpoint: Annotated[
        list[Path] | None, Parameter(negative=(), help="A file of `journal head` that you kept; may be repeated.")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Walk through the whole journal; exit code 1 names the first entry that is not as it was written.

    With --checkpoint the journal must also begin with the very entries that it had then; a forged checkpoint is refused.

    Example: leadgate journal verify --checkpoint kept.txt
    """
    kept = [_read(path) for path in checkpoint or []]
    document = verdict_document(_archive(common).verify(kept))
    if common.json:
        print_json(document)
    else:
        print_lines(document.explained)
        if document.verified and kept:
            print_lines(f"It begins with the entries of the kept checkpoints: {len(kept)}.")
    return 0 if document.verified else 1


def tail(
    *,
    kind: Annotated[str | None, Parameter(help="Only tags that begin so: subject, consent, backup …")] = None,
    on: Annotated[str | None, Parameter(help="Only about this id, for instance subj_….")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List entries, newest first. Shows what stands there; whether it is what was written tells `journal verify`.

    Example: leadgate journal tail --limit 20
    """
    from leadgate.app.journal_desk import page_of_rows, read_cursor

    limit = max(1, paging.limit)
    rows = _archive(common).newest(limit=limit + 1, before=read_cursor(paging.cursor), area=kind, on=on)
    page = page_of_rows(rows, limit=limit)
    if common.json:
        print_page(page, journal_document)
        return 0
    print_table(
        ("number", "at (UTC)", "tag", "by", "on", "result", "details"),
        ((*_row(row),) for row in page.items),
        empty="No act has left a trace yet.",
        more=page.next_cursor,
    )
    return 0


def head(
    *,
    out: Annotated[Path | None, Parameter(help="Write the checkpoint to this file too.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Print the newest signed checkpoint: how many entries, their root, the signature. Keep it outside of this server.

    Example: leadgate journal head --out kept.txt
    """
    archive = _archive(common)
    if not archive.is_begun():
        _begin(common)
    checkpoint = archive.head()
    if out is not None:
        _write(out, checkpoint)
    if common.json:
        print_json({"checkpoint": checkpoint, "key": str(archive.key())})
    else:
        print_lines(checkpoint.rstrip("\n"))
    return 0


def export(
    file: Annotated[Path, Parameter(help="Where to write it; a file that is there is replaced.")],
    /,
    *,
    common: Common = NO_OPTIONS,
) -> int:
    """Write every entry, the public key and the newest checkpoint as JSON lines, for a verifier that is not Leadgate.

    The export is itself recorded, unless the journal cannot be written (a copy on another medium): then one line says so.

    Example: leadgate journal export journal.jsonl
    """
    archive = _archive(common)
    if not archive.is_begun():
        _begin(common)
    is_recorded = _record_export(common)
    entries = archive.export(file)
    if common.json:
        print_json({"entries": entries, "file": str(file), "recorded": is_recorded})
    else:
        print_lines(f"{entries} entries in {file}. Check them anywhere with: leadgate/audit/verifier.py")
    return 0


def proof(
    number: Annotated[list[int], Parameter(help="Numbers of entries.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Write it to this file instead.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Print single entries with the proof that they stand in the journal, and the signed checkpoint that it leads to.

    Example: leadgate journal proof 17
    """
    from leadgate.audit.encoding import canonical

    found = _archive(common).extract(number)
    entries = [{"fields": dict(entry.fields), "proof": list(entry.proof)} for entry in found.entries]
    document = {"format": EXTRACT_FORMAT, "key": found.key, "checkpoint": found.checkpoint, "entries": entries}
    text = canonical(document).decode()
    if out is None:
        print_lines(text)
        return 0
    _write(out, f"{text}\n")
    if common.json:
        print_json({"entries": len(entries), "file": str(out)})
    else:
        print_lines(f"{len(entries)} entries with their proofs in {out}.")
    return 0


def _archive(common: Common) -> JournalArchive:
    directory = common.settings().data
    if not directory.is_dir():
        raise ConfigurationError(
            f"There is no data directory {directory}.", hint="Name it with --data, or make one with: leadgate init"
        )
    return JournalArchive(directory)


def _begin(common: Common) -> None:
    """A house in which nothing has happened yet gets its key, so that the very first checkpoint can be kept."""
    from leadgate.storage.journal_keys import make_keys

    try:
        make_keys(common.settings().data)
    except OSError as error:
        raise ConfigurationError(f"The journal's key cannot be made: {error.strerror}.") from error


def _record_export(common: Common) -> bool:
    from leadgate.observability import silence_logs
    from leadgate.storage.journal_file import JournalFile
    from leadgate.system import SystemClock

    silence_logs()

    async def work() -> None:
        journal = JournalFile(common.settings().data, SystemClock())
        try:
            await journal.record(JournalEntry(tag=Tag.JOURNAL_EXPORTED, by=BY_COMMAND))
        finally:
            await journal.close()

    try:
        run_async(work())
    except JournalUnavailableError as error:
        print(f"The export is not recorded. {error}", file=sys.stderr)
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise ConfigurationError(f"The checkpoint cannot be read: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from None


def _row(row: JournalRow) -> tuple[str, ...]:
    entry = row.entry
    details = " ".join(f"{name}={value}" for name, value in entry.details.items())
    return (
        str(row.number),
        short_time(row.at),
        entry.tag.value,
        entry.by,
        entry.on or "—",
        entry.result.value,
        details,
    )
