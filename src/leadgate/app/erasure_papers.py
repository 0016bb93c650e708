"""The two papers of an erasure: the act, and what the journal says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from leadgate import __version__
from leadgate.app.erased_list import FILE
from leadgate.app.erasing import Erasing
from leadgate.catalogue.texts import Texts, load_texts
from leadgate.model.erasures import Erasure
from leadgate.model.journal import JournalRow
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Workspace
from leadgate.reports.paper import print_paper
from leadgate.storage.sql_storage import SqlStorage

TABLES = {
    "keys": "data_keys",
    "profiles": "subjects",
    "identifiers": "identifiers",
    "conversations": "conversations, lanes",
    "messages": "messages",
    "event_bodies": "events",
    "unread_events": "events",
    "payloads": "deliveries",
    "cancelled": "deliveries",
    "invitations": "invitations",
    "fates": "message_fates",
}
"""Where what was destroyed lay."""

_ENTRIES = 200
_LINE = 118
"""Letters of the small typeface in a line of the paper."""


class ErasurePapers:
    """Prints in the salon's language."""

    def __init__(
        self, erasing: Erasing, journal: Journal, storage: SqlStorage, workspace: Workspace, clock: Clock
    ) -> None:
        """Read from these."""
        self._erasing = erasing
        self._journal = journal
        self._storage = storage
        self._workspace = workspace
        self._clock = clock
        self._words = load_texts("erasures", workspace.locale)

    async def act(self, erasure_id: str) -> bytes:
        """The act as PDF/A. Raises NotFoundError."""
        erasure = await self._erasing.find(erasure_id)
        words = self._words
        facts = [
            *await self._common(erasure),
            (words.get("paper.method"), words.get("paper.method_value")),
            (words.get("paper.keys"), ", ".join(f"{key.scope} ({key.fingerprint})" for key in erasure.keys) or "—"),
        ]
        answers = [(words.get("paper.crm_state"), words.get(f"order.{erasure.order.value}"))]
        if erasure.error_code:
            answers.append(("", erasure.error_code))
        if erasure.answered_at is not None:
            answers.append((words.get("paper.crm_at"), self._time(erasure.answered_at)))
        answers += [("", line) for line in tell_answer(erasure.answer, words)]
        data = {
            **self._frame(words.get("paper.title", number=str(erasure.number)), erasure),
            "facts": facts,
            "what": words.get("paper.what"),
            "heads": [words.get("paper.category"), words.get("paper.tables"), words.get("paper.count")],
            "rows": tell_rows(erasure, words),
            "crm": words.get("paper.crm"),
            "answers": answers,
            "notes": [
                (words.get("paper.staying"), words.get("paper.staying_value")),
                (words.get("paper.backups"), words.get("paper.backups_value", file=FILE)),
            ],
        }
        return await asyncio.to_thread(print_paper, "erasure_act", data, at=erasure.at)

    async def extract(self, erasure_id: str) -> bytes:
        """What the journal says of the erasure, as PDF/A. Raises NotFoundError, JournalUnavailableError."""
        erasure = await self._erasing.find(erasure_id)
        words = self._words
        found = await self._journal.newest(limit=_ENTRIES, on=erasure.subject_id)
        entries = [row for row in reversed(found) if row.entry.details.get("erasure") == erasure.erasure_id]
        heads = ("entry", "entry_at", "entry_tag", "entry_by", "entry_result", "entry_details")
        proven = await self._journal.extract([row.number for row in entries])
        categories = "; ".join(category for category, _, _ in tell_rows(erasure, words))
        data = {
            **self._frame(words.get("paper.extract_title"), erasure),
            "facts": [*await self._common(erasure), (words.get("paper.what"), categories)],
            "heads": [words.get(f"paper.{head}") for head in heads],
            "rows": [self._entry(row) for row in entries],
            "note": words.get("paper.journal_note"),
            "proof": words.get("paper.proof"),
            "proof_note": words.get("paper.proof_note"),
            "lines": [
                proven.key,
                *proven.checkpoint.splitlines(),
                *(part for entry in proven.entries for part in _cut(msgspec.json.encode(entry).decode())),
            ],
        }
        return await asyncio.to_thread(print_paper, "journal_extract", data, at=erasure.at)

    def _frame(self, title: str, erasure: Erasure) -> Mapping[str, Any]:
        return {
            "title": title,
            "salon": self._workspace.name,
            "made": f"{erasure.erasure_id} · {self._time(self._clock.now())}",
            "signed": self._words.get("paper.signed"),
        }

    async def _common(self, erasure: Erasure) -> Sequence[tuple[str, str]]:
        words, others = self._words, erasure.subject_ids[1:]
        database = "SQLite" if self._storage.is_local else "PostgreSQL"
        also = [(words.get("paper.also"), ", ".join(others))] if others else []
        return [
            (words.get("paper.operator"), self._workspace.name),
            (words.get("paper.operator_details"), "_" * 40),
            (words.get("paper.subject"), erasure.subject_id),
            *also,
            (words.get("paper.reason"), words.get(f"reason.{erasure.reason.value}")),
            (words.get("paper.at"), self._time(erasure.at)),
            (words.get("paper.by"), await self._who(erasure.by)),
            (words.get("paper.system"), words.get("paper.system_value", version=__version__, database=database)),
        ]

    async def _who(self, by: str) -> str:
        """Somebody of the salon by name; a command or a program by what it is."""
        if by in ("command", "system"):
            return self._words.get(f"paper.by_{by}")
        if by.startswith("tok"):
            return self._words.get("paper.by_token", id=by)
        person = await self._storage.read(lambda tx: tx.staff.find(by))
        return by if person is None else f"{person.name} ({by})"

    def _entry(self, row: JournalRow) -> Sequence[str]:
        entry = row.entry
        details = ", ".join(f"{name}: {value}" for name, value in entry.details.items() if value != "")
        return [str(row.number), self._time(row.at), entry.tag.value, entry.by, entry.result.value, details]

    def _time(self, at: datetime) -> str:
        local = at.astimezone(ZoneInfo(self._workspace.time_zone))
        return f"{local:%d.%m.%Y %H:%M:%S} (UTC{local:%z})"


def _cut(line: str) -> list[str]:
    """A long line as it fits the page; put together again it is the same."""
    return [line[start : start + _LINE] for start in range(0, len(line), _LINE)]


def tell_rows(erasure: Erasure, words: Texts) -> list[tuple[str, str, str]]:
    """What was destroyed: category, tables, rows; what there was none of is left out."""
    counts = {"keys": len(erasure.keys), **erasure.rows}
    return [(words.get(f"row.{name}"), TABLES[name], str(counts[name])) for name in TABLES if counts.get(name)]


def tell_answer(answer: str | None, words: Texts) -> list[str]:
    """What the CRM did, a line for each of its records: `lead:101=deleted` as «лид 101: удалено»; other words as they came."""
    lines = []
    for part in (answer or "").replace(";", " ").split():
        thing, equals, done = part.partition("=")
        kind, _, number = thing.partition(":")
        if equals and words.has(f"thing.{kind}") and words.has(f"done.{done}"):
            lines.append(f"{words.get(f'thing.{kind}', number=number)}: {words.get(f'done.{done}')}")
        else:
            lines.append(part)
    return list(dict.fromkeys(lines))
