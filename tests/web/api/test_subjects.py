"""A person's rights by program: what is asked and answered is kept nowhere, and who asked is in the journal."""

from __future__ import annotations

import sqlite3

from leadgate.model.staff import Role
from leadgate.testing.waiting import until
from tests.e2e.sender import lead
from tests.web.api.conftest import NAME, PHONE, WORDS, Api

RIGHT = "+79000000777"


async def find(api: Api) -> str:
    """The person of the usual lead, after it has reached the CRM."""
    await api.salon.bot.accept(lead(501))
    await api.salon.idle()
    return str((await api.ask("POST", "/subjects", json={"identifier": "8 (900) 000-05-01"})).json()["subject"])


async def test_a_card_is_masked_and_an_export_holds_everything(api: Api) -> None:
    """An auditor counts; whoever may see a person says so by asking."""
    person = await find(api)
    masked = (await api.ask("GET", f"/subjects/{person}", Role.AUDITOR)).text
    assert [word for word in (NAME, PHONE, PHONE[2:], WORDS) if word in masked] == []
    assert '"state":"active"' in masked
    opened = (await api.ask("POST", f"/subjects/{person}/reveal", json={})).json()
    assert (opened["name"], opened["phone"]) == (NAME, PHONE)
    told = (await api.ask("POST", f"/subjects/{person}/export")).text
    assert [word for word in (NAME, PHONE, WORDS, "lead:") if word not in told] == []


async def test_nothing_of_a_person_is_kept_as_an_answer(api: Api) -> None:
    """A program may send a key with everything it posts: a question about a person is asked anew all the same."""
    person = await find(api)
    for path, body in (("/subjects", {"identifier": PHONE}), (f"/subjects/{person}/export", {})):
        for _ in range(2):
            answer = await api.ask("POST", path, key="same", json=body)
            assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)
    with sqlite3.connect(api.salon.gateway.data / "leadgate.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM api_answers").fetchone() == (0,)


async def test_a_correction_reaches_the_crm_once_and_says_when(api: Api) -> None:
    """Repeated under its key it is one correction."""
    person = await find(api)
    for _ in range(2):
        answer = await api.ask("POST", f"/subjects/{person}/correct", key="c", json={"phone": "8 900 000-07-77"})
        assert (answer.status_code, answer.json()["fields"]) == (200, ["phone"])

    async def is_done() -> bool:
        (one,) = (await api.get(f"/subjects/{person}"))["corrections"]
        return bool(one["state"] == "done")

    await until(is_done, what="the CRM took the correction")
    (made,) = api.salon.portal.leads()
    assert RIGHT in str(made)
    assert PHONE not in str(made)


async def test_the_log_and_the_journal_hold_no_person(api: Api) -> None:
    """Ids alone, whoever asked and however often."""
    person = await find(api)
    await api.ask("POST", "/subjects", json={"identifier": "+79000009999"})
    await api.ask("POST", f"/subjects/{person}/export")
    await api.ask("POST", f"/subjects/{person}/correct", json={"name": "Алсу Новая", "phone": RIGHT})
    await api.ask("POST", f"/subjects/{person}/block", json={})
    await api.ask("POST", f"/subjects/{person}/unblock")
    printed = api.salon.gateway.printed()
    journal = b"".join(path.read_bytes() for path in api.salon.gateway.data.glob("journal*"))
    for word in (NAME, PHONE, PHONE[2:], RIGHT[2:], "Новая", WORDS, "9000009999"):
        assert word not in printed
        assert word.encode() not in journal
    assert person.encode() in journal
    for tag in ("subject.searched", "subject.exported", "subject.corrected", "subject.blocked", "subject.unblocked"):
        assert tag.encode() in journal
