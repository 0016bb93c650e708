"""The CRM port: the suite over the CRM in memory and over Bitrix24 against its double."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from leadgate.integrations.bitrix24.crm import Bitrix24Crm
from leadgate.model.leads import LeadRef
from leadgate.sandbox.bitrix24.portal import Record
from leadgate.testing.crm_suite import CrmSuite, SeenLead
from leadgate.testing.memory_crm import KeptLead, MemoryCrm, Mood
from tests.integrations.bitrix24.house import House, open_house, ref_of, values_of


@dataclass(slots=True)
class MemoryRig:
    crm: MemoryCrm = field(default_factory=MemoryCrm)

    def leads(self) -> Sequence[SeenLead]:
        return [SeenLead(k.ref, k.origin_id, k.phones, list(k.entries.values())) for k in self.crm.leads]

    def close_lead(self, ref: LeadRef) -> None:
        self._find(ref).is_closed = True

    def delete_lead(self, ref: LeadRef) -> None:
        self.crm.leads.remove(self._find(ref))

    def copy_lead(self, ref: LeadRef, *, originator: str = "leadgate") -> LeadRef:
        return self.crm.copy(ref, originator=originator)

    def touch_lead(self, ref: LeadRef, at: datetime) -> None:
        self._find(ref).changed_at = at

    def lose_answers(self) -> None:
        self.crm.mood = Mood.LOSES_ANSWERS

    def go_down(self) -> None:
        self.crm.mood = Mood.DOWN

    def recover(self) -> None:
        self.crm.mood = Mood.WELL

    def _find(self, ref: LeadRef) -> KeptLead:
        return next(lead for lead in self.crm.leads if lead.ref == ref)


class TestMemoryCrm(CrmSuite):
    @pytest.fixture
    def rig(self) -> MemoryRig:
        return MemoryRig()


@dataclass(slots=True)
class Bitrix24Rig:
    house: House

    @property
    def crm(self) -> Bitrix24Crm:
        return self.house.crm

    def leads(self) -> Sequence[SeenLead]:
        return [
            SeenLead(
                ref_of(lead), str(lead.values["originId"]), values_of(lead, "PHONE"), self.house.timeline(ref_of(lead))
            )
            for lead in self.house.leads
        ]

    def close_lead(self, ref: LeadRef) -> None:
        self._find(ref).values |= {"stageId": "JUNK", "stageSemanticId": "F"}

    def delete_lead(self, ref: LeadRef) -> None:
        self.house.sandbox.portal.leads.forget(ref.crm_id)

    def copy_lead(self, ref: LeadRef, *, originator: str = "leadgate") -> LeadRef:
        store = self.house.sandbox.portal.leads
        number = store.new_id()
        kept = self._find(ref)
        values = {**kept.values, "id": number, "originatorId": originator}
        store.keep(replace(kept, id=number, values=values))
        return LeadRef(ref.entity, number)

    def touch_lead(self, ref: LeadRef, at: datetime) -> None:
        self._find(ref).values |= {"createdTime": at, "updatedTime": at}

    def _find(self, ref: LeadRef) -> Record:
        return next(lead for lead in self.house.leads if lead.id == ref.crm_id)

    def lose_answers(self) -> None:
        # The read before the writes is heard; what creates is carried out and its answer lost.
        self.house.sandbox.faults.add("drop-answer", method="crm.item.add")

    def go_down(self) -> None:
        self.house.sandbox.faults.add("down")

    def recover(self) -> None:
        self.house.sandbox.faults.clear()


class TestBitrix24(CrmSuite):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Bitrix24Rig]:
        async with open_house() as house:
            yield Bitrix24Rig(house)
