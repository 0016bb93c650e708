from importlib import resources

import msgspec
import pytest

from leadgate.catalogue.meanings import meaning_of
from leadgate.catalogue.vendors import VendorWords
from leadgate.integrations.whatsapp.errors import TABLE, is_unreachable, to_failure
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.wire.client import Answered
from leadgate.wire.graph import Failure

VENDOR_FILE = resources.files("leadgate.integrations.whatsapp") / "words.json"
AGAIN = (4, 80007, 130429, 131056, 131000, 131016, 131057, 133016)
FOR_GOOD = (
    131047,
    131026,
    131050,
    131049,
    131048,
    131051,
    131008,
    131009,
    100,
    132000,
    132001,
    132015,
    130472,
    131021,
    131030,
    131062,
)
PERSON = (0, 3, 10, 190, 200, 250, 299, 368, 131031, 131042, 130497, 131045)
"""What the fact sheet asks for, code by code."""


def _failure(code: int, *, status: int = 400, details: str | None = None) -> Failure:
    error: dict[str, object] = {"message": f"(#{code}) Re-engagement message", "code": code, "type": "OAuthException"}
    if details is not None:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return to_failure(Answered(status, {"error": error}))


def test_statuses_are_explained_in_the_same_words() -> None:
    """A failed message names Meta's number; the page says what our own code for it says."""
    words = VENDOR_FILE.read_bytes()
    same_as = msgspec.json.decode(words, type=VendorWords).same_as
    ranges = {*range(200, 300), *range(132000, 133000)}
    single = {f"whatsapp.{code}": outcome for code, outcome in TABLE.items() if code not in ranges}
    assert same_as == {name: outcome.code for name, outcome in single.items()}
    assert meaning_of("whatsapp.131047") == "window"


@pytest.mark.parametrize(("code", "expected"), [("131026", True), ("131047", False), ("190", False), ("x", False)])
def test_a_failed_status_tells_whether_the_client_can_be_reached(code: str, *, expected: bool) -> None:
    """Meta takes a message first and tells afterwards."""
    assert is_unreachable(code) is expected


@pytest.mark.parametrize("code", AGAIN)
def test_a_passing_error_is_tried_again(code: int) -> None:
    """By itself, and only the person's own limit leaves the others alone."""
    for status in (400, 429, 500):
        failure = _failure(code, status=status)
        assert isinstance(failure, RetryLater)
        assert not failure.needs_person
        assert failure.scope is (Scope.ITEM if code == 131056 else Scope.TARGET)


@pytest.mark.parametrize("code", FOR_GOOD)
def test_a_refusal_is_for_good(code: int) -> None:
    """A repeat as it is would be refused again; only an undeliverable one closes the chat."""
    failure = _failure(code)
    assert isinstance(failure, Refused)
    assert failure.unreachable is (code == 131026)


@pytest.mark.parametrize("code", PERSON)
def test_an_account_that_may_not_send_waits_for_a_person(code: int) -> None:
    """Nothing is wrong with the message."""
    failure = _failure(code, status=401)
    assert isinstance(failure, RetryLater)
    assert (failure.scope, failure.needs_person) == (Scope.TARGET, True)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answered(400, {"error": {"code": 999999}}), Refused("whatsapp.refused", "999999: ")),
        (Answered(500, {"error": {"code": 999999}}), OutcomeUnknown("whatsapp.server_error")),
        (Answered(503, {}), OutcomeUnknown("whatsapp.server_error")),
        (Answered(200, {"error": {"code": 999999}}), OutcomeUnknown("whatsapp.server_error")),
        (Answered(429, {}), RetryLater("whatsapp.too_many_requests", Scope.TARGET)),
        (Answered(403, {}), RetryLater("whatsapp.unexpected_answer", Scope.TARGET, needs_person=True)),
        (Answered(302, {}), RetryLater("whatsapp.unexpected_answer", Scope.TARGET, needs_person=True)),
    ],
)
def test_what_is_in_no_table(answer: Answered, outcome: Failure) -> None:
    """A client error of Meta is a refusal; what Meta would never write is somebody else's."""
    assert to_failure(answer) == outcome


def test_a_detail_carries_no_personal_data() -> None:
    """Meta may quote what we sent; details are stored and shown."""
    failure = _failure(131009, details="Recipient +7 900 000-02-01 Айгуль is not valid")
    assert failure == Refused("whatsapp.bad_request", "131009: Recipient * * *-*-* * is not valid")


def test_the_table_names_its_own_vendor() -> None:
    """The codes are looked up in WhatsApp's words."""
    assert all(failure.code.startswith("whatsapp.") for failure in TABLE.values())
