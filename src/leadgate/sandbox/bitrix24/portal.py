"""The state of the invented portal: records, comments, directories, who may call, and what was counted.

All in memory; `kept.py` can keep it in a file. Rules about changing records live in `records.py`, methods in
their own modules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo

from leadgate.sandbox.bitrix24 import directories
from leadgate.sandbox.bitrix24.envelope import bad_argument
from leadgate.sandbox.bitrix24.fields import CONTACT, DEAL, LEAD, Entity

NO_AUTH_FOUND = "NO_AUTH_FOUND"
CLASSIC_MODE = 1
SIMPLE_MODE = 2
MAX_RECORDS = 100_000  # of each kind; a double left running must not eat the machine
DEFAULT_SCOPES = frozenset({"crm"})


@dataclass(slots=True)
class MultiField:
    """One phone, address or messenger name of a record, with an id of its own."""

    id: int
    type_id: str
    value_type: str
    value: str


@dataclass(slots=True)
class Record:
    """A lead, deal or contact. `values` are keyed by the names of `crm.item.*`; times are aware datetimes."""

    entity: Entity
    id: int
    values: dict[str, object]
    multifields: list[MultiField] = field(default_factory=list)

    def first(self, type_id: str) -> str | None:
        """The first multi-field value of this type, or None."""
        return next((entry.value for entry in self.multifields if entry.type_id == type_id), None)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment or a to-do in the timeline of a record; `kind` says which."""

    id: int
    owner_type: str
    owner_id: int
    text: str
    author_id: int
    created: datetime
    kind: str = "comment"


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call runs. `key` tells webhooks and tokens apart in the time budget, it is no secret.

    `expires_at` None: never; a token past it gets `expired_token`.
    """

    user_id: int
    key: str
    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None
    is_app: bool = False


@dataclass(slots=True)
class User:
    """The employee whose webhook is used."""

    name: str = "Алина"
    last_name: str = "Садыкова"
    is_admin: bool = False


def _tell_nobody() -> None:
    """The default listener to changes."""


class Store:
    """Records of one type, in the order of their ids.

    Attributes:
        next_id: what the next new record will be called.
        limit: how many it holds; over that new ones are refused.
        on_change: called after every change.
    """

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.limit = MAX_RECORDS
        self.on_change: Callable[[], None] = _tell_nobody
        self._records: dict[int, Record] = {}
        self._by_origin: dict[str, set[int]] = {}
        self._by_value: dict[tuple[str, str], set[int]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def new_id(self) -> int:
        """The next free id.

        Raises:
            RestError: the sandbox holds as many records as it keeps.
        """
        if len(self._records) >= self.limit:
            raise bad_argument("ERROR_CORE", "The sandbox is full, start a fresh one")
        number, self.next_id = self.next_id, self.next_id + 1
        return number

    def find(self, number: int) -> Record | None:
        """The record with this id, or None."""
        return self._records.get(number)

    def keep(self, record: Record) -> None:
        """Stores a new or a changed record."""
        self._records[record.id] = record
        origin = record.values.get("originId")
        if isinstance(origin, str):
            self._by_origin.setdefault(origin.casefold(), set()).add(record.id)
        for entry in record.multifields:
            self._by_value.setdefault((entry.type_id, as_written(entry.value)), set()).add(record.id)
        self.on_change()

    def forget(self, number: int) -> None:
        """Removes the record; nothing happens when there is none."""
        self._records.pop(number, None)
        self.on_change()

    def with_origin(self, origin: str) -> list[Record]:
        """Records that have, or once had, this origin id, oldest first: a short list to filter further."""
        numbers = sorted(self._by_origin.get(origin.casefold(), ()))
        return [self._records[number] for number in numbers if number in self._records]

    def with_value(self, type_id: str, written: str) -> list[Record]:
        """Records whose phone or address (`type_id`) reads `written`, oldest first."""
        numbers = sorted(self._by_value.get((type_id, written), ()))
        known = (self._records[number] for number in numbers if number in self._records)
        return [
            record
            for record in known
            if any(entry.type_id == type_id and as_written(entry.value) == written for entry in record.multifields)
        ]


def as_written(value: str) -> str:
    """The form in which two phones or addresses are compared: letter case and an extension after `#` go."""
    return value.partition("#")[0].strip().casefold()


@dataclass(slots=True)
class Counters:
    """What the sandbox has seen since its start."""

    requests: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Portal:
    """Everything that the invented portal remembers. Tests read it and may change it at any time.

    Attributes:
        mode: 1 classic CRM with leads, 2 simple CRM without.
        has_rest: False plays a portal whose plan has no REST.
        refusal_of_wrong_secret: the `error` code for it; the sources disagree, so it can be chosen.
        strict_sources: True refuses an unknown `sourceId` in `crm.item.*`, as some portals do.
        denied: methods that the user's CRM role does not allow, in small letters.
        max_entries: how many timeline entries it holds; over that new ones are refused.
        on_change: called after every change that was made through methods; not when a test sets an attribute.
    """

    webhooks: dict[tuple[int, str], Caller] = field(default_factory=dict)
    tokens: dict[str, Caller] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    scopes: frozenset[str] = DEFAULT_SCOPES
    mode: int = CLASSIC_MODE
    has_rest: bool = True
    refusal_of_wrong_secret: str = NO_AUTH_FOUND
    strict_sources: bool = False
    zone: tzinfo = timezone(timedelta(hours=3))
    zone_name: str = "Europe/Moscow"
    statuses: Mapping[str, tuple[directories.Status, ...]] = field(default_factory=lambda: directories.STANDARD)
    leads: Store = field(default_factory=lambda: Store(first_id=101))
    deals: Store = field(default_factory=lambda: Store(first_id=2001))
    contacts: Store = field(default_factory=lambda: Store(first_id=30001))
    comments: dict[int, Comment] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    denied: frozenset[str] = frozenset()
    max_entries: int = MAX_RECORDS
    on_change: Callable[[], None] = _tell_nobody
    last_entry_id: int = 0
    last_multifield_id: int = 8000
    _timeline: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hears of the changes in its stores."""
        for store in (self.leads, self.deals, self.contacts):
            store.on_change = self.note_change

    def note_change(self) -> None:
        """Tells whoever listens that something is different now."""
        self.on_change()

    def store(self, entity: Entity) -> Store:
        """Where records of this type are kept."""
        return {LEAD.type_id: self.leads, DEAL.type_id: self.deals, CONTACT.type_id: self.contacts}[entity.type_id]

    def status(self, directory: str | None, code: object) -> directories.Status | None:
        """The row `code` of a directory, or None."""
        rows = self.statuses.get(directory or "", ())
        return next((status for status in rows if status.code == code), None)

    def new_multifield_id(self) -> int:
        """A fresh id for a phone or an address; odd steps, so that nobody counts on neighbours."""
        self.last_multifield_id += 2
        return self.last_multifield_id

    def new_entry_id(self) -> int:
        """A fresh id for a timeline entry.

        Raises:
            RestError: the sandbox holds as many entries as it keeps.
        """
        if len(self.comments) >= self.max_entries:
            raise bad_argument("ERROR_CORE", "The sandbox is full, start a fresh one")
        self.last_entry_id += 1
        return self.last_entry_id

    def keep_comment(self, comment: Comment) -> None:
        """Puts a comment or a to-do into the timeline of its owner."""
        self.comments[comment.id] = comment
        self._timeline.setdefault((comment.owner_type, comment.owner_id), []).append(comment.id)
        self.note_change()

    def forget_comment(self, number: int) -> None:
        """Takes an entry out of the timeline.

        Raises:
            KeyError: there is none with this id.
        """
        del self.comments[number]
        self.note_change()

    def forget_timeline(self, owner_type: str, owner_id: int) -> None:
        """Takes the whole timeline of a record away; it goes with its record."""
        for number in self._timeline.pop((owner_type, owner_id), ()):
            self.comments.pop(number, None)
        self.note_change()

    def timeline(self, owner_type: str, owner_id: int) -> list[Comment]:
        """The entries of one record, oldest first."""
        numbers = self._timeline.get((owner_type, owner_id), ())
        return [self.comments[number] for number in numbers if number in self.comments]
