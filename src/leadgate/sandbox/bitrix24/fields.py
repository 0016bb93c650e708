"""The fields of leads, deals and contacts: one table per type, with the name in both families of methods.

Source: the pages `crm/universal/object-fields` and `crm/leads/crm-lead-get` of the official documentation,
deprecated copies left out. No value lives here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Access(Enum):
    """What a caller may do with a field."""

    WRITE = "write"
    ON_ADD = "on_add"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` in `crm.item.*`, `upper` in the old methods, `kind` of `crm.item.fields`."""

    name: str
    upper: str
    kind: str
    access: Access

    @property
    def is_list(self) -> bool:
        """Whether the value is an array of ids."""
        return self.name in {"contactIds", "observers"}


@dataclass(frozen=True, slots=True)
class Entity:
    """One type of CRM object: its number, its word in the old methods, the directory of its stages."""

    type_id: int
    word: str
    title: str
    stage_directory: str | None
    has_multifields: bool
    fields: Mapping[str, Field]
    by_upper: Mapping[str, Field]


# Names whose old form does not follow from the new one.
_UPPER = {
    "createdTime": "DATE_CREATE",
    "updatedTime": "DATE_MODIFY",
    "createdBy": "CREATED_BY_ID",
    "updatedBy": "MODIFY_BY_ID",
    "movedBy": "MOVED_BY_ID",
}
_LEAD_UPPER = {"stageId": "STATUS_ID", "stageSemanticId": "STATUS_SEMANTIC_ID"}

_SHARED = {
    "id": "integer read",
    "title": "string write",
    "createdTime": "datetime read",
    "updatedTime": "datetime read",
    "createdBy": "user read",
    "updatedBy": "user read",
    "assignedById": "user write",
    "opened": "boolean write",
    "companyId": "crm_company write",
    "comments": "text write",
    "sourceId": "crm_status write",
    "sourceDescription": "text write",
    "originatorId": "string write",
    "originId": "string write",
    "lastActivityBy": "user write",
    "lastActivityTime": "datetime write",
    "observers": "user write",
    "webformId": "integer on_add",
    "utmSource": "string write",
    "utmMedium": "string write",
    "utmCampaign": "string write",
    "utmContent": "string write",
    "utmTerm": "string write",
}
_PERSON = {
    "honorific": "crm_status write",
    "name": "string write",
    "secondName": "string write",
    "lastName": "string write",
    "post": "string write",
    "birthdate": "date write",
    "hasPhone": "boolean read",
    "hasEmail": "boolean read",
    "hasImol": "boolean read",
}
_TRADE = {
    "stageId": "crm_status write",
    "stageSemanticId": "string read",
    "contactId": "crm_contact write",
    "contactIds": "crm_contact write",
    "opportunity": "double write",
    "isManualOpportunity": "boolean write",
    "currencyId": "crm_currency write",
    "isReturnCustomer": "boolean read",
    "movedBy": "user read",
    "movedTime": "datetime read",
}
_LEAD = {"companyTitle": "string write", "statusDescription": "text write", "dateClosed": "datetime read"}
_DEAL = {
    "leadId": "crm_lead write",
    "categoryId": "crm_category write",
    "typeId": "crm_status write",
    "probability": "integer write",
    "closed": "boolean read",
    "begindate": "date write",
    "closedate": "date write",
    "additionalInfo": "string write",
}
_CONTACT = {
    "typeId": "crm_status write",
    "leadId": "crm_lead write",
    "export": "boolean write",
    "originVersion": "string write",
}

INTEGER_KINDS = frozenset({"integer", "user", "crm_company", "crm_contact", "crm_lead", "crm_category"})
MOMENT_KINDS = frozenset({"datetime", "date"})
MULTIFIELD_TYPES = ("PHONE", "EMAIL", "WEB", "IM", "LINK")


def _upper_name(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


def _table(groups: Iterable[Mapping[str, str]], renamed: Mapping[str, str]) -> dict[str, Field]:
    table: dict[str, Field] = {}
    for name, words in ((name, words) for group in groups for name, words in group.items()):
        kind, access = words.split()
        upper = renamed.get(name) or _UPPER.get(name) or _upper_name(name)
        table[name] = Field(name=name, upper=upper, kind=kind, access=Access(access))
    return table


def _entity(*, type_id: int, word: str, title: str, stages: str | None, fields: dict[str, Field]) -> Entity:
    return Entity(
        type_id=type_id,
        word=word,
        title=title,
        stage_directory=stages,
        has_multifields=word != "deal",
        fields=MappingProxyType(fields),
        by_upper=MappingProxyType({field.upper: field for field in fields.values()}),
    )


_CONTACT_TABLE = _table([_SHARED, _PERSON, _CONTACT], {})
del _CONTACT_TABLE["title"]  # a contact is named by its names

LEAD = _entity(
    type_id=1,
    word="lead",
    title="Лид",
    stages="STATUS",
    fields=_table([_SHARED, _PERSON, _TRADE, _LEAD], _LEAD_UPPER),
)
DEAL = _entity(type_id=2, word="deal", title="Сделка", stages="DEAL_STAGE", fields=_table([_SHARED, _TRADE, _DEAL], {}))
CONTACT = _entity(type_id=3, word="contact", title="Контакт", stages=None, fields=_CONTACT_TABLE)

ENTITIES: Mapping[int, Entity] = MappingProxyType({entity.type_id: entity for entity in (LEAD, DEAL, CONTACT)})
