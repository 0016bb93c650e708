"""Secrets as people see them: how old, whose, when due; replacing one leaves an entry in the journal. Values are never shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from leadgate.audit.trail import recorded
from leadgate.connections.book import ConnectionBook
from leadgate.connections.rotation import Found, Rotation
from leadgate.errors import ConfigurationError
from leadgate.model.connections import FindingState
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.renewals import (
    DUE_RULE,
    LONGEST_DAYS,
    LONGEST_OVERLAP,
    SHORTEST_DAYS,
    USUAL_OVERLAP,
    DueRule,
    Renewal,
    Renewed,
    SecretName,
    SecretView,
    due_at,
    light_of,
)
from leadgate.model.secret import Secret
from leadgate.model.staff import Staff
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Trail
from leadgate.ports.stores import StoredSecret, Transaction
from leadgate.storage.connections import load_report
from leadgate.storage.sql_storage import SqlStorage

VALUE = "value"
"""What the one value may be called in a secrets file, besides its own key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What is read together for a listing."""

    versions: Sequence[StoredSecret]
    rule: DueRule
    staff: Mapping[str, Staff]
    standings: Mapping[str, Any]
    now: datetime


class SecretDesk:
    """See `web.house.Secrets`."""

    def __init__(
        self, storage: SqlStorage, book: ConnectionBook, rotation: Rotation, journal: Trail, *, clock: Clock
    ) -> None:
        """List, and have rotated."""
        self._storage = storage
        self._book = book
        self._rotation = rotation
        self._journal = journal
        self._clock = clock

    async def all(self) -> Sequence[SecretView]:
        """Every secret of every connection: what is due first comes first, what has no due date last."""

        def read(tx: Transaction) -> tuple[Sequence[StoredSecret], DueRule, Sequence[Staff]]:
            return tx.secrets.all(), read_due_rule(tx), tx.staff.all()

        versions, rule, staff = await self._storage.read(read)
        facts = _Facts(
            versions=versions,
            rule=rule,
            staff={person.staff_id: person for person in staff},
            standings=await self._storage.query(lambda q: q.connection_standings()),
            now=self._clock.now(),
        )
        groups = groupby(versions, key=lambda one: SecretName(one.connection_id, one.name))
        views = [view for name, group in groups if (view := self._view(name, list(group), facts)) is not None]
        return sorted(views, key=lambda view: (view.next_due is None, view.next_due or view.created_at, view.name))

    async def due_rule(self) -> DueRule:
        """After how many days secrets are due."""
        return await self._storage.read(read_due_rule)

    def whole_name(self, name: str) -> str:
        """The name of a secret as the list has it. Raises NotFoundError."""
        return _whole_name(self._rotation.find(SecretName.read(name)))

    async def rotate(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str, may_hand: bool = True) -> Renewed:
        """Put a new value that we make in the place of the old one; what only the vendor makes is not touched.

        Raises:
            NotFoundError: no such secret. ConfigurationError: the overlap is out of range. ConflictError: the vendor said no;
                the old one stands. ServiceUnavailableError: no clear answer; both are accepted and the gateway goes on by
                itself. JournalUnavailableError: not journaled, so not done.
        """
        found = self._rotation.find(SecretName.read(name))
        _refuse_overlap(overlap)
        if not _only(found).is_made:
            return await self._rotation.rotate(found, overlap=overlap, by=by)
        async with recorded(self._journal, _entry(Tag.SECRET_ROTATED, found, by, overlap)):
            return await self._rotation.rotate(found, overlap=overlap, by=by, may_hand=may_hand)

    async def set(
        self, name: str, values: Mapping[str, Secret], *, overlap: timedelta = USUAL_OVERLAP, by: str
    ) -> Sequence[Renewed]:
        """Put values that a person brought in the place of the old ones, once the vendor has taken them.

        Args:
            name: of a secret, or the id of a connection when several keys change together.
            values: by key; the one value may also be called `value`, or by its whole name.

        Raises:
            NotFoundError, ConfigurationError, ConflictError, ServiceUnavailableError, JournalUnavailableError: as `rotate`, and
                `connections.rotation.Rotation.replace`.
        """
        wanted = SecretName.read(name)
        given = _by_key(wanted, values)
        found = self._rotation.find(wanted, keys=list(given))
        _refuse_overlap(overlap)
        async with recorded(self._journal, _entry(Tag.SECRET_SET, found, by, overlap)):
            return await self._rotation.replace(found, given, overlap=overlap, by=by)

    async def undo(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str) -> Sequence[Renewed]:
        """Put the version before back, as long as it is kept. Raises as `set`."""
        found = self._rotation.find(SecretName.read(name))
        async with recorded(self._journal, _entry(Tag.SECRET_RETURNED, found, by, overlap)):
            return await self._rotation.undo(found, overlap=overlap, by=by)

    async def confirm(self, name: str, *, by: str) -> int:
        """Destroy the version before at once; how many there were. Raises NotFoundError, JournalUnavailableError."""
        found = self._rotation.find(SecretName.read(name))
        async with recorded(self._journal, _entry(Tag.SECRET_CONFIRMED, found, by, None)):
            return await self._rotation.confirm(found)

    async def set_due(self, days: int, *, name: str | None = None, by: str) -> DueRule:
        """Decide after how many days secrets are due, all or one. Raises ConfigurationError, NotFoundError."""
        if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            raise ConfigurationError(
                f"Secrets are due after {SHORTEST_DAYS} to {LONGEST_DAYS} days.", code="secret.days_wrong"
            )
        one = None if name is None else self.whole_name(name)
        entry = JournalEntry(tag=Tag.SECRET_DUE_CHANGED, by=by, on=one or DUE_RULE, details={"days": days})

        def unit(tx: Transaction) -> DueRule:
            rule = read_due_rule(tx)
            by_name = rule.by_name if one is None else {**rule.by_name, one: days}
            decided = DueRule(days if one is None else rule.days, by_name)
            body = json.dumps({"days": decided.days, "by_name": dict(by_name)}, sort_keys=True).encode()
            tx.rules.set(DUE_RULE, body, by=by, at=self._clock.now())
            return decided

        async with recorded(self._journal, entry):
            return await self._storage.write(unit)

    def _view(self, name: SecretName, versions: Sequence[StoredSecret], facts: _Facts) -> SecretView | None:
        opened = self._book.find(name.connection_id)
        now_used = next((one for one in versions if not one.is_candidate and one.live_until is None), None)
        if opened is None or now_used is None:
            return None
        manifest = self._book.integration(opened.connection.kind).manifest
        field = next((one for one in manifest.fields if one.name == name.key and one.secret), None)
        if field is None:
            return None
        is_due = field.renewal is not Renewal.STAYS
        next_due = due_at(now_used.created_at, facts.rule.days_of(name)) if is_due else None
        overlaps = [one.live_until for one in versions if one.live_until is not None and one.live_until > facts.now]
        owner = facts.staff.get(now_used.made_by or "")
        return SecretView(
            name=name,
            kind=manifest.kind,
            title=manifest.title,
            connection_name=opened.connection.name,
            label_ru=field.label_ru,
            label_en=field.label_en,
            renewal=field.renewal,
            owner=now_used.made_by,
            owner_name=None if owner is None else owner.name,
            scopes=field.scopes,
            created_at=now_used.created_at,
            age=facts.now - now_used.created_at,
            next_due=next_due,
            light=light_of(next_due, now=facts.now),
            overlap_until=max(overlaps, default=None),
            is_unfinished=any(one.is_candidate for one in versions),
            last_used_at=_last_used(field.renewal, facts.standings.get(name.connection_id)),
        )


def read_due_rule(tx: Transaction) -> DueRule:
    """After how many days secrets are due."""
    stored = tx.rules.find(DUE_RULE)
    if stored is None:
        return DueRule()
    body = json.loads(stored.body)
    return DueRule(body["days"], body["by_name"])


def _last_used(renewal: Renewal, standing: Any) -> datetime | None:  # noqa: ANN401 - a row of a query
    """What we make proves those who write to us; what the vendor made proves us at the vendor, as its last good answer did."""
    if standing is None:
        return None
    at: datetime | None = standing.last_event_at
    if renewal.is_made:
        return at
    report = load_report(standing.report)
    at = standing.checked_at
    return at if report is not None and report.state is not FindingState.FAIL else None


def _only(found: Found) -> Renewal:
    (field,) = found.fields.values()
    return field.renewal


def _whole_name(found: Found) -> str:
    """The name of the one secret; of several the id of their connection."""
    keys = list(found.fields)
    return str(found.name(keys[0])) if len(keys) == 1 else found.connection_id


def _entry(tag: Tag, found: Found, by: str, overlap: timedelta | None) -> JournalEntry:
    details = {} if overlap is None else {"overlap_s": int(overlap.total_seconds())}
    return JournalEntry(tag=tag, by=by, on=_whole_name(found), details={**details, "keys": ",".join(found.fields)})


def _by_key(name: SecretName, values: Mapping[str, Secret]) -> Mapping[str, Secret]:
    if not values:
        raise ConfigurationError(
            "There is no value.", code="secret.value_missing", hint='Give one with --secrets-file, {"value": "…"}.'
        )
    if name.key and len(values) == 1:
        ((given, value),) = values.items()
        if given in {VALUE, name.key, str(name)}:
            return {name.key: value}
    if name.key and set(values) != {name.key}:
        raise ConfigurationError(
            "The secrets file holds something else.",
            code="secret.value_wrong",
            hint=f'For this secret it holds {{"{name.key}": "…"}} or {{"value": "…"}}.',
        )
    return values


def _refuse_overlap(overlap: timedelta) -> None:
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ConfigurationError(
            f"The overlap is 0 to {int(LONGEST_OVERLAP.total_seconds())} seconds.", code="secret.overlap_wrong"
        )
