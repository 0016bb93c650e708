"""The owner reads what goes to whom and decides it anew: the journal first, then the rule, then everything that runs here."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from leadgate.audit.trail import recorded
from leadgate.errors import ConflictError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.views import HeldBack
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Transaction
from leadgate.privacy.decisions import Decision, Place, decide, decide_health, read_reason
from leadgate.privacy.rules import (
    HEALTH,
    POLICIES,
    Change,
    Health,
    HealthMode,
    PrivacyRules,
    Standing,
    health_body,
    policies_body,
    read_rules,
)
from leadgate.storage.sql_storage import SqlStorage

_TAGS = {POLICIES: Tag.POLICY_CHANGED, HEALTH: Tag.HEALTH_MODE_CHANGED}
HELD_BACK_SHOWN = timedelta(days=30)


class PolicyDesk:
    """See `web.house.Policies`."""

    def __init__(
        self, storage: SqlStorage, journal: Journal, *, clock: Clock, on_change: Callable[[], Awaitable[None]]
    ) -> None:
        """Call `on_change` so that a decision holds in this process at once; others follow within seconds."""
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._on_change = on_change

    async def now(self) -> PrivacyRules:
        """What holds now, read afresh."""
        return await self._storage.read(read_rules)

    async def names(self) -> Mapping[str, str]:
        """Names of the staff by id."""
        people = await self._storage.read(lambda tx: tx.staff.all())
        return {person.staff_id: person.name for person in people}

    async def held_back(self, *, since: datetime | None = None) -> Sequence[HeldBack]:
        """What was masked on its way out, by hour, oldest first; of the last thirty days unless it is said."""
        start = self._clock.now() - HELD_BACK_SHOWN if since is None else since
        return await self._storage.query(lambda q: q.held_back(since=start))

    async def set_policies(
        self, *, opened: Sequence[Place], closed: Sequence[Place], reason: str, by: str
    ) -> PrivacyRules:
        """Open and close places. Raises ConfigurationError (see `decide`), ConflictError, JournalUnavailableError."""
        now = await self.now()
        decision = decide(now, opened=opened, closed=closed, reason=reason)
        standing = now.policies_standing
        change = self._change(standing, by, reason, opened=decision.opened, closed=decision.closed)
        body = policies_body(decision.wish, decision.fields, (*standing.changes, change))
        return await self._keep(change, standing, name=POLICIES, body=body, told=_told(decision))

    async def set_health(self, *, mode: HealthMode, document: str | None, reason: str, by: str) -> PrivacyRules:
        """Treat health another way. Raises ConfigurationError (see `decide_health`), ConflictError, JournalUnavailableError."""
        now = await self.now()
        wanted = decide_health(now.health, mode=mode, document=document, reason=reason)
        standing = now.health_standing
        opened, closed = _words(wanted) - _words(now.health), _words(now.health) - _words(wanted)
        change = self._change(standing, by, reason, opened=tuple(sorted(opened)), closed=tuple(sorted(closed)))
        body = health_body(wanted, (*standing.changes, change))
        told = {"mode": wanted.mode.value}
        if wanted.document is not None:
            told["document_sha256"] = _hash(wanted.document)
        return await self._keep(change, standing, name=HEALTH, body=body, told=told)

    def _change(
        self, standing: Standing, by: str, reason: str, *, opened: tuple[str, ...], closed: tuple[str, ...]
    ) -> Change:
        said = read_reason(reason, is_needed=False)
        return Change(standing.version + 1, self._clock.now(), by, said, opened, closed)

    async def _keep(
        self, change: Change, standing: Standing, *, name: str, body: bytes, told: Mapping[str, str]
    ) -> PrivacyRules:
        details: dict[str, str | int] = {"version": change.version, **told}
        if change.reason:
            details["reason_sha256"] = _hash(change.reason)
        entry = JournalEntry(tag=_TAGS[name], by=change.by, on=name, details=details)

        def unit(tx: Transaction) -> PrivacyRules:
            found = tx.rules.find(name)
            if (0 if found is None else found.version) != standing.version:
                raise ConflictError(
                    "Somebody decided about the same a moment ago.",
                    code="policy.changed_meanwhile",
                    hint="Look at what holds now, then decide again.",
                )
            tx.rules.set(name, body, by=change.by, at=change.at)
            return read_rules(tx)

        async with recorded(self._journal, entry):
            rules = await self._storage.write(unit)
        await self._on_change()
        return rules


def _told(decision: Decision) -> dict[str, str]:
    places = {"opened": ",".join(decision.opened), "closed": ",".join(decision.closed)}
    return {name: words for name, words in places.items() if words}


def _words(health: Health) -> set[str]:
    return {health.mode.value} | ({"document"} if health.document is not None else set())


def _hash(text: str) -> str:
    """The text itself stays in the rule; the journal proves which it was."""
    return hashlib.sha256(text.encode()).hexdigest()
