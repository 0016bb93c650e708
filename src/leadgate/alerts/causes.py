"""From what is seen of the house to what is wrong with it, by thresholds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from leadgate.catalogue.meanings import meaning_of
from leadgate.model.alerts import (
    CHANNEL_FAULT,
    Alert,
    AlertTarget,
    Cause,
    ConnectionSigns,
    DiskSpace,
    Ending,
    Signs,
    Trouble,
)
from leadgate.settings import AlertThresholds

NEEDS_PERSON = frozenset({"revoked", "plan", "rights", "portal", "our_call", "webhook", "certificate", "address"})
"""Meanings of error codes that no waiting cures."""

NOBODY_CAN_CURE = frozenset({"blocked", "no_chat"})
"""Meanings of dead letters that are nobody's business: the client left."""

PERSON_AFTER = timedelta(seconds=5)
"""Such a refusal is told almost at once; the moment is for a portal that restarts."""

ADDRESS_AFTER = timedelta(minutes=5)
DATABASE_CHECK = "database_check"
"""Topic of the note that says which check of the database failed."""

JOURNAL_CHECK = "journal_check"
JOURNAL_OUTSIDE = "journal_outside"
"""Topic of the note that says what is wrong with the audit journal."""

BACKUP_MADE = "backup"
"""Topic of the note that says when the newest backup was made; there is none before the first."""

SECRET_OVERDUE = "secret_overdue"  # noqa: S105 - the name of a topic
"""Topic of the notes on secrets that are past their due date; the subject is the secret's name, the detail its key."""

CHANNEL_AFTER = timedelta(minutes=3)
"""A vendor that cannot be asked once is a hiccup; three looks of the watchdog in a row are none."""

_UNKNOWN_WHILE_PAUSED = frozenset({Cause.CONNECTION, Cause.QUEUE, Cause.SILENCE, Cause.CHANNEL})
_OF_A_SUBJECT = _UNKNOWN_WHILE_PAUSED | {Cause.PAUSED, Cause.DEAD, Cause.UNCERTAIN, Cause.FAILED, Cause.ADDRESS}

NameKind = Callable[[str], str]


def find_troubles(
    signs: Signs, *, now: datetime, limits: AlertThresholds, name_kind: NameKind, targets: list[AlertTarget]
) -> list[Trouble]:
    """Everything that is wrong for longer than its threshold.

    Args:
        signs: what the database shows.
        now: aware UTC.
        limits: thresholds.
        name_kind: the vendor's name for a kind of connection.
        targets: where alarms are sent.
    """
    found: list[Trouble] = []
    for signs_of_one in signs.connections:
        who = name_connection(signs_of_one, name_kind)
        troubles = _of_connection(signs_of_one, now, limits, who)
        # What an incident stops is late on purpose and has an alarm of its own.
        is_frozen = signs_of_one.connection_id in signs.frozen
        found += [one for one in troubles if not (is_frozen and one.cause is Cause.QUEUE)]
    found += _of_house(signs, now, limits)
    found += _of_channels(signs, now, limits, name_kind)
    found += _of_secrets(signs, name_kind)
    found += _of_targets(targets, now)
    return found


def find_endings(
    known: Iterable[Alert], signs: Signs, targets: Iterable[AlertTarget]
) -> dict[tuple[Cause, str], Ending]:
    """Alarms that must not end with "works again": a person paused or removed what they are about."""
    paused = {one.connection_id for one in signs.connections if one.is_paused}
    present = {one.connection_id for one in signs.connections} | {target.target_id for target in targets}
    endings: dict[tuple[Cause, str], Ending] = {}
    for cause, subject in (alert.key for alert in known):
        if cause in _OF_A_SUBJECT and subject not in present:
            endings[cause, subject] = Ending.REMOVED
        elif cause in _UNKNOWN_WHILE_PAUSED and subject in paused:
            endings[cause, subject] = Ending.PAUSED
    return endings


def find_disk_trouble(
    space: DiskSpace | None, *, now: datetime, limits: AlertThresholds, was_raised: bool
) -> Trouble | None:
    """Too little space; once raised it lasts until there is a fifth more, so that a log that turns over does not flap."""
    least = limits.disk_free_bytes * 6 // 5 if was_raised else limits.disk_free_bytes
    if space is None or space.free >= least:
        return None
    return Trouble(cause=Cause.DISK, count=space.free // (1 << 20), since=now)


def name_connection(signs: ConnectionSigns, name_kind: NameKind) -> str:
    """What people call a connection: the vendor, and the salon's own name where it says more."""
    title = name_kind(signs.kind)
    return title if signs.name in ("", title) else f"{title} «{signs.name}»"


def _of_connection(signs: ConnectionSigns, now: datetime, limits: AlertThresholds, who: str) -> Iterator[Trouble]:
    subject = signs.connection_id
    if signs.is_paused:
        waiting = signs.waiting + signs.pending
        if waiting and now - signs.changed_at >= limits.paused_after:
            yield Trouble(cause=Cause.PAUSED, subject=subject, who=who, count=waiting, since=signs.changed_at)
    elif signs.problem is not None and signs.problem_since is not None:
        needs_person = meaning_of(signs.problem) in NEEDS_PERSON
        if now - signs.problem_since >= (min(PERSON_AFTER, limits.down_after) if needs_person else limits.down_after):
            yield Trouble(
                cause=Cause.CONNECTION,
                subject=subject,
                who=who,
                detail=signs.problem,
                count=signs.waiting,
                since=signs.problem_since,
                needs_person=needs_person,
            )
    elif signs.overdue_since is not None and now - signs.overdue_since >= limits.queue_after:
        since, count = signs.overdue_since, signs.waiting
        yield Trouble(cause=Cause.QUEUE, subject=subject, who=who, count=count, since=since, needs_person=False)
    yield from _of_ends(signs, who)


def _of_ends(signs: ConnectionSigns, who: str) -> Iterator[Trouble]:
    """What is over and wants a person."""
    dead = {code: count for code, count in signs.dead.items() if meaning_of(code) not in NOBODY_CAN_CURE}
    if dead and signs.dead_since is not None:
        most = max(sorted(dead), key=lambda code: dead[code])
        count = sum(dead.values())
        yield Trouble(
            cause=Cause.DEAD, subject=signs.connection_id, who=who, detail=most, count=count, since=signs.dead_since
        )
    for cause, count, since in (
        (Cause.UNCERTAIN, signs.uncertain, signs.uncertain_since),
        (Cause.FAILED, signs.failed, signs.failed_since),
    ):
        if count and since is not None:
            yield Trouble(cause=cause, subject=signs.connection_id, who=who, count=count, since=since)


def _of_house(signs: Signs, now: datetime, limits: AlertThresholds) -> Iterator[Trouble]:
    if signs.homeless and signs.homeless_since is not None and now - signs.homeless_since >= limits.queue_after:
        yield Trouble(cause=Cause.NO_CRM, count=signs.homeless, since=signs.homeless_since)
    if signs.pending and signs.pending_since is not None and now - signs.pending_since >= limits.queue_after:
        yield Trouble(cause=Cause.INBOX, count=signs.pending, since=signs.pending_since)
    if signs.differences and signs.reconciled_at is not None:
        yield Trouble(cause=Cause.LEDGER, count=signs.differences, since=signs.reconciled_at)
    for note in signs.notes:
        if note.topic == DATABASE_CHECK:
            yield Trouble(cause=Cause.DATABASE, subject=note.topic, detail=note.detail, since=note.at)
        elif note.topic == JOURNAL_CHECK:
            yield Trouble(cause=Cause.JOURNAL, detail=note.detail, since=note.at)
        elif note.topic == JOURNAL_OUTSIDE:
            yield Trouble(cause=Cause.OUTSIDE, detail=note.detail, since=note.at)
        elif note.topic == BACKUP_MADE and now - note.at >= limits.backup_after:
            yield Trouble(cause=Cause.BACKUP, since=note.at)


def _of_channels(signs: Signs, now: datetime, limits: AlertThresholds, name_kind: NameKind) -> Iterator[Trouble]:
    """What the watchdog found. A channel whose sending has told the same already is not told of twice."""
    by_id = {one.connection_id: one for one in signs.connections if not one.is_paused}
    for note in signs.notes:
        one = by_id.get(note.subject)
        if note.topic != CHANNEL_FAULT or one is None or one.problem == note.detail:
            continue
        needs_person = meaning_of(note.detail) in NEEDS_PERSON
        if now - note.at >= (min(CHANNEL_AFTER, limits.down_after) if needs_person else limits.down_after):
            yield Trouble(
                cause=Cause.CHANNEL,
                subject=note.subject,
                who=name_connection(one, name_kind),
                detail=note.detail,
                since=note.at,
                needs_person=needs_person,
            )


def _of_secrets(signs: Signs, name_kind: NameKind) -> Iterator[Trouble]:
    """What should have been replaced days ago. One alarm per secret; those of removed connections are nobody's business."""
    by_id = {one.connection_id: one for one in signs.connections}
    for note in signs.notes:
        one = by_id.get(note.subject.partition(".")[0])
        if note.topic == SECRET_OVERDUE and one is not None:
            who = name_connection(one, name_kind)
            yield Trouble(cause=Cause.SECRET, subject=note.subject, who=who, since=note.at)


def _of_targets(targets: list[AlertTarget], now: datetime) -> Iterator[Trouble]:
    for target in targets:
        since = target.failing_since
        if since is not None and now - since >= ADDRESS_AFTER:
            yield Trouble(
                cause=Cause.ADDRESS,
                subject=target.target_id,
                who=target.name,
                detail=target.last_error or "",
                count=target.failures,
                since=since,
            )
