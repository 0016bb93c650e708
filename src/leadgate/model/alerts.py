"""Alarms: what is seen of the house, what is raised, and where it is sent. Identifiers, counts and times; no personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

CANARY_ID = "conn_canary"
"""Connection that the daily trial event comes from; in no list and in none of the owner's numbers."""

CANARY_KIND = "canary"

CHANNEL_FAULT = "channel"
"""Topic of the note that says what is wrong with a channel; its subject is the connection, its detail the code."""


class Cause(StrEnum):
    """What an alarm is about; one alarm per cause and subject."""

    CONNECTION = "connection"
    """A connection's target does not take what we send."""
    PAUSED = "paused"
    """A connection was paused by a person and things wait for it."""
    NO_CRM = "no_crm"
    """Leads wait and no CRM is connected."""
    DEAD = "dead"
    """Deliveries gave up."""
    UNCERTAIN = "uncertain"
    """Deliveries whose outcome only a person can clear up."""
    QUEUE = "queue"
    """Deliveries are overdue though their target is well."""
    INBOX = "inbox"
    """Received events are not worked on."""
    FAILED = "failed"
    """Events that broke our code."""
    SILENCE = "silence"
    """A channel is silent at an hour when people usually write."""
    CHANNEL = "channel"
    """A messenger does not bring what clients write, or could not soon: the watchdog's finding."""
    DISK = "disk"
    """Little space is left."""
    DATABASE = "database"
    """The database is away, cannot commit, or a check of it failed."""
    JOURNAL = "journal"
    """The audit journal was changed from outside, or cannot be written."""
    OUTSIDE = "outside"
    """The place outside does not take the journal's checkpoints."""
    CUSTODIAN = "custodian"
    """Whoever keeps the key encryption key does not answer."""
    BACKUP = "backup"
    """The newest backup is too old; raised only where one was ever made."""
    LEDGER = "ledger"
    """The last reconciliation found differences."""
    CANARY = "canary"
    """The daily trial event did not come through."""
    ERASURE = "erasure"
    """The CRM has not destroyed what it was ordered to, and somebody has to see to it."""
    REQUEST = "request"
    """A person waits for the answer to a request about their data; its subject is the request, its detail the stage."""
    CALENDAR = "calendar"
    """The working-day calendar of a year that is near is missing."""
    FROZEN = "frozen"
    """Nothing is sent because of an incident with personal data."""
    NOTICE = "notice"
    """A notice to Roskomnadzor is due soon, or late."""
    SECRET = "secret"  # noqa: S105 - the name of a cause
    """A token or webhook secret is past its due date; its subject is the secret's name."""
    ADDRESS = "address"
    """An address that alarms are sent to does not take them."""


class AlertState(StrEnum):
    """Where an alarm stands."""

    RAISED = "raised"
    SOLVED = "solved"
    HELD = "held"
    """Seen again soon after it was solved; told only when it lasts."""


class MessageKind(StrEnum):
    """What the newest message about an alarm says."""

    RAISED = "raised"
    CHANGED = "changed"
    """It became graver: now it needs a person."""
    REMINDER = "reminder"
    SOLVED = "solved"


class Ending(StrEnum):
    """How an alarm ended whose trouble nobody cured."""

    PAUSED = "paused"
    """A person paused the connection."""
    REMOVED = "removed"
    """A person removed the connection or the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong now and lasts longer than its threshold.

    Attributes:
        subject: a connection's, request's or address's id, or "" where the cause is about the whole house.
        who: what people call the subject, or "".
        detail: an error code or a number as text; the wording chooses by it. "" when there is none.
        count: how many wait, died or fail; of silence, how many usually come.
    """

    cause: Cause
    subject: str = ""
    who: str = ""
    detail: str = ""
    count: int = 0
    since: datetime
    needs_person: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alarm as it is remembered.

    Attributes:
        detail: as in `Trouble`; of a solved one an `Ending`, or "" when the trouble was cured.
        since: since when the trouble lasts; of a solved one, of the last bout.
        seen_at: when we saw this bout first.
        clear_since: since when the trouble is not seen any more; None while it is.
        solved_at: when the last bout ended; None in the first one.
        round: number of the newest message, from 1; `kind` says what it tells, `told_at` since when it is due.
        bout_round: number of the first message of this bout.
        flaps: how often it came back soon after it was solved.
    """

    cause: Cause
    subject: str
    who: str
    detail: str
    count: int
    since: datetime
    needs_person: bool
    state: AlertState
    seen_at: datetime
    clear_since: datetime | None
    solved_at: datetime | None
    round: int
    bout_round: int
    kind: MessageKind
    told_at: datetime
    flaps: int

    @property
    def key(self) -> tuple[Cause, str]:
        """Cause and subject."""
        return self.cause, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTarget:
    """Where alarms are sent. The address itself is sealed: it holds secrets.

    Attributes:
        service: the service's own name, for instance `Telegram`.
        failures: failed sends in a row; `failing_since` the time of the first, `retry_at` of the next try.
        last_error: code of the last failure; None after a success.
    """

    target_id: str
    name: str
    service: str
    created_at: datetime
    sealed_address: bytes = field(repr=False)
    failures: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    last_error: str | None = None
    last_sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSigns:
    """What the database shows of one connection.

    Attributes:
        changed_at: when its state or settings were changed last.
        problem: code of its lanes' trouble, or None; `problem_since` since when.
        waiting: deliveries to it that are not over; `overdue_since` the due time of the most overdue one.
        pending: events from it that nobody worked on.
        dead: dead letters by error code; `dead_since` the oldest's end. Likewise `uncertain`, and `failed` events.
        last_event_at: when it last sent us something.
    """

    connection_id: str
    kind: str
    name: str
    is_paused: bool
    changed_at: datetime
    problem: str | None = None
    problem_since: datetime | None = None
    waiting: int = 0
    overdue_since: datetime | None = None
    pending: int = 0
    dead: Mapping[str, int] = field(default_factory=dict)
    dead_since: datetime | None = None
    uncertain: int = 0
    uncertain_since: datetime | None = None
    failed: int = 0
    failed_since: datetime | None = None
    last_event_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact that another part of the house left for the alarms.

    Attributes:
        topic: what it is about, for instance `database_check`; `subject` tells several of a topic apart.
        detail: a code, or "".
    """

    topic: str
    subject: str
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the database shows of the house at one moment.

    Attributes:
        homeless: deliveries that wait for a CRM to be connected; `homeless_since` the oldest's time.
        pending_since: when the oldest event came that should be worked on now.
        differences: of the newest reconciliation, `reconciled_at` its time; None when there was none.
        frozen: connections through which nothing is sent because of an incident.
    """

    connections: Sequence[ConnectionSigns]
    homeless: int = 0
    homeless_since: datetime | None = None
    pending: int = 0
    pending_since: datetime | None = None
    differences: int = 0
    reconciled_at: datetime | None = None
    notes: Sequence[Note] = ()
    frozen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Space of the file system that holds the data directory, in bytes."""

    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOverview:
    """What is raised now and where it is sent.

    Attributes:
        alerts: those that are raised; `solved` those that ended within the last day, newest first.
        unsent: messages that an address has not taken yet.
        looked_at: when a worker last looked for trouble; None before the first time.
    """

    alerts: Sequence[Alert]
    targets: Sequence[AlertTarget]
    unsent: int
    looked_at: datetime | None
    solved: Sequence[Alert] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWords:
    """An alarm in the salon's language.

    Attributes:
        title: what happened, without a full stop.
        since: since when and how many wait; of a solved one from when to when.
        cure: what to do; "" when nothing is left to do.
        place: path of the page where it can be done.
    """

    title: str
    since: str
    cure: str
    place: str


@dataclass(frozen=True, slots=True)
class AddressTrial:
    """Whether an address took a test message; `error_code` None when it did."""

    target_id: str
    name: str
    error_code: str | None
