from __future__ import annotations

import json
from datetime import timedelta

import pytest

from leadgate.sandbox.bitrix24 import Caller, Sandbox
from tests.sandbox.bitrix24.driver import ManualClock, PortalClient

LEAD = {"entityTypeId": 1, "fields": {"name": "Лейла"}}


async def test_a_good_answer_carries_result_and_time(portal: PortalClient) -> None:
    """Clients plan their pauses by `operating` and `operating_reset_at`, so the fields must be there."""
    body = await portal.call("server.time")

    assert body["result"] == "2026-11-22T13:00:00+03:00"
    assert set(body["time"]) == {
        "start",
        "finish",
        "duration",
        "processing",
        "date_start",
        "date_finish",
        "operating_reset_at",
        "operating",
    }
    assert body["time"]["date_start"] == "2026-11-22T13:00:00+03:00"


async def test_the_format_suffix_and_letter_case_of_a_method_do_not_matter(portal: PortalClient) -> None:
    """The official SDK adds `.json` to every method."""
    assert (await portal.ask("Server.Time.json")).status_code == 200


async def test_a_form_with_php_brackets_is_read_like_json(portal: PortalClient) -> None:
    """Old integrations send forms; nested keys must reach the same fields."""
    form = "fields[NAME]=%D0%9B%D0%B5%D0%B9%D0%BB%D0%B0&fields[PHONE][0][VALUE]=%2B79000000001"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await portal.http.post(portal.webhook_url + "crm.lead.add", content=form, headers=kind)

    lead = await portal.result("crm.lead.get", id=answer.json()["result"])
    assert lead["NAME"] == "Лейла"
    assert [phone["VALUE"] for phone in lead["PHONE"]] == ["+79000000001"]


async def test_a_multipart_form_is_read_too(portal: PortalClient) -> None:
    """The third documented encoding; a file among the fields is passed over."""
    data = {"fields[NAME]": "Лейла", "fields[PHONE][0][VALUE]": "+79000000001"}
    photo = {"photo": ("photo.png", b"\x89PNG", "image/png")}
    answer = await portal.http.post(portal.webhook_url + "crm.lead.add", data=data, files=photo)

    lead = await portal.result("crm.lead.get", id=answer.json()["result"])
    assert (lead["NAME"], lead["PHONE"][0]["VALUE"]) == ("Лейла", "+79000000001")


async def test_a_query_is_read_and_wins_nothing_over_the_body(portal: PortalClient) -> None:
    """Both places count; the body is the more specific one."""
    number = await portal.add_lead(name="Лейла")
    answer = await portal.http.get(portal.webhook_url + "crm.lead.get", params={"id": number})
    assert answer.json()["result"]["NAME"] == "Лейла"

    other = await portal.http.post(portal.webhook_url + "crm.lead.get?id=1", json={"id": number})
    assert other.json()["result"]["ID"] == str(number)


async def test_the_body_of_a_get_is_not_read(portal: PortalClient) -> None:
    """The real portal answers as if the parameters were missing; a client that sends GET must notice here."""
    body = json.dumps({"type": "PHONE", "values": ["+79000000001"]})
    url = portal.webhook_url + "crm.duplicate.findbycomm"
    answer = await portal.http.request("GET", url, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error_description"] == "Communication type is not defined."


async def test_bad_json_is_refused_in_an_envelope(portal: PortalClient) -> None:
    """Whatever comes in, what goes out is JSON with `error`, never a traceback."""
    for content in (b"{", b"\xff\xfe", b"[" * 100_000, b"12"):
        answer = await portal.http.post(
            portal.webhook_url + "server.time", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400
        assert answer.json()["error"] == "INVALID_REQUEST"


async def test_a_body_over_four_mebibytes_is_refused(portal: PortalClient) -> None:
    """The sandbox must not be a way to fill the machine's memory."""
    answer = await portal.http.post(portal.webhook_url + "server.time", content=b" " * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_unknown_addresses_and_methods_are_told_apart(portal: PortalClient) -> None:
    """A wrong method is the portal's 404, a wrong address the sandbox's own."""
    assert await portal.refusal("crm.lead.fly") == (404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    no_user = await portal.http.post(portal.base_url + "/rest/inventedsecret1/server.time")
    assert (no_user.status_code, no_user.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")
    assert (await portal.http.get(portal.base_url + "/nowhere")).json()["error"] == "NOT_FOUND"


async def test_a_wrong_secret_is_refused_with_401(portal: PortalClient, sandbox: Sandbox) -> None:
    """The sources disagree on the code, so both can be played."""
    url = portal.base_url + "/rest/1/wrong/server.time"
    assert (await portal.http.post(url)).json()["error"] == "NO_AUTH_FOUND"

    sandbox.portal.refusal_of_wrong_secret = "INVALID_CREDENTIALS"
    answer = await portal.http.post(url)
    assert (answer.status_code, answer.json()["error"]) == (401, "INVALID_CREDENTIALS")


async def test_a_token_is_taken_from_the_parameter_auth(
    portal: PortalClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """An application sends its token in the body; an old token has its own code, so that it is refreshed."""
    soon = clock.now() + timedelta(hours=1)
    sandbox.portal.tokens["fresh"] = Caller(user_id=1, key="app", expires_at=soon, is_app=True)
    sandbox.portal.tokens["stale"] = Caller(user_id=1, key="app", expires_at=soon - timedelta(hours=2))
    url = portal.base_url + "/rest/profile"

    assert (await portal.http.post(url, json={"auth": "fresh"})).json()["result"]["ID"] == "1"
    stale = await portal.http.post(url, json={"auth": "stale"})
    assert (stale.status_code, stale.json()["error"]) == (401, "expired_token")
    assert (await portal.http.post(url)).json()["error"] == "NO_AUTH_FOUND"


async def test_a_missing_scope_is_named(portal: PortalClient, sandbox: Sandbox) -> None:
    """`insufficient_scope` sends the administrator to the right switch."""
    sandbox.portal.scopes = frozenset({"booking"})
    assert (await portal.refusal("crm.lead.list"))[:2] == (403, "insufficient_scope")
    assert (await portal.refusal("user.current"))[:2] == (403, "insufficient_scope")
    assert await portal.result("scope") == ["booking"]
    assert await portal.result("method.get", name="crm.lead.list") == {
        "isExisting": True,
        "isAvailable": False,
    }


async def test_a_portal_without_rest_refuses_everything(portal: PortalClient, sandbox: Sandbox) -> None:
    """The plan may run out on any day; that is not a wrong secret."""
    sandbox.portal.has_rest = False
    assert (await portal.refusal("profile"))[:2] == (403, "ACCESS_DENIED")


async def test_profile_tells_whether_the_caller_is_an_administrator(portal: PortalClient, sandbox: Sandbox) -> None:
    """The security check warns about a webhook of an administrator."""
    assert (await portal.result("profile"))["ADMIN"] is False
    sandbox.portal.users[1].is_admin = True
    profile = await portal.result("profile")
    assert profile["ADMIN"] is True
    assert (profile["TIME_ZONE"], profile["TIME_ZONE_OFFSET"]) == ("Europe/Moscow", 10800)


async def test_directories_are_listed_by_their_name(portal: PortalClient) -> None:
    """A gateway reads sources and stages at start, because they differ per portal."""
    sources = await portal.result("crm.status.list", filter={"ENTITY_ID": "SOURCE"})
    stages = await portal.result("crm.status.list", filter={"ENTITY_ID": "STATUS"})
    assert {"WEB", "OTHER"} < {row["STATUS_ID"] for row in sources}
    assert [(row["STATUS_ID"], row["SEMANTICS"]) for row in stages][-2:] == [
        ("CONVERTED", "S"),
        ("JUNK", "F"),
    ]


async def test_app_info_needs_an_application(portal: PortalClient) -> None:
    """A webhook has no application context."""
    assert (await portal.refusal("app.info"))[:2] == (400, "ACCESS_DENIED")


async def test_a_secret_never_reaches_the_log(portal: PortalClient, caplog: pytest.LogCaptureFixture) -> None:
    """Addresses of Bitrix24 contain secrets; the sandbox keeps the habit it teaches."""
    with caplog.at_level("DEBUG", logger="leadgate"), caplog.at_level("DEBUG", logger="uvicorn"):
        await portal.ask("server.time")
        await portal.ask("crm.item.add", LEAD)
    ours = [record for record in caplog.records if record.name.startswith(("leadgate", "uvicorn"))]
    assert not any("inventedsecret1" in record.getMessage() for record in ours)
