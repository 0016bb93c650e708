"""What an error code means, for everything that tells people about it: pages and alarms. Tables only; the words stand in the files.

Codes nobody has described yet mean `generic`.
"""

from __future__ import annotations

import re

from leadgate.catalogue.vendors import vendor_words

_OURS: dict[str, tuple[str, ...]] = {
    "revoked": (),
    "plan": (),
    "rights": (),
    "busy": (),
    "unreachable": (),
    "portal": (),
    "address": ("connection.address_refused",),
    "unclear": (
        "delivery.holder_died",
        "delivery.crashed",
    ),
    "our_call": (),
    "data": (),
    "gone": ("crm.lead_closed",),
    "order": (),
    "blocked": ("message.client_left",),
    "no_chat": ("message.number_changed",),
    "no_consent": ("consent.no_permit", "message.consent_withdrawn"),
    "text": (),
    "late": ("message.too_late",),
    "on_hold": ("subject.blocked",),
    "elsewhere": ("crm.lead_elsewhere",),
    "sealed": (
        "vault.failed",
        "vault.tampered",
        "vault.unknown_key",
    ),
    "changed": (),
    "webhook": (),
    "certificate": ("connection.certificate_wrong", "connection.certificate_ending"),
    "other_way": ("message.went_elsewhere",),
    "window": (),
    "template": (),
    "permission": (),
    "account": (),
}
"""Meaning by meaning, our own codes; those of a vendor stand in `words.json` of its folder.

`error.{meaning}` and `cure.{meaning}` stand in `pages.{ru,en}.json`.
"""

_BY_CODE = {
    code: meaning
    for table in (_OURS, *(words.meanings for words in vendor_words()))
    for meaning, codes in table.items()
    for code in codes
}
_BY_CODE |= {code: _BY_CODE[ours] for words in vendor_words() for code, ours in words.same_as.items()}
GENERIC = "generic"
_BY_STATUS = re.compile(r"bitrix24\.(?P<shape>http|not_json)_(?P<status>\d{3})")
_FIRST_SERVER_ERROR = 500
MEANINGS = (*_OURS, GENERIC)


def meaning_of(code: str) -> str:
    """One of `MEANINGS`; `generic` for a code nobody has described."""
    return _BY_CODE.get(code) or _of_status(code)


def _of_status(code: str) -> str:
    """Codes that carry an HTTP status: a refused call is ours to mend, everything else left it open what was done."""
    found = _BY_STATUS.fullmatch(code)
    if found is None:
        return GENERIC
    is_refusal = found["shape"] == "http" and int(found["status"]) < _FIRST_SERVER_ERROR
    return "our_call" if is_refusal else "unclear"
