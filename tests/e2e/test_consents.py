"""One dialogue in Telegram through the real gateway, and the register proven by the real commands."""

from __future__ import annotations

from pathlib import Path

from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.waiting import until
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.test_conversation import Client
from tests.e2e.visitor import Visitor


async def test_a_consent_given_and_withdrawn_in_telegram_is_proven_by_the_commands(salon: Salon) -> None:
    """The client presses, talks and says stop; the owner's command proves who agreed to what, when, and that it is over."""
    async with TelegramServer() as server:
        secrets = {"bot_token": server.token}
        made = await salon.gateway.connect("telegram", "Бот", secrets=secrets, check=False, api_base=server.base)
        client = Client(server, salon, made)
        await salon.heard(made["webhook_path"])
        shown = await client.write("Хочу маникюр в четверг", answers=2)
        for words in ("Даю согласие", "Алсу", "8 900 000-02-01", "Уже написано выше"):
            await client.write(words)
        assert "согласие отозвано" in await client.write("отзываю согласие")

        command = salon.gateway.ask
        items = (await command("consents", "list"))["items"]
        assert [(one["purpose"], one["decision"], one["how"]) for one in items] == [
            ("advertising", "refused", "words"),
            ("processing", "withdrawn", "words"),
            ("processing", "given", "button"),
        ]
        detail = await command("consents", "show", "1")
        assert detail["shown"]["text"] == shown, "what Telegram was given is the version, word for word"
        assert detail["words"] == "Даю согласие"
        subject = items[0]["subject"]
        assert len((await command("consents", "list", "--subject", subject))["items"]) == 3

        async def is_journaled() -> bool:
            return int((await command("consents", "verify"))["journaled"]) == 2

        await until(is_journaled, what="the register in the journal")
        proof = await command("consents", "verify")
        assert (proof["ok"], proof["records"], proof["matched"], proof["wordless"]) == (True, 3, 2, 1)
        (lead,) = salon.portal.leads()
        assert (lead["name"], lead["phone"]) == ("Алсу", "+79000000201")


async def test_the_owner_writes_a_text_and_the_next_client_reads_it(
    salon: Salon, prepared: Prepared, tmp_path: Path
) -> None:
    """By command, while the gateway runs; an earlier consent keeps its own version."""
    words = "Разрешаю салону «Лимон» хранить имя и телефон, чтобы записать меня. Передумаю: напишу «отзываю согласие»."
    file = tmp_path / "text.txt"
    file.write_text(words, encoding="utf-8")
    made = await salon.gateway.ask("consents", "texts", "set", "processing", str(file))
    assert (made["version"], made["by"]) == (1, "command")
    visitor = Visitor(salon.bot.client, salon.gateway.url, prepared.site["connection"])
    await visitor.enter()
    assert await visitor.ask("Здравствуйте") == words
    refused = await salon.gateway.command("consents", "texts", "set", "processing", str(file))
    assert refused.code == 1
    assert "stand already" in refused.err
    rule = await salon.gateway.ask("consents", "rule", "--advertise")
    assert rule == {"asks_processing": True, "advertises": True, "passes_on_to": None}
