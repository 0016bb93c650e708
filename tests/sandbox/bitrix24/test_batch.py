from __future__ import annotations

from urllib.parse import quote

from leadgate.sandbox.bitrix24 import Sandbox
from tests.sandbox.bitrix24.driver import PortalClient


async def test_a_later_command_uses_an_earlier_result(portal: PortalClient, sandbox: Sandbox) -> None:
    """One request makes a contact, a lead linked to it and a comment."""
    made = await portal.batch(
        {
            "contact": "crm.item.add?entityTypeId=3&fields[name]=L",
            "lead": "crm.item.add?entityTypeId=1&fields[name]=L&fields[contactId]=$result[contact][item][id]",
            "note": "crm.timeline.comment.add?fields[ENTITY_TYPE]=lead&fields[ENTITY_ID]=$result[lead][item][id]"
            "&fields[COMMENT]=" + quote("Клиент № $result[contact][item][id]"),
        },
        halt=1,
    )
    contact, lead = made["result"]["contact"]["item"]["id"], made["result"]["lead"]["item"]
    assert lead["contactId"] == contact
    assert sandbox.portal.comments[made["result"]["note"]].text == f"Клиент № {contact}"
    assert (made["result_error"], made["result_total"], made["result_next"]) == ([], [], [])
    assert set(made["result_time"]) == {"contact", "lead", "note"}


async def test_an_encoded_reference_works_and_its_value_changes_no_other_parameter(
    portal: PortalClient,
) -> None:
    """The SDK encodes the whole value; a name with `&` or brackets must stay a name."""
    name = "A&fields[sourceId]=WEB [x]"
    made = await portal.batch(
        {
            "one": "crm.lead.add?fields[NAME]=" + quote(name),
            "row": "crm.lead.get?id=" + quote("$result[one]"),
            "two": "crm.lead.add?fields[NAME]=" + quote("$result[row][NAME]"),
            "end": "crm.lead.get?id=$result[two]",
        }
    )
    assert made["result"]["end"]["NAME"] == name
    assert made["result"]["end"]["SOURCE_ID"] == "CALL"


async def test_a_reference_to_a_failed_command_is_empty(portal: PortalClient) -> None:
    """Without `halt` a chain goes on with nothing in its hands."""
    commands = {
        "a": "crm.lead.get?id=5",
        "b": "crm.lead.add?fields[NAME]=x$result[a][NAME]",
        "c": "crm.lead.get?id=$result[b]",
    }
    made = await portal.batch(commands)
    assert made["result_error"] == {"a": {"error": "", "error_description": "Not found"}}
    assert made["result"]["c"]["NAME"] == "x"


async def test_halt_stops_at_the_first_error_and_keeps_what_was_done(portal: PortalClient, sandbox: Sandbox) -> None:
    """A batch is no transaction."""
    commands = {
        "a": "crm.lead.add?fields[NAME]=x",
        "b": "crm.lead.get?id=5",
        "c": "crm.lead.add?fields[NAME]=y",
    }
    made = await portal.batch(commands, halt=True)
    assert (list(made["result"]), list(made["result_error"])) == (["a"], ["b"])
    assert len(sandbox.portal.leads) == 1


async def test_a_list_of_commands_gives_lists(portal: PortalClient) -> None:
    """PHP writes an array with the keys 0, 1, 2 as a list; with a hole it becomes an object."""
    whole = await portal.batch(["server.time", "profile"])
    holed = await portal.batch({"0": "crm.lead.get?id=5", "1": "profile"})
    assert isinstance(whole["result"], list)
    assert set(holed["result"]) == {"1"}
    assert isinstance(holed["result_error"], list)


async def test_totals_and_next_pages_are_kept_per_command(portal: PortalClient) -> None:
    """Only lists have them."""
    for _ in range(51):
        await portal.result("crm.lead.add", fields={})
    made = await portal.batch({"a": "crm.lead.list?select[]=ID", "b": "profile"})
    assert (made["result_total"], made["result_next"]) == ({"a": 51}, {"a": 50})


async def test_the_fifty_first_command_and_a_nested_batch_fail_alone(portal: PortalClient) -> None:
    """The answer is 200 even then; errors stand per command."""
    made = await portal.batch({f"k{number}": "profile" for number in range(52)})
    assert {key: error["error"] for key, error in made["result_error"].items()} == {
        "k50": "ERROR_BATCH_LENGTH_EXCEEDED",
        "k51": "ERROR_BATCH_LENGTH_EXCEEDED",
    }
    nested = await portal.batch({"a": "batch?cmd[x]=profile"})
    assert nested["result_error"]["a"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"
    assert nested["result"] == []


async def test_the_outer_call_spends_no_time_budget(portal: PortalClient) -> None:
    """Each inner command spends that of its own method."""
    body = await portal.call("batch", cmd={"a": "profile"})
    assert "operating" not in body["time"]
    assert body["result"]["result_time"]["a"]["operating"] > 0


async def test_a_batch_may_come_as_a_form(portal: PortalClient) -> None:
    """Encoded twice, as the documentation says for addresses and forms."""
    form = {
        "cmd[a]": "crm.lead.add?fields[NAME]=" + quote("Лейла"),
        "cmd[b]": "crm.lead.get?id=$result[a]",
        "halt": "0",
    }
    answer = await portal.http.post(portal.webhook_url + "batch", data=form)
    assert answer.json()["result"]["result"]["b"]["NAME"] == "Лейла"
