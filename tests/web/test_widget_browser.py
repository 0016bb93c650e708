"""The widget in a real browser, on the page of a salon with another origin and a strict policy."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Route, expect

from tests.web.site_rig import CONNECTION_ID, Rig, foreign_site, gateway, served


@pytest.fixture
async def house() -> AsyncIterator[tuple[Rig, str, str]]:
    """A running gateway, its origin, and the origin of a salon's site that it lets in."""
    async with gateway() as (rig, gate), served(foreign_site(gate)) as site:
        rig.allow(gate, site)
        yield rig, gate, site


async def open_chat(page: Page, address: str) -> Locator:
    """Opens the page and presses the round button."""
    await page.goto(address)
    await page.get_by_role("button", name="Открыть чат").click()
    return page.get_by_role("dialog", name="Салон «Лимон»")


async def write(page: Page, text: str) -> None:
    """Types a message and presses Enter."""
    await page.get_by_role("textbox", name="Ваше сообщение").fill(text)
    await page.keyboard.press("Enter")


async def test_a_visitor_of_a_foreign_page_writes_and_is_answered(house: tuple[Rig, str, str], page: Page) -> None:
    """The main job, under the page's own policy and in spite of its styles."""
    rig, _, site = house
    chat = await open_chat(page, site + "/?utm_source=yandex")
    await expect(chat.get_by_text("Это бот салона «Лимон»")).to_be_visible()
    await expect(page.get_by_role("textbox")).to_be_focused()
    await write(page, "Хочу на маникюр")
    await expect(chat.get_by_text("Как к вам обращаться")).to_be_visible()
    await expect(chat.get_by_text("доставлено")).to_be_visible()
    await chat.get_by_role("button", name="Даю согласие").click()
    await expect(chat.get_by_text("Их увидят только в салоне")).to_be_visible()
    assert rig.texts_of_clients() == ["Хочу на маникюр", "Даю согласие"]
    await expect(chat.locator(".msg--out")).to_have_count(2)
    size = await chat.get_by_text("Хочу на маникюр").evaluate("it => getComputedStyle(it).fontSize")
    assert size == "16px"


async def test_what_people_write_is_never_markup(house: tuple[Rig, str, str], page: Page) -> None:
    """A client or a bot that sends HTML must see HTML, not run it."""
    _, _, site = house
    chat = await open_chat(page, site)
    await write(page, "<img src=x onerror=alert(1)><b>жирно</b>")
    await expect(chat.get_by_text("<b>жирно</b>")).to_be_visible()
    assert await chat.locator("img, b").count() == 0


async def test_a_lost_answer_never_doubles_a_message(house: tuple[Rig, str, str], page: Page) -> None:
    """The connection drops after the gateway has committed: the repeat carries the same id."""
    rig, _, site = house
    rig.answers = False
    seen: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        if route.request.method != "POST":
            return await route.continue_()
        seen.append((route.request.post_data_json or {})["id"])
        if len(seen) > 1:
            return await route.continue_()
        await route.fetch()
        return await route.abort("connectionreset")

    await page.route("**/webhooks/**", lose_the_first_answer)
    chat = await open_chat(page, site)
    await write(page, "Запишите меня")
    await expect(chat.get_by_text("Нет связи. Сообщение сохранили, отправим сами.")).to_be_visible()
    await chat.get_by_role("button", name="не ушло, повторить").click()
    await expect(chat.get_by_text("доставлено")).to_be_visible()
    await expect(chat.get_by_text("Нет связи")).to_have_count(0)
    assert len(seen) == 2
    assert len(set(seen)) == 1
    await rig.say(next(iter(rig.said)), "Вижу вас")  # comes after the echo of the visitor's own words
    await expect(chat.get_by_text("Вижу вас")).to_be_visible()
    assert rig.texts_of_clients() == ["Запишите меня"]
    await expect(chat.locator(".msg--out")).to_have_count(1)


async def test_the_echo_of_a_message_settles_it_when_its_answer_was_lost(
    house: tuple[Rig, str, str], page: Page
) -> None:
    """What stands in the conversation has arrived; the visitor need not be told to send it again."""
    rig, _, site = house
    rig.answers = False
    chat = await open_chat(page, site)
    await write(page, "Первое")
    await expect(chat.get_by_text("доставлено")).to_be_visible()

    async def lose_every_answer(route: Route) -> None:
        await route.fetch()
        await route.abort("connectionreset")

    await page.route("**/webhooks/**", lose_every_answer)
    await write(page, "Второе")
    await expect(chat.get_by_text("доставлено")).to_have_count(2)
    await expect(chat.get_by_text("не ушло")).to_have_count(0)
    assert rig.texts_of_clients() == ["Первое", "Второе"]


async def test_a_message_written_offline_survives_the_page_and_goes_by_itself(
    house: tuple[Rig, str, str], browser_context: BrowserContext
) -> None:
    """A phone in a lift: written, closed, opened again, sent; then nothing of it stays in the browser."""
    rig, _, site = house
    page = await browser_context.new_page()
    chat = await open_chat(page, site)
    await write(page, "Первое")
    await expect(chat.get_by_text("доставлено")).to_be_visible()
    await browser_context.set_offline(True)
    await write(page, "Второе")
    await expect(chat.get_by_text("не ушло, повторить")).to_be_visible()
    kept = await page.evaluate("Object.keys(localStorage).filter(key => key.includes('unsent')).length")
    assert kept == 1
    await page.close()
    await browser_context.set_offline(False)
    page = await browser_context.new_page()
    chat = await open_chat(page, site)
    await expect(chat.get_by_text("доставлено")).to_have_count(2)
    assert rig.texts_of_clients() == ["Первое", "Второе"]
    assert len(rig.said) == 1, "the returning visitor is the same one"
    assert await page.evaluate("Object.keys(localStorage)") == [f"leadgate:{CONNECTION_ID}:visit"]


async def test_nothing_is_stored_before_the_visitor_writes(house: tuple[Rig, str, str], page: Page) -> None:
    """Who only reads the page leaves no trace in the browser and gets no cookie."""
    _, _, site = house
    chat = await open_chat(page, site)
    await expect(chat.get_by_text("Это бот салона")).to_be_visible()
    assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert await page.context.cookies() == []


async def test_a_refused_page_shows_nothing_and_says_why_in_one_line(
    house: tuple[Rig, str, str], browser_context: BrowserContext
) -> None:
    """A page that is not in the list gets no chat; its owner finds the reason in the console."""
    rig, gate, site = house
    rig.allow(gate)
    page = await browser_context.new_page()
    async with page.expect_console_message(lambda line: line.type == "warning") as caught:
        await page.goto(site)
    line: ConsoleMessage = await caught.value
    assert line.text.startswith(f"Leadgate: no chat here. {site} is not in allowed_origins of {CONNECTION_ID}")
    assert await page.locator("leadgate-chat").count() == 0


async def test_an_expired_token_is_renewed_without_a_word(house: tuple[Rig, str, str], page: Page) -> None:
    """A tab that stood open over lunch goes on in the same conversation."""
    rig, _, site = house
    chat = await open_chat(page, site)
    await write(page, "Утро")
    await expect(chat.get_by_text("доставлено")).to_be_visible()
    rig.clock.at = rig.clock.at.replace(hour=rig.clock.at.hour + 3)
    await write(page, "День")
    await expect(chat.get_by_text("доставлено")).to_have_count(2)
    assert len(rig.said) == 1


async def test_the_keyboard_opens_closes_and_keeps_the_focus(house: tuple[Rig, str, str], page: Page) -> None:
    """Without a mouse: Enter opens, Escape closes, the focus comes back to the button."""
    _, _, site = house
    await page.goto(site)
    button = page.get_by_role("button", name="Открыть чат")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(button).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
async def test_the_chat_page_is_accessible(house: tuple[Rig, str, str], page: Page, width: int, scheme: str) -> None:
    """Axe finds nothing, nothing scrolls sideways, every target is at least 44 px high."""
    _, gate, _ = house
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": width, "height": 844})
    await page.goto(f"{gate}/chat/{CONNECTION_ID}")
    chat = page.get_by_role("dialog")
    await write(page, "Добрый день")
    await expect(chat.get_by_role("button", name="Даю согласие")).to_be_visible()
    results = await Axe().run(page)
    assert results.violations_count == 0, [found["id"] for found in results.response["violations"]]
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for target in await chat.get_by_role("button").all():
        box = await target.bounding_box()
        assert box is None or box["height"] >= 44
    if width < 480:
        await chat.get_by_role("button", name="Свернуть чат").click()
        results = await Axe().run(page)
        assert results.violations_count == 0, [found["id"] for found in results.response["violations"]]
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_words_that_the_house_keeps_differently_are_not_shown_twice(
    house: tuple[Rig, str, str], page: Page
) -> None:
    """The history may hold the client's words tidied up; on the screen they stand as they were typed, once."""
    rig, _, site = house
    rig.answers = False
    rig.tidy = str.upper
    chat = await open_chat(page, site)
    await write(page, "запишите меня")
    await expect(chat.get_by_text("доставлено")).to_be_visible()
    await rig.say(next(iter(rig.said)), "Вижу вас")
    await expect(chat.get_by_text("Вижу вас")).to_be_visible()
    await expect(chat.locator(".msg--out")).to_have_count(1)
    await expect(chat.get_by_text("запишите меня", exact=True)).to_be_visible()
