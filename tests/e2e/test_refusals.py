"""What the door turns away, what it keeps although it does not understand it, and how it says so (contract, section 2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx

from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

OTHER_SECRET = "whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldC0wMDAx"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and stable code of a problem document; its form is checked on the way."""
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    return answer.status_code, str(document["code"])


async def stored(salon: Salon) -> list[dict[str, object]]:
    """Every event that was kept."""
    return list((await salon.gateway.ask("events", "list", "--limit", "200"))["items"])


async def test_a_request_without_proof_is_refused_and_leaves_nothing_behind(salon: Salon) -> None:
    """Whoever cannot sign must not be able to fill the salon's CRM, nor its disk."""
    content = json.dumps(lead()).encode()
    http, url, now = salon.bot.client, salon.bot.url, datetime.now(UTC)
    good = salon.bot.signed(content, webhook_id="msg_x")
    assert problem(await http.post(url, content=content)) == (401, "webhook.id_malformed")
    for missing in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        cut = {name: value for name, value in good.items() if name != missing}
        assert problem(await http.post(url, content=content, headers=cut))[0] == 401, missing
    changed = await http.post(url, content=content + b" ", headers=good)
    assert problem(changed) == (401, "webhook.signature_mismatch")
    for age_s in (-303, 301):
        stale = await salon.bot.post(content, at=now - timedelta(seconds=age_s))
        assert problem(stale) == (401, "webhook.timestamp_outside_window"), age_s
    salon.bot.secret, true_secret = OTHER_SECRET, salon.bot.secret
    assert problem(await salon.bot.post(content)) == (401, "webhook.signature_mismatch")
    salon.bot.secret = true_secret

    assert await stored(salon) == []
    for age_s in (-290, 290):
        assert (await salon.bot.post(lead(1), at=datetime.now(UTC) - timedelta(seconds=age_s))).status_code == 202
    metrics = (await http.get(f"{salon.gateway.url}/metrics")).text
    assert 'leadgate_webhooks_total{kind="bot",outcome="401"} 8.0' in metrics

    async def is_journaled() -> bool:
        entries = (await salon.gateway.ask("journal", "tail", "--kind", "webhook"))["items"]
        told = {entry["details"]["code"] for entry in entries if entry["on"] == salon.bot_connection}
        return {"webhook.id_malformed", "webhook.signature_mismatch", "webhook.timestamp_outside_window"} <= told

    await until(is_journaled, what="refusals in the audit journal")


async def test_a_malformed_body_is_named_field_by_field_and_never_guessed(salon: Salon) -> None:
    """An integrator finds all mistakes at once; a guessed phone would call a stranger."""
    broken = {
        "channel": 7,
        "contact": {"phone": "не скажу", "email": "нет", "name": ["Алсу"]},
        "preferred_time": "завтра",
        "consent": "да",
        "utm": {"source": 1},
    }
    answer = await salon.bot.post(broken)
    assert problem(answer) == (422, "lead.invalid")
    named = {error["field"] for error in answer.json()["errors"]}
    assert {
        "channel",
        "contact.phone",
        "contact.email",
        "contact.name",
        "preferred_time",
        "consent",
        "utm.source",
    } <= named
    assert "не скажу" not in answer.text
    assert problem(await salon.bot.post({"channel": "telegram", "contact": {"name": "Алсу"}}))[0] == 422
    assert problem(await salon.bot.post(["not", "an", "object"]))[0] == 422
    assert problem(await salon.bot.post(b"channel=telegram"))[0] == 400
    large = json.dumps(lead(message="x" * (1 << 20))).encode()
    assert problem(await salon.bot.post(large)) == (413, "webhook.body_too_large")

    async def in_pieces() -> object:
        for _ in range(20):
            yield b"x" * 65536

    unannounced = await salon.bot.client.post(salon.bot.url, content=in_pieces())  # type: ignore[arg-type] # a generator
    assert problem(unannounced) == (413, "webhook.body_too_large")
    assert await stored(salon) == []


async def test_only_our_addresses_and_methods_answer(salon: Salon) -> None:
    """A typo in an address must not look like success, or leads are lost in silence."""
    http, base = salon.bot.client, salon.gateway.url
    for path in (
        "/webhooks/bot/conn_00000000000000000000000000",
        f"/webhooks/telegram/{salon.bot_connection}",
        "/webhooks/bot",
        "/webhooks/",
        "/webhooks/bot/../bot",
    ):
        assert problem(await http.post(base + path, content=b"{}"))[0] == 404, path
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert problem(await http.request(method, salon.bot.url))[0] == 405, method


NOT_UNDERSTOOD = (b"\xff\xfe no json", b'{"update_id": 5, "new_kind_of_2031": {"a": 1}}', b"[]", b"")


async def test_a_messenger_is_never_turned_away_for_what_we_do_not_understand(salon: Salon) -> None:
    """Messengers stop sending to a bot that refuses; what we cannot read today is kept for tomorrow."""
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        await salon.heard(made["webhook_path"])
        url = salon.gateway.url + made["webhook_path"]
        headers = {"X-Telegram-Bot-Api-Secret-Token": made["webhook_secret"]}
        for body in NOT_UNDERSTOOD:
            wrong = await salon.bot.client.post(url, content=body, headers={"X-Telegram-Bot-Api-Secret-Token": "wrong"})
            assert problem(wrong) == (401, "webhook.secret_mismatch")
            for _ in range(2):
                assert (await salon.bot.client.post(url, content=body, headers=headers)).is_success
        kept = await stored(salon)
        assert [event["kind"] for event in kept] == ["telegram"] * len(NOT_UNDERSTOOD)
        assert (await salon.balanced())["received"] == len(NOT_UNDERSTOOD)
        assert server.sent == []
