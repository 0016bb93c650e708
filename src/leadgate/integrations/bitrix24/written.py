"""Which of our fields each field of a portal may carry: what this integration writes, as the allow-list names it.

A test walks everything that a sandbox was sent and turns red at a field that stands here with nothing, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from leadgate.privacy.allow_list import CrmField, CrmObject

_REQUEST = frozenset({CrmField.MESSAGE, CrmField.SERVICE, CrmField.PREFERRED_TIME, CrmField.NAME, CrmField.USERNAME})
_COMMON: Final[Mapping[str, AbstractSet[CrmField]]] = {
    "title": {CrmField.NAME, CrmField.CHANNEL},
    "originatorId": {CrmField.ORIGIN},
    "originId": {CrmField.ORIGIN},
    "sourceId": {CrmField.CHANNEL},
    "sourceDescription": {CrmField.CHANNEL},
    "contactIds": {CrmField.ORIGIN},
    "utmSource": {CrmField.UTM_SOURCE},
    "utmMedium": {CrmField.UTM_MEDIUM},
    "utmCampaign": {CrmField.UTM_CAMPAIGN},
    "utmContent": {CrmField.UTM_CONTENT},
    "utmTerm": {CrmField.UTM_TERM},
}
_PERSON: Final[Mapping[str, AbstractSet[CrmField]]] = {
    "name": {CrmField.NAME},
    "fm.PHONE": {CrmField.PHONE},
    "fm.EMAIL": {CrmField.EMAIL},
    "fm.IM": {CrmField.USERNAME},
}

WRITTEN: Final[Mapping[CrmObject, Mapping[str, AbstractSet[CrmField]]]] = {
    CrmObject.LEAD: {**_COMMON, **_PERSON, "comments": _REQUEST},
    CrmObject.DEAL: {**_COMMON, "comments": _REQUEST | {CrmField.PHONE}},
    CrmObject.CONTACT: {
        **_PERSON,
        "originatorId": {CrmField.ORIGIN},
        "originId": {CrmField.ORIGIN},
    },
    CrmObject.ENTRY: {
        "ENTITY_ID": {CrmField.ORIGIN},
        "ENTITY_TYPE": {CrmField.ORIGIN},
        "COMMENT": {
            *(CrmField.ORIGIN, CrmField.CHANNEL, CrmField.NAME, CrmField.MESSAGE),
            *(CrmField.SERVICE, CrmField.PREFERRED_TIME, CrmField.CONSENT),
        },
    },
}
"""By object: the portal's own name of a field (of multi-fields with the type) -> what of ours may stand in it."""
