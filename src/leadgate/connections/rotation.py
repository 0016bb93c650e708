"""Replacing secrets so that nothing honest is refused and nothing is lost when the process dies in the middle.

```
  1  commit   the new version is a candidate: accepted everywhere, used nowhere
  2  call     the vendor is told of it (what we made), or was asked whether it is good (what a person fetched)
  3  commit   the candidate is the one in use; the version before stays good for the overlap
```

Whoever finds a candidate later begins at 2 again: telling a vendor twice is harmless. When the vendor says no, it is told the
version in use once more, and only then the candidate is destroyed; until that is certain both are accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadgate.connections.book import ConnectionBook, secret_place
from leadgate.connections.vendor_side import VendorSide
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, ServiceUnavailableError
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.model.renewals import MOST_LIVE, Renewal, Renewed, SecretName
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.integration import Field, Integration, Manifest
from leadgate.ports.stores import Storage, StoredSecret, Transaction
from leadgate.vault.envelope import SECRETS, Vault

BY_HAND = "register_by_hand"
"""End of the code of a finding by which a vendor lets only a person enter our secret."""

_UNCERTAIN = (".unreachable", ".server_error", ".unavailable", ".answer_lost", ".answer_unreadable", ".busy")
"""Ends of the codes of findings after which nobody knows whether the vendor has our secret."""

_UNREGISTERED = Finding(
    "connection.public_url_missing",
    FindingState.WARN,
    "Nobody was told: LEADGATE_PUBLIC_URL is not set.",
    "Set LEADGATE_PUBLIC_URL=https://… and run: leadgate connections check",
)
_log = get_logger("secrets")


@dataclass(frozen=True, slots=True)
class Found:
    """A connection that is there, and those of its keys that are meant."""

    opened: OpenConnection
    integration: Integration
    fields: Mapping[str, Field]

    @property
    def connection_id(self) -> str:
        """Of the connection."""
        return self.opened.connection.connection_id

    def name(self, key: str) -> SecretName:
        """The name of a key."""
        return SecretName(self.connection_id, key)


class Rotation:
    """Puts new versions of secrets in the place of old ones."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        book: ConnectionBook,
        vendor: VendorSide,
        *,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        """Read and keep here."""
        self._storage = storage
        self._vault = vault
        self._book = book
        self._vendor = vendor
        self._clock = clock
        self._ids = ids

    def find(self, name: SecretName, *, keys: Sequence[str] = ()) -> Found:
        """The connection and the keys that are meant: those given, else the one of the name, else the only one there is.

        Raises:
            NotFoundError: there is no such connection or key.
        """
        opened = self._book.find(name.connection_id)
        if opened is None:
            raise NotFoundError(f"There is no connection {name.connection_id}.", hint="See: leadgate secrets list")
        integration = self._book.integration(opened.connection.kind)
        known = {field.name: field for field in integration.manifest.fields if field.secret}
        wanted = list(keys) or ([name.key] if name.key else [key for key in known if known[key].renewal.is_made])
        if any(key not in known for key in wanted) or not wanted or (len(wanted) > 1 and not keys):
            raise NotFoundError(
                f"{integration.manifest.title} has no secret of this name.",
                code="secret.unknown",
                hint=f"It knows: {', '.join(f'{name.connection_id}.{key}' for key in known)}.",
            )
        return Found(opened, integration, {key: known[key] for key in wanted})

    async def rotate(self, found: Found, *, overlap: timedelta, by: str, may_hand: bool = True) -> Renewed:
        """Make a new version of the one secret that is meant, and put it in the place of the old one.

        What only the vendor can make is not touched: `is_done` is False and a person has to act.

        Args:
            overlap: how long the version before stays good.
            may_hand: False when nobody is there to carry a new value to the vendor; then nothing changes where that is needed.

        Raises:
            ConflictError: the vendor said no; the old version stands. ServiceUnavailableError: it could not be reached.
        """
        ((key, field),) = found.fields.items()
        name, kind = found.name(key), found.opened.connection.kind
        if field.make is None or not field.renewal.is_made:
            return Renewed(name=name, kind=kind, renewal=field.renewal, is_done=False)
        begun = await self._begin(found, {key: None}, overlap=overlap, by=by)
        report = await self._tell(found, begun, may_hand=may_hand)
        until = await self._finish(begun)
        made = None if field.renewal is Renewal.OURS else begun[0].value
        return Renewed(
            name=name,
            kind=kind,
            renewal=field.renewal,
            is_done=True,
            made=made,
            overlap_until=until,
            findings=report.findings,
        )

    async def replace(
        self, found: Found, values: Mapping[str, Secret], *, overlap: timedelta, by: str
    ) -> Sequence[Renewed]:
        """Put values that a person brought in the place of the old ones, once the vendor has taken them.

        Raises:
            ConfigurationError: a value cannot be one, or belongs to another account. ConflictError: it is the one in use, or
                the vendor does not take it. ServiceUnavailableError: the vendor could not be asked. The old ones stand then.
        """
        for key, value in values.items():
            _refuse_wrong(found, found.fields[key], value)
        if all(found.opened.secret(key) == value for key, value in values.items()):
            raise ConflictError("This value is in use already.", code="secret.same", hint="Nothing was changed.")
        trial = with_first(found.opened, values)
        asked = await self._vendor.ask(found.integration, trial)
        _refuse_report(found.integration.manifest, asked, but_registration=True)
        _refuse_other_account(found.integration.manifest, found.opened, asked)
        begun = await self._begin(found, values, overlap=overlap, by=by)
        report = await self._tell(found, begun, asked=asked)
        until = await self._finish(begun)
        return [
            Renewed(
                name=found.name(one.stored.name),
                kind=found.opened.connection.kind,
                renewal=found.fields[one.stored.name].renewal,
                is_done=True,
                overlap_until=until,
                findings=report.findings,
            )
            for one in begun
        ]

    async def undo(self, found: Found, *, overlap: timedelta, by: str) -> Sequence[Renewed]:
        """Put the version before back in its place, as long as it is kept. Raises as `replace`."""
        ((key, _),) = found.fields.items()
        now = self._clock.now()
        kept = await self._storage.read(lambda tx: self._read(tx, found.connection_id, key))
        before = next((value for one, value in kept if not one.is_candidate and _runs_out(one, now)), None)
        if before is None:
            raise ConflictError(
                "The version before is not kept any more.", code="secret.nothing_to_undo", hint="Nothing was changed."
            )
        return await self.replace(found, {key: before}, overlap=overlap, by=by)

    async def confirm(self, found: Found) -> int:
        """Destroy the versions before: the new one is proven; returns how many there were."""
        now = self._clock.now()

        def unit(tx: Transaction) -> int:
            tx.secrets.hold(found.connection_id)
            count = 0
            for key in found.fields:
                for one in tx.secrets.of(found.connection_id, key):
                    if one.live_until is not None:
                        count += one.live_until > now
                        tx.secrets.drop(one)
            return count

        count = await self._storage.write(unit)
        await self._book.refresh(force=True)
        return count

    async def go_on(self, connection_id: str) -> bool:
        """Finish what a process that died began with the secrets of a connection; False when nothing was begun.

        What nobody has seen yet, and somebody should have been given, is rolled back.

        Raises:
            ConflictError: the vendor said no; the old version stands. ServiceUnavailableError: tried again later.
        """
        opened = self._book.find(connection_id)
        stored = [] if opened is None else await self._storage.read(lambda tx: self._candidates(tx, connection_id))
        if opened is None or not stored:
            return False
        found = self.find(SecretName(connection_id, ""), keys=[one.stored.name for one in stored])
        unseen = [one for one in stored if found.fields[one.stored.name].renewal is Renewal.HANDED]
        if unseen:
            await self._drop(found, unseen)
        if rest := [one for one in stored if one not in unseen]:
            await self._tell(found, rest)
            await self._finish(rest)
        _log.info("secret.finished", connection_id=connection_id, count=len(stored))
        return True

    async def _begin(
        self, found: Found, values: Mapping[str, Secret | None], *, overlap: timedelta, by: str
    ) -> list[Begun]:
        """Commit candidates; where one waits already and none is given, that one is taken."""
        connection_id, now = found.connection_id, self._clock.now()

        def unit(tx: Transaction) -> list[Begun]:
            tx.secrets.hold(connection_id)
            begun = []
            for key, value in values.items():
                versions = tx.secrets.of(connection_id, key)
                waiting = next((one for one in versions if one.is_candidate), None)
                if waiting is not None and value is None:
                    begun.append(Begun(waiting, self._book.open(tx, waiting)))
                    continue
                if waiting is not None:
                    tx.secrets.drop(waiting)
                made = value or Secret(_make(found.fields[key], self._ids))
                number = max((one.version for one in versions), default=0) + 1
                stored = self._seal(tx, found.name(key), number, made, overlap=overlap, by=by, at=now)
                tx.connections.add_secret(stored)
                begun.append(Begun(stored, made))
            return begun

        begun = await self._storage.write(unit)
        await self._book.refresh(force=True)
        return begun

    async def _tell(
        self, found: Found, begun: Sequence[Begun], *, asked: CheckReport | None = None, may_hand: bool = True
    ) -> CheckReport:
        """Let the vendor know; when it does not take it, everything is as before and the error says so."""
        registers = any(found.fields[one.stored.name].renewal is Renewal.REGISTERED for one in begun)
        needs = asked is not None and any(finding.needs_registration for finding in asked.findings)
        others = () if asked is None else tuple(one for one in asked.findings if not one.needs_registration)
        if not registers and not needs:
            return CheckReport(others)
        values = {one.stored.name: one.value for one in begun}
        told = await self._vendor.register(found.integration, with_first(found.opened, values))
        if told is None:
            return CheckReport((_UNREGISTERED, *others) if found.integration.open_channel is not None else others)
        if registers and _is_uncertain(told):
            raise ServiceUnavailableError(
                f"{found.integration.manifest.title} gave no clear answer, so both versions are accepted for now.",
                code="secret.unfinished",
                hint="Nothing is lost: the gateway asks again by itself and finishes.",
            )
        if registers and (told.state is FindingState.FAIL or (not may_hand and _is_by_hand(told))):
            await self._withdraw(found, begun)
            _refuse_report(found.integration.manifest, told)
            raise ConflictError(
                f"{found.integration.manifest.title} lets only a person enter the secret.",
                code="secret.by_hand",
                hint="Run: leadgate secrets rotate",
            )
        return CheckReport((*told.findings, *others))

    async def _withdraw(self, found: Found, begun: Sequence[Begun]) -> None:
        """Tell the vendor the version in use again; only then the candidates are of no use to anybody."""
        candidates = {one.value for one in begun}
        old = {
            key: tuple(value for value in values if value not in candidates)
            for key, values in found.opened.secrets.items()
        }
        told = await self._vendor.register(found.integration, replace(found.opened, secrets=old))
        if told is not None and told.state is FindingState.FAIL:
            _log.warning("secret.unfinished", connection_id=found.connection_id, error_code=told.findings[0].code)
            return
        await self._drop(found, begun)

    async def _drop(self, found: Found, begun: Sequence[Begun]) -> None:
        def unit(tx: Transaction) -> None:
            tx.secrets.hold(found.connection_id)
            for one in begun:
                tx.secrets.drop(one.stored)

        await self._storage.write(unit)
        await self._book.refresh(force=True)

    async def _finish(self, begun: Sequence[Begun]) -> datetime | None:
        """Use the candidates from now on; returns until when the versions before stay good, None when there are none."""
        now = self._clock.now()

        def unit(tx: Transaction) -> datetime | None:
            latest = None
            for one in begun:
                tx.secrets.hold(one.stored.connection_id)
                until = now + timedelta(seconds=one.stored.overlap_s or 0)
                latest = _promote(tx, one.stored, until=until, at=now) or latest
            tx.lanes.resume(begun[0].stored.connection_id, now=now)
            return latest

        until = await self._storage.write(unit)
        await self._book.refresh(force=True)
        return until

    def _seal(
        self,
        tx: Transaction,
        name: SecretName,
        version: int,
        value: Secret,
        *,
        overlap: timedelta,
        by: str,
        at: datetime,
    ) -> StoredSecret:
        place = secret_place(name.connection_id, name.key, version)
        return StoredSecret(
            connection_id=name.connection_id,
            name=name.key,
            version=version,
            sealed_value=self._vault.seal(tx, SECRETS, place, value.reveal().encode()),
            created_at=at,
            live_until=None,
            made_by=by,
            is_candidate=True,
            overlap_s=int(overlap.total_seconds()),
        )

    def _read(self, tx: Transaction, connection_id: str, key: str) -> list[tuple[StoredSecret, Secret]]:
        return [(one, self._book.open(tx, one)) for one in tx.secrets.of(connection_id, key)]

    def _candidates(self, tx: Transaction, connection_id: str) -> list[Begun]:
        versions = [one for one in tx.secrets.all() if one.connection_id == connection_id and one.is_candidate]
        return [Begun(one, self._book.open(tx, one)) for one in versions]


@dataclass(frozen=True, slots=True)
class Begun:
    """A candidate and its value."""

    stored: StoredSecret
    value: Secret


def with_first(opened: OpenConnection, values: Mapping[str, Secret]) -> OpenConnection:
    """The connection as if these were the newest of its secrets; the others stay good."""
    secrets = dict(opened.secrets)
    for key, value in values.items():
        secrets[key] = (value, *(one for one in opened.secrets.get(key, ()) if one != value))
    return replace(opened, secrets=secrets)


def _promote(tx: Transaction, candidate: StoredSecret, *, until: datetime, at: datetime) -> datetime | None:
    """Until when the version before stays good; None when there is none, or somebody was quicker."""
    versions = tx.secrets.of(candidate.connection_id, candidate.name)
    if not any(one.version == candidate.version and one.is_candidate for one in versions):
        return next((one.live_until for one in versions if one.live_until is not None), None)
    before = [one for one in versions if one.version != candidate.version and not one.is_candidate]
    for one in before:
        if one.live_until is None:
            tx.secrets.set_until(one, until)
    # However often somebody rotates in a row, what is to be tried for each request stays bounded.
    for one in before[MOST_LIVE - 1 :]:
        tx.secrets.drop(one)
    tx.secrets.promote(candidate, at=at)
    return until if before and until > at else None


def _make(field: Field, ids: IdSource) -> str:
    if field.make is None:
        raise TypeError(f"{field.name} cannot be made")
    return field.make(ids)


def _runs_out(one: StoredSecret, now: datetime) -> bool:
    return one.live_until is not None and one.live_until > now


def _refuse_wrong(found: Found, field: Field, value: Secret) -> None:
    problem = "must not be empty" if not value.reveal() else field.problem(value.reveal()) if field.problem else None
    if problem is not None:
        raise ConfigurationError(f"`{field.name}`: {problem}", code="connection.key_wrong")
    now = found.opened.secret(field.name)
    if field.account_of is None or now is None:
        return
    if field.account_of(now.reveal()) != field.account_of(value.reveal()):
        raise _other_account(found.integration.manifest)


def _refuse_other_account(manifest: Manifest, opened: OpenConnection, report: CheckReport) -> None:
    """What the vendor told of itself before, it must tell now: else clients would write to one account and hear from another."""
    for name, told in report.learned.items():
        if opened.settings.get(name, told) != told:
            raise _other_account(manifest)


def _other_account(manifest: Manifest) -> ConfigurationError:
    return ConfigurationError(
        f"This value belongs to another account at {manifest.title}.",
        code="secret.other_account",
        hint="Nothing was changed. For another account run: leadgate connect",
    )


def _refuse_report(manifest: Manifest, report: CheckReport, *, but_registration: bool = False) -> None:
    failed = [
        finding
        for finding in report.findings
        if finding.state is FindingState.FAIL and not (but_registration and finding.needs_registration)
    ]
    if not failed:
        return
    message = f"{manifest.title}: {failed[0].text}"
    hint = f"The version before stays in use. {failed[0].cure}".strip()
    if failed[0].code.endswith(".unreachable"):
        raise ServiceUnavailableError(message, code="secret.unreachable", hint=hint)
    raise ConflictError(message, code="secret.refused", hint=hint)


def _is_uncertain(report: CheckReport) -> bool:
    """True when the vendor may have taken it, or may take it a moment later."""
    return any(f.state is FindingState.FAIL and f.code.endswith(_UNCERTAIN) for f in report.findings)


def _is_by_hand(report: CheckReport) -> bool:
    return any(finding.code.endswith(BY_HAND) for finding in report.findings)
