"""The pages in Chromium: the way of a new owner, the content security policy, accessibility and narrow screens."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.web.page_house import HOSTILE, NAME, PASSWORD, PHONE, SETUP_TOKEN, MemoryHouse, opened, reconciliation

OPEN_PAGES = ("/login", f"/setup/{SETUP_TOKEN}", "/setup/over", "/nothing/here")
PAGES = (
    "/",
    "/?period=week",
    "/deliveries",
    "/deliveries?state=dead&period=all",
    "/deliveries?q=nothing",
    "/deliveries/dlv_2",
    "/deliveries/dlv_4?notice=conflict",
    "/deliveries/dlv_6",
    "/deliveries/dlv_4/fix",
    "/events",
    "/events/evt_1",
    "/ledger",
    "/connections",
    "/connections/conn_1",
    "/reach",
    "/retention",
    "/keys",
    "/reach?without=bot",
    "/subjects",
    "/subjects/subj_1?notice=subject_unchanged",
    "/subjects/subj_2",
    "/subjects/subj_3",
    "/subjects/subj_1/correct",
    "/consents",
    "/consents?notice=consent_text_same",
    "/consents/1",
    "/consents/2",
    "/consents/proof",
    "/alerts",
    "/alerts?notice=alert_not_taken",
    "/alerts/new",
    "/erasures",
    "/subjects/subj_7/erase",
    "/alerts/new/telegram",
    "/alerts/new/mail",
    "/ledger?notice=reason_missing",
    "/connections/conn_2",
    "/connections/conn_3",
    "/connections/conn_1/remove",
    "/connections/new",
    "/connections/new/bitrix24",
    "/policies",
    "/policies?notice=policy_conflict",
    "/policies/change",
    "/health-mode",
    "/requests",
    "/requests?state=closed",
    "/requests/req_1",
    "/requests/req_2?notice=request_unknown",
    "/requests/req_3",
    "/requests/new",
    "/data-map",
    "/incident",
    "/secrets",
    "/journal",
    "/journal?kind=subject",
    "/staff",
    "/staff/new",
    "/staff/staff_manager",
    "/staff/staff_manager?notice=last_owner",
    "/tokens",
    "/tokens/new",
    "/me",
    "/prove?next=/staff&again=1",
)
IN_THE_DARK = (
    "/policies",
    "/",
    "/deliveries",
    "/ledger",
    "/alerts",
    "/consents",
    "/events/evt_1",
    "/connections/conn_1",
    "/connections/new/bitrix24",
    "/requests",
    "/requests/req_1",
    "/journal",
    "/staff/staff_manager",
    "/me",
)
RULES = {"resultTypes": ["violations"]}
"""Of what passes axe needs no more than one example; every rule is still run."""
NARROW, WIDE = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=900)


async def sign_in(page: Page, origin: str) -> None:
    """The owner signs in by the form."""
    await page.goto(f"{origin}/login")
    await page.get_by_label("Имя", exact=True).fill("Ирина")
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Добрый день, Ирина")


async def test_the_way_of_a_new_owner(page: Page) -> None:
    """Set-up, first page, a dead delivery repeated, sign out; afterwards the pages are closed again."""
    house = MemoryHouse()
    async with opened(house) as origin:
        await page.goto(f"{origin}/setup/{SETUP_TOKEN}")
        await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
        await page.get_by_label("Пароль ещё раз").fill(PASSWORD)
        await page.get_by_role("button", name="Сохранить и войти").click()
        await expect(page).to_have_url(f"{origin}/")
        await expect(page.get_by_role("alert")).to_contain_text("Telegram больше не")

        await page.get_by_role("navigation", name="Все разделы").get_by_role("link", name="События").click()
        await page.get_by_role("link", name="Отказ 2").click()
        await page.get_by_role("region", name="Доставки").locator("summary").first.click()
        await page.get_by_role("button", name="Повторить", exact=True).first.click()
        await expect(page.get_by_role("status")).to_contain_text("Повторяем")
        assert house.desk.acts == [("retry", "dlv_4", "staff_owner")]

        await page.get_by_role("button", name="Выйти").click()
        await expect(page).to_have_url(f"{origin}/login")
        await page.goto(f"{origin}/deliveries")
        await expect(page).to_have_url(f"{origin}/login?next=%2Fdeliveries")


async def test_all_dead_are_repeated_with_one_button_that_says_how_many(page: Page) -> None:
    """The count in the button is the count in the result."""
    house = MemoryHouse()
    async with opened(house) as origin:
        await sign_in(page, origin)
        await page.goto(f"{origin}/deliveries")
        await page.get_by_role("button", name="Повторить 2").click()
        await expect(page.get_by_role("status")).to_contain_text("Повторяем 2")
        await expect(page.get_by_role("button", name="Повторить 2")).to_have_count(0)


async def test_the_menu_of_a_phone_works_without_a_script(page: Page) -> None:
    """The sheet opens by its address alone and leads on."""
    async with opened(MemoryHouse()) as origin:
        await page.set_viewport_size({"width": 390, "height": 844})
        await sign_in(page, origin)
        await page.get_by_role("navigation", name="Быстрые разделы").get_by_role("link", name="Ещё").click()
        await page.get_by_role("button", name="Тёмная").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_no_personal_data_gets_into_an_address(page: Page) -> None:
    """Addresses end up in histories and logs: what a person typed or looked at is not in them."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    async with opened(MemoryHouse()) as origin:
        await sign_in(page, origin)
        await page.goto(f"{origin}/events/evt_1")
        await page.get_by_label("Зачем смотрите").select_option("call")
        await page.get_by_role("button", name="Показать данные").click()
        await expect(page.get_by_text(PHONE).first).to_be_visible()
        await expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert not [url for url in addresses if any(word in url for word in (PASSWORD, PHONE, NAME, "900412", "csrf"))]


async def test_the_owner_adds_an_address_and_removes_it_on_a_phone(page: Page) -> None:
    """Two fields and one button; the address is in no URL, and the way back takes two presses."""
    house, addresses = MemoryHouse(), []
    house.alerts.targets = []
    page.on("request", lambda request: addresses.append(request.url))
    async with opened(house) as origin:
        await page.set_viewport_size({"width": 390, "height": 844})
        await sign_in(page, origin)
        await page.goto(f"{origin}/alerts")
        await page.get_by_role("link", name="Добавить адрес").click()
        await page.get_by_role("link", name="Telegram").click()
        await page.get_by_label("Ключ бота").fill("123456789:markedtoken")
        await page.get_by_label("Номер чата").fill("-100123")
        await page.get_by_role("button", name="Сохранить и отправить пробное").click()
        await expect(page.get_by_role("status")).to_contain_text("пробное сообщение дошло")
        row = page.get_by_role("region", name="Куда пишем").get_by_role("listitem")
        await expect(row).to_contain_text("Telegram, адрес скрыт")
        await row.get_by_text("Убрать", exact=True).click()
        await page.get_by_role("button", name="Убрать адрес").click()
        await expect(page.get_by_role("status")).to_contain_text("Адрес убран")
    assert house.alerts.removed == ["addr_9"]
    assert not [url for url in addresses if "markedtoken" in url or "100123" in url]


async def test_the_owner_says_that_a_lead_was_deleted_on_purpose(page: Page) -> None:
    """One press opens the question why, one answers it."""
    house = MemoryHouse()
    house.desk.check = reconciliation("missing_in_crm", "doubled_in_crm")
    async with opened(house) as origin:
        await page.set_viewport_size({"width": 390, "height": 844})
        await sign_in(page, origin)
        await page.goto(f"{origin}/ledger")
        await page.get_by_text("Удалили нарочно", exact=True).click()
        await page.get_by_label("Почему").fill("пробная заявка")
        await page.get_by_role("button", name="Отметить: удалено нарочно").click()
        await expect(page.get_by_role("status")).to_contain_text("Отмечено")
    assert house.desk.acts == [("accept", "lead_gone", "пробная заявка", "staff_owner")]


async def faults_of(page: Page, origin: str, path: str) -> list[str]:
    """What axe finds on a page, and whether it is wider than the window."""
    await page.goto(origin + path)
    width, window = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    results = await Axe().run(page, options=RULES)
    found = [
        f"{path}: {violation['id']} {[node['html'] for node in violation['nodes']]}"
        for violation in results.response["violations"]
    ]
    return found if width <= window else [*found, f"{path} is {width} px wide"]


async def test_every_page_is_accessible_fits_a_narrow_phone_and_keeps_the_policy(page: Page) -> None:
    """Hostile names included: nothing for axe, nothing sideways at 320 px, one headline; a refused style fails the fixture."""
    house, found = MemoryHouse(), []
    house.desk.check = reconciliation("missing_in_crm", "doubled_in_crm")
    async with opened(house) as origin:
        await page.set_viewport_size(NARROW)
        for path in (*OPEN_PAGES, *PAGES):
            if path == PAGES[0]:
                await sign_in(page, origin)
            found += await faults_of(page, origin, path)
            await expect(page.get_by_role("heading", level=1)).to_have_count(1)
        icon = page.locator("svg.icon").first
        assert (await icon.bounding_box() or {"width": 0})["width"] > 0
    assert found == []


async def test_colours_are_readable_in_the_dark_on_a_desk(browser: Browser) -> None:
    """Markup is the same in both themes and at every width: only a page of each kind is looked at again."""
    house, found = MemoryHouse(), []
    house.desk.check = reconciliation()
    context = await browser.new_context(locale="ru-RU", color_scheme="dark", viewport=WIDE)
    page = await context.new_page()
    async with opened(house) as origin:
        found += await faults_of(page, origin, OPEN_PAGES[0])
        await sign_in(page, origin)
        for path in IN_THE_DARK:
            found += await faults_of(page, origin, path)
    await context.close()
    assert found == []
