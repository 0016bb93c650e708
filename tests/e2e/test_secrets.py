"""Secrets of a running gateway are replaced by commands: who is honest is never refused, who holds the old one is, in the end."""

from __future__ import annotations

import json

from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from tests.e2e.conftest import Salon
from tests.e2e.sender import lead

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def test_a_new_signing_secret_is_good_in_the_moment_it_is_shown(salon: Salon) -> None:
    """The bot builder is changed by a person who does not wait; the old one goes on until the overlap ends."""
    name = f"{salon.bot_connection}.signing_secret"
    old = salon.bot.secret
    for number in range(3):
        rotated = await salon.gateway.ask("secrets", "rotate", name, "--overlap", "600")
        salon.bot.secret = rotated["secret"]
        assert (await salon.bot.post(lead(number))).status_code == 202, "at once, without waiting for the next look"
    salon.bot.secret = old
    assert (await salon.bot.post(lead(7))).status_code == 202
    item = next(one for one in (await salon.gateway.ask("secrets", "list"))["items"] if one["name"] == name)
    assert (item["age_days"], item["state"], item["owner"]) == (0, "fresh", "command")
    assert item["overlap_until"] is not None
    assert item["last_used_at"] is not None
    new = (await salon.gateway.ask("secrets", "rotate", name, "--overlap", "1"))["secret"]
    assert (await salon.gateway.ask("secrets", "confirm", name))["destroyed"] > 1

    async def is_refused() -> bool:
        return (await salon.bot.post(lead(8))).status_code == 401

    await until(is_refused, what="the old secret is refused", timeout_s=5)
    salon.bot.secret = new
    assert (await salon.bot.post(lead(9))).status_code == 202
    assert new not in json.dumps(await salon.gateway.ask("secrets", "list"))
    assert salon.gateway.printed().count(new) == 1, "shown this once, and in no log"


async def test_telegram_is_told_its_new_secret_and_the_next_update_passes(salon: Salon) -> None:
    """And a new token from BotFather is tried before the old one goes; a dead one changes nothing."""
    gateway = salon.gateway
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        options = ("--setting", f"api_base={server.base}", "--no-check")
        made = await gateway.ask("connect", "telegram", "--name", "Бот", *options, secrets=secrets)
        name, path = made["connection"], made["webhook_path"]
        rotated = await gateway.ask("secrets", "rotate", f"{name}.webhook_secret")
        assert rotated["findings"][0]["code"] == "connection.public_url_missing"
        for number, secret in enumerate((rotated["secret"], made["webhook_secret"])):
            headers = {SECRET_HEADER: secret}
            body = {"update_id": 900 + number}
            answer = await salon.bot.client.post(gateway.url + path, json=body, headers=headers)
            assert answer.status_code == 200
        by_hand = await gateway.command("secrets", "rotate", f"{name}.bot_token", "--json")
        assert (by_hand.code, by_hand.json()["done"], by_hand.json()["secret"]) == (1, False, None)
        assert len(by_hand.json()["steps"]) == 3
        dead = {"value": server.token + "x"}
        refused = await gateway.command("secrets", "set", f"{name}.bot_token", secrets=dead)
        assert (refused.code, "stays in use" in refused.err) == (1, True)
        assert dead["value"] not in refused.out + refused.err
        server.kill_token()
        good = {"value": server.token}
        done = await gateway.ask("secrets", "set", f"{name}.bot_token", secrets=good)
        assert done["done"]
        other = {"value": "7000000002:another-bot"}
        wrong = await gateway.command("secrets", "set", f"{name}.bot_token", secrets=other)
        assert (wrong.code, "another account" in wrong.err) == (2, True)


async def test_a_webhook_of_the_crm_is_tried_by_reading(salon: Salon) -> None:
    """A wrong address of the right portal is refused by the portal itself, and leads go on by the old one."""
    name = f"{salon.crm}.webhook_url"
    wrong = {"value": salon.portal.webhook_url.replace("markedportalsecret", "wrongportalsecret")}
    refused = await salon.gateway.command("secrets", "set", name, secrets=wrong)
    assert refused.code == 1, refused.err
    assert "wrongportalsecret" not in refused.out + refused.err
    assert (await salon.bot.post(lead(11))).status_code == 202
    await salon.portal.having(1)
