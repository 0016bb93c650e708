"""No name, phone or word of a client reaches a role that must not see it, nor the log."""

from __future__ import annotations

from leadgate.model.staff import Role
from tests.web.api.conftest import NAME, PHONE, WORDS, Api

PERSONAL = (NAME, PHONE, PHONE[2:], "900 000-05-01", WORDS)


def found_in(text: str) -> list[str]:
    """What tells of the person."""
    return [one for one in PERSONAL if one in text]


async def walk(api: Api, role: Role, event: str, delivery: str) -> str:
    """Everything that this role can read, and every refusal, as one text."""
    paths = ["/events", f"/events/{event}", "/deliveries", f"/deliveries/{delivery}", f"/deliveries/{delivery}/fix"]
    paths += ["/deliveries/causes", "/leads", "/connections", f"/connections/{api.salon.crm}", "/alerts"]
    paths += ["/alerts/addresses", "/figures", "/ledger", f"/events?cursor={PHONE[1:]}"]
    answers = [await api.ask("GET", path, role) for path in paths]
    fix = {"name": NAME, "phone": PHONE, "email": "нет", "comment": WORDS, "лишнее": PHONE}
    answers.append(await api.ask("POST", f"/deliveries/{delivery}/fix", role, json=fix))
    answers.append(await api.ask("POST", f"/deliveries/{delivery}/fix", role, json={"name": [PHONE]}))
    answers.append(await api.ask("GET", "/events?state=" + PHONE[1:], role))
    return "\n".join(f"{dict(answer.headers)} {answer.text}" for answer in answers)


async def test_an_auditor_sees_no_person(api: Api) -> None:
    """An auditor counts and traces; for that nobody's phone is needed."""
    event, delivery = await api.dead_letter(501)
    assert found_in(await walk(api, Role.AUDITOR, event, delivery)) == []
    told = await api.get(f"/events/{event}", Role.AUDITOR)
    assert told["hidden"] == ["sender_id", "event_key", "text", "phone", "message_id", "payload"]
    assert [fact["kind"] for fact in told["events"]] == ["form"]


async def test_who_may_see_a_person_does_and_is_written_down(api: Api) -> None:
    """Else the test above would pass on an empty house; and whoever looked can be asked why."""
    event, delivery = await api.dead_letter(501)
    for role in (Role.OWNER, Role.INTEGRATOR, Role.MANAGER):
        assert NAME in found_in(await walk(api, role, event, delivery)), role
        assert PHONE in (await api.ask("GET", f"/events/{event}", role)).text
    running = api.salon.gateway.running
    assert running is not None
    lookers = {line["action"] for line in running.log("event.revealed", event_id=event)}
    assert len(lookers) == 3
    assert all(one.startswith("tok_") for one in lookers)


async def test_the_log_holds_no_person_and_no_token(api: Api) -> None:
    """Whoever reads the log is not asked for a role."""
    event, delivery = await api.dead_letter(501)
    for role in Role:
        await walk(api, role, event, delivery)
    await api.ask("GET", "/events", None, headers={"authorization": "Bearer " + api.tokens[Role.OWNER] + "x"})
    printed = api.salon.gateway.printed()
    assert "token.refused" in printed
    assert [one for one in (*PERSONAL, *api.tokens.values()) if one in printed] == []
