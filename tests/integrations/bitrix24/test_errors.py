from __future__ import annotations

from datetime import timedelta

import pytest

from leadgate.integrations.bitrix24.errors import RULES, Meaning, classify, clean_detail, not_sent, unclear
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope

RETRY, REFUSED, UNKNOWN = Meaning.RETRY, Meaning.REFUSED, Meaning.UNKNOWN
TARGET, ITEM = Scope.TARGET, Scope.ITEM

# status, code as the portal writes it -> meaning, scope, needs a person
ROWS = [
    (503, "QUERY_LIMIT_EXCEEDED", RETRY, TARGET, False),
    (429, "OPERATION_TIME_LIMIT", RETRY, ITEM, False),
    (503, "OVERLOAD_LIMIT", RETRY, TARGET, True),
    (500, "INTERNAL_SERVER_ERROR", UNKNOWN, TARGET, False),
    (500, "ERROR_UNEXPECTED_ANSWER", UNKNOWN, TARGET, False),
    (401, "expired_token", RETRY, TARGET, True),
    (401, "invalid_token", RETRY, TARGET, True),
    (401, "NO_AUTH_FOUND", RETRY, TARGET, True),
    (403, "INVALID_CREDENTIALS", RETRY, TARGET, True),
    (401, "INVALID_CREDENTIALS", RETRY, TARGET, True),
    (403, "insufficient_scope", RETRY, TARGET, True),
    (401, "insufficient_scope", RETRY, TARGET, True),
    (403, "ACCESS_DENIED", RETRY, TARGET, True),
    (400, "ACCESS_DENIED", RETRY, ITEM, True),
    (None, "ACCESS_DENIED", RETRY, ITEM, True),
    (403, "user_access_error", RETRY, TARGET, True),
    (403, "WRONG_AUTH_TYPE", RETRY, TARGET, True),
    (403, "allowed_only_intranet_user", RETRY, TARGET, True),
    (401, "METHOD_CONFIRM_WAITING", RETRY, TARGET, True),
    (403, "METHOD_CONFIRM_DENIED", RETRY, TARGET, True),
    (401, "authorization_error", RETRY, TARGET, True),
    (401, "APPLICATION_NOT_FOUND", RETRY, TARGET, True),
    (401, "ERROR_OAUTH", RETRY, TARGET, True),
    (401, "PAYMENT_REQUIRED", RETRY, TARGET, True),
    (404, "ERROR_METHOD_NOT_FOUND", RETRY, TARGET, True),
    (405, "ERROR_BATCH_METHOD_NOT_ALLOWED", RETRY, TARGET, True),
    (400, "ERROR_BATCH_LENGTH_EXCEEDED", RETRY, TARGET, True),
    (400, "INVALID_REQUEST", RETRY, TARGET, True),
    (404, "ERROR_MANIFEST_IS_NOT_AVAILABLE", RETRY, TARGET, True),
    (500, "PORTAL_DELETED", RETRY, TARGET, True),
    (410, "PORTAL_DELETED", RETRY, TARGET, True),
    (400, "ERROR_ARGUMENT", REFUSED, TARGET, False),
    (400, "INVALID_ARG_VALUE", REFUSED, TARGET, False),
    (400, "NOT_FOUND", REFUSED, TARGET, False),
    (400, "OWNER_NOT_FOUND", REFUSED, TARGET, False),
    (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", REFUSED, TARGET, False),
    (400, "CRM_FIELD_ERROR_REQUIRED", REFUSED, TARGET, False),
    (400, "ERROR_CORE", REFUSED, TARGET, False),
    (400, "100", REFUSED, TARGET, False),
    (400, 100, REFUSED, TARGET, False),
    (400, 0, REFUSED, TARGET, False),
    (400, "", REFUSED, TARGET, False),
    (None, "", REFUSED, TARGET, False),
    # unknown codes: the status decides
    (400, "SOMETHING_NEW", REFUSED, TARGET, False),
    (401, "SOMETHING_NEW", RETRY, TARGET, True),
    (403, "", RETRY, TARGET, True),
    (429, "", RETRY, TARGET, False),
    (500, "SOMETHING_NEW", UNKNOWN, TARGET, False),
    (502, "", UNKNOWN, TARGET, False),
    (504, None, UNKNOWN, TARGET, False),
    (200, None, UNKNOWN, TARGET, False),
    (None, "SOMETHING_NEW", REFUSED, TARGET, False),
]


@pytest.mark.parametrize(
    ("status", "code", "meaning", "scope", "needs_person"), ROWS, ids=[f"{row[0]}-{row[1]!r}" for row in ROWS]
)
def test_every_row_of_the_table(
    status: int | None, code: object, meaning: Meaning, scope: Scope, needs_person: bool
) -> None:
    """The code decides first, the status second: 503, 401 and 403 stand for several things."""
    failure = classify(error=code, description="", status=status)
    assert (failure.meaning, failure.scope, failure.needs_person) == (meaning, scope, needs_person)


def test_no_row_is_forgotten_here() -> None:
    """A row that no test names could be changed unseen."""
    assert {str(code).upper() for _, code, *_ in ROWS} >= set(RULES)


def test_old_methods_put_the_code_into_the_description() -> None:
    """They send an empty code and "Access denied."; a missing right must not become a dead letter."""
    assert classify(error="", description="Access denied.", status=400).code == "bitrix24.ACCESS_DENIED"
    assert classify(error="Access denied", description=None, status=None).scope is Scope.ITEM


def test_a_plan_without_rest_stops_the_lane_even_inside_a_batch() -> None:
    """The same code says two things; the description tells them apart where the status cannot."""
    told = "REST API is available only on commercial plans."
    assert classify(error="ACCESS_DENIED", description=told, status=None).scope is Scope.TARGET


def test_waits_that_the_portal_implies() -> None:
    """A full bucket passes in seconds, a block by the vendor in hours."""
    assert classify(error="QUERY_LIMIT_EXCEEDED", description="", status=503).after == timedelta(seconds=5)
    assert classify(error="OVERLOAD_LIMIT", description="", status=503).after == timedelta(hours=1)


def test_outcomes_of_writes_and_reads() -> None:
    """Only a write can leave something behind; only a write can be refused for what is in it."""
    lost, bad = unclear("timeout"), classify(error="NOT_FOUND", description="Not found", status=400)
    assert lost.outcome(wrote=True) == OutcomeUnknown("bitrix24.timeout")
    assert lost.outcome(wrote=False) == RetryLater("bitrix24.timeout", Scope.TARGET)
    assert bad.outcome(wrote=True) == Refused("bitrix24.NOT_FOUND", "Not found")
    assert bad.outcome(wrote=False) == RetryLater(
        "bitrix24.NOT_FOUND", Scope.TARGET, needs_person=True, detail="Not found"
    )
    assert not_sent("unreachable").outcome(wrote=True) == RetryLater("bitrix24.unreachable", Scope.TARGET)


def test_a_code_that_is_no_code_is_not_repeated() -> None:
    """A sentence, or a phone, in the place of the code would end up on screens and in logs."""
    assert classify(error="Wrong phone +79000000001", description="", status=400).code == "bitrix24.http_400"


def test_details_lose_personal_data() -> None:
    """Validators quote the value that they refuse."""
    told = 'Value "Анна" of anna@example.org, +7 900 000-00-01 at https://p.example/rest/1/secret/ is wrong'
    shown = clean_detail(told)
    for part in ("Анна", "anna@", "900", "secret"):
        assert part not in shown
    assert "is wrong" in shown
