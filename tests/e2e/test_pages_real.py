"""The owner's pages and the salon's chat in Chromium, over the product as it is installed and a sandbox portal.

Nothing is faked here but the vendor: what stands on a page came through a socket, the database and the CRM.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.async_api import ConsoleMessage, Locator, Page, ViewportSize, expect

from leadgate.testing.waiting import until
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.sender import lead

NAME, PASSWORD = "Ирина", "четыре слова и лимон"
CLIENT, PHONE, WISH = "Алсу", "8 900 000-05-01", "Маникюр с покрытием в четверг после шести"
NARROW, WIDE = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)


@dataclass(slots=True)
class Owner:
    """The owner at her screen, signed in."""

    page: Page
    home: str

    async def open(self, path: str) -> None:
        """Go to a page; none of them is wider than a phone or a desk."""
        for size in (NARROW, WIDE):
            await self.page.set_viewport_size(size)
            await self.page.goto(self.home + path)
            assert await self.page.evaluate("document.documentElement.scrollWidth") <= size["width"], path

    async def press(self, name: str) -> None:
        """Press a button that changes something and wait for what it says."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def numbers(self) -> list[int]:
        """The three numbers of the first page: came, in the CRM, waiting."""
        texts = await self.page.locator(".sum b").all_text_contents()
        return [int("".join(filter(str.isdigit, text))) for text in texts]

    async def having(self, numbers: list[int]) -> None:
        """Look at the first page until it shows these three numbers."""

        async def look() -> bool:
            await self.page.goto(self.home)
            return await self.numbers() == numbers

        await until(look, what=f"the first page shows {numbers}")


@pytest.fixture
async def owner(salon: Salon, prepared: Prepared, page: Page) -> AsyncIterator[Owner]:
    """The owner comes by the one-time address that `init` printed, gives name and password, and is in."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", note)
    home = salon.gateway.url
    await page.goto(home + urlsplit(prepared.made["setup_url"]).path)
    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_label("Пароль ещё раз").fill(PASSWORD)
    await page.get_by_role("button", name="Сохранить и войти").click()
    await expect(page).to_have_url(f"{home}/")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    yield Owner(page, home)
    assert errors == []


async def connect_chat(owner: Owner) -> str:
    """The owner connects the chat of her site by the form; returns the path of the chat's page."""
    page = owner.page
    await owner.open("/connections/new")
    await page.get_by_role("link", name="Сайт").click()
    await page.get_by_label("Название").fill("Чат на странице салона")
    await page.get_by_label("Адреса сайта").fill(owner.home)
    await page.get_by_role("button", name="Подключить Сайт").click()
    snippet = page.get_by_role("textbox", name="Чат на ваш сайт")
    await expect(snippet).to_have_text(
        re.compile(rf'^<script src="{re.escape(owner.home)}/site/conn_\w+/widget\.js" defer></script>$')
    )
    return await page.get_by_role("link", name="Открыть страницу с чатом").get_attribute("href") or ""


async def tell(chat: Locator, words: str, answer: str) -> None:
    """A client writes and reads the bot's answer."""
    await chat.get_by_role("textbox", name="Ваше сообщение").fill(words)
    await chat.get_by_role("button", name="Отправить", exact=True).click()
    await expect(chat.get_by_text(answer)).to_be_visible()


async def write_as_client(owner: Owner, path: str) -> None:
    """Somebody opens the salon's chat page in a window of their own and asks for an appointment."""
    browser = owner.page.context.browser
    assert browser is not None
    context = await browser.new_context(locale="ru-RU", viewport=NARROW)
    client = await context.new_page()
    broken: list[str] = []
    client.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    client.on("pageerror", lambda error: broken.append(str(error)))
    await client.goto(owner.home + path)
    if await client.get_by_role("button", name="Открыть чат").is_visible():
        await client.get_by_role("button", name="Открыть чат").click()
    chat = client.get_by_role("dialog")
    await tell(chat, "Здравствуйте", "Согласие на обработку персональных данных")
    await chat.get_by_role("button", name="Даю согласие").click()
    await expect(chat.get_by_text("Как к вам обращаться?")).to_be_visible()
    await tell(chat, CLIENT, "На какой номер позвонить")
    await tell(chat, PHONE, "Что и когда вам удобно?")
    await tell(chat, WISH, "Готово, заявка у администратора")
    assert broken == []
    await context.close()


async def test_from_the_one_time_address_to_the_first_lead(salon: Salon, owner: Owner) -> None:
    """The owner's first day: connects the chat, a client writes, and every page tells the same story as the CRM."""
    page = owner.page
    await expect(page.get_by_role("heading", name="Здесь появятся заявки")).to_be_visible()
    await write_as_client(owner, await connect_chat(owner))

    made = await salon.portal.with_entry(WISH)
    assert made["name"] == CLIENT
    assert len(salon.portal.leads()) == 1
    await salon.idle()
    await owner.having([1, 1, 0])
    await owner.open("/")
    await expect(page.get_by_role("status", name="Всё идёт")).to_be_visible()

    await owner.press("Сверить сейчас")
    await expect(page.get_by_text("Сошлось", exact=True)).to_be_visible()
    await expect(page.get_by_text(re.compile(r"Потеряно 0, задвоено 0\. Сверка с\sБитрикс24"))).to_be_visible()

    await owner.open("/deliveries")
    rows = page.get_by_role("region", name="Доставки").locator("details")
    await expect(rows.filter(has_text="Новая заявка")).to_have_count(1)
    await expect(rows.filter(has_text="доставлено").first).to_be_visible()
    assert await rows.filter(has_text=re.compile("отказ|неизвестен")).count() == 0


async def test_what_a_client_wrote_is_hidden_until_the_owner_says_why(salon: Salon, owner: Owner) -> None:
    """A page that stands open on a desk shows no phone; with a reason it does, once."""
    await salon.bot.accept(lead(501))
    await salon.portal.having(1)
    page = owner.page
    await owner.open("/events")
    await page.get_by_role("region", name="Кто стучался").get_by_role("link").first.click()
    await expect(page.get_by_text("Заявка из конструктора ботов")).to_be_visible()
    assert "Гарипова" not in await page.content()
    assert "Хочу на маникюр" not in await page.content()
    await page.get_by_label("Зачем смотрите").select_option(label="Связаться с клиентом")
    await owner.press("Показать данные")
    await expect(page.get_by_text("Алсу Гарипова")).to_be_visible()
    await expect(page.get_by_text("+7 900 000-05-01").or_(page.get_by_text("+79000000501"))).to_be_visible()
    await page.goto(page.url.removesuffix("/reveal"))
    assert "Гарипова" not in await page.content()


async def test_an_outage_is_yellow_with_the_number_that_waits_and_passes_by_itself(salon: Salon, owner: Owner) -> None:
    """A CRM that is down is no alarm: the owner sees who is silent, how many wait, and later that all is well."""
    page = owner.page
    salon.portal.sandbox.faults.add("down")
    await salon.bot.accept(lead(511))
    await salon.bot.accept(lead(512))
    yellow = page.get_by_role("region", name="Пройдёт само")

    async def is_told() -> bool:
        await page.goto(owner.home)
        return await yellow.is_visible()

    await until(is_told, what="the yellow line")
    await owner.open("/")
    assert await owner.numbers() == [2, 0, 2]
    await expect(yellow).to_contain_text("Битрикс24")
    await expect(page.get_by_role("alert")).to_have_count(0)
    row = page.get_by_role("region", name="Каналы").get_by_role("link", name="CRM")
    await expect(row).to_contain_text(re.compile(r"ждут\s4"))
    await yellow.get_by_role("link", name="Кто ждёт").click()
    waiting = page.get_by_role("region", name="Доставки").locator("details")
    assert await waiting.count() > 0

    salon.portal.sandbox.faults.clear()
    await owner.open(f"/connections/{salon.crm}")
    await owner.press("Проверить сейчас")
    await expect(page.get_by_text("Битрикс24 отвечает, доступ работает.")).to_be_visible()
    await salon.portal.having(2)
    await salon.idle()
    await owner.having([2, 2, 0])
    await expect(page.get_by_role("status", name="Всё идёт")).to_be_visible()
    await owner.press("Сверить сейчас")
    await expect(page.get_by_text("Сошлось", exact=True)).to_be_visible()


async def test_after_signing_out_nobody_gets_back_in(owner: Owner) -> None:
    """The next person at this computer presses Back and sees the sign-in, not the salon."""
    page = owner.page
    await owner.open("/connections")
    await owner.press("Выйти")
    await expect(page).to_have_url(f"{owner.home}/login")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Вход")).to_be_visible()
    await page.goto(f"{owner.home}/deliveries")
    await expect(page.get_by_role("heading", name="Вход")).to_be_visible()
    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await owner.press("Войти")
    await expect(page).to_have_url(f"{owner.home}/deliveries")
