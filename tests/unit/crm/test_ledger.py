import pytest

from leadgate.crm.leads import parse_ref
from leadgate.crm.ledger import compare_leads
from leadgate.model.leads import CrmEntity, LeadRef, LeadState
from leadgate.model.views import LeadRow
from leadgate.testing.connections import NOW

REF, OTHER = LeadRef(CrmEntity.LEAD, 48211), LeadRef(CrmEntity.LEAD, 48212)


def row(state: LeadState, ref: LeadRef | None) -> LeadRow:
    """A lead of ours."""
    return LeadRow(lead_id="lead_1", state=state, origin_id="conn_1:evt_1", crm_ref=ref, created_at=NOW, closed_at=None)


@pytest.mark.parametrize(
    ("state", "ref", "found", "code"),
    [
        (LeadState.OPEN, REF, (REF,), None),
        (LeadState.CLOSED, REF, (REF,), None),
        (LeadState.OPEN, REF, (), "missing_in_crm"),
        (LeadState.CLOSED, REF, (), "missing_in_crm"),
        (LeadState.PENDING, None, (), None),
        (LeadState.PENDING, None, (REF,), None),
        (LeadState.REFUSED, None, (), None),
        (LeadState.OPEN, REF, (REF, OTHER), "doubled_in_crm"),
        (LeadState.PENDING, None, (REF, OTHER), "doubled_in_crm"),
    ],
)
def test_what_does_not_add_up_is_named(
    state: LeadState, ref: LeadRef | None, found: tuple[LeadRef, ...], code: str | None
) -> None:
    """Delivered and gone, or there twice; one that still waits may be there or not."""
    differences = compare_leads([row(state, ref)], {"conn_1:evt_1": found})
    assert [difference.code for difference in differences] == ([] if code is None else [code])
    assert all(d.event_id == "evt_1" for d in differences)


def test_what_the_crm_did_not_answer_for_is_missing() -> None:
    """An id that is absent from the answer is no proof that all is well."""
    assert len(compare_leads([row(LeadState.OPEN, REF)], {})) == 1


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("lead:48211", REF),
        ("deal:7", LeadRef(CrmEntity.DEAL, 7)),
        ("", None),
        (None, None),
        ("lead:x", None),
        ("7", None),
    ],
)
def test_a_reference_is_read_from_the_targets_words(text: str | None, ref: LeadRef | None) -> None:
    """Anything else is none."""
    assert parse_ref(text) == ref
