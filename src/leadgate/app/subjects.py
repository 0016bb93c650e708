"""A person's rights at the desk: find, show, export, correct, block. Every look and every act is in the journal, by id alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import MappingProxyType

from leadgate.app.retention import read_terms
from leadgate.app.targets import Portal
from leadgate.audit.trail import recorded
from leadgate.catalogue.texts import load_texts
from leadgate.crm.identity import Identities
from leadgate.delivery.payloads import Outbox
from leadgate.errors import LeadgateError, NotFoundError, ServiceUnavailableError
from leadgate.intake.phones import find_e164
from leadgate.model.journal import JournalEntry, Result, Tag
from leadgate.model.leads import CrmRecord, LeadRef
from leadgate.model.person_file import FORMAT, FiledCrm, PersonFile
from leadgate.model.retention import kinds
from leadgate.model.subjects import Blocked, BlockReason, Corrected, NewValues, SubjectCard, Unblocked
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Transaction, Workspace
from leadgate.rights import blocking
from leadgate.rights.card import make_card
from leadgate.rights.correction import Corrections
from leadgate.rights.finding import Finder
from leadgate.rights.gathering import Gathered, Gathering, Part
from leadgate.rights.reader import Reader
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.envelope import Vault

CALLS_END_WITHIN = timedelta(seconds=12)
"""How long a block waits for calls that had begun: a little more than most take."""

_LOOK_AGAIN_S = 0.2
_EXPLAINED = (
    *("profiles", "identifiers", "joins", "consents", "invitations", "conversations", "events"),
    *("leads", "deliveries", "crm", "retention", "more"),
)
_NO_DETAILS: Mapping[str, str] = MappingProxyType({})
_log = get_logger("subjects")


class Subjects:
    """See `web.house.Subjects`."""

    def __init__(
        self,
        storage: SqlStorage,
        vault: Vault,
        reader: Reader,
        *,
        identities: Identities,
        outbox: Outbox,
        journal: Callable[[], Journal],
        find_portal: Callable[[], Portal | None],
        workspace: Workspace,
        clock: Clock,
        on_change: Callable[[], None],
        parts: Sequence[Part] = (),
    ) -> None:
        """Call `on_change` when there is new work; `parts` are what other rooms add to a person's file."""
        self._storage = storage
        self._vault = vault
        self._identities = identities
        self._journal = journal
        self._find_portal = find_portal
        self._workspace = workspace
        self._clock = clock
        self._on_change = on_change
        self._finder = Finder(vault)
        self._corrections = Corrections(vault, identities, outbox, reader)
        self._gathering = Gathering(vault, identities, reader, parts)

    async def find(self, identifier: str, *, by: str) -> str:
        """The id that stands for the person; the search is in the journal, what was searched for is not.

        Raises:
            NotFoundError: nobody is known by it. ConflictError: several people are.
        """
        try:
            subject_id = await self._storage.read(lambda tx: self._finder.get(tx, identifier))
        except LeadgateError as error:
            await self._record(Tag.SUBJECT_SEARCHED, by, None, result=Result.REFUSED, details={"code": error.code})
            raise
        await self._record(Tag.SUBJECT_SEARCHED, by, subject_id)
        return subject_id

    async def card(self, subject_id: str, *, by: str, is_open: bool = False) -> SubjectCard:
        """The person's card, masked unless `is_open`; who looked is in the journal. Raises NotFoundError."""
        await self._get(subject_id)
        await self._record(Tag.SUBJECT_SEARCHED, by, subject_id, details={"action": "revealed" if is_open else "shown"})
        return await self._storage.read(
            lambda tx: make_card(tx, self._identities, self._identities.root(tx, subject_id), is_open=is_open)
        )

    async def export(self, subject_id: str, *, by: str) -> PersonFile:
        """Everything that is held of the person, the CRM asked as well. Raises NotFoundError."""
        await self._get(subject_id)
        async with self._recorded(Tag.SUBJECT_EXPORTED, by, subject_id):
            gathered, terms = await self._storage.read(
                lambda tx: (self._gathering.gather(tx, subject_id), read_terms(tx))
            )
            crm = await self._ask_crm(gathered)
        texts = load_texts("person", "ru")
        return PersonFile(
            format=FORMAT,
            made_at=self._clock.now(),
            salon=self._workspace.name,
            subject=gathered.subjects[0],
            subjects=gathered.subjects,
            explained={name: texts.get(f"explain.{name}") for name in _EXPLAINED},
            profiles=gathered.profiles,
            identifiers=gathered.identifiers,
            joins=gathered.joins,
            consents=gathered.consents,
            invitations=gathered.invitations,
            conversations=gathered.conversations,
            events=gathered.events,
            leads=gathered.leads,
            deliveries=gathered.deliveries,
            crm=crm,
            retention={kind.value: terms.days(kind) for kind in kinds()},
            more=gathered.more,
        )

    async def correct(self, subject_id: str, values: NewValues, *, by: str) -> Corrected:
        """Put right what is wrong, here and in the CRM.

        Raises:
            NotFoundError: there is no such person. ConflictError: they were erased.
            ConfigurationError: nothing would change.
        """
        await self._get(subject_id)
        at = self._clock.now()
        names = [name for name in ("name", "phone", "email") if getattr(values, name) is not None]
        async with self._recorded(Tag.SUBJECT_CORRECTED, by, subject_id, fields=",".join(names)):
            done = await self._storage.write(lambda tx: self._corrections.correct(tx, subject_id, values, at=at))
        _log.info("subject.corrected", count=len(done.orders), action=by)
        self._on_change()
        return done

    async def block(self, subject_id: str, reason: BlockReason, *, by: str) -> Blocked:
        """Nothing about the person goes out from now on; waits a while for calls that had begun.

        Raises:
            NotFoundError: there is no such person. ConflictError: they were erased.
        """
        await self._get(subject_id)
        at = self._clock.now()
        async with self._recorded(Tag.SUBJECT_BLOCKED, by, subject_id, reason=reason.value):
            since = await self._storage.write(lambda tx: blocking.block(tx, subject_id, reason, at=at))
        until_s = self._clock.monotonic_s() + CALLS_END_WITHIN.total_seconds()
        while True:
            found = await self._storage.write(lambda tx: blocking.look_after_block(tx, subject_id, since=since))
            if found.in_hand == 0 or self._clock.monotonic_s() >= until_s:
                break
            await asyncio.sleep(_LOOK_AGAIN_S)
        _log.info("subject.blocked", count=found.waiting, action=by)
        return found

    async def unblock(self, subject_id: str, *, by: str) -> Unblocked:
        """What waited goes on.

        Raises:
            NotFoundError: there is no such person. ConflictError: they are not blocked.
        """
        await self._get(subject_id)
        at = self._clock.now()
        async with self._recorded(Tag.SUBJECT_UNBLOCKED, by, subject_id):
            done = await self._storage.write(lambda tx: blocking.unblock(tx, subject_id, at=at))
        _log.info("subject.unblocked", count=done.resumed, action=by)
        self._on_change()
        return done

    async def _get(self, subject_id: str) -> None:
        if await self._storage.read(lambda tx: tx.persons.find(subject_id)) is None:
            raise NotFoundError(
                f"There is no person {subject_id}.", code="subject.unknown", hint="Search: leadgate subject find PHONE"
            )

    async def _ask_crm(self, gathered: Gathered) -> FiledCrm:
        """What the CRM holds of the person; contacts by which we know somebody else are somebody else's."""
        portal = self._find_portal()
        if portal is None:
            return FiledCrm(state="not_connected", asked_at=None, records=[], withheld=0)
        refs = await self._storage.read(lambda tx: _refs(tx, gathered.subjects, portal.connection_id))
        at = self._clock.now()
        try:
            records = await portal.crm.read_records(refs) if refs else []
        except ServiceUnavailableError:
            return FiledCrm(state="not_reached", asked_at=at, records=[], withheld=0)
        kept = await self._storage.read(
            lambda tx: [record for record in records if not self._is_others(tx, gathered.subjects, record)]
        )
        state = "asked" if records else "nothing_there"
        return FiledCrm(state=state, asked_at=at, records=kept, withheld=len(records) - len(kept))

    def _is_others(self, tx: Transaction, subject_ids: Sequence[str], record: CrmRecord) -> bool:
        if not record.name.startswith("contact:"):
            return False
        marks = [("phone", phone) for number in record.phones if (phone := find_e164(number)) is not None]
        marks += [("email", email.strip().casefold()) for email in record.emails]
        owners = (tx.subjects.find_by(kind, self._vault.index(tx.workspace_id, kind, value)) for kind, value in marks)
        return any(owner is not None and owner not in subject_ids for owner in owners)

    def _recorded(self, tag: Tag, by: str, subject_id: str, **details: str) -> AbstractAsyncContextManager[None]:
        return recorded(self._journal(), JournalEntry(tag=tag, by=by, on=subject_id, details=details))

    async def _record(
        self,
        tag: Tag,
        by: str,
        subject_id: str | None,
        *,
        result: Result = Result.DONE,
        details: Mapping[str, str] = _NO_DETAILS,
    ) -> None:
        await self._journal().record(JournalEntry(tag=tag, by=by, on=subject_id, result=result, details=dict(details)))


def _refs(tx: Transaction, subject_ids: Sequence[str], connection_id: str) -> list[LeadRef]:
    found = (one.lead for one in tx.persons.leads(subject_ids))
    return [lead.ref for lead in found if lead.ref is not None and lead.crm_connection_id == connection_id]
