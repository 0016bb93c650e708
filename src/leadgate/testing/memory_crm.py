"""A CRM in memory that keeps the port's promises: it passes the conformance suite, and is quick for tests of other rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from leadgate.errors import ServiceUnavailableError
from leadgate.model.connections import CheckReport, Finding, FindingState
from leadgate.model.leads import (
    AddTimelineEntry,
    CreateLead,
    CrmCommand,
    CrmEntity,
    CrmEntry,
    CrmRecord,
    EraseLead,
    LeadRef,
    Person,
    SweptLead,
    UpdateLead,
)
from leadgate.model.outcomes import Delivered, LeadClosed, NotExecuted, Outcome, OutcomeUnknown, RetryLater, Scope
from leadgate.ports.crm import BeforeCall


class Mood(Enum):
    """How the portal behaves now."""

    WELL = "well"
    DOWN = "down"
    LOSES_ANSWERS = "loses answers"
    """Carries out what it is told, but nobody hears of it."""


@dataclass(slots=True)
class KeptLead:
    """A lead in the portal."""

    ref: LeadRef
    origin_id: str
    name: str | None
    phones: list[str]
    entries: dict[str, str] = field(default_factory=dict)
    is_closed: bool = False
    originator: str = "leadgate"
    changed_at: datetime = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)


class MemoryCrm:
    """See `ports.crm.Crm`."""

    def __init__(self) -> None:
        """An empty portal that is well."""
        self.mood = Mood.WELL
        self.leads: list[KeptLead] = []
        self._made: dict[str, LeadRef] = {}
        self._last_id = 0

    def capacity(self) -> int:
        """Ten commands."""
        return 10

    async def deliver(self, commands: Sequence[CrmCommand], before_call: BeforeCall) -> list[Outcome]:
        """Carry out in order; a lost answer makes everything that was carried out unknown."""
        before_call()
        if self.mood is Mood.DOWN:
            return [RetryLater("memory.down", Scope.TARGET) for _ in commands]
        outcomes = [self._carry_out(command) for command in commands]
        if self.mood is Mood.WELL:
            return outcomes
        return [OutcomeUnknown("memory.no_answer") if isinstance(found, Delivered) else found for found in outcomes]

    async def look_up(self, commands: Sequence[CrmCommand]) -> list[Outcome]:
        """Delivered when it is there."""
        if self.mood is Mood.DOWN:
            return [RetryLater("memory.down", Scope.TARGET) for _ in commands]
        return [self._find_effect(command) for command in commands]

    async def find_origins(self, origin_ids: Sequence[str]) -> Mapping[str, tuple[LeadRef, ...]]:
        """All leads with these origin ids."""
        if self.mood is Mood.DOWN:
            raise ServiceUnavailableError("The portal does not answer.")
        return {wanted: tuple(lead.ref for lead in self.leads if lead.origin_id == wanted) for wanted in origin_ids}

    async def sweep(self, since: datetime | None) -> AsyncIterator[Sequence[SweptLead]]:
        """Pages of three leads."""
        ours = [lead for lead in self.leads if lead.originator.startswith("leadgate")]
        swept = [
            SweptLead(ref=lead.ref, origin_id=lead.origin_id, is_closed=lead.is_closed, created_at=lead.changed_at)
            for lead in ours
            if since is None or lead.changed_at >= since
        ]
        for start in range(0, max(len(swept), 1), 3):
            if self.mood is Mood.DOWN:
                raise ServiceUnavailableError("The portal does not answer.")
            yield swept[start : start + 3]

    def copy(self, ref: LeadRef, *, originator: str = "leadgate") -> LeadRef:
        """As an employee doubles a lead by hand; with another mark it is the lead of another program."""
        kept = next(lead for lead in self.leads if lead.ref == ref)
        self._last_id += 1
        made = LeadRef(ref.entity, self._last_id)
        self.leads.append(replace(kept, ref=made, originator=originator))
        return made

    async def read_records(self, refs: Sequence[LeadRef]) -> Sequence[CrmRecord]:
        """Leads alone: there are no contacts here."""
        if self.mood is Mood.DOWN:
            raise ServiceUnavailableError("The portal does not answer.")
        return [
            CrmRecord(
                name=str(lead.ref),
                fields={"name": lead.name} if lead.name else {},
                phones=list(lead.phones),
                entries=[CrmEntry(at=None, text=text) for text in lead.entries.values()],
            )
            for lead in self.leads
            if lead.ref in refs
        ]

    async def check(self) -> CheckReport:
        """Well or unreachable."""
        if self.mood is Mood.DOWN:
            return CheckReport((Finding("memory.unreachable", FindingState.FAIL, "The portal does not answer."),))
        return CheckReport((Finding("memory.works", FindingState.OK, "The portal answers."),))

    async def close(self) -> None:
        """Nothing is open."""

    def _carry_out(self, command: CrmCommand) -> Outcome:
        if isinstance(command, CreateLead | EraseLead):
            return self._create(command) if isinstance(command, CreateLead) else self._erase(command)
        lead = self._find(command.ref, command.lead_id)
        if lead is None:
            return LeadClosed() if command.ref else RetryLater("memory.lead_not_made", Scope.ITEM)
        if isinstance(command, UpdateLead) and command.instead_of is not None:
            return self._correct(lead, command.person, command.instead_of)
        if lead.is_closed:
            return LeadClosed()
        if isinstance(command, AddTimelineEntry):
            lead.entries[command.entry_id] = command.text
            return Delivered(f"comment:{command.entry_id}")
        return self._update(lead, command)

    def _create(self, command: CreateLead) -> Outcome:
        self._last_id += 1
        ref = LeadRef(CrmEntity.LEAD, self._last_id)
        phones = [command.person.phone] if command.person.phone else []
        self.leads.append(KeptLead(ref, command.origin_id, command.person.name, phones))
        self._made[command.lead_id] = ref
        return Delivered(f"lead:{ref.crm_id}")

    def _erase(self, command: EraseLead) -> Outcome:
        self.leads = [lead for lead in self.leads if lead.origin_id != command.origin_id]
        return Delivered("deleted")

    @staticmethod
    def _update(lead: KeptLead, command: UpdateLead) -> Outcome:
        lead.name = lead.name or command.person.name
        if command.person.phone and command.person.phone not in lead.phones:
            lead.phones.append(command.person.phone)
        return Delivered(f"lead:{lead.ref.crm_id}")

    @staticmethod
    def _correct(lead: KeptLead, right: Person, wrong: Person) -> Outcome:
        lead.name = right.name if lead.name in {None, wrong.name} else lead.name
        lead.phones = [phone for phone in lead.phones if phone not in {wrong.phone, right.phone}]
        lead.phones += [right.phone] if right.phone else []
        return Delivered(str(lead.ref))

    def _find(self, ref: LeadRef | None, lead_id: str) -> KeptLead | None:
        wanted = ref or self._made.get(lead_id)
        return next((lead for lead in self.leads if lead.ref == wanted), None)

    def _find_effect(self, command: CrmCommand) -> Outcome:
        if isinstance(command, EraseLead):
            is_there = any(lead.origin_id == command.origin_id for lead in self.leads)
            return NotExecuted() if is_there else Delivered("deleted")
        if isinstance(command, CreateLead):
            found = next((lead for lead in self.leads if lead.origin_id == command.origin_id), None)
            return NotExecuted() if found is None else Delivered(f"lead:{found.ref.crm_id}")
        lead = self._find(command.ref, command.lead_id)
        if lead is None:
            return NotExecuted()
        if isinstance(command, AddTimelineEntry):
            return Delivered(f"comment:{command.entry_id}") if command.entry_id in lead.entries else NotExecuted()
        wrong = None if command.instead_of is None else command.instead_of.phone
        if wrong is not None and wrong != command.person.phone and wrong in lead.phones:
            return NotExecuted()
        has_phone = command.person.phone is None or command.person.phone in lead.phones
        return Delivered(f"lead:{lead.ref.crm_id}") if has_phone else NotExecuted()
