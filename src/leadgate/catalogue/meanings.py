"""What an error code means, for everything that tells people about it: pages and alarms. Tables only; the words stand in the files.

Codes nobody has described yet mean `generic`.
"""

from __future__ import annotations

import re

_MEANINGS: dict[str, tuple[str, ...]] = {
    "revoked": (
        *(f"bitrix24.{word}" for word in ("revoked", "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "INVALID_TOKEN")),
        *(
            f"bitrix24.{word}"
            for word in ("EXPIRED_TOKEN", "AUTHORIZATION_ERROR", "APPLICATION_NOT_FOUND", "ERROR_OAUTH")
        ),
        "telegram.token_revoked",
        "telegram.token_unknown",
    ),
    "plan": ("bitrix24.plan_without_rest", "bitrix24.PAYMENT_REQUIRED"),
    "rights": (
        *(
            f"bitrix24.{word}"
            for word in ("ACCESS_DENIED", "INSUFFICIENT_SCOPE", "USER_ACCESS_ERROR", "WRONG_AUTH_TYPE")
        ),
        *(
            f"bitrix24.{word}"
            for word in ("ALLOWED_ONLY_INTRANET_USER", "METHOD_CONFIRM_WAITING", "METHOD_CONFIRM_DENIED")
        ),
        *(f"bitrix24.{word}" for word in ("scope_missing", "rights_missing", "user_inactive", "http_401", "http_403")),
    ),
    "busy": (
        *(
            f"bitrix24.{word}"
            for word in ("QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "OVERLOAD_LIMIT", "busy", "http_429")
        ),
        "bitrix24.limits_respected",
        "telegram.too_many_requests",
    ),
    "unreachable": (
        "bitrix24.unreachable",
        "bitrix24.redirect_refused",
        "telegram.unreachable",
        "telegram.unexpected_redirect",
    ),
    "portal": ("bitrix24.PORTAL_DELETED", "bitrix24.portal_moved"),
    "unclear": (
        *(
            f"bitrix24.{word}"
            for word in ("INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "answer_incomplete", "timeout")
        ),
        *(
            f"bitrix24.{word}"
            for word in ("answer_too_large", "answer_unreadable", "connection_lost", "mode_unreadable")
        ),
        *(f"telegram.{word}" for word in ("server_error", "answer_lost", "answer_unreadable", "partly_sent")),
        "delivery.holder_died",
        "delivery.crashed",
    ),
    "our_call": (
        *(
            f"bitrix24.{word}"
            for word in ("ERROR_METHOD_NOT_FOUND", "ERROR_BATCH_METHOD_NOT_ALLOWED", "INVALID_REQUEST")
        ),
        *(f"bitrix24.{word}" for word in ("ERROR_BATCH_LENGTH_EXCEEDED", "ERROR_MANIFEST_IS_NOT_AVAILABLE", "refused")),
        "telegram.bad_request",
        "telegram.refused",
    ),
    "data": (
        *(f"bitrix24.{word}" for word in ("ERROR_ARGUMENT", "INVALID_ARG_VALUE", "CRM_FIELD_ERROR_VALUE_NOT_VALID")),
        *(
            f"bitrix24.{word}"
            for word in ("CRM_FIELD_ERROR_REQUIRED", "ERROR_CORE", "100", "0", "empty", "timeline_too_long")
        ),
    ),
    "gone": ("bitrix24.NOT_FOUND", "bitrix24.OWNER_NOT_FOUND", "bitrix24.contact_gone", "crm.lead_closed"),
    "order": ("bitrix24.lead_not_known", "bitrix24.lead_not_made", "bitrix24.earlier_waits"),
    "blocked": ("telegram.blocked_by_user", "telegram.user_deactivated", "telegram.forbidden"),
    "no_chat": ("telegram.chat_not_found", "telegram.chat_migrated", "telegram.kicked", "telegram.not_started"),
    "text": ("telegram.text_empty", "telegram.text_too_long"),
    "late": ("message.too_late",),
    "elsewhere": ("crm.lead_elsewhere",),
    "sealed": ("vault.failed", "vault.tampered", "vault.unknown_key"),
    "changed": ("bitrix24.closed",),
    "webhook": (
        *(f"telegram.webhook_{word}" for word in ("not_set", "elsewhere", "failing")),
        "telegram.updates_waiting",
        "telegram.updates_left_out",
        "telegram.secret_missing",
    ),
}
"""Meaning by meaning; `error.{meaning}` and `cure.{meaning}` stand in `pages.{ru,en}.json`."""

_BY_CODE = {code: meaning for meaning, codes in _MEANINGS.items() for code in codes}
GENERIC = "generic"
_BY_STATUS = re.compile(r"bitrix24\.(?P<shape>http|not_json)_(?P<status>\d{3})")
_FIRST_SERVER_ERROR = 500
MEANINGS = (*_MEANINGS, GENERIC)


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
