"""Every table. Keys begin with `workspace_id`, so that the tables shard by workspace.

Times are whole microseconds since 1970 UTC (BIGINT): both engines compare them alike and the hot path converts nothing.
Columns named `sealed_*` hold ciphertext; blind indexes and hashes are `*_index` and `*_hash`. Changes go through a migration.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """An aware time as whole microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Into the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- as above
        """Out of the database."""
        return None if value is None else from_micros(value)


metadata = MetaData()

# What the partial indexes below hold, for the queries that need them: as literal SQL, because a planner that sees bound values
# cannot know that the index will do, and reads the whole history instead.
EVENT_IS_PENDING = text("events.state = 'received'")
EVENT_IS_FAILED = text("events.state = 'failed'")
LEAD_IS_CURRENT = text("leads.state IN ('pending', 'open')")
DELIVERY_IS_OPEN = text("deliveries.state IN ('waiting', 'sending', 'unknown')")
DELIVERY_IS_STUCK = text("deliveries.state IN ('dead', 'uncertain')")
REQUEST_IS_OPEN = text("state IN ('open', 'extended')")
REQUEST_IS_UNJOURNALED = text("is_journaled = 0")

# SQLite gives rowids only to a column declared exactly INTEGER PRIMARY KEY; PostgreSQL wants 64 bits.
Sequence64 = BigInteger().with_variant(Integer, "sqlite")


def _workspace() -> Column[str]:
    return Column("workspace_id", Text, nullable=False)


workspaces = Table(
    "workspaces",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("sealed_recovery", LargeBinary, nullable=True),
    Column("created_at", UtcTime, nullable=False),
)

data_keys = Table(
    "data_keys",
    metadata,
    _workspace(),
    Column("scope", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("wrapper_key_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "scope"),
)

connections = Table(
    "connections",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("last_event_at", UtcTime, nullable=True),
    Column("report", Text, nullable=True),
    Column("checked_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "connection_id"),
    CheckConstraint("state IN ('active', 'paused', 'removed')", name="connections_state"),
)
Index(
    "connections_live_name",
    connections.c.workspace_id,
    connections.c.name,
    unique=True,
    sqlite_where=text("state <> 'removed'"),
    postgresql_where=text("state <> 'removed'"),
)

secrets = Table(
    "secrets",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("live_until", UtcTime, nullable=True),
    Column("made_by", Text, nullable=True),
    Column("is_candidate", SmallInteger, nullable=False, server_default="0"),
    Column("overlap_s", Integer, nullable=True),
    PrimaryKeyConstraint("workspace_id", "connection_id", "name", "version"),
)

events = Table(
    "events",
    metadata,
    # Order of arrival; within one conversation a vendor sends the next message only after our answer, so it is also their order.
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _workspace(),
    Column("event_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("natural_key", LargeBinary, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("received_at", UtcTime, nullable=False),
    Column("processed_at", UtcTime, nullable=True),
    Column("key_scope", Text, nullable=False),
    Column("sealed_body", LargeBinary, nullable=True),
    Column("subject_id", Text, nullable=True),
    Column("lead_id", Text, nullable=True),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
    # The blind index covers workspace and connection already; it stands first because it alone tells entries apart.
    UniqueConstraint("natural_key", "workspace_id", name="events_natural_key"),
    UniqueConstraint("workspace_id", "event_id", name="events_id"),
    CheckConstraint("state IN ('received', 'lead', 'answered', 'ignored', 'failed')", name="events_state"),
)
# Only what is still to be worked on stands in this index, so claiming costs the same after a million events. In order of arrival,
# not by part: sixteen parts would be sixteen pages to write for as many arrivals.
Index(
    "events_pending",
    events.c.workspace_id,
    events.c.seq,
    events.c.part,
    events.c.connection_id,
    events.c.state,  # or SQLite would read the row to see it
    sqlite_where=text("state = 'received'"),
    postgresql_where=text("state = 'received'"),
)
Index(
    "events_failed",
    events.c.workspace_id,
    events.c.processed_at,
    sqlite_where=text("state = 'failed'"),
    postgresql_where=text("state = 'failed'"),
)
Index("events_received_at", events.c.workspace_id, events.c.received_at)
Index(
    "events_lead",
    events.c.workspace_id,
    events.c.lead_id,
    sqlite_where=text("lead_id IS NOT NULL"),
    postgresql_where=text("lead_id IS NOT NULL"),
)
# Whose an event is stands there once it was worked on, so that an arrival does not pay for this index.
EVENT_HAS_SUBJECT = text("events.subject_id IS NOT NULL")
Index(
    "events_subject",
    events.c.subject_id,
    events.c.workspace_id,
    sqlite_where=text("subject_id IS NOT NULL"),
    postgresql_where=text("subject_id IS NOT NULL"),
)

refusals = Table(
    "refusals",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("hour", UtcTime, nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "hour", "connection_id", "code"),
)

subjects = Table(
    "subjects",
    metadata,
    _workspace(),
    Column("subject_id", Text, nullable=False),
    Column("sealed_profile", LargeBinary, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("erased_at", UtcTime, nullable=True),
    Column("blocked_at", UtcTime, nullable=True),
    Column("block_reason", Text, nullable=True),
    PrimaryKeyConstraint("workspace_id", "subject_id"),
)
# Asked before every step of every lane, and nearly always empty.
SUBJECT_IS_BLOCKED = text("subjects.blocked_at IS NOT NULL")
Index(
    "subjects_blocked",
    subjects.c.workspace_id,
    subjects.c.subject_id,
    sqlite_where=text("blocked_at IS NOT NULL"),
    postgresql_where=text("blocked_at IS NOT NULL"),
)

identifiers = Table(
    "identifiers",
    metadata,
    _workspace(),
    Column("kind", Text, nullable=False),
    Column("value_index", LargeBinary, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind", "value_index"),
)
Index("identifiers_subject", identifiers.c.workspace_id, identifiers.c.subject_id)

conversations = Table(
    "conversations",
    metadata,
    _workspace(),
    Column("conversation_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("chat_index", LargeBinary, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("sealed_state", LargeBinary, nullable=False),
    Column("sealed_address", LargeBinary, nullable=True),
    Column("heard_at", UtcTime, nullable=True),
    Column("unreachable_since", UtcTime, nullable=True),
    Column("unreachable_code", Text, nullable=True),
    Column("opted_out_at", UtcTime, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "conversation_id"),
    UniqueConstraint("workspace_id", "connection_id", "chat_index", name="conversations_chat"),
)
Index("conversations_subject", conversations.c.workspace_id, conversations.c.subject_id)

messages = Table(
    "messages",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _workspace(),
    Column("conversation_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("outgoing", SmallInteger, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("workspace_id", "message_id", name="messages_id"),
)
Index("messages_conversation", messages.c.workspace_id, messages.c.conversation_id, messages.c.seq)

# What became of a message, under the vendor's id of it (a blind index: some vendors' ids contain a phone). Whichever comes
# first makes the row, our note that it was sent or the vendor's status.
message_fates = Table(
    "message_fates",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("vendor_index", LargeBinary, nullable=False),
    Column("message_id", Text, nullable=True),
    Column("delivery_id", Text, nullable=True),
    Column("status", Text, nullable=True),
    Column("error_code", Text, nullable=True),
    Column("changed_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "connection_id", "vendor_index"),
)
Index(
    "message_fates_message",
    message_fates.c.workspace_id,
    message_fates.c.message_id,
    sqlite_where=text("message_id IS NOT NULL"),
    postgresql_where=text("message_id IS NOT NULL"),
)
Index(
    "message_fates_delivery",
    message_fates.c.workspace_id,
    message_fates.c.delivery_id,
    sqlite_where=text("delivery_id IS NOT NULL"),
    postgresql_where=text("delivery_id IS NOT NULL"),
)

subject_joins = Table(
    "subject_joins",
    metadata,
    _workspace(),
    Column("subject_id", Text, nullable=False),
    Column("into_subject_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("joined_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "subject_id"),
)
Index("subject_joins_into", subject_joins.c.workspace_id, subject_joins.c.into_subject_id)

# What bot builders told before there was a register; emptied at the first start after it, see `crm.consent.register`.
consents = Table(
    "consents",
    metadata,
    _workspace(),
    Column("event_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("given_at", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "event_id"),
)
Index("consents_subject", consents.c.workspace_id, consents.c.subject_id)

# The words that people agree to, by version: never changed, never removed, nothing in them is about a person.
consent_texts = Table(
    "consent_texts",
    metadata,
    _workspace(),
    Column("text_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("made_by", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "text_id"),
    UniqueConstraint("workspace_id", "purpose", "locale", "version", name="consent_texts_version"),
    CheckConstraint("purpose IN ('processing', 'passing_on', 'advertising')", name="consent_texts_purpose"),
)

# Who agreed to what: lines are only added, each with a hash over itself and the one before. They outlive the person's erasure
# as ids, states and times; what is sealed goes with the key.
consent_register = Table(
    "consent_register",
    metadata,
    _workspace(),
    Column("number", BigInteger, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("text_id", Text, nullable=True),
    Column("text_hash", LargeBinary, nullable=True),
    Column("message_id", Text, nullable=True),
    Column("event_id", Text, nullable=False),
    Column("sealed_details", LargeBinary, nullable=False),
    Column("record_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workspace_id", "number"),
    CheckConstraint("purpose IN ('processing', 'passing_on', 'advertising')", name="consent_register_purpose"),
    CheckConstraint("decision IN ('given', 'told', 'refused', 'withdrawn')", name="consent_register_decision"),
)
Index(
    "consent_register_subject",
    consent_register.c.workspace_id,
    consent_register.c.subject_id,
    consent_register.c.number,
)

# Up to which line the audit journal has the register.
consent_journaled = Table(
    "consent_journaled",
    metadata,
    _workspace(),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id"),
)

invitations = Table(
    "invitations",
    metadata,
    _workspace(),
    Column("token_index", LargeBinary, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "token_index"),
)

leads = Table(
    "leads",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _workspace(),
    Column("lead_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("crm_connection_id", Text, nullable=True),
    Column("origin_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("crm_entity", Text, nullable=True),
    Column("crm_id", BigInteger, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime, nullable=True),
    UniqueConstraint("workspace_id", "lead_id", name="leads_id"),
    UniqueConstraint("workspace_id", "origin_id", name="leads_origin"),
    CheckConstraint("state IN ('pending', 'open', 'closed', 'refused')", name="leads_state"),
)
# One open lead per person: two workers that race for the first message of a client cannot both win.
Index(
    "leads_one_open",
    leads.c.workspace_id,
    leads.c.subject_id,
    unique=True,
    sqlite_where=text("state IN ('pending', 'open')"),
    postgresql_where=text("state IN ('pending', 'open')"),
)
Index("leads_subject", leads.c.subject_id, leads.c.workspace_id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    _workspace(),
    Column("delivery_id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("event_id", Text, nullable=True),
    Column("lead_id", Text, nullable=True),
    Column("subject_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", UtcTime, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("sealed_payload", LargeBinary, nullable=False),
    Column("error_code", Text, nullable=True),
    Column("error_detail", Text, nullable=True),
    Column("external_id", Text, nullable=True),
    Column("discard_reason", Text, nullable=True),
    Column("discarded_by", Text, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime, nullable=True),
    UniqueConstraint("workspace_id", "delivery_id", name="deliveries_id"),
    CheckConstraint(
        "state IN ('waiting', 'sending', 'unknown', 'done', 'dead', 'uncertain', 'discarded')", name="deliveries_state"
    ),
)
Index(
    "deliveries_open",
    deliveries.c.workspace_id,
    deliveries.c.lane,
    deliveries.c.seq,
    sqlite_where=text("state IN ('waiting', 'sending', 'unknown')"),
    postgresql_where=text("state IN ('waiting', 'sending', 'unknown')"),
)
Index(
    "deliveries_dead",
    deliveries.c.workspace_id,
    deliveries.c.seq,
    sqlite_where=text("state IN ('dead', 'uncertain')"),
    postgresql_where=text("state IN ('dead', 'uncertain')"),
)
# For counts without an order: every row has a number, and naming it leads SQLite to the partial index rather than to that of leads.
DELIVERY_IS_STUCK_IN_INDEX = and_(DELIVERY_IS_STUCK, deliveries.c.seq >= 0)
Index("deliveries_event", deliveries.c.workspace_id, deliveries.c.event_id)
Index("deliveries_lead", deliveries.c.workspace_id, deliveries.c.lead_id)
# The subject stands first: beginning with the workspace it would lure the planner away from the partial indexes.
Index("deliveries_subject", deliveries.c.subject_id, deliveries.c.workspace_id)
Index("deliveries_created_at", deliveries.c.workspace_id, deliveries.c.created_at)

attempts = Table(
    "attempts",
    metadata,
    _workspace(),
    Column("delivery_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime, nullable=True),
    Column("error_code", Text, nullable=True),
    PrimaryKeyConstraint("workspace_id", "delivery_id", "number"),
)

lanes = Table(
    "lanes",
    metadata,
    _workspace(),
    Column("lane", Text, nullable=False),
    Column("connection_id", Text, nullable=True),
    Column("due_at", UtcTime, nullable=True),
    Column("holder", Text, nullable=True),
    Column("lease_until", UtcTime, nullable=True),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("problem", Text, nullable=True),
    Column("problem_since", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "lane"),
)
# Lanes without work have no due time, so a million idle chats cost nothing to pass over.
Index(
    "lanes_due",
    lanes.c.workspace_id,
    lanes.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)

staff = Table(
    "staff",
    metadata,
    _workspace(),
    Column("staff_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "staff_id"),
    UniqueConstraint("workspace_id", "name_key", name="staff_name"),
)

setup_tokens = Table(
    "setup_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _workspace(),
    Column("staff_id", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _workspace(),
    Column("session_id", Text, nullable=False),
    Column("staff_id", Text, nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("proven_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

# What a person proves with besides the password. The secret of the codes is sealed under the `secrets` key of the salon.
staff_totp = Table(
    "staff_totp",
    metadata,
    _workspace(),
    Column("staff_id", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime, nullable=True),
    Column("last_step", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "staff_id"),
)

staff_passkeys = Table(
    "staff_passkeys",
    metadata,
    _workspace(),
    Column("credential_id", LargeBinary, nullable=False),
    Column("passkey_id", Text, nullable=False),
    Column("staff_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "credential_id"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _workspace(),
    Column("staff_id", Text, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workspace_id", "staff_id", "code_hash"),
)

# Browsers from which somebody has signed in before: guessing by strangers does not slow these down.
staff_devices = Table(
    "staff_devices",
    metadata,
    _workspace(),
    Column("token_hash", LargeBinary, nullable=False),
    Column("staff_id", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "token_hash"),
)

# What was asked of a browser and must be answered with once: the second step of a sign-in, a passkey.
staff_challenges = Table(
    "staff_challenges",
    metadata,
    _workspace(),
    Column("token_hash", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("staff_id", Text, nullable=True),
    Column("challenge", LargeBinary, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "token_hash"),
)

# Who looked at a client's data and why. The words are sealed under the key of the person they may be about.
reveals = Table(
    "reveals",
    metadata,
    _workspace(),
    Column("reveal_id", Text, nullable=False),
    Column("on_id", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("key_scope", Text, nullable=True),
    Column("sealed_words", LargeBinary, nullable=True),
    PrimaryKeyConstraint("workspace_id", "reveal_id"),
)
Index("reveals_on", reveals.c.workspace_id, reveals.c.on_id)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    _workspace(),
    Column("name_key", Text, nullable=False),
    Column("failed_at", UtcTime, nullable=False),
    Column("failures", Integer, nullable=False),
    PrimaryKeyConstraint("workspace_id", "name_key"),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    _workspace(),
    Column("started_at", UtcTime, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "started_at"),
)

sweeps = Table(
    "sweeps",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("swept_until", UtcTime, nullable=False),
    PrimaryKeyConstraint("workspace_id", "connection_id"),
)

salon_entries = Table(
    "salon_entries",
    metadata,
    _workspace(),
    Column("kind", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind", "entry_id"),
)

alerts = Table(
    "alerts",
    metadata,
    _workspace(),
    Column("cause", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("needs_person", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("clear_since", UtcTime, nullable=True),
    Column("solved_at", UtcTime, nullable=True),
    Column("round", Integer, nullable=False),
    Column("bout_round", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Column("flaps", Integer, nullable=False),
    PrimaryKeyConstraint("workspace_id", "cause", "subject"),
    CheckConstraint("state IN ('raised', 'solved', 'held')", name="alerts_state"),
)

alert_targets = Table(
    "alert_targets",
    metadata,
    _workspace(),
    Column("target_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("sealed_address", LargeBinary, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcTime, nullable=True),
    Column("retry_at", UtcTime, nullable=True),
    Column("last_error", Text, nullable=True),
    Column("last_sent_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "target_id"),
    UniqueConstraint("workspace_id", "name", name="alert_targets_name"),
)

# Which address has heard of which message: the number of the newest one that it took.
alerts_told = Table(
    "alerts_told",
    metadata,
    _workspace(),
    Column("cause", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("round", Integer, nullable=False),
    PrimaryKeyConstraint("workspace_id", "cause", "subject", "target_id"),
)

alert_notes = Table(
    "alert_notes",
    metadata,
    _workspace(),
    Column("topic", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "topic", "subject"),
)

# Events by connection and hour, without whose: what a channel usually brings.
flow_hours = Table(
    "flow_hours",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("hour", UtcTime, nullable=False),
    Column("total", Integer, nullable=False),
    PrimaryKeyConstraint("workspace_id", "connection_id", "hour"),
)

# Leads that somebody deleted in the CRM on purpose and said so: no difference any more.
accepted_leads = Table(
    "accepted_leads",
    metadata,
    _workspace(),
    Column("lead_id", Text, nullable=False),
    Column("accepted_at", UtcTime, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "lead_id"),
)

# What the owner decided: policies, terms, modes. Documents by name, without anything about a person.
rules = Table(
    "rules",
    metadata,
    _workspace(),
    Column("name", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "name"),
)

# How far each kind of data was swept, and how much went.
retention_marks = Table(
    "retention_marks",
    metadata,
    _workspace(),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("restarted_at", UtcTime, nullable=True),
    Column("swept_at", UtcTime, nullable=True),
    Column("gone_now", BigInteger, nullable=False),
    Column("gone_last", BigInteger, nullable=False),
    Column("gone_ever", BigInteger, nullable=False),
    Column("has_ended", SmallInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "kind"),
)

# Who was erased: ids, codes and counts. JSON where a list is only ever read whole.
erasures = Table(
    "erasures",
    metadata,
    _workspace(),
    Column("erasure_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("subject_ids", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("erased_at", UtcTime, nullable=False),
    Column("destroyed_keys", Text, nullable=False),
    Column("erased_rows", Text, nullable=False),
    Column("delivery_ids", Text, nullable=False),
    Column("order_state", Text, nullable=False),
    Column("order_answer", Text, nullable=True),
    Column("order_error_code", Text, nullable=True),
    Column("answered_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "erasure_id"),
    UniqueConstraint("workspace_id", "number", name="erasures_number"),
    CheckConstraint("order_state IN ('none', 'open', 'done', 'refused', 'given_up')", name="erasures_order_state"),
)

# Requests of people about their own data. `due_on` is a day of the salon, written YYYY-MM-DD.
subject_requests = Table(
    "subject_requests",
    metadata,
    _workspace(),
    Column("request_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_id", Text, nullable=True),
    Column("event_id", Text, nullable=True),
    Column("received_at", UtcTime, nullable=False),
    Column("due_on", Text, nullable=False),
    Column("key_scope", Text, nullable=False),
    Column("sealed_words", LargeBinary, nullable=True),
    Column("outcome", Text, nullable=True),
    Column("closed_at", UtcTime, nullable=True),
    Column("is_journaled", SmallInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "request_id"),
    CheckConstraint(
        "kind IN ('access', 'correct', 'block', 'erase', 'withdraw', 'stop', 'other')", name="subject_requests_kind"
    ),
    CheckConstraint("way IN ('chat', 'paper', 'email', 'in_person')", name="subject_requests_way"),
    CheckConstraint("state IN ('open', 'extended', 'closed')", name="subject_requests_state"),
    CheckConstraint("outcome IN ('done', 'refused', 'mistaken')", name="subject_requests_outcome"),
    Index(
        "subject_requests_open",
        "workspace_id",
        "due_on",
        sqlite_where=REQUEST_IS_OPEN,
        postgresql_where=REQUEST_IS_OPEN,
    ),
    Index(
        "subject_requests_unjournaled",
        "workspace_id",
        "received_at",
        sqlite_where=REQUEST_IS_UNJOURNALED,
        postgresql_where=REQUEST_IS_UNJOURNALED,
    ),
    Index("subject_requests_subject", "workspace_id", "subject_id"),
)

request_steps = Table(
    "request_steps",
    metadata,
    _workspace(),
    Column("request_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("sealed_note", LargeBinary, nullable=True),
    PrimaryKeyConstraint("workspace_id", "request_id", "number"),
)

# Incidents with personal data. The story is what people wrote; facts are counts and numbers.
incidents = Table(
    "incidents",
    metadata,
    _workspace(),
    Column("incident_id", Text, nullable=False),
    Column("is_drill", SmallInteger, nullable=False),
    Column("found_at", UtcTime, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("sealed_story", LargeBinary, nullable=False),
    Column("facts", Text, nullable=False),
    Column("closed_at", UtcTime, nullable=True),
    Column("closed_by", Text, nullable=True),
    PrimaryKeyConstraint("workspace_id", "incident_id"),
)
Index(
    "incidents_one_open",
    incidents.c.workspace_id,
    unique=True,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

# Nothing is sent through these connections; the empty id means any.
freezes = Table(
    "freezes",
    metadata,
    _workspace(),
    Column("connection_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("frozen_at", UtcTime, nullable=False),
    Column("frozen_by", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "connection_id"),
)

# Programs that use the API. The hash of the secret alone: a stolen copy opens nothing.
api_tokens = Table(
    "api_tokens",
    metadata,
    _workspace(),
    Column("token_id", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", Text, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime, nullable=True),
    Column("revoked_at", UtcTime, nullable=True),
    PrimaryKeyConstraint("workspace_id", "token_id"),
    CheckConstraint("role IN ('owner', 'integrator', 'manager', 'auditor')", name="api_tokens_role"),
)

# Answers by idempotency key for a day. Key and request are kept as keyed hashes; answers to writes hold no personal data.
api_answers = Table(
    "api_answers",
    metadata,
    _workspace(),
    Column("key_hash", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("claim", Text, nullable=False),
    Column("claimed_until", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("status", Integer, nullable=True),
    Column("body", LargeBinary, nullable=True),
    PrimaryKeyConstraint("workspace_id", "key_hash"),
    Index("api_answers_age", "workspace_id", "created_at"),
)
