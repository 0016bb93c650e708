"""What is handed to whoever looks into an incident: one zip of JSON files. Ids, codes, counts and times; no client's data."""

from __future__ import annotations

import asyncio
import io
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from leadgate.connections.book import ConnectionBook
from leadgate.model.incidents import IncidentView
from leadgate.model.recipients import DataMap
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Transaction
from leadgate.storage.sql_storage import SqlStorage

JOURNAL_ROWS = 100_000
_VERIFIER = resources.files("leadgate.audit").joinpath("verifier.py")
_AT_ONCE = 1000
_README = """What this is
An export made by Leadgate for the incident named in incident.json. Times are UTC.

incident.json       times, freezes, counts, numbers of the notices; the owner's words are in the drafts of the notices, not here
journal.json        entries of the audit journal, newest first, from before the incident was found until now
journal.jsonl       the same journal signed, with its checkpoint; check it with: python verifier.py journal.jsonl
verifier.py         a program of one file that needs nothing of Leadgate; the public key is best taken from elsewhere (--key)
connections.json    what is connected, removed ones too; no settings, no secrets
access.json         who has access: staff and programs by id, role and time; names are on the page of the staff
data_map.json       who received what, as the configuration stands now
deliveries.json     how much waits for each connection, dead and uncertain letters by code

The log of the process is not kept by Leadgate: take it from the service manager, for instance
journalctl -u leadgate --since "...". It holds no personal data either.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSources:
    """Where the facts come from."""

    storage: SqlStorage
    journal: Journal
    book: ConnectionBook
    draw_map: Callable[[], Awaitable[DataMap]]


async def make_export(sources: ExportSources, view: IncidentView, now: datetime) -> bytes:
    """The zip; equal facts give equal bytes."""
    read = await sources.storage.read(lambda tx: _read(tx, now))
    documents = {
        "incident.json": _incident(view, now),
        "journal.json": await _journal(sources.journal),
        "data_map.json": await sources.draw_map(),
        **read,
    }
    signed = await _signed_journal(sources.journal)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {"README.txt": _README.encode(), **{name: _json(document) for name, document in documents.items()}}
        files |= {"journal.jsonl": signed, "verifier.py": _VERIFIER.read_bytes()}
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return held.getvalue()


def _incident(view: IncidentView, now: datetime) -> dict[str, Any]:
    return {
        "made_at": now,
        "incident": view.incident,
        "clocks": view.clocks,
        "freezes": view.freezes,
        "waiting": view.waiting,
    }


async def _journal(journal: Journal) -> Sequence[Any]:
    rows: list[Any] = []
    before: int | None = None
    while len(rows) < JOURNAL_ROWS:
        part = await journal.newest(limit=_AT_ONCE, before=before)
        rows += part
        if len(part) < _AT_ONCE:
            break
        before = part[-1].number
    return rows


async def _signed_journal(journal: Journal) -> bytes:
    with tempfile.TemporaryDirectory(prefix="leadgate-") as folder:
        target = Path(folder) / "journal.jsonl"
        await journal.export(target)
        return await asyncio.to_thread(target.read_bytes)


def _read(tx: Transaction, now: datetime) -> dict[str, Any]:
    signs = tx.alerts.signs(now=now)
    return {
        "connections.json": [
            {"id": c.connection_id, "kind": c.kind, "name": c.name, "state": c.state, "created_at": c.created_at}
            for c in tx.connections.all(removed=True)
        ],
        "access.json": {
            "staff": [
                {
                    "id": p.staff_id,
                    "role": p.role,
                    "since": p.created_at,
                    "may_sign_in": tx.staff.has_password(p.staff_id),
                }
                for p in tx.staff.all()
            ],
            "programs": [
                {"id": t.token_id, "role": t.role, "since": t.created_at, "until": t.revoked_at or t.expires_at}
                for t in tx.tokens.all()
            ],
        },
        "deliveries.json": [
            {"connection": s.connection_id, "waiting": s.waiting, "dead": s.dead, "uncertain": s.uncertain}
            for s in signs.connections
        ],
    }


def _json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=1) + b"\n"
