from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from leadgate.alerts.causes import BACKUP_MADE, SECRET_OVERDUE, find_disk_trouble, find_troubles
from leadgate.model.alerts import CHANNEL_FAULT, AlertTarget, Cause, ConnectionSigns, DiskSpace, Note, Signs
from leadgate.settings import AlertThresholds
from leadgate.testing.connections import NOW

LIMITS = AlertThresholds()
CRM = ConnectionSigns(connection_id="conn_1", kind="bitrix24", name="CRM", is_paused=False, changed_at=NOW)
TARGET = AlertTarget(target_id="addr_1", name="Первый", service="JSON", created_at=NOW, sealed_address=b"")


def causes(signs: Signs, targets: list[AlertTarget] | None = None) -> list[tuple[str, str, int]]:
    """Cause, subject and count of everything that is wrong."""
    found = find_troubles(signs, now=NOW, limits=LIMITS, name_kind=str.title, targets=targets or [])
    return [(trouble.cause.value, trouble.subject, trouble.count) for trouble in found]


def minutes(count: float) -> timedelta:
    """A span."""
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (CRM, []),
        (replace(CRM, waiting=9), []),
        (replace(CRM, problem="bitrix24.timeout", problem_since=NOW - minutes(4), waiting=2), []),
        (replace(CRM, problem="bitrix24.timeout", problem_since=NOW - minutes(6), waiting=2), [("connection", 2)]),
        (replace(CRM, problem="bitrix24.NO_AUTH_FOUND", problem_since=NOW, waiting=2), []),
        (
            replace(CRM, problem="bitrix24.NO_AUTH_FOUND", problem_since=NOW - minutes(0.2), waiting=2),
            [("connection", 2)],
        ),
        (replace(CRM, waiting=5, overdue_since=NOW - minutes(29)), []),
        (replace(CRM, waiting=5, overdue_since=NOW - minutes(31)), [("queue", 5)]),
        (
            replace(CRM, waiting=5, overdue_since=NOW - minutes(31), problem="bitrix24.timeout", problem_since=NOW),
            [],
        ),
        (replace(CRM, is_paused=True, changed_at=NOW - minutes(61), waiting=1, pending=2), [("paused", 3)]),
        (replace(CRM, is_paused=True, changed_at=NOW - minutes(59), waiting=1), []),
        (replace(CRM, is_paused=True, changed_at=NOW - minutes(600)), []),
        (replace(CRM, dead={"bitrix24.ERROR_ARGUMENT": 2, "": 1}, dead_since=NOW), [("dead", 3)]),
        (replace(CRM, dead={"telegram.blocked_by_user": 4}, dead_since=NOW), []),
        (replace(CRM, uncertain=2, uncertain_since=NOW), [("uncertain", 2)]),
        (replace(CRM, failed=1, failed_since=NOW), [("failed", 1)]),
    ],
)
def test_a_connection_is_in_trouble_past_its_thresholds(
    signs: ConnectionSigns, expected: list[tuple[str, int]]
) -> None:
    """What cures itself soon is nobody's alarm; what nobody can cure is none either."""
    assert causes(Signs(connections=[signs])) == [(cause, "conn_1", count) for cause, count in expected]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(connections=[], homeless=3, homeless_since=NOW - minutes(31)), ("no_crm", "", 3)),
        (Signs(connections=[], pending=3, pending_since=NOW - minutes(31)), ("inbox", "", 3)),
        (Signs(connections=[], differences=1, reconciled_at=NOW), ("ledger", "", 1)),
        (
            Signs(connections=[], notes=[Note(topic="database_check", subject="", at=NOW, detail="page 7")]),
            ("database", "database_check", 0),
        ),
        (
            Signs(connections=[], notes=[Note(topic="journal_check", subject="", at=NOW, detail="journal.changed")]),
            ("journal", "", 0),
        ),
        (
            Signs(
                connections=[], notes=[Note(topic="journal_outside", subject="", at=NOW, detail="journal.not_outside")]
            ),
            ("outside", "", 0),
        ),
        (
            Signs(
                connections=[], notes=[Note(topic=BACKUP_MADE, subject="", at=NOW - minutes(2 * 24 * 60), detail="")]
            ),
            ("backup", "", 0),
        ),
    ],
)
def test_the_house_is_in_trouble(signs: Signs, expected: tuple[str, str, int]) -> None:
    """Causes without a connection."""
    assert causes(signs) == [expected]


def test_a_fresh_backup_is_no_trouble_and_neither_is_none_at_all() -> None:
    """Whoever never made one with our command may have a way of their own."""
    fresh = Note(topic=BACKUP_MADE, subject="", at=NOW - minutes(2 * 24 * 60 - 1), detail="")
    assert causes(Signs(connections=[], notes=[fresh])) == []
    assert causes(Signs(connections=[])) == []


def test_an_overdue_secret_is_a_trouble_while_its_connection_is_there() -> None:
    """Each secret rings for itself; that of a removed connection is nobody's business."""
    note = Note(
        topic=SECRET_OVERDUE, subject=f"{CRM.connection_id}.webhook_url", at=NOW - minutes(1), detail="webhook_url"
    )
    assert causes(Signs(connections=[CRM], notes=[note])) == [("secret", note.subject, 0)]
    assert causes(Signs(connections=[], notes=[note])) == []


def test_an_address_that_fails_is_a_trouble_of_its_own() -> None:
    """The alarm path is watched like everything else."""
    failing = replace(TARGET, failures=4, failing_since=NOW - minutes(6), last_error="alert.refused")
    assert causes(Signs(connections=[]), [failing]) == [("address", "addr_1", 4)]
    assert causes(Signs(connections=[]), [replace(failing, failing_since=NOW - minutes(4))]) == []


def test_the_most_frequent_cause_of_dead_letters_is_named() -> None:
    """The cure is chosen by it."""
    signs = replace(CRM, dead={"a.x": 1, "bitrix24.ERROR_ARGUMENT": 5}, dead_since=NOW)
    (trouble,) = find_troubles(
        Signs(connections=[signs]), now=NOW, limits=LIMITS, name_kind=lambda _: "Битрикс24", targets=[]
    )
    assert (trouble.detail, trouble.who) == ("bitrix24.ERROR_ARGUMENT", "Битрикс24 «CRM»")


def test_a_full_disk_is_raised_below_the_limit_and_ends_a_fifth_above_it() -> None:
    """A log that turns over must not ring all night."""
    limit = LIMITS.disk_free_bytes

    def is_wrong(free: int, *, was_raised: bool) -> bool:
        space = DiskSpace(free=free, total=limit * 100)
        return find_disk_trouble(space, now=NOW, limits=LIMITS, was_raised=was_raised) is not None

    assert is_wrong(limit - 1, was_raised=False)
    assert not is_wrong(limit, was_raised=False)
    assert is_wrong(limit, was_raised=True)
    assert not is_wrong(limit * 6 // 5, was_raised=True)
    assert find_disk_trouble(None, now=NOW, limits=LIMITS, was_raised=True) is None


def test_every_cause_is_found_somewhere() -> None:
    """A cause that nothing raises is a promise that nobody keeps; those of the last two lines have senses of their own."""
    table = {"connection", "queue", "paused", "dead", "uncertain", "failed", "no_crm", "inbox", "ledger", "database"}
    table |= {"address", "disk", "channel", "journal", "outside", "backup", "secret"}
    assert {cause.value for cause in Cause} == table | {
        *("silence", "canary", "erasure"),
        *("request", "calendar", "custodian"),
        *("frozen", "notice"),
    }


@pytest.mark.parametrize(
    ("code", "age_min", "is_told"),
    [
        ("telegram.token_revoked", 1, False),
        ("telegram.token_revoked", 3, True),
        ("connection.certificate_ending", 3, True),
        ("telegram.unreachable", 4, False),
        ("telegram.unreachable", 6, True),
    ],
)
def test_a_channel_that_brings_nothing_is_told(code: str, age_min: float, is_told: bool) -> None:
    """Nobody notices a messenger that fell silent; one look that failed is no reason to wake the owner."""
    note = Note(topic=CHANNEL_FAULT, subject="conn_1", at=NOW - minutes(age_min), detail=code)
    assert causes(Signs(connections=[CRM], notes=[note])) == ([("channel", "conn_1", 0)] if is_told else [])


def test_a_channel_is_told_of_once() -> None:
    """Its sending found the same: two alarms about one token would be one too many. Of a paused one nothing is told."""
    note = Note(topic=CHANNEL_FAULT, subject="conn_1", at=NOW - minutes(60), detail="telegram.token_revoked")
    sending = replace(CRM, problem="telegram.token_revoked", problem_since=NOW - minutes(60), waiting=1)
    assert causes(Signs(connections=[sending], notes=[note])) == [("connection", "conn_1", 1)]
    paused = replace(CRM, is_paused=True)
    assert causes(Signs(connections=[paused], notes=[note])) == []
